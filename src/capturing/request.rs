//! What to capture, parsed once.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::capture::{Labels, RootSpec, Span, UpTo};
use crate::model::{AnsweredBy, Domain, Edition, Root, is_revision};
use crate::project::OperationError;

/// What to capture, and how it is written. The default is a case of the newest failure of the source's own logs, redacted,
/// with the whole history; it names no aggregate.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct CaptureRequest {
    /// The aggregate; none if the failure or the workflow names it.
    pub aggregate: Option<RootSpec>,
    /// Domain of the aggregate, if its root does not say it.
    pub domain: Option<Domain>,
    /// Name of the source; the configured one if there is none.
    pub source: Option<String>,
    /// Edition; that of the failure, otherwise main, if there is none.
    pub edition: Option<Edition>,
    /// How much of the history.
    pub up_to: UpTo,
    /// Which kind of case, and what that kind needs.
    pub kind: RequestedKind,
    /// Correlation id of the workflow that the case belongs to. Of the failures in a log, only those of this workflow count.
    pub correlation: Option<String>,
    /// Whether references to events that are stored elsewhere stay as they are.
    pub keeps_external: bool,
    /// What is written with the case; whether today's outcome is accepted at once.
    pub labels: Labels,
    /// The build that production ran: a version, a tag or a commit. Otherwise that of the failure's ticket or log, if it says
    /// one.
    pub revision: Option<String>,
    /// Name of the fixture without ending; made of type, root and head if there is none.
    pub name: Option<String>,
    /// Folder of the fixtures, instead of the configured one.
    pub fixtures: Option<PathBuf>,
    /// Whether nothing is written.
    pub is_dry_run: bool,
    /// Whether the case becomes a bundle: it is neither replayed nor written, and its line is the text of the result.
    pub is_bundle: bool,
    /// Whether a different case of the same name is replaced, and one that redaction changes is written.
    pub is_forced: bool,
    /// Whether secrets and personal data may reach the file.
    pub is_unredacted: bool,
}

/// Which failure a case of a command is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedFailure {
    /// Where it comes from.
    pub origin: FailureOrigin,
    /// Who gave the failing answer, if the user knows it.
    pub answered_by: AnsweredBy,
    /// How many events production stored for an accepted command, if the user knows it.
    pub persisted: Option<PersistedClaim>,
}

impl From<FailureOrigin> for RequestedFailure {
    fn from(origin: FailureOrigin) -> Self {
        Self {
            origin,
            ..Self::default()
        }
    }
}

/// Where the failing command comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FailureOrigin {
    /// The newest failure of the aggregate in the source's own logs.
    #[default]
    Source,
    /// A failure ticket: that of a line, otherwise the newest of the aggregate or of the file.
    Ticket(NumberedFile<usize>),
    /// The newest failure in a log that holds other things too; `-` is standard input.
    Log(PathBuf),
    /// A command that the user wrote, and the log that says how it failed, if there is one.
    Written {
        /// The command as YAML or JSON; `-` is standard input.
        file: PathBuf,
        /// The log; `-` is standard input.
        log: Option<PathBuf>,
    },
    /// A dead letter: its file, or its number in the source's service.
    DeadLetter(String),
    /// A call in a recording: that of a number, otherwise the newest that failed. A call to logic brings its whole case.
    Recording {
        /// The recording.
        call: NumberedFile<u64>,
        /// Name of the saga, process manager or projector that was called, if the configuration has several.
        component: Option<String>,
    },
    /// A bundle, which brings a whole case of any kind; `-` is standard input.
    Bundle(PathBuf),
    /// None: the history alone.
    Nothing,
}

impl FailureOrigin {
    /// The log that holds the failure.
    pub(super) fn log(&self) -> Option<&Path> {
        match self {
            Self::Log(log) | Self::Written { log: Some(log), .. } => Some(log),
            _ => None,
        }
    }

    pub(super) const fn is_ticket(&self) -> bool {
        matches!(self, Self::Ticket(_))
    }
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
    /// `FILE` or `FILE:NUMBER`. A file may have a colon in its name: an existing file of that name takes precedence.
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

/// How many events a command stored, as the user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersistedClaim {
    /// This many.
    Count(u32),
    /// Unknown, because the command was never sent.
    Unknown,
}

/// A kind of case, and what only that kind needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedKind {
    /// A command that failed or was accepted, or the history alone.
    Command(RequestedFailure),
    /// A saga's reaction to the aggregate's events.
    Saga {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        trigger: RequestedTrigger,
        /// The sequences that it was given for the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
    },
    /// A process manager's reaction to the aggregate's events.
    ProcessManager {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        trigger: RequestedTrigger,
        /// The sequences that it was given for the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
        /// Its own stream, if the correlation id does not find it.
        books: Vec<RequestedBook>,
    },
    /// A projector's view of the aggregate's events.
    Projector {
        /// Its name in the configuration.
        name: String,
        /// The events that it reacts to.
        trigger: RequestedTrigger,
        /// Whether its ordinary call has no side effects that matter.
        is_harmless: bool,
    },
    /// The upcast history of the aggregate.
    Upcaster {
        /// Name of the upcaster in the configuration; whatever upcasts the domain if there is none.
        name: Option<String>,
    },
    /// Events that the aggregate records as facts, as if they had come from outside.
    Fact {
        /// The events; the newest if there is none.
        at: Option<Span>,
    },
    /// An aggregate or process manager is notified that a command which it caused was refused.
    Compensation {
        /// The ticket of the refused command; the newest in the source's logs that the aggregate caused if there is none.
        ticket: Option<NumberedFile<usize>>,
        /// The process manager that is notified; none for the aggregate itself.
        process_manager: Option<String>,
        /// The sequences that the process manager was given for the aggregates that it writes to.
        destinations: Vec<(Domain, u32)>,
    },
    /// The whole workflow of the request's correlation id, across all domains.
    Flow {
        /// What it begins with.
        start: RequestedStart,
        /// The books that belong to it, if several workflows share the correlation id.
        books: Vec<RequestedBook>,
    },
}

