//! Why a case cannot be replayed through a coordinator.

use crate::grpc::{FactError, LogicError, QueryError};
use crate::model::{Domain, Root};

/// Advice at the end of nearly every message.
const DIRECTLY: &str = "replay it on the logic directly, without --coordinator";

/// Why a coordinator in isolation did not answer a stimulus.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsolatedError {
    /// A coordinator has no call for it.
    #[error("a coordinator has no speculative call for {what}; {DIRECTLY}")]
    NoCall {
        /// What it was asked about.
        what: &'static str,
    },
    /// The case is a workflow.
    #[error("a flow goes through the components of several coordinators; {DIRECTLY}")]
    Flow,
    /// The history has a gap.
    #[error(
        "the history has no page {sequence}: facts are numbered without gaps, so it cannot be loaded into a coordinator; {DIRECTLY}"
    )]
    Gap {
        /// First missing sequence.
        sequence: u32,
    },
    /// A page is not confirmed, or is a placeholder for such a page.
    #[error(
        "page {sequence} is provisional or the framework's own: facts cannot be, so the history cannot be loaded into a \
         coordinator; {DIRECTLY}"
    )]
    Provisional {
        /// Its sequence.
        sequence: u32,
    },
    /// The case has a stored snapshot.
    #[error(
        "the case has a stored snapshot after sequence {sequence}: a coordinator speculates on the full history and never \
         on a snapshot; {DIRECTLY}"
    )]
    Snapshot {
        /// Last sequence that the snapshot includes.
        sequence: u32,
    },
    /// It is larger than a coordinator accepts.
    #[error("{what}, a coordinator takes at most {limit}; {DIRECTLY}")]
    TooLarge {
        /// What is too large, with its size.
        what: String,
        /// The limit.
        limit: &'static str,
    },
    /// The store has events of the aggregate already.
    #[error(
        "{domain}/{root} has events at {address} already, on the main timeline or in this edition: a history that is loaded \
         there would be appended after them; use a coordinator on a fresh store (`command`), or one that does not have the \
         aggregate"
    )]
    Present {
        /// Domain.
        domain: Domain,
        /// Root.
        root: Root,
        /// The coordinator.
        address: String,
    },
    /// Another history of the same aggregate was loaded before.
    #[error(
        "{domain}/{root} was loaded with another history before, which this one does not extend; use a fresh store"
    )]
    OtherHistory {
        /// Domain.
        domain: Domain,
        /// Root.
        root: Root,
    },
    /// The pages that were read back differ from those that were loaded.
    #[error("{address} did not store page {sequence} as it was loaded: {difference}")]
    Unfaithful {
        /// The coordinator.
        address: String,
        /// Sequence of the page.
        sequence: u32,
        /// What differs.
        difference: StoredDifference,
    },
    /// What will be left behind could not be recorded.
    #[error("nothing was loaded, because what would be left behind cannot be recorded: {reason}")]
    Unnoted {
        /// Why.
        reason: String,
    },
    /// The coordinator did not accept the history.
    #[error("the history was not loaded: {0}")]
    Facts(#[from] FactError),
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The coordinator did not speculate.
    #[error(transparent)]
    Call(#[from] LogicError),
}

/// How a stored page differs from the loaded one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoredDifference {
    /// The coordinator answered that it had stored it before.
    #[error("it treats the page as already stored")]
    TakenForKnown,
    /// It was not stored.
    #[error("the page is missing")]
    Missing,
    /// There is a page that was not loaded.
    #[error("the page was not loaded by this replay")]
    Additional,
    /// It has another sequence.
    #[error("it has sequence {0}")]
    Sequence(u32),
    /// It has another event.
    #[error("the event differs")]
    Event,
    /// It has another time.
    #[error("the time differs")]
    Time,
}

impl IsolatedError {
    /// Facts: a coordinator stores them and does not speculate about them.
    pub const FACTS: Self = Self::NoCall { what: "facts" };
    /// The state that a history folds into.
    pub const FOLD: Self = Self::NoCall {
        what: "the state of a history",
    };
    /// An upcaster's pages.
    pub const UPCASTER: Self = Self::NoCall {
        what: "an upcaster",
    };
    /// A projector's ordinary call, which has effects.
    pub(super) const EFFECTS: Self = Self::NoCall {
        what: "a projector with its effects",
    };
}
