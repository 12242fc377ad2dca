//! Replies of sagas, process managers and projectors.

use std::collections::BTreeMap;

use super::{CommandBook, CommandPage, Cover, EmittedBook, Notification, Payload};

/// Head (sequence of the next event) of each aggregate that a saga or process manager writes to, by domain. Empty in
/// dialects whose requests do not send it.
pub type Destinations = BTreeMap<String, u32>;

/// A command emitted by a saga or process manager. Unlike a received command it may lack an addressee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedCommand {
    /// The addressee, if it names one that a coordinator would accept.
    pub cover: Option<Cover>,
    /// The commands; an aggregate handles the first.
    pub pages: Vec<CommandPage>,
}

impl EmittedCommand {
    /// A command for an aggregate.
    #[must_use]
    pub fn new(cover: Cover, command: Payload) -> Self {
        Self {
            cover: Some(cover),
            pages: vec![CommandPage::new(command)],
        }
    }

    /// The command as its addressee receives it; `None` without an addressee.
    #[must_use]
    #[doc(hidden)]
    pub fn addressed(&self) -> Option<CommandBook> {
        Some(CommandBook {
            cover: self.cover.clone()?,
            pages: self.pages.clone(),
            original: None,
        })
    }

    /// Type name of the first command; empty if there is none.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.pages
            .first()
            .and_then(|page| page.command.as_ref())
            .map_or("", Payload::type_name)
    }
}

impl From<CommandBook> for EmittedCommand {
    fn from(book: CommandBook) -> Self {
        Self {
            cover: Some(book.cover),
            pages: book.pages,
        }
    }
}

/// Reply of a saga or process manager to events of other aggregates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// Events for the process manager's own stream; a saga has none.
    pub process_events: Vec<EmittedBook>,
    /// Commands for other aggregates.
    pub commands: Vec<EmittedCommand>,
    /// Events to inject into other aggregates as facts.
    pub facts: Vec<EmittedBook>,
    /// A notification instead of, or beside, the rest; only process managers of newer dialects send one.
    pub notification: Option<Notification>,
}

impl Reaction {
    /// A reaction that consists of commands.
    #[must_use]
    pub fn of_commands(commands: Vec<EmittedCommand>) -> Self {
        Self {
            commands,
            ..Self::default()
        }
    }

    /// Sets the events for the process manager's own stream.
    #[must_use]
    pub fn with_process_events(mut self, books: Vec<EmittedBook>) -> Self {
        self.process_events = books;
        self
    }

    /// Sets the events to inject into other aggregates as facts.
    #[must_use]
    pub fn with_facts(mut self, facts: Vec<EmittedBook>) -> Self {
        self.facts = facts;
        self
    }

    /// Sets the notification.
    #[must_use]
    pub fn with_notification(mut self, notification: Notification) -> Self {
        self.notification = Some(notification);
        self
    }
}

/// Read model that a projector built from events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection {
    /// The aggregate, if it names one.
    pub cover: Option<Cover>,
    /// Name that the projector gives itself.
    pub projector: String,
    /// Last sequence that it includes.
    pub sequence: u32,
    /// The projection.
    pub payload: Option<Payload>,
}

impl Projection {
    /// The read model of an aggregate, up to and including a sequence.
    #[must_use]
    pub fn new(cover: Cover, projector: &str, sequence: u32, payload: Payload) -> Self {
        Self {
            cover: Some(cover),
            projector: projector.to_owned(),
            sequence,
            payload: Some(payload),
        }
    }
}
