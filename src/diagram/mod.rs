//! A flow drawn as a sequence diagram: Mermaid text, and text for a terminal.
//!
//! Both draw the same script, in the order of the replay. A diagram has only names and statuses; the report and the
//! snapshot have the contents. Knows nothing of fixtures and descriptors.

mod mermaid;
mod script;
mod terminal;

pub use mermaid::mermaid;
pub use terminal::terminal;
