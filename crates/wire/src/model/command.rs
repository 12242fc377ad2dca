//! Commands for aggregates.

use super::{Cover, Payload, PayloadReference};

/// Header of a page: its sequence, or how it gets one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Header {
    /// No header; coordinators read it as sequence 0.
    #[default]
    Absent,
    /// An explicit sequence, counted from 0.
    Sequence(u32),
    /// Numbered on arrival; created outside Angzarr.
    ExternalDeferred {
        /// Idempotency key.
        external_id: String,
        /// Free text.
        description: String,
    },
    /// Numbered on arrival; created by a saga or process manager.
    AngzarrDeferred {
        /// Aggregate whose event caused it.
        source: Option<Box<Cover>>,
        /// Sequence of that event.
        source_sequence: u32,
        /// Name of the saga or process manager.
        source_component: String,
        /// Index among the commands of one reaction.
        command_index: u32,
        /// Head that the component observed, if the dialect has the field.
        basis_sequence: Option<u32>,
    },
}

impl Header {
    /// The explicit sequence; 0 without a header, as every coordinator reads it; `None` if deferred.
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

/// What a caller waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Store, publish, return.
    #[default]
    Async,
    /// Wait for projectors.
    Simple,
    /// Wait for sagas and process managers too.
    Cascade,
    /// Wait for acceptance only.
    Decision,
    /// Store only.
    Isolated,
    /// A mode that this version does not know.
    Unknown(i32),
}

/// What happens to a cascade when one of its commands fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CascadeErrorMode {
    /// The cascade ends.
    #[default]
    FailFast,
    /// It continues with the other commands.
    Continue,
    /// The commands already executed are compensated.
    Compensate,
    /// The failed command becomes a dead letter.
    DeadLetter,
    /// A mode that this version does not know.
    Unknown(i32),
}

/// Modes of a saga's request: what its coordinator will do with its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes {
    /// What the caller waits for.
    pub sync_mode: SyncMode,
    /// What happens to the cascade when a command fails.
    pub cascade_error_mode: CascadeErrorMode,
}

/// One command of a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandPage {
    /// Head that the sender expected.
    pub header: Header,
    /// Minimum sync mode, set by process managers.
    pub sync_mode: Option<SyncMode>,
    /// What to do if the head is different.
    pub merge_strategy: MergeStrategy,
    /// The command itself; `None` if it is stored elsewhere or missing.
    pub command: Option<Payload>,
    /// Reference to the command, if it is stored elsewhere.
    pub external: Option<PayloadReference>,
}

impl CommandPage {
    /// A page with a command and nothing else.
    #[must_use]
    pub fn new(command: Payload) -> Self {
        Self {
            header: Header::Absent,
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(command),
            external: None,
        }
    }

    /// Sets the header: the head that the sender expects.
    #[must_use]
    pub fn with_header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }
}

/// Commands addressed to one aggregate; client logic handles the first page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandBook {
    /// The addressee.
    pub cover: Cover,
    /// The commands.
    pub pages: Vec<CommandPage>,
    /// Original encoding, kept only if encoding the book again would produce other bytes. Code that changes the book
    /// clears it.
    pub original: Option<Vec<u8>>,
}

impl CommandBook {
    /// Commands for an aggregate.
    #[must_use]
    pub const fn new(cover: Cover, pages: Vec<CommandPage>) -> Self {
        Self {
            cover,
            pages,
            original: None,
        }
    }

    /// Expected head as a coordinator reads it, from the first page; 0 if there is no page.
    #[must_use]
    pub fn expected_sequence(&self) -> Option<u32> {
        self.pages
            .first()
            .map_or(Some(0), |page| page.header.sequence())
    }

    /// Type name of the first command; empty if there is none.
    #[must_use]
    pub fn type_name(&self) -> &str {
        self.pages
            .first()
            .and_then(|page| page.command.as_ref())
            .map_or("", Payload::type_name)
    }

    /// Whether it is compensation: a notification, to the originator of a command, that the command was rejected.
    #[must_use]
    pub fn is_compensation(&self) -> bool {
        let first = self.pages.first().and_then(|page| page.command.as_ref());
        first.is_some_and(Payload::is_notification)
    }

    /// The same commands for another head. Deferred headers become explicit, as on a coordinator.
    #[must_use]
    #[doc(hidden)]
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
