//! Mutants of the answers of logic. Each differs in one thing, which a comparison has to notice.
//!
//! Knows answers, but not how they are compared, nor why a mutant is not noticed.
//!
//! | file | owns |
//! |---|---|
//! | `outcome` | mutants of each outcome, and other outcomes in its place |
//! | `failure` | mutants of a failing status |
//! | `book` | mutants of emitted events |
//! | `reaction` | mutants of commands, facts and projections |
//! | `values` | mutants of covers, headers and payloads |
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
