//! From production to a case: which aggregate, its history, the command that failed.
//!
//! Takes a query interface, so that it cannot write to a server even by mistake. No clock and no file system in
//! here: both come from the mains.

mod assemble;
mod command;
pub mod compensation;
mod dialect;
mod external;
mod grouping;
mod history;
mod log;
mod persisted;
mod queries;
mod reacting;
mod root;
mod select;
mod unknown;
pub mod workflow;

pub use crate::ticket;
pub use crate::wire::SpokenDialect;
pub use assemble::{Assembled, Labels, Parts, assemble};
pub use command::{CommandDraft, DraftError, parse_draft};
pub use dialect::{CaseDialect, DialectKnowledge};
pub use external::{ExternalError, ExternalProblem, StoredObjects, inline_external};
pub use grouping::{Aside, FailureGroup, group_failures};
pub use history::{EditionShape, Fetched, UpTo, fetch_history};
pub use log::{
    LOOKED_FOR, LetterCommand, LocalTime, LogReading, Logged, LoggedFailure,
    newest as newest_of_times,
};
pub use persisted::{Persisted, PersistedRule, StoredCount};
pub use queries::EventQueries;
pub use reacting::{
    Base, CutBook, CutRule, Span, TriggerRule, as_facts, cut, find_trigger, knowledge, trigger,
};
pub use root::{RootPart, RootSpec, RootSpecError, find_root};
pub use select::{
    FailingCommand, Selected, SelectedNoted, case_path, select_noted, select_ticket, settle_head,
};
pub use unknown::{kept_unknown_fields, lost_unknown_fields};

use crate::grpc::QueryError;
use crate::model::{Failure, PageOrderError};
use crate::wire::{DecodeError, Dialect};

/// A capture that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// A query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An event that is stored elsewhere cannot be had.
    #[error(transparent)]
    External(#[from] ExternalError),
    /// Nothing fits.
    #[error(
        "nothing is stored for {spec}; an unknown root and an empty history look the same on the wire; looked at: \
         {}, and at {tickets} failures of the log; `cargo xtask roots` lists what is there",
        looked_at.join(", ")
    )]
    UnknownRoot {
        /// What was asked for.
        spec: String,
        /// Domains and addresses.
        looked_at: Vec<String>,
        /// Failures that were looked through.
        tickets: usize,
    },
    /// Several fit.
    #[error(
        "{spec} fits several aggregates; name one of them:\n{}",
        indented(candidates)
    )]
    AmbiguousRoot {
        /// What was asked for.
        spec: String,
        /// What fits, as `domain/root`.
        candidates: Vec<String>,
    },
    /// One page is larger than a reply may be.
    #[error(
        "page {sequence} alone is larger than a reply may be; ask for a larger limit at the coordinator (ANGZARR_GRPC_MESSAGE_SIZE_KB)"
    )]
    PageTooLarge {
        /// The page.
        sequence: u32,
    },
    /// The whole history was asked for, and the reply says that more follows.
    #[error(
        "the whole history was asked for, and the answer ends before sequence {delivered} though it says that the next event \
         would be {said}: its tail is cut; `--to-sequence {delivered}` takes what there is"
    )]
    CutTail {
        /// Sequence after the last page that came.
        delivered: u32,
        /// Sequence of the next event, as the reply has it.
        said: u32,
    },
    /// Nothing is stored and nothing failed.
    #[error(
        "nothing is stored for {spec} at {place}; an unknown root and an empty history look the same on the wire; \
         looked at the whole history, and at {tickets} failures of the log; `cargo xtask roots` lists what is there"
    )]
    Nothing {
        /// The aggregate, with its edition.
        spec: String,
        /// Where it was asked for.
        place: String,
        /// Failures that were looked through.
        tickets: usize,
    },
    /// An end before the first event, and no command.
    #[error(
        "there is no event before sequence {head}, and without a command there is nothing to replay; take a later end, \
         or a command with --ticket or --command"
    )]
    NothingYet {
        /// Sequence that the history was to end before.
        head: u32,
    },
    /// An end that the store has not reached.
    #[error("sequence {last} was asked for, but the history {}", ending(*head))]
    BeyondEnd {
        /// Last sequence that was asked for.
        last: u32,
        /// Head of the stored history.
        head: u32,
    },
    /// A command of a later time than the store.
    #[error(
        "the command saw the head {wanted}, but the history {}; is the source behind, or the root another? \
         --to-sequence says after which event the command is to come",
        ending(*head)
    )]
    BeyondHead {
        /// Head that was wanted.
        wanted: u32,
        /// Head of the stored history.
        head: u32,
    },
    /// Fewer events than a command is said to have stored.
    #[error(
        "the command is said to have stored {wanted} events from sequence {head} on, the store has {found} there without \
         a gap; --to-sequence says after which event the command came, --persisted how many it stored"
    )]
    NotPersisted {
        /// Events that it is said to have stored.
        wanted: u32,
        /// Head that it saw.
        head: u32,
        /// Events that follow.
        found: usize,
    },
    /// A ticket in another dialect than the source.
    #[error(
        "the ticket is written in the dialect `{ticket}`, the source speaks `{source_dialect}`: are they of the same \
         deployment?"
    )]
    OtherDialect {
        /// Dialect of the ticket.
        ticket: Dialect,
        /// Dialect of the source.
        source_dialect: Dialect,
    },
    /// A ticket or a recorded call in another dialect of the package than the source.
    #[error(
        "the ticket or recording says the dialect `{noted}`, the source speaks `{source_dialect}`: both have the package \
         `{}`, and other numbers for enums; correct `dialect` in replay.toml or in the line, or add \
         `\"dialect_assumed\": true` to the line, to have it read in the dialect of the source",
        noted.package()
    )]
    SaidOtherwise {
        /// Dialect that it is noted in.
        noted: Dialect,
        /// Dialect of the source.
        source_dialect: Dialect,
    },
    /// A command whose own encoding is none.
    #[error("the command cannot be read in the dialect of its source: {0}")]
    Unreadable(#[from] DecodeError),
    /// No page to react to.
    #[error(
        "the history has no {wanted}{}; name the events with --at SEQUENCE or --at FIRST-LAST",
        known_end(*head)
    )]
    NoTrigger {
        /// What was looked for.
        wanted: String,
        /// Head of the history.
        head: u32,
    },
    /// A workflow that nothing is stored of.
    #[error(
        "no event in the configured domains carries the correlation id `{id}`; is it right, and are all domains of the workflow \
         configured?"
    )]
    UnknownWorkflow {
        /// The correlation id.
        id: String,
    },
    /// A workflow that may have begun at several aggregates.
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
    /// An aggregate that has no part in the workflow.
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
    /// A failure that says nothing about the logic. Its message is not repeated: nobody redacted it.
    #[error(
        "the failure is of the transport ({}), not of the logic: there is nothing to reproduce; take another, or --history; where the logic itself \
         answered so, --answered-by logic says it of every code but UNAVAILABLE and DEADLINE_EXCEEDED",
        failure.code
    )]
    NotOfTheLogic {
        /// The failure.
        failure: Failure,
    },
    /// A state of the past that is larger than a reply may be.
    #[error(
        "the history at that time is larger than a reply may be; give its last event with --to-sequence instead"
    )]
    PastTooLarge,
    /// Windows that do not fit together.
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
