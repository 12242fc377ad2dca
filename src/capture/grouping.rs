//! Groups failures that have the same cause: equal domain, command, code and message.

use super::{Logged, LoggedFailure};
use crate::model::{AnsweredBy, Code, Failure, FailureClass, Timestamp};
use crate::ticket::Ticket;

/// Failures with the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// Domain, if the log contains it.
    pub domain: Option<String>,
    /// Type of the command, if it is known.
    pub command: Option<String>,
    /// Status code, if it is known.
    pub code: Option<Code>,
    /// Status message.
    pub message: String,
    /// Why the failures do not concern the logic, if so.
    pub aside: Option<Aside>,
    /// Number of failures.
    pub count: usize,
    /// Time of the newest, if it is known.
    pub newest: Option<Timestamp>,
    /// How many have no time.
    pub without_time: usize,
    /// Index of the newest failure among all; of the last one, if none has a time.
    pub example: usize,
}

/// Why a failure does not concern the logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// The command was addressed to another head.
    Stale,
    /// The logic did not answer.
    Transport,
    /// The command was accepted.
    Accepted,
}

impl Aside {
    fn of(failure: &Failure, class: FailureClass) -> Option<Self> {
        match class {
            _ if failure.code == Code::Ok => Some(Self::Accepted),
            FailureClass::StaleSequence => Some(Self::Stale),
            FailureClass::Unreachable => Some(Self::Transport),
            _ => None,
        }
    }

    /// Why the failure of a ticket does not concern the logic, if so.
    #[must_use]
    pub fn of_ticket(ticket: &Ticket) -> Option<Self> {
        Self::of(&ticket.failure, ticket.class(AnsweredBy::NotKnown))
    }

    /// A short name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Transport => "of the transport",
            Self::Accepted => "accepted",
        }
    }
}

impl Logged {
    /// Type of the command, if it is known.
    #[must_use]
    pub fn command(&self) -> Option<&str> {
        match self {
            Self::Ticket(ticket) => Some(ticket.command.type_name()),
            Self::Failure(failure) => {
                let command = failure.command.as_ref();
                command.map(|command| command.book.type_name())
            }
        }
    }

    /// The error status, if its code is known.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Ticket(ticket) => Some(ticket.failure.clone()),
            Self::Failure(LoggedFailure { noted, .. }) => noted.failure(),
        }
    }

    /// Its message.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Ticket(ticket) => &ticket.failure.message,
            Self::Failure(LoggedFailure { noted, .. }) => &noted.message,
        }
    }

    /// Why it does not concern the logic, if so.
    #[must_use]
    pub fn aside(&self) -> Option<Aside> {
        match self {
            Self::Ticket(ticket) => Aside::of_ticket(ticket),
            Self::Failure(logged) => {
                Aside::of(&self.failure()?, logged.class(AnsweredBy::NotKnown)?)
            }
        }
    }

    /// Whether it has the same cause as the failures of a group.
    fn is_same_bug(&self, group: &FailureGroup) -> bool {
        let domain = self.domain().map(crate::model::Domain::as_str);
        let code = self.failure().map(|failure| failure.code);
        // The message of a stale command contains its sequences.
        let is_same_text = group.message == self.message() || group.aside == Some(Aside::Stale);
        (domain, self.command(), code, self.aside())
            == (
                group.domain.as_deref(),
                group.command.as_deref(),
                group.code,
                group.aside,
            )
            && is_same_text
    }
}

/// Groups failures, which are in log order. The most frequent group comes first; failures that do not concern the logic
/// come last.
pub fn group_failures<'a>(failures: impl IntoIterator<Item = &'a Logged>) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    for (position, logged) in failures.into_iter().enumerate() {
        let time = logged.time();
        if let Some(group) = groups.iter_mut().find(|group| logged.is_same_bug(group)) {
            group.count += 1;
            group.without_time += usize::from(time.is_none());
            if time >= group.newest {
                (group.newest, group.example) = (time, position);
            }
            continue;
        }
        groups.push(FailureGroup {
            domain: logged.domain().map(ToString::to_string),
            command: logged.command().map(str::to_owned),
            code: logged.failure().map(|failure| failure.code),
            message: logged.message().to_owned(),
            aside: logged.aside(),
            count: 1,
            newest: time,
            without_time: usize::from(time.is_none()),
            example: position,
        });
    }
    // The sort is stable: equal groups stay in log order.
    groups.sort_by_key(|group| (group.aside, std::cmp::Reverse(group.count)));
    groups
}
