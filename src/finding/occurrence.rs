//! What was found: one thing in one place.

use super::clue::Matched;
use crate::capture::Aside;
use crate::model::{Code, CommandBook, Domain, Edition, Header, Root, Timestamp};

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OccurrenceKind {
    /// A command that failed, with the command itself.
    FailedCommand,
    /// A failure that a log mentions without the command.
    LoggedFailure,
    /// A command that was accepted.
    AcceptedCommand,
    /// A recorded call to logic.
    RecordedCall,
    /// A message that a component gave up on.
    DeadLetter,
    /// Stored events.
    Events,
    /// An aggregate, whose events were not read.
    Aggregate,
}

impl OccurrenceKind {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::FailedCommand => "failed command",
            Self::LoggedFailure => "failure in a log, without its command",
            Self::AcceptedCommand => "accepted command",
            Self::RecordedCall => "recorded call to logic",
            Self::DeadLetter => "abandoned message",
            Self::Events => "stored events",
            Self::Aggregate => "aggregate",
        }
    }
}

/// The name of standard input among logs, as on the command line.
pub(super) const STDIN: &str = "-";

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a failure log that the source names under `tickets`, or of its built-in one.
    Tickets {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A line of another log.
    Log {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// A call of a recording.
    Recording {
        /// The file.
        file: String,
        /// Its number.
        call: u64,
    },
    /// A dead letter in the service of the source.
    DeadLetter(i64),
    /// The coordinator of a domain, by its address.
    Coordinator(String),
    /// An event store, by its location.
    Store(String),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log { file, line } if file == STDIN => write!(f, "standard input:{line}"),
            Self::Tickets { file, line } | Self::Log { file, line } => write!(f, "{file}:{line}"),
            Self::Recording { file, call } => write!(f, "{file}, call {call}"),
            Self::DeadLetter(id) => write!(f, "dead letter {id}"),
            Self::Coordinator(address) | Self::Store(address) => write!(f, "{address}"),
        }
    }
}

/// The event that caused something: a saga or process manager reacted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Domain of the event.
    pub domain: Domain,
    /// Root of its aggregate.
    pub root: Root,
    /// Its sequence.
    pub sequence: u32,
    /// The saga or process manager; empty if the header does not name it.
    pub component: String,
}

impl Cause {
    /// From the header of a command.
    pub(super) fn of_command(book: &CommandBook) -> Option<Self> {
        book.pages.iter().find_map(|page| match &page.header {
            Header::AngzarrDeferred {
                source: Some(source),
                source_sequence,
                source_component,
                ..
            } => Some(Self {
                domain: source.domain.clone(),
                root: source.root,
                sequence: *source_sequence,
                component: source_component.clone(),
            }),
            _ => None,
        })
    }
}

/// One thing in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What it is.
    pub kind: OccurrenceKind,
    /// Where it is.
    pub place: Place,
    /// Why it matches; empty if it only belongs to the workflow of something that does.
    pub matched: Vec<Matched>,
    /// When it happened, if that is known.
    pub time: Option<Timestamp>,
    /// Domain of its aggregate, if it is known.
    pub domain: Option<Domain>,
    /// Root of its aggregate; none for an upcaster's call.
    pub root: Option<Root>,
    /// Edition of its aggregate.
    pub edition: Edition,
    /// Its correlation id, redacted unless it was searched for; empty if it has none.
    pub correlation_id: String,
    /// The redacted correlation id.
    pub(super) redacted_id: String,
    /// Its trace id, if the log has it.
    pub trace_id: Option<String>,
    /// Type of the command, or of the last event; empty if it is not known.
    pub type_name: String,
    /// Code of the answer, if it failed and the code is known.
    pub code: Option<Code>,
    /// Message of the answer, redacted.
    pub message: String,
    /// Why it does not concern the logic, if so.
    pub aside: Option<Aside>,
    /// What caused it, if its header or the event store says so.
    pub cause: Option<Cause>,
    /// First and last sequence of stored events.
    pub sequences: Option<(u32, u32)>,
}

impl Occurrence {
    /// Something in a place, about which nothing else is known yet.
    pub(super) fn new(kind: OccurrenceKind, place: Place, matched: Vec<Matched>) -> Self {
        Self {
            kind,
            place,
            matched,
            time: None,
            domain: None,
            root: None,
            edition: Edition::Main,
            correlation_id: String::new(),
            redacted_id: String::new(),
            trace_id: None,
            type_name: String::new(),
            code: None,
            message: String::new(),
            aside: None,
            cause: None,
            sequences: None,
        }
    }

    /// Whether it is a failure that concerns the logic.
    #[must_use]
    pub fn is_failure_of_logic(&self) -> bool {
        let failed = match self.kind {
            OccurrenceKind::FailedCommand
            | OccurrenceKind::LoggedFailure
            | OccurrenceKind::DeadLetter => true,
            OccurrenceKind::RecordedCall => self.code.is_some(),
            OccurrenceKind::AcceptedCommand
            | OccurrenceKind::Events
            | OccurrenceKind::Aggregate => false,
        };
        failed && self.aside.is_none()
    }

    /// Whether this command's failure is the one that a log mentions without its command: same aggregate, same answer.
    /// Only where messages are not hidden, because hidden ones are all equal.
    #[must_use]
    pub fn is_command_of(&self, logged: &Self) -> bool {
        self.kind == OccurrenceKind::FailedCommand
            && logged.kind == OccurrenceKind::LoggedFailure
            && logged.root == self.root
            && (logged.code, &logged.message) == (self.code, &self.message)
    }

    /// Whether it is or stores this event.
    pub(super) fn stored(&self, cause: &Cause) -> bool {
        self.domain.as_ref() == Some(&cause.domain)
            && self.root == Some(cause.root)
            && self
                .sequences
                .is_some_and(|(first, last)| (first..=last).contains(&cause.sequence))
    }
}
