//! Outcomes as stable text, and what is compared with what.
//!
//! Every normalising rule is here, each with its reason: the same outcome gives the same text on any machine, in
//! any order. Snapshots hold the outcome and nothing of where it came from.

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
