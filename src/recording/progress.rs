//! What a recorder reports while it runs.

use super::RecordLosses;
use crate::wire::Dialect;

/// Something that happens before a recording ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordProgress {
    /// A redaction rule that is about no field.
    UnfittingRule(String),
    /// An earlier recorder did not finish this line of the recording, and it is cut off.
    UnfinishedLine {
        /// The recording.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The last line of the failure log is not finished and stays; tickets go to lines of their own.
    UnfinishedTicket {
        /// The failure log.
        file: String,
    },
    /// Something that redaction keeps as it is.
    NotRedacted(String),
    /// More is kept as it is, and it is no longer reported.
    MoreNotRedacted,
    /// A dialect had to be assumed.
    DialectAssumed(Dialect),
    /// The losses so far, because they have changed.
    Lost(RecordLosses),
}

/// Receives the progress of a recording.
pub type RecordWatcher<'a> = dyn FnMut(RecordProgress) + 'a;
