//! What a flow did, step by step.

use super::FlowNote;
use crate::model::{
    CommandBook, ComponentKind, Cover, Domain, EmittedBook, EmittedCommand, EventBook, Failure,
    Outcome, Payload,
};

/// A replayed flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRun {
    /// The steps in the order in which they were taken; the first is the stimulus.
    pub steps: Vec<FlowStep>,
    /// The books as they stand after it, in order of domain, root and edition.
    pub books: Vec<EventBook>,
}

impl FlowRun {
    /// Positions of the steps that a step led to, in order.
    pub fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let steps = self.steps.iter().enumerate();
        steps
            .filter(move |(_, step)| step.parent == Some(of))
            .map(|(at, _)| at)
    }
}

/// One component asked about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowStep {
    /// Position of the step that led to it; none of the first.
    pub parent: Option<usize>,
    /// How many steps lead to it.
    pub depth: usize,
    /// Who was asked.
    pub asked: Asked,
    /// About what.
    pub cause: Cause,
    /// The answer.
    pub answer: StepAnswer,
    /// The batches of events that took effect, in order; each book holds the new pages only.
    pub stored: Vec<EventBook>,
    /// Why a coordinator would store nothing of an accepted answer.
    pub refused: Option<Failure>,
    /// The aggregates whose heads a process manager wanted to know, where it was asked and answered.
    pub prepared: Option<Vec<Cover>>,
    /// What is worth saying.
    pub notes: Vec<FlowNote>,
}

/// An event stream at the moment of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Whose it is.
    pub cover: Cover,
    /// Sequence that its next event would have got.
    pub head: u32,
}

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The logic of an aggregate.
    Aggregate(Stream),
    /// A saga.
    Saga {
        /// Its name.
        name: String,
    },
    /// A process manager.
    ProcessManager {
        /// Its name.
        name: String,
        /// Its own stream; none where no workflow says which.
        stream: Option<Stream>,
    },
    /// Nobody: a command or fact without an addressee.
    Nobody,
}

impl Asked {
    /// Whose logic it was; none of nobody.
    #[must_use]
    pub fn who(&self) -> Option<Who> {
        match self {
            Self::Aggregate(stream) => Some(Who::Aggregate(stream.cover.domain.clone())),
            Self::Saga { name } | Self::ProcessManager { name, .. } => {
                Some(Who::Component(name.clone()))
            }
            Self::Nobody => None,
        }
    }
}

/// Whose logic was asked in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// That of a domain's aggregates.
    Aggregate(Domain),
    /// That of a saga or process manager, by its name.
    Component(String),
}

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A command, as it was delivered: with the provenance that the logic does not see.
    Command(CommandBook),
    /// A command that says no addressee that a coordinator would take.
    Unaddressed(EmittedCommand),
    /// A batch of new events.
    Events(EventBook),
    /// Facts.
    Facts(EmittedBook),
    /// A command that was refused, told to whoever caused it.
    Rejection {
        /// The command as it was delivered.
        command: CommandBook,
        /// The refusal.
        failure: Failure,
    },
    /// Events that the flow begins with.
    Happened,
}

impl Cause {
    /// Type names of the command or events, in order.
    #[must_use]
    pub fn type_names(&self) -> Vec<&str> {
        let names: Vec<Option<&Payload>> = match self {
            Self::Command(command) | Self::Rejection { command, .. } => command
                .pages
                .iter()
                .map(|page| page.command.as_ref())
                .collect(),
            Self::Unaddressed(command) => command
                .pages
                .iter()
                .map(|page| page.command.as_ref())
                .collect(),
            Self::Events(book) => book
                .history
                .pages()
                .iter()
                .map(|page| page.body.event())
                .collect(),
            Self::Facts(book) => book.pages.iter().map(|page| page.body.event()).collect(),
            Self::Happened => Vec::new(),
        };
        names
            .into_iter()
            .flatten()
            .map(Payload::type_name)
            .collect()
    }
}

/// What came of asking.
#[allow(clippy::large_enum_variant, reason = "nearly every step is answered")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAnswer {
    /// An answer of the logic, or of the coordinator in its place.
    Answered(Outcome),
    /// The logic takes no facts: they are stored as they are.
    TakenAsTheyAre,
    /// The events of the stimulus, which happened before.
    Happened,
    /// Nobody was asked; neither a success nor a failure.
    NotAsked(NotAsked),
}

/// Why nobody was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// The domain has no logic here.
    #[error("there is no logic for the domain")]
    NoLogic,
    /// The command or fact says no addressee that a coordinator would take.
    #[error("it is addressed to nobody")]
    NoAddressee,
    /// A process manager serves workflows, and nothing says which.
    #[error("there is no correlation id")]
    NoCorrelationId,
}

impl FlowStep {
    /// The answer of the logic, where there is one.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.answer {
            StepAnswer::Answered(outcome) => Some(outcome),
            StepAnswer::TakenAsTheyAre | StepAnswer::Happened | StepAnswer::NotAsked(_) => None,
        }
    }

    /// Who was asked about what, in a few words: `saga seating (examples.FundsReserved)`.
    #[must_use]
    pub fn label(&self) -> String {
        let who = match &self.asked {
            Asked::Aggregate(stream) => stream.cover.domain.to_string(),
            Asked::Saga { name } => component(ComponentKind::Saga, name),
            Asked::ProcessManager { name, .. } => component(ComponentKind::ProcessManager, name),
            Asked::Nobody => "nobody".to_owned(),
        };
        labelled(&who, &self.cause)
    }
}

/// A saga or process manager by kind and name.
pub(super) fn component(kind: ComponentKind, name: &str) -> String {
    format!("{} {name}", kind.word())
}

/// Somebody and what it is asked about.
pub(super) fn labelled(who: &str, cause: &Cause) -> String {
    let mut names = cause.type_names();
    names.dedup();
    let names = names.join(", ");
    let what = match cause {
        Cause::Happened => "the events that it begins with".to_owned(),
        Cause::Rejection { .. } => format!("{names} was refused"),
        Cause::Command(_) | Cause::Unaddressed(_) | Cause::Events(_) | Cause::Facts(_) => names,
    };
    format!("{who} ({what})")
}
