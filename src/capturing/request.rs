//! What a capture is asked for, parsed once.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::capture::{Labels, RootSpec, Span, UpTo};
use crate::model::{AnsweredBy, Domain, Edition, Root};

/// What to capture, and how it is written. The default is a case of the newest failure of the source's own log, redacted,
/// of the whole history; it names no aggregate.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct CaptureRequest {
    /// The aggregate; none where the failure or the workflow names it.
    pub aggregate: Option<RootSpec>,
    /// Domain of the aggregate, where its root does not say it.
    pub domain: Option<Domain>,
    /// Name of the source; the configured one where it is left out.
    pub source: Option<String>,
    /// Edition; that of the failure, else main, where it is left out.
    pub edition: Option<Edition>,
    /// How much of the history.
    pub up_to: UpTo,
    /// Which failure.
    pub failure: FailureOrigin,
    /// Who gave the failing answer, where somebody knows it.
    pub answered_by: AnsweredBy,
    /// How many events production stored for an accepted command, where somebody says it.
    pub persisted: Option<PersistedClaim>,
    /// Which kind of case.
    pub kind: RequestedKind,
    /// Correlation id of the workflow, which a case of a component belongs to as well.
    pub correlation: Option<String>,
    /// Whether references to events that are stored elsewhere stay as they are.
    pub keeps_external: bool,
    /// What is written with the case; whether today's outcome is accepted at once.
    pub labels: Labels,
    /// Name of the fixture without ending; made of type, root and head where it is left out.
    pub name: Option<String>,
    /// Folder of the fixtures, instead of the configured one.
    pub fixtures: Option<PathBuf>,
    /// Whether nothing is written.
    pub is_dry_run: bool,
    /// Whether a different case of the same name is replaced, and one that redaction changes is written.
    pub is_forced: bool,
    /// Whether secrets and personal data may reach the file.
    pub is_unredacted: bool,
}

/// Where the failing command comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FailureOrigin {
    /// The newest failure of the aggregate in the source's own logs.
    #[default]
    Source,
    /// A failure ticket: that of a line, else the newest of the aggregate or of the file.
    Ticket(NumberedFile<usize>),
    /// The newest failure of a log that holds other things too.
    Log(FailureLog),
    /// A command that somebody wrote, and the log that tells how it failed, if one does.
    Written {
        /// The command as YAML or JSON; `-` is standard input.
        file: PathBuf,
        /// The log.
        log: Option<FailureLog>,
    },
    /// A dead letter: its file, or its number in the source's service.
    DeadLetter(String),
    /// A call in a recording: that of a number, else the newest that failed.
    Recording(NumberedFile<u64>),
    /// None: the history alone.
    Nothing,
}

impl FailureOrigin {
    /// The log that tells of the failure.
    pub(super) const fn log(&self) -> Option<&FailureLog> {
        match self {
            Self::Log(log) | Self::Written { log: Some(log), .. } => Some(log),
            _ => None,
        }
    }

    pub(super) const fn is_ticket(&self) -> bool {
        matches!(self, Self::Ticket(_))
    }
}

/// A log that holds failures among other things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureLog {
    /// Its file; `-` is standard input.
    pub file: PathBuf,
    /// Only failures of commands with this correlation id.
    pub correlation: Option<String>,
}

/// A file, and the number of a line or call in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedFile<N> {
    /// The file.
    pub file: PathBuf,
    /// The number; none for the newest that fits.
    pub number: Option<N>,
}

impl<N: FromStr> NumberedFile<N> {
    /// `FILE` or `FILE:NUMBER`. A file may have a colon in its name: one of that very name goes first.
    #[must_use]
    pub fn from_argument(text: &str) -> Self {
        match text.rsplit_once(':') {
            Some((file, number)) if !Path::new(text).exists() => match number.parse() {
                Ok(number) => Self {
                    file: file.into(),
                    number: Some(number),
                },
                Err(_) => Self::whole(text),
            },
            _ => Self::whole(text),
        }
    }
}

impl<N> NumberedFile<N> {
    /// A file without a number.
    #[must_use]
    pub fn whole(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            number: None,
        }
    }
}

impl<N: fmt::Display> fmt::Display for NumberedFile<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match &self.number {
            Some(number) => write!(f, ":{number}"),
            None => Ok(()),
        }
    }
}

/// How many events a command stored, as somebody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistedClaim {
    /// So many.
    Count(u32),
    /// Nobody can know: the command was never sent.
    Unknown,
}

/// A kind of case, and what only that kind takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RequestedKind {
    /// Of the command that failed, or of the history alone.
    #[default]
    Command,
    /// What a saga makes of the aggregate's events.
    Saga {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        reacting: Reacting,
        /// What it was told of the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
    },
    /// What a process manager makes of the aggregate's events.
    ProcessManager {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        reacting: Reacting,
        /// What it was told of the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
        /// Its own stream, where the correlation id does not find it.
        books: Vec<RequestedBook>,
    },
    /// A projector's view of the aggregate's events.
    Projector {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        reacting: Reacting,
        /// Whether its ordinary call does no harm.
        is_harmless: bool,
    },
    /// What upcasts the domain's pages.
    Upcaster,
    /// An aggregate that takes up events as if they had come from outside.
    Fact {
        /// The events; the newest where it is left out.
        at: Option<Span>,
    },
    /// An aggregate or process manager that is told that a command which it caused was refused.
    Compensation {
        /// The process manager; none for the aggregate itself.
        process_manager: Option<String>,
        /// What the process manager was told of the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
    },
    /// A whole workflow across all domains.
    Flow {
        /// Its correlation id.
        id: String,
        /// The events that it begins with, where it does not begin with a command.
        at: Option<Span>,
        /// The books that belong to it, where several workflows share the correlation id.
        books: Vec<RequestedBook>,
    },
}

/// Which events a component reacts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reacting {
    /// Their sequences; the newest that it subscribes to where it is left out.
    pub at: Option<Span>,
    /// Whether it is shown the events before them too.
    pub with_history: bool,
}

/// A book that belongs to a case, and where it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedBook {
    /// Its domain.
    pub domain: Domain,
    /// Its root.
    pub root: Root,
    /// First sequence that came after, and the last that belongs to the workflow.
    pub cut: Option<(u32, Option<u32>)>,
}

impl RequestedKind {
    /// Name of the saga, process manager or projector.
    pub(super) fn component(&self) -> Option<&str> {
        match self {
            Self::Saga { name, .. }
            | Self::ProcessManager { name, .. }
            | Self::Projector { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The events that are named.
    pub(super) const fn at(&self) -> Option<Span> {
        match self {
            Self::Saga { reacting, .. }
            | Self::ProcessManager { reacting, .. }
            | Self::Projector { reacting, .. } => reacting.at,
            Self::Fact { at } | Self::Flow { at, .. } => *at,
            Self::Command | Self::Upcaster | Self::Compensation { .. } => None,
        }
    }

    pub(super) const fn with_history(&self) -> bool {
        match self {
            Self::Saga { reacting, .. }
            | Self::ProcessManager { reacting, .. }
            | Self::Projector { reacting, .. } => reacting.with_history,
            _ => false,
        }
    }

    pub(super) fn destinations(&self) -> &[(Domain, u32)] {
        match self {
            Self::Saga { destinations, .. }
            | Self::ProcessManager { destinations, .. }
            | Self::Compensation { destinations, .. } => destinations,
            _ => &[],
        }
    }

    pub(super) fn books(&self) -> &[RequestedBook] {
        match self {
            Self::ProcessManager { books, .. } | Self::Flow { books, .. } => books,
            _ => &[],
        }
    }
}
