//! Renders outcomes as stable text, and compares them.
//!
//! All normalising rules are here, each with its reason: the same outcome gives the same text on any machine and in any
//! order. A snapshot contains the outcome and nothing about its origin.

mod change;
mod difference;
mod flow;
mod flow_place;
mod flow_verdict;
mod normalise;
mod path;
mod propose;
mod reaction;
mod rejection;
mod render;
pub mod stored;
mod summary;
mod verdict;

pub(crate) use crate::model::matches_pattern;
pub(crate) use change::{changes_of, grouped};
pub(crate) use difference::listed_styled;
pub use difference::{Difference, differences, listed, shown};
pub use flow_place::{FlowPlace, ProductionStep, StatusLine, StreamName};
pub use normalise::{Rules, why_impossible};
pub use path::ValuePath;
pub use propose::Flicker;
pub(crate) use rejection::{is_rejection, is_rejection_text};
pub use render::{Renderer, WITHOUT_SNAPSHOT};
pub use summary::{Summary, Unchecked};
pub use verdict::{Verdict, described};
