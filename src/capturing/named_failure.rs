//! A failure that a log, ticket, recording or dead letter names; it also names the aggregate.

use crate::capture::{FailingCommand, Logged, RootPart, RootSpec};
use crate::project::FailureEntry;

/// A failure that was found before the source was queried.
#[derive(Debug, Clone)]
pub(super) struct NamedFailure {
    pub(super) logged: Logged,
    /// Where it was found, in words.
    pub(super) origin: String,
    /// Lines of the same log that were skipped, with the reason.
    pub(super) unusable: Vec<String>,
}

impl NamedFailure {
    pub(super) fn of_entry(entry: &FailureEntry) -> Self {
        Self {
            logged: entry.logged.clone(),
            origin: format!("from {}:{}", entry.file, entry.line),
            unusable: Vec::new(),
        }
    }

    /// The aggregate.
    pub(super) fn spec(&self) -> RootSpec {
        RootSpec {
            domain: self.logged.domain().cloned(),
            root: RootPart::Full(self.logged.root()),
        }
    }

    /// The command; none if it is unknown.
    pub(super) fn failing(&self) -> Option<FailingCommand> {
        match &self.logged {
            Logged::Ticket(ticket) => Some(ticket.into()),
            Logged::Failure(failure) => failure.command.as_ref().map(FailingCommand::from),
        }
    }

    /// The sequence that the command was sent for, if it is known.
    pub(super) fn sequence(&self) -> Option<u32> {
        match &self.logged {
            Logged::Failure(failure) => failure.noted.sequence,
            Logged::Ticket(ticket) => ticket.command.expected_sequence(),
        }
    }
}

/// How it is known that a failure is the newest of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NewestProof {
    /// Their times.
    Times,
    /// The times of those that have one.
    SomeTimes,
    /// Only its place in the log.
    Place,
}

impl NewestProof {
    /// What the times of one failure and of the others prove; none if there are no others.
    pub(super) fn of(has_time: bool, others: impl ExactSizeIterator<Item = bool>) -> Option<Self> {
        let count = others.len();
        let timed = others.filter(|has_time| *has_time).count();
        (count > 0).then_some(match has_time {
            true if timed == count => Self::Times,
            true => Self::SomeTimes,
            false => Self::Place,
        })
    }

    /// In words. A failure is called the newest only if that is known.
    pub(super) fn among(self, count: usize, of: &str) -> String {
        match self {
            Self::Times => format!("the newest of {count}{of}"),
            Self::SomeTimes => {
                format!("the latest time among {count}{of}, not all of which have one")
            }
            Self::Place => {
                format!("the last of {count}{of}, as they stand: their times are not known")
            }
        }
    }
}
