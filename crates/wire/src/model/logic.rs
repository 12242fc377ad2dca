//! Business logic behind a small synchronous trait that uses only plain model types.

use super::{
    CommandBook, Destinations, Domain, EmittedBook, EventBook, Failure, Modes, Notification, Page,
    Pages, Payload, Revocation, Snapshot,
};

/// A request to client logic.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every stimulus is a command"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stimulus {
    /// Handle a command, given the prior history.
    Command {
        /// The prior history.
        prior: EventBook,
        /// The command.
        command: CommandBook,
    },
    /// Fold a history into a state.
    Fold {
        /// State to start from.
        snapshot: Option<Snapshot>,
        /// Pages to fold.
        pages: Pages,
    },
    /// Convert old pages to the newest schema.
    Upcast {
        /// Domain they belong to.
        domain: Domain,
        /// The pages.
        pages: Pages,
    },
    /// Handle facts: events that happened elsewhere and cannot be refused.
    Fact {
        /// The facts, addressed to the aggregate.
        facts: EmittedBook,
        /// The prior history.
        prior: EventBook,
    },
    /// Translate events into commands.
    Saga {
        /// The triggering pages, and the earlier pages if the request includes them.
        source: EventBook,
        /// Heads of the aggregates that it writes to, if the dialect sends them.
        destinations: Destinations,
        /// Modes of the request.
        modes: Modes,
    },
    /// Name the aggregates whose heads a process manager needs.
    Prepare {
        /// The triggering pages.
        trigger: EventBook,
        /// The process manager's own stream.
        state: EventBook,
    },
    /// Advance a workflow by one step.
    ProcessManager {
        /// The triggering pages.
        trigger: EventBook,
        /// The process manager's own stream.
        state: EventBook,
        /// Heads of the aggregates that it writes to, if the dialect sends them.
        destinations: Destinations,
    },
    /// Build a read model.
    Project {
        /// The events.
        events: EventBook,
        /// Use the ordinary call, which has real effects, instead of the speculative one.
        with_effects: bool,
    },
}

impl Stimulus {
    /// The history of the aggregate that handles a command or facts.
    #[must_use]
    pub const fn prior(&self) -> Option<&EventBook> {
        match self {
            Self::Command { prior, .. } | Self::Fact { prior, .. } => Some(prior),
            Self::Fold { .. }
            | Self::Upcast { .. }
            | Self::Saga { .. }
            | Self::Prepare { .. }
            | Self::ProcessManager { .. }
            | Self::Project { .. } => None,
        }
    }
}

/// Reply of client logic to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The events to store; an empty book is valid.
    Events(EmittedBook),
    /// The command is revoked.
    Revocation(Revocation),
    /// A notification is sent instead.
    Notification(Notification),
}

/// A reply, or a failing status.
pub type Answer = Result<Reply, Failure>;

/// An aggregate's business logic in Rust, for replay in process and for serving over gRPC.
///
/// A panic counts as a crashed handler. Implementations must not persist anything: a debugging session calls them with
/// captured histories, any number of times.
pub trait Logic: Send + Sync {
    /// Handles the first page of `command`, given the `prior` history.
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer;

    /// Handles facts, given the `prior` history, and returns the events to store.
    fn handle_fact(&self, facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
        let _ = (facts, prior);
        Err(Failure::unimplemented("this logic takes no facts"))
    }

    /// Folds pages into a state, starting from `snapshot` if there is one.
    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        let _ = (snapshot, pages);
        Err(Failure::unimplemented("this logic offers no state"))
    }

    /// Converts old pages to the newest schema.
    fn upcast(&self, domain: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure> {
        let _ = (domain, pages);
        Err(Failure::unimplemented("this logic has no upcaster"))
    }
}

/// A function of the history and the command is logic that takes neither facts nor snapshots.
impl<F> Logic for F
where
    F: Fn(&EventBook, &CommandBook) -> Answer + Send + Sync,
{
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        self(prior, command)
    }
}
