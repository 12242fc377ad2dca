//! Groups failures that have the same cause: equal domain, command and code, and messages of the same shape.
//!
//! The groups are the same in whatever order the failures are given.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Logged, LoggedFailure};
use crate::model::{AnsweredBy, Code, Failure, FailureClass, Timestamp};
use crate::shape::shape;
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
    /// Status message of the example.
    pub message: String,
    /// Whether the messages differ in their values.
    pub has_different_messages: bool,
    /// Why the failures do not concern the logic, if so.
    pub aside: Option<Aside>,
    /// Number of failures.
    pub count: usize,
    /// Time of the oldest, if it is known.
    pub oldest: Option<Timestamp>,
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
}

impl FailureGroup {
    fn new(logged: &Logged, position: usize) -> Self {
        let time = logged.time();
        Self {
            domain: logged.domain().map(ToString::to_string),
            command: logged.command().map(str::to_owned),
            code: logged.failure().map(|failure| failure.code),
            message: logged.message().to_owned(),
            has_different_messages: false,
            aside: logged.aside(),
            count: 1,
            oldest: time,
            newest: time,
            without_time: usize::from(time.is_none()),
            example: position,
        }
    }

    fn add(&mut self, logged: &Logged, position: usize) {
        let time = logged.time();
        self.count += 1;
        self.without_time += usize::from(time.is_none());
        self.has_different_messages |= self.message != logged.message();
        self.oldest = [self.oldest, time].into_iter().flatten().min();
        if time >= self.newest {
            (self.newest, self.example) = (time, position);
            logged.message().clone_into(&mut self.message);
        }
    }

    /// A message of the group as it stands for all of them: its shape, if they differ in their values.
    #[must_use]
    pub fn for_all<'a>(&self, message: &'a str) -> Cow<'a, str> {
        if self.has_different_messages {
            Cow::Owned(shape(message))
        } else {
            Cow::Borrowed(message)
        }
    }
}

/// What the failures of a group have in common. Groups of the same size are in this order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    domain: Option<String>,
    command: Option<String>,
    code: Option<&'static str>,
    aside: Option<Aside>,
    /// None of a stale command, for which the coordinator has several wordings.
    shape: Option<String>,
}

impl Cause {
    fn of(logged: &Logged) -> Self {
        let aside = logged.aside();
        Self {
            domain: logged.domain().map(ToString::to_string),
            command: logged.command().map(str::to_owned),
            code: logged.failure().map(|failure| failure.code.name()),
            aside,
            shape: (aside != Some(Aside::Stale)).then(|| shape(logged.message())),
        }
    }
}

/// Groups failures, which are in log order. The most frequent group comes first; failures that do not concern the logic
/// come last.
pub fn group_failures<'a>(failures: impl IntoIterator<Item = &'a Logged>) -> Vec<FailureGroup> {
    let mut groups: BTreeMap<Cause, FailureGroup> = BTreeMap::new();
    for (position, logged) in failures.into_iter().enumerate() {
        groups
            .entry(Cause::of(logged))
            .and_modify(|group| group.add(logged, position))
            .or_insert_with(|| FailureGroup::new(logged, position));
    }
    let mut groups: Vec<FailureGroup> = groups.into_values().collect();
    // The sort is stable: groups of the same size stay in the order of their causes.
    groups.sort_by_key(|group| (group.aside, std::cmp::Reverse(group.count)));
    groups
}
