//! Mutants of what logic answers: each differs in one thing, and a comparison has to notice it.
//!
//! Knows answers, and nothing of how they are compared. Who says that a mutant is not noticed knows why.
//!
//! | file | owns |
//! |---|---|
//! | `outcome` | mutants of each outcome, and other outcomes in its place |
//! | `failure` | of a failing status |
//! | `book` | of emitted events |
//! | `reaction` | of commands, facts and projections |
//! | `values` | of covers, headers and payloads |
//! | `change` | one change, and the changes of a list |

mod book;
mod change;
mod failure;
mod outcome;
mod reaction;
mod values;

pub use change::ChangedField;
pub use outcome::{Mutant, mutants};

use crate::model::Payload;
use crate::payload::Variation;

/// Payloads that differ from one in a single field.
pub type Vary<'a> = &'a dyn Fn(&Payload) -> Vec<Variation>;
