//! A flow drawn as a sequence diagram: Mermaid text, and text for a terminal.
//!
//! Both draw the same script, in the order of the replay. Only names and statuses are drawn; contents are the
//! report's and the snapshot's. Knows nothing of fixtures and descriptors.

mod mermaid;
mod script;
mod terminal;

pub use mermaid::mermaid;
pub use terminal::terminal;
