//! Captures a case from production: finds the aggregate, its history, and the command that failed.
//!
//! Uses a query interface only, so it cannot write to a server even by mistake. Has no clock and no file system: the
//! callers provide both.

mod assemble;
mod command;
pub mod compensation;
mod component_case;
mod dialect;
mod external_events;
mod grouping;
mod history;
mod log;
mod queries;
mod root;
mod select;
mod stored_events;
mod title;
mod unknown_fields;
pub mod workflow;

pub use assemble::{Assembled, CaseParts, Labels, assemble};
pub use command::{CommandDraft, DraftError, parse_draft};
pub use component_case::{
    Base, CutBook, CutRule, Span, TriggerRule, as_facts, cut, find_trigger, knowledge, trigger,
};
pub use dialect::{CaseDialect, DialectKnowledge};
pub use external_events::{ExternalError, ExternalErrorKind, StoredObjects, inline_external};
pub use grouping::{Aside, FailureGroup, group_failures};
pub use history::{EditionShape, Fetched, UpTo, fetch_history, fetch_single_history};
pub use log::{
    LOOKED_FOR, LetterCommand, LineError, LocalTime, LogReading, Logged, LoggedFailure,
    newest as newest_of_times,
};
pub use queries::{EventQueries, PageCause, PageNote, QueryFailure, StoreQueries, StreamSummary};
pub use root::{RootPart, RootSpec, RootSpecError, find_root};
pub use select::{
    FailingCommand, Selected, SelectedNoted, case_path, select_noted, select_ticket, settle_head,
};
pub use stored_events::{Persisted, PersistedRule, StoredCount};
pub use title::generated_title;
pub use unknown_fields::{kept_unknown_fields, lost_unknown_fields};

use crate::model::{Failure, PageOrderError};
use crate::terminal::program;
use crate::wire::{DecodeError, Dialect};

