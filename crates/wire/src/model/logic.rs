//! Business logic behind a small synchronous trait: plain types in, plain types out, nothing generated.

use super::{
    CommandBook, Destinations, Domain, EmittedBook, EventBook, Failure, Modes, Notification, Page,
    Payload, Revocation, Snapshot,
};

/// Something that logic is asked.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every stimulus is a command"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stimulus {
    /// Handle a command in the light of the history so far.
    Command {
        /// What happened before.
        prior: EventBook,
        /// What is wanted.
        command: CommandBook,
    },
    /// Fold a history into a state.
    Fold {
        /// State to begin with.
        snapshot: Option<Snapshot>,
        /// Pages to fold.
        pages: Vec<Page>,
    },
    /// Bring old pages into their newest form.
    Upcast {
        /// Domain they belong to.
        domain: Domain,
        /// The pages.
        pages: Vec<Page>,
    },
    /// Take up facts: events that happened elsewhere and cannot be refused.
    Fact {
        /// The facts, addressed to the aggregate.
        facts: EmittedBook,
        /// What happened before.
        prior: EventBook,
    },
    /// Translate events into commands.
    Saga {
        /// The triggering pages, and those before them where they are shown.
        source: EventBook,
        /// Heads of the aggregates that it writes to, where the dialect tells them.
        destinations: Destinations,
        /// How it is called.
        modes: Modes,
    },
    /// Name the aggregates whose heads a process manager wants to know.
    Prepare {
        /// The triggering pages.
        trigger: EventBook,
        /// The process manager's own stream.
        state: EventBook,
    },
    /// Take a workflow a step further.
    ProcessManager {
        /// The triggering pages.
        trigger: EventBook,
        /// The process manager's own stream.
        state: EventBook,
        /// Heads of the aggregates that it writes to, where the dialect tells them.
        destinations: Destinations,
    },
    /// Make a readable view.
    Project {
        /// The events.
        events: EventBook,
        /// The ordinary call, whose effects are real, instead of the speculative one.
        with_effects: bool,
    },
}

/// What logic answers to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// These events happened; none is a legal answer.
    Events(EmittedBook),
    /// The command is taken back.
    Revocation(Revocation),
    /// Somebody is told something instead.
    Notification(Notification),
}

/// A reply, or the failing status instead of one.
pub type Answer = Result<Reply, Failure>;

/// An aggregate's business logic in Rust, for replay in process and to be served over gRPC.
///
/// A panic counts as a handler that crashed. Implementations must not persist anything: they are called with
/// captured histories, as often as somebody debugs.
pub trait Logic: Send + Sync {
    /// Handles the first page of `command` in the light of `prior`.
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer;

    /// Takes up facts in the light of `prior`, and answers with the events to store.
    fn handle_fact(&self, facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
        let _ = (facts, prior);
        Err(Failure::unimplemented("this logic takes no facts"))
    }

    /// Folds pages into a state, beginning with `snapshot` where there is one.
    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        let _ = (snapshot, pages);
        Err(Failure::unimplemented("this logic offers no state"))
    }

    /// Brings old pages into their newest form.
    fn upcast(&self, domain: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure> {
        let _ = (domain, pages);
        Err(Failure::unimplemented("this logic has no upcaster"))
    }
}
