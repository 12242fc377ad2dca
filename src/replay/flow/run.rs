//! A replayed flow, step by step.

use super::FlowNote;
use crate::model::{
    CommandBook, ComponentKind, Cover, Domain, EmittedBook, EmittedCommand, EventBook, Failure,
    Outcome, Payload,
};

/// A replayed flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowRun {
    /// The steps in order; the first handles the stimulus.
    pub steps: Vec<FlowStep>,
    /// The books after the flow, in order of domain, root and edition.
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

/// One delivery to one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowStep {
    /// Position of the step that led to it; `None` for the first.
    pub parent: Option<usize>,
    /// Number of steps that lead to it.
    pub depth: usize,
    /// Who was asked.
    pub asked: Asked,
    /// What it was asked about.
    pub cause: Cause,
    /// The answer.
    pub answer: StepAnswer,
    /// The batches of events that were stored, in order; each book holds the new pages only.
    pub stored: Vec<EventBook>,
    /// Why a coordinator would not store the events of an accepted answer.
    pub refused: Option<Failure>,
    /// The aggregates whose heads a process manager needs, if it was asked and answered.
    pub prepared: Option<Vec<Cover>>,
    /// What the reader should know.
    pub notes: Vec<FlowNote>,
}

/// An event stream at the moment of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPosition {
    /// The aggregate or process manager that it belongs to.
    pub cover: Cover,
    /// Sequence that the next event would have got.
    pub head: u32,
}

/// Who was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The logic of an aggregate.
    Aggregate(StreamPosition),
    /// A saga.
    Saga {
        /// Its name.
        name: String,
    },
    /// A process manager.
    ProcessManager {
        /// Its name.
        name: String,
        /// Its own stream; `None` if no workflow is known.
        stream: Option<StreamPosition>,
    },
    /// Nobody: a command or fact without an addressee.
    Nobody,
}

impl Asked {
    /// The component that was asked; `None` for nobody.
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

/// A component that was asked in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The logic of a domain's aggregates.
    Aggregate(Domain),
    /// A saga or process manager, by name.
    Component(String),
}

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A command, as it was delivered: with the provenance that the logic does not see.
    Command(CommandBook),
    /// A command without an addressee that a coordinator would accept.
    Unaddressed(EmittedCommand),
    /// A batch of new events.
    Events(EventBook),
    /// Facts.
    Facts(EmittedBook),
    /// The rejection of a command, for the component that caused it.
    Rejection {
        /// The command as it was delivered.
        command: CommandBook,
        /// The failing status.
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

/// The result of a delivery.
#[allow(clippy::large_enum_variant, reason = "nearly every step is answered")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAnswer {
    /// An answer of the logic, or of the coordinator in its place.
    Answered(Outcome),
    /// The logic takes no facts: they are stored as they are.
    TakenAsTheyAre,
    /// Nothing was asked: the events of the stimulus had happened already.
    Happened,
    /// Nobody was asked, which is neither a success nor a failure.
    NotAsked(NotAsked),
}

/// Why nobody was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// The domain has no logic here.
    #[error("there is no logic for the domain")]
    NoLogic,
    /// The command or fact has no addressee that a coordinator would accept.
    #[error("it is addressed to nobody")]
    NoAddressee,
    /// The events belong to no workflow, so no process manager can be asked.
    #[error("there is no correlation id")]
    NoCorrelationId,
}

impl FlowStep {
    /// The answer of the logic, if any.
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

/// A component and what it is asked about.
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