/// What a workflow begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RequestedStart {
    /// The first event of the aggregate that carries the correlation id.
    #[default]
    FirstEvent,
    /// These events of the aggregate.
    Events(Span),
    /// A command that the user wrote, as YAML or JSON; `-` is standard input.
    Written(PathBuf),
    /// The command of a failure ticket.
    Ticket(NumberedFile<usize>),
}

/// Which events a component reacts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestedTrigger {
    /// Their sequences; the newest that it subscribes to if there is none.
    pub at: Option<Span>,
    /// Whether it receives the events before them too.
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

impl Default for RequestedKind {
    fn default() -> Self {
        Self::Command(RequestedFailure::default())
    }
}

impl CaptureRequest {
    /// Refuses what the types allow and no single capture can honour.
    pub(super) fn check(&self) -> Result<(), OperationError> {
        let refused = |message: &str| Err(OperationError::Usage(message.to_owned()));
        if self.revision.as_deref().is_some_and(|it| !is_revision(it)) {
            return refused(
                "--revision: a version, tag or commit of at most 200 visible characters is expected",
            );
        }
        let failure = match &self.kind {
            RequestedKind::Flow { .. } if self.correlation.is_none() => {
                return refused("a case of a workflow needs its correlation id");
            }
            RequestedKind::Command(failure) => failure,
            _ => return Ok(()),
        };
        if self.correlation.is_some() && failure.origin.log().is_none() {
            return refused(
                "the correlation id selects a failure from a log, and no log is named; without one it is for a case of a \
                 component or workflow",
            );
        }
        match (&failure.origin, failure.persisted, failure.answered_by) {
            (FailureOrigin::Nothing, Some(_), _)
            | (FailureOrigin::Nothing, _, AnsweredBy::Logic) => refused(
                "a case of the history alone has no command whose answer could be described",
            ),
            (FailureOrigin::DeadLetter(_), Some(_), _) => refused(
                "the command of a dead letter was given up on, so production stored nothing for it",
            ),
            (FailureOrigin::Recording { .. }, ..) if self.up_to != UpTo::Head => {
                refused("a recorded call says itself which events it saw")
            }
            (FailureOrigin::Bundle(_), ..) => self.check_of_bundle(),
            _ => Ok(()),
        }
    }

    /// Refuses what a bundle has decided already.
    fn check_of_bundle(&self) -> Result<(), OperationError> {
        let decided = [
            (self.aggregate.is_some(), "its aggregate"),
            (self.domain.is_some(), "its domain"),
            (self.source.is_some(), "its source"),
            (self.edition.is_some(), "its edition"),
            (self.up_to != UpTo::Head, "the end of its history"),
            (self.keeps_external, "its events, or references to them"),
            (self.is_bundle, "its form"),
        ];
        match decided.iter().find(|(is_there, _)| *is_there) {
            None => Ok(()),
            Some((_, what)) => Err(OperationError::Usage(format!(
                "a bundle already has {what}; choose it where the bundle is made"
            ))),
        }
    }

    /// Refuses what one case for each distinct failure cannot honour.
    pub(super) fn check_for_each_distinct(&self) -> Result<&RequestedFailure, OperationError> {
        let RequestedKind::Command(failure) = &self.kind else {
            return Err(OperationError::Usage(
                "a case for each distinct failure is of a command, not of another kind".into(),
            ));
        };
        if !matches!(
            failure.origin,
            FailureOrigin::Source | FailureOrigin::Log(_)
        ) {
            return Err(OperationError::Usage(
                "a case for each distinct failure is made from the source's own logs or from a log that is named".into(),
            ));
        }
        let same_for_all = [
            (self.name.is_some(), "a name"),
            (self.labels.title.is_some(), "a title"),
            (self.up_to != UpTo::Head, "an end of the history"),
            (failure.persisted.is_some(), "a number of stored events"),
            (self.is_bundle, "a bundle"),
        ];
        match same_for_all.iter().find(|(is_there, _)| *is_there) {
            None => Ok(failure),
            Some((_, what)) => Err(OperationError::Usage(format!(
                "{what} belongs to one case, and each distinct failure becomes a case of its own"
            ))),
        }
    }

    /// The failure of a case of a command.
    pub(super) const fn failure(&self) -> Option<&RequestedFailure> {
        match &self.kind {
            RequestedKind::Command(failure) => Some(failure),
            _ => None,
        }
    }

    /// The log that holds the failure.
    pub(super) fn log(&self) -> Option<&Path> {
        self.failure()?.origin.log()
    }
}

impl RequestedKind {
    /// The events that are named.
    pub(super) const fn at(&self) -> Option<Span> {
        match self {
            Self::Saga { trigger, .. }
            | Self::ProcessManager { trigger, .. }
            | Self::Projector { trigger, .. } => trigger.at,
            Self::Fact { at } => *at,
            Self::Flow {
                start: RequestedStart::Events(span),
                ..
            } => Some(*span),
            Self::Flow { .. }
            | Self::Command(_)
            | Self::Upcaster { .. }
            | Self::Compensation { .. } => None,
        }
    }

    pub(super) const fn with_history(&self) -> bool {
        match self {
            Self::Saga { trigger, .. }
            | Self::ProcessManager { trigger, .. }
            | Self::Projector { trigger, .. } => trigger.with_history,
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