/// Why a capture is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryFailure),
    /// An external event cannot be inlined.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// Nothing is stored for the root.
    #[error(
        "nothing is stored for {spec}; an unknown root and an empty history look the same on the wire; looked at: \
         {}, and at {tickets} failures of the log; `{} roots` lists what is there",
        looked_at.join(", "),
        program()
    )]
    UnknownRoot {
        /// The requested root.
        spec: String,
        /// Domains and addresses that were queried.
        looked_at: Vec<String>,
        /// Number of failures that were searched.
        tickets: usize,
    },
    /// Several aggregates match.
    #[error(
        "{spec} fits several aggregates; name one of them:\n{}",
        indented(candidates)
    )]
    AmbiguousRoot {
        /// The requested root.
        spec: String,
        /// The matching aggregates, as `domain/root`.
        candidates: Vec<String>,
    },
    /// One page exceeds the size limit of a reply.
    #[error(
        "page {sequence} alone is larger than a reply may be; ask for a larger limit at the coordinator (ANGZARR_GRPC_MESSAGE_SIZE_KB)"
    )]
    PageTooLarge {
        /// The page.
        sequence: u32,
    },
    /// The whole history was requested, but the reply is incomplete.
    #[error(
        "the whole history was asked for, and the answer ends before sequence {delivered} though it says that the next event \
         would be {said}: its tail is cut; `--to-sequence {delivered}` takes what there is"
    )]
    CutTail {
        /// Sequence after the last page in the reply.
        delivered: u32,
        /// The next sequence, according to the reply.
        said: u32,
    },
    /// Nothing is stored and nothing failed.
    #[error(
        "nothing is stored for {spec} at {place}; an unknown root and an empty history look the same on the wire; \
         looked at the whole history, and at {tickets} failures of the log; `{} roots` lists what is there",
        program()
    )]
    Nothing {
        /// The aggregate, with its edition.
        spec: String,
        /// The address that was queried.
        place: String,
        /// Number of failures that were searched.
        tickets: usize,
    },
    /// The history would end before its first event, and there is no command.
    #[error(
        "there is no event before sequence {head}, and without a command there is nothing to replay; choose a later end, \
         or give a command with --ticket or --command"
    )]
    NothingYet {
        /// The sequence that the history was to end before.
        head: u32,
    },
    /// The requested end is beyond the stored history.
    #[error("sequence {last} was requested, but the history {}", ending(*head))]
    BeyondEnd {
        /// The last requested sequence.
        last: u32,
        /// Head of the stored history.
        head: u32,
    },
    /// The command saw a head that the store has not reached.
    #[error(
        "the command saw the head {wanted}, but the history {}; is the source behind, or the root another? \
         --to-sequence says after which event the command is to come",
        ending(*head)
    )]
    BeyondHead {
        /// The head that the command saw.
        wanted: u32,
        /// Head of the stored history.
        head: u32,
    },
    /// Fewer events are stored than the command is said to have produced.
    #[error(
        "the command is said to have stored {wanted} events from sequence {head} on, but the store has {found} there without \
         a gap; --to-sequence says after which event the command came, --persisted how many it stored"
    )]
    NotPersisted {
        /// Number of events that it is said to have stored.
        wanted: u32,
        /// The head that it saw.
        head: u32,
        /// Number of consecutive events after the head.
        found: usize,
    },
    /// The ticket has another dialect than the source.
    #[error(
        "the ticket is written in the dialect `{ticket}`, but the source speaks `{source_dialect}`: do they belong to the same \
         deployment?"
    )]
    OtherDialect {
        /// Dialect of the ticket.
        ticket: Dialect,
        /// Dialect of the source.
        source_dialect: Dialect,
    },
    /// The ticket or recording has another dialect than the source, with the same package.
    #[error(
        "the ticket or recording says the dialect `{noted}`, but the source speaks `{source_dialect}`: both have the package \
         `{}`, but different enum numbers; correct `dialect` in replay.toml or in the line, or add \
         `\"dialect_assumed\": true` to the line, to have it read in the dialect of the source",
        noted.package()
    )]
    SaidOtherwise {
        /// Dialect of the ticket or recording.
        noted: Dialect,
        /// Dialect of the source.
        source_dialect: Dialect,
    },
    /// The original encoding of the command cannot be read.
    #[error("the command cannot be read in the dialect of its source: {0}")]
    Unreadable(#[from] DecodeError),
    /// There is no page to react to.
    #[error(
        "the history has no {wanted}{}; name the events with --at SEQUENCE or --at FIRST-LAST",
        known_end(*head)
    )]
    NoTrigger {
        /// What was searched for.
        wanted: String,
        /// Head of the history.
        head: u32,
    },
    /// Nothing is stored for the workflow.
    #[error(
        "no event in the configured domains carries the correlation id `{id}`; is it right, and are all domains of the workflow \
         configured?"
    )]
    UnknownWorkflow {
        /// The correlation id.
        id: String,
    },
    /// The workflow may have begun at several aggregates.
    #[error(
        "the workflow `{id}` may have begun at any of several aggregates; name the one that it began at:\n{}",
        indented(candidates)
    )]
    AmbiguousStart {
        /// The correlation id.
        id: String,
        /// The aggregates, as `domain/root`.
        candidates: Vec<String>,
    },
    /// The aggregate has no event of the workflow.
    #[error(
        "{aggregate} has no event with the correlation id `{id}`, so nothing says where the workflow began; give its command with \
         --command or --ticket, or its first event with --at"
    )]
    NoStart {
        /// The aggregate.
        aggregate: String,
        /// The correlation id.
        id: String,
    },
    /// The failure does not concern the logic. Its message is not repeated, because it is not redacted.
    #[error(
        "the failure came from the transport ({}), not from the logic, so there is nothing to reproduce; choose another, or --history; if the logic itself \
         gave this answer, say so with --answered-by logic (for every code but UNAVAILABLE and DEADLINE_EXCEEDED)",
        failure.code
    )]
    NotOfTheLogic {
        /// The failure.
        failure: Failure,
    },
    /// The history at a point in time exceeds the size limit of a reply.
    #[error(
        "the history at that time is larger than a reply may be; give its last event with --to-sequence instead"
    )]
    PastTooLarge,
    /// A time was requested, and a row of the store has none.
    #[error(
        "page {sequence} has no insert time in the store, so nothing says which pages existed then; give the last event with \
         --to-sequence instead"
    )]
    NoInsertTime {
        /// The page.
        sequence: u32,
    },
    /// The fetched windows do not fit together.
    #[error("the history changed while it was read: {reason}; capture it again")]
    Disordered {
        /// What does not fit.
        reason: PageOrderError,
    },
}

fn ending(head: u32) -> String {
    match head.checked_sub(1) {
        Some(last) => format!("ends with sequence {last}"),
        None => "is empty".to_owned(),
    }
}

fn known_end(head: u32) -> String {
    format!(": it {}", ending(head))
}

fn indented(lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
