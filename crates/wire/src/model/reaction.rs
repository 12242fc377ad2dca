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
    /// The command as its addressee receives it; `None` without an addressee.
    #[must_use]
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
