//! Renders outcomes as stable text, and compares them.
//!
//! All normalising rules are here, each with its reason: the same outcome gives the same text on any machine and in any
//! order. A snapshot contains the outcome and nothing about its origin.

mod difference;
mod flow;
mod flow_verdict;
mod normalise;
mod propose;
mod reaction;
mod render;
pub mod stored;
mod verdict;

pub(crate) use crate::model::matches_pattern;
pub use difference::{Difference, differences, listed, shown};
pub use normalise::Rules;
pub use propose::{Flicker, proposed_rules};
pub use render::{Renderer, WITHOUT_SNAPSHOT};
pub use verdict::{Verdict, described};
