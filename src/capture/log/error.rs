//! Why a line cannot be used.

use super::lines::LARGEST;
use crate::model::{Code, IdError};
use crate::ticket::TicketErrorKind;

const CUT: &str = "the container runtime cut this line, and the log does not have the rest of it";

/// Why a line that looks like a ticket or a failure cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The reader of the log did not read it.
    #[error("the line is longer than {mebibytes} MiB")]
    TooLong {
        /// The limit.
        mebibytes: u64,
    },
    /// A record that was joined from several lines is too large.
    #[error("a record of more than {} MiB", LARGEST >> 20)]
    TooLarge,
    /// Records in records.
    #[error("the line has too many nested records, so not all of them were read")]
    TooNested,
    /// The rest of a line is missing.
    #[error("{}", CUT)]
    Cut,
    /// A record without an end.
    #[error("{what} that is cut: {}", if *.by_runtime { CUT } else { "the line ends within it" })]
    CutRecord {
        /// A ticket or a failure.
        what: &'static str,
        /// Whether the container runtime cut it.
        by_runtime: bool,
    },
    /// The message of a failure without an end.
    #[error("the line ends within the message of the failure")]
    CutMessage,
    /// A status whose message cannot be told from the rest of the line.
    #[error(
        "a failure with the code {code}, whose message has no key of its own: log it as `error_message`"
    )]
    NoMessage {
        /// The status code.
        code: Code,
    },
    /// The root of the aggregate is in no known format.
    #[error("`{key}`: expected hex, a UUID, base64 or bytes as Python prints them")]
    Root {
        /// The key as logged.
        key: &'static str,
    },
    /// An invalid domain or edition.
    #[error("`{key}`: {error}")]
    Id {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        error: IdError,
    },
    /// An invalid ticket.
    #[error(transparent)]
    Ticket(#[from] TicketErrorKind),
}
