//! What sagas, process managers and projectors answer.

use std::collections::BTreeMap;

use super::{CommandBook, CommandPage, Cover, EmittedBook, Notification, Payload};

/// Sequence that the next event of a destination would get, by domain. What a saga or process manager is told of
/// the aggregates that it writes to; empty in dialects that tell nothing.
pub type Destinations = BTreeMap<String, u32>;

/// A command as a saga or process manager emits it: unlike one that arrived, it may be addressed to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedCommand {
    /// The addressee, if it says one that a coordinator would take.
    pub cover: Option<Cover>,
    /// The commands; an aggregate looks at the first.
    pub pages: Vec<CommandPage>,
}

impl EmittedCommand {
    /// The command as its addressee receives it, none where it has no addressee.
    #[must_use]
    pub fn addressed(&self) -> Option<CommandBook> {
        Some(CommandBook {
            cover: self.cover.clone()?,
            pages: self.pages.clone(),
            original: None,
        })
    }

    /// Type name of the first command, empty where it has none.
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

/// What a saga or process manager does about events of others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reaction {
    /// Events of the process manager's own stream; a saga has none.
    pub process_events: Vec<EmittedBook>,
    /// Commands for other aggregates.
    pub commands: Vec<EmittedCommand>,
    /// Events that are injected into other aggregates as facts.
    pub facts: Vec<EmittedBook>,
    /// A notification instead of, or beside, the rest; only process managers of newer dialects send one.
    pub notification: Option<Notification>,
}

/// What a projector makes of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection {
    /// The aggregate, if it says one.
    pub cover: Option<Cover>,
    /// Name that the projector gives itself.
    pub projector: String,
    /// Last sequence that is projected.
    pub sequence: u32,
    /// The projection.
    pub payload: Option<Payload>,
}
