//! Why a case cannot be replayed through a coordinator.

use crate::grpc::{FactError, LogicError, QueryError};
use crate::model::{Domain, Root};

/// What ends nearly every message.
const DIRECTLY: &str = "replay it on the logic directly, without --coordinator";

/// A stimulus that a coordinator in isolation did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsolatedError {
    /// There is no call for it.
    #[error("a coordinator has no speculative call for {what}; {DIRECTLY}")]
    NoCall {
        /// What is asked.
        what: &'static str,
    },
    /// A workflow.
    #[error("a flow goes through the components of several coordinators; {DIRECTLY}")]
    Flow,
    /// A history with a hole.
    #[error(
        "the history has no page {sequence}: facts are numbered without gaps, so it cannot be loaded into a coordinator; {DIRECTLY}"
    )]
    Gap {
        /// First missing sequence.
        sequence: u32,
    },
    /// A page that is not confirmed, or a placeholder for one.
    #[error(
        "page {sequence} is provisional or the framework's own: facts cannot be, so the history cannot be loaded into a \
         coordinator; {DIRECTLY}"
    )]
    Provisional {
        /// Its sequence.
        sequence: u32,
    },
    /// A stored snapshot.
    #[error(
        "the case has a stored snapshot after sequence {sequence}: a coordinator speculates on the full history and never \
         on a snapshot; {DIRECTLY}"
    )]
    Snapshot {
        /// Last sequence that is folded in.
        sequence: u32,
    },
    /// Larger than a coordinator takes.
    #[error("{what}, a coordinator takes at most {limit}; {DIRECTLY}")]
    TooLarge {
        /// What is too large, with its size.
        what: String,
        /// The limit.
        limit: &'static str,
    },
    /// The aggregate is there already.
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
    /// What was read back is not what was loaded.
    #[error("{address} did not store page {sequence} as it was loaded: {difference}")]
    Unfaithful {
        /// The coordinator.
        address: String,
        /// Sequence of the page.
        sequence: u32,
        /// What differs.
        difference: StoredDifference,
    },
    /// It could not be noted what will be left behind.
    #[error("nothing was loaded, since it cannot be noted what is left behind: {reason}")]
    Unnoted {
        /// Why.
        reason: String,
    },
    /// The coordinator did not take the history.
    #[error("the history was not loaded: {0}")]
    Facts(#[from] FactError),
    /// The coordinator did not say what it has.
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
    #[error("it takes it for one that it has")]
    TakenForKnown,
    /// It was not stored.
    #[error("it is not there")]
    Missing,
    /// There is a page that was not loaded.
    #[error("nobody loaded it")]
    Additional,
    /// It has another sequence.
    #[error("it has sequence {0}")]
    Sequence(u32),
    /// It has another event.
    #[error("its event is another")]
    Event,
    /// It has another time.
    #[error("its time is another")]
    Time,
}

impl IsolatedError {
    /// Facts are appended, not speculated upon.
    pub const FACTS: Self = Self::NoCall { what: "facts" };
    /// What a history is folded into.
    pub const FOLD: Self = Self::NoCall {
        what: "the state of a history",
    };
    /// What upcasts pages.
    pub const UPCASTER: Self = Self::NoCall {
        what: "an upcaster",
    };
    /// A projector's ordinary call.
    pub(super) const EFFECTS: Self = Self::NoCall {
        what: "a projector with its effects",
    };
}
