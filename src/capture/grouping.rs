//! Failures that are of one bug: same domain, command, code and message.

use super::{Logged, LoggedFailure};
use crate::model::{AnsweredBy, Code, Failure, FailureClass, Timestamp};
use crate::ticket::Ticket;

/// Failures of one bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// Domain, where the log has it.
    pub domain: Option<String>,
    /// Type of the command, where it is known.
    pub command: Option<String>,
    /// Status code, where it is known.
    pub code: Option<Code>,
    /// Status message.
    pub message: String,
    /// Why the logic is not to blame, if so.
    pub aside: Option<Aside>,
    /// How many there are.
    pub count: usize,
    /// Time of the newest, where it is known.
    pub newest: Option<Timestamp>,
    /// How many of them have no time.
    pub without_time: usize,
    /// Position of the newest among the failures that were grouped; of the last, where none has a time.
    pub example: usize,
}

/// Why a failure says nothing of the logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// The command was made for another head.
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

    /// Why a ticket says nothing of the logic, if so.
    #[must_use]
    pub fn of_ticket(ticket: &Ticket) -> Option<Self> {
        Self::of(&ticket.failure, ticket.class(AnsweredBy::NotKnown))
    }

    /// In a word or two.
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
    /// Type of the command, where it is known.
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

    /// The failing status, where its code is known.
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

    /// Why it says nothing of the logic, if so.
    #[must_use]
    pub fn aside(&self) -> Option<Aside> {
        match self {
            Self::Ticket(ticket) => Aside::of_ticket(ticket),
            Self::Failure(logged) => {
                Aside::of(&self.failure()?, logged.class(AnsweredBy::NotKnown)?)
            }
        }
    }

    /// Whether both are of one bug.
    fn is_same_bug(&self, group: &FailureGroup) -> bool {
        let domain = self.domain().map(crate::model::Domain::as_str);
        let code = self.failure().map(|failure| failure.code);
        // Every stale command says another pair of numbers.
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

/// Groups failures, given in the order of their logs. The most frequent comes first; what says nothing of the logic
/// comes last.
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
    // Stable: among equals the order of the logs stands.
    groups.sort_by_key(|group| (group.aside, std::cmp::Reverse(group.count)));
    groups
}
