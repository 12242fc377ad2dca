//! What can be captured, as lists: the aggregates of a source, and the known failures grouped by bug.
//!
//! Each list is one call, which prints nothing. Messages of failures are redacted as a capture would redact them.

mod aggregates;
mod bugs;

pub use aggregates::{
    AggregatesRequest, ListedAggregate, ListedAggregates, NewestFailure, StoredEvents,
    list_aggregates,
};
pub use bugs::{FailureSource, ListedBug, ListedBugs, list_bugs};
