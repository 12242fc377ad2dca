//! What can be captured, as lists: the aggregates of a source, and the known failures grouped by bug.
//!
//! Nothing is printed: aggregates are passed on as they arrive, and bugs are returned. Messages of failures are redacted as
//! a capture would redact them.

mod aggregates;
mod bugs;

pub use aggregates::{
    AggregateFilter, AggregateList, AggregatesRequest, FilterError, ListSummary, ListedAggregate,
    NewestFailure, StoredEvents,
};
pub use bugs::{FailureSource, ListedBug, ListedBugs, list_bugs};
