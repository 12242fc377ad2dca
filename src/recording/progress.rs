//! What a recorder reports while it runs.

use super::RecordLosses;
use crate::wire::Dialect;

/// Something that happens before a recording ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordProgress {
    /// A redaction rule that matches no field.
    UnfittingRule(String),
    /// A previous recorder did not finish the last line of the recording, so it is removed.
    UnfinishedLine {
        /// The recording.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The last line of the failure log is incomplete. It is kept, and tickets start on a new line.
    UnfinishedTicket {
        /// The failure log.
        file: String,
    },
    /// Something that redaction does not change.
    NotRedacted(String),
    /// Redaction leaves more unchanged, which is no longer reported.
    MoreNotRedacted,
    /// The dialect was assumed.
    DialectAssumed(Dialect),
    /// The losses so far; sent when they change.
    Lost(RecordLosses),
}

/// Receives the progress of a recording.
pub type RecordWatcher<'a> = dyn FnMut(RecordProgress) + 'a;
