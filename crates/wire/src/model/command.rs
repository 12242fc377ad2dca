//! Commands: what is sent to an aggregate.

use super::{Cover, Payload, PayloadReference};

/// How a page says where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Header {
    /// Nothing said; readers that take a default see sequence 0.
    #[default]
    Absent,
    /// An explicit sequence, counted from 0.
    Sequence(u32),
    /// Stamped on arrival; made outside Angzarr.
    ExternalDeferred {
        /// Key of idempotency.
        external_id: String,
        /// Free text.
        description: String,
    },
    /// Stamped on arrival; made by a saga or process manager.
    AngzarrDeferred {
        /// Aggregate whose event caused it.
        source: Option<Box<Cover>>,
        /// Sequence of that event.
        source_sequence: u32,
        /// Name of the saga or process manager.
        source_component: String,
        /// Position among the commands of one reaction.
        command_index: u32,
        /// Head that was observed, where the dialect has it.
        basis_sequence: Option<u32>,
    },
}

impl Header {
    /// The explicit sequence; 0 where nothing is said, as every coordinator reads it, none where deferred.
    #[must_use]
    pub const fn sequence(&self) -> Option<u32> {
        match self {
            Self::Absent => Some(0),
            Self::Sequence(sequence) => Some(*sequence),
            Self::ExternalDeferred { .. } | Self::AngzarrDeferred { .. } => None,
        }
    }
}

/// What a coordinator does when a command's sequence is not the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeStrategy {
    /// Accept when the touched fields do not overlap.
    #[default]
    Commutative,
    /// Refuse.
    Strict,
    /// Leave it to the aggregate.
    AggregateHandles,
    /// Hand it to a person.
    Manual,
    /// A strategy that this version does not know.
    Unknown(i32),
}

/// How much a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Store, publish, return.
    #[default]
    Async,
    /// Wait for projectors.
    Simple,
    /// Wait for sagas and process managers too.
    Cascade,
    /// Only acceptance is awaited.
    Decision,
    /// Store only.
    Isolated,
    /// A mode that this version does not know.
    Unknown(i32),
}

/// What becomes of a cascade when one of its commands fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CascadeErrorMode {
    /// It ends.
    #[default]
    FailFast,
    /// It goes on with the others.
    Continue,
    /// What was done is compensated.
    Compensate,
    /// The command becomes a dead letter.
    DeadLetter,
    /// A mode that this version does not know.
    Unknown(i32),
}

/// How a saga is called: what its coordinator will do with its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes {
    /// How much the caller waits for.
    pub sync_mode: SyncMode,
    /// What becomes of the cascade when a command fails.
    pub cascade_error_mode: CascadeErrorMode,
}

/// One command of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPage {
    /// Which head the sender expected.
    pub header: Header,
    /// Floor of the sync mode, set by process managers.
    pub sync_mode: Option<SyncMode>,
    /// What to do when the head is another.
    pub merge_strategy: MergeStrategy,
    /// The command itself; none where it is stored elsewhere or missing.
    pub command: Option<Payload>,
    /// Where it is stored, if elsewhere.
    pub external: Option<PayloadReference>,
}

/// Commands addressed to one aggregate; logic looks at the first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandBook {
    /// The addressee.
    pub cover: Cover,
    /// The commands.
    pub pages: Vec<CommandPage>,
    /// The book's own encoding, kept where encoding it again would not give it back. Whoever changes the
    /// book drops it.
    pub original: Option<Vec<u8>>,
}

impl CommandBook {
    /// The expected head, as a coordinator reads it: of the first page, 0 where there is none.
    #[must_use]
    pub fn expected_sequence(&self) -> Option<u32> {
        self.pages
            .first()
            .map_or(Some(0), |page| page.header.sequence())
    }

    /// Type name of the first command, empty where it has none.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.pages
            .first()
            .and_then(|page| page.command.as_ref())
            .map_or("", Payload::type_name)
    }

    /// Whether it tells whoever caused a command that it was refused, and is compensation then.
    #[must_use]
    pub fn is_compensation(&self) -> bool {
        let first = self.pages.first().and_then(|page| page.command.as_ref());
        first.is_some_and(Payload::is_notification)
    }

    /// The same commands for another head; deferred headers become explicit, as a coordinator does it.
    #[must_use]
    pub fn restamped(&self, head: u32) -> Self {
        let mut book = self.clone();
        let mut changed = false;
        for (offset, page) in book.pages.iter_mut().enumerate() {
            let sequence =
                Header::Sequence(head.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
            changed |= page.header != sequence;
            page.header = sequence;
        }
        if changed {
            book.original = None;
        }
        book
    }
}
