//! Outcomes of a call to client logic. A rejection is an outcome; an unreachable server is an error.

use std::fmt;

use super::{Cover, EmittedBook, Page, Payload, Projection, Reaction, Timestamp};

/// gRPC status codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are gRPC's own")]
pub enum Code {
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Code {
    const NAMES: [(Self, &'static str); 17] = [
        (Self::Ok, "OK"),
        (Self::Cancelled, "CANCELLED"),
        (Self::Unknown, "UNKNOWN"),
        (Self::InvalidArgument, "INVALID_ARGUMENT"),
        (Self::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        (Self::NotFound, "NOT_FOUND"),
        (Self::AlreadyExists, "ALREADY_EXISTS"),
        (Self::PermissionDenied, "PERMISSION_DENIED"),
        (Self::ResourceExhausted, "RESOURCE_EXHAUSTED"),
        (Self::FailedPrecondition, "FAILED_PRECONDITION"),
        (Self::Aborted, "ABORTED"),
        (Self::OutOfRange, "OUT_OF_RANGE"),
        (Self::Unimplemented, "UNIMPLEMENTED"),
        (Self::Internal, "INTERNAL"),
        (Self::Unavailable, "UNAVAILABLE"),
        (Self::DataLoss, "DATA_LOSS"),
        (Self::Unauthenticated, "UNAUTHENTICATED"),
    ];

    /// The name, as in `FAILED_PRECONDITION`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(code, _)| *code == self)
            .map_or("UNKNOWN", |(_, name)| name)
    }

    /// Every code, by number.
    #[doc(hidden)]
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(code, _)| *code)
    }

    /// Code with this name.
    #[must_use]
    #[doc(hidden)]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(code, _)| *code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Machine-readable reason that newer client libraries attach to rejections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    /// For example `NO_HANDLER_REGISTERED`.
    pub reason: String,
    /// Who defines the reason.
    pub domain: String,
    /// Details, sorted by key.
    pub metadata: Vec<(String, String)>,
}

/// A failing status: any but OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Status code.
    pub code: Code,
    /// Status message.
    pub message: String,
    /// Reason, if the logic attached one.
    pub info: Option<ErrorInfo>,
}

/// Where a failing status came from, if known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AnsweredBy {
    /// Not known: codes that usually come from the transport are attributed to it.
    #[default]
    NotKnown,
    /// The logic itself. Even then `UNAVAILABLE` and `DEADLINE_EXCEEDED` count as the transport's, because a replay could
    /// not distinguish them from missing logic.
    Logic,
}

impl AnsweredBy {
    /// The logic, if either of the two says so.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match self {
            Self::NotKnown => other,
            Self::Logic => self,
        }
    }
}

/// Meaning of a failing status. `FAILED_PRECONDITION` has several, which its message distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The business logic rejected the command.
    Rejected,
    /// The command expected another head.
    StaleSequence,
    /// The logic revoked the command.
    Revoked,
    /// The logic could not read the input.
    Refused,
    /// There is no such method, or no handler for this type.
    Unimplemented,
    /// The handler crashed because of a defect.
    Crashed,
    /// The logic did not answer: transport, limits, deadlines, credentials.
    Unreachable,
}

impl Failure {
    /// A business rejection, as client libraries send it.
    #[must_use]
    pub fn rejected(message: impl Into<String>) -> Self {
        Self {
            code: Code::FailedPrecondition,
            message: message.into(),
            info: None,
        }
    }

    /// Input that the logic cannot read.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            code: Code::InvalidArgument,
            message: message.into(),
            info: None,
        }
    }

    /// A handler that crashed because of a defect.
    #[must_use]
    pub fn crashed(message: impl Into<String>) -> Self {
        Self {
            code: Code::Unknown,
            message: message.into(),
            info: None,
        }
    }

    /// A method that the logic does not have.
    #[must_use]
    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self {
            code: Code::Unimplemented,
            message: message.into(),
            info: None,
        }
    }

    /// Meaning of this status for a command that was sent for a sequence. If a conflict message expected that very sequence,
    /// the command was not stale: the conflict is about the sequences that the logic gave its events.
    #[must_use]
    #[doc(hidden)]
    pub fn class_for(&self, sequence: Option<u32>, by: AnsweredBy) -> FailureClass {
        let expected = self
            .message
            .strip_prefix("Sequence conflict: expected ")
            .and_then(|rest| rest.split_once(','))
            .and_then(|(expected, _)| expected.parse().ok());
        match self.class(by) {
            FailureClass::StaleSequence if sequence.is_some() && expected == sequence => {
                FailureClass::Rejected
            }
            class => class,
        }
    }

    /// Meaning of this status.
    #[must_use]
    #[doc(hidden)]
    pub fn class(&self, by: AnsweredBy) -> FailureClass {
        match self.code {
            Code::FailedPrecondition
                if self.message.starts_with("Sequence mismatch:")
                    || self.message.starts_with("Sequence conflict:") =>
            {
                FailureClass::StaleSequence
            }
            Code::Aborted if self.message.starts_with("Sequence mismatch:") => {
                FailureClass::StaleSequence
            }
            Code::FailedPrecondition if self.message.starts_with("Command revoked:") => {
                FailureClass::Revoked
            }
            Code::FailedPrecondition
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Aborted => FailureClass::Rejected,
            Code::InvalidArgument => FailureClass::Refused,
            Code::Unimplemented => FailureClass::Unimplemented,
            Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => FailureClass::Crashed,
            Code::Cancelled
            | Code::ResourceExhausted
            | Code::OutOfRange
            | Code::Unauthenticated
                if by == AnsweredBy::Logic =>
            {
                FailureClass::Rejected
            }
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::Unauthenticated => FailureClass::Unreachable,
        }
    }
}

/// The logic revokes the command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the four flags are Angzarr's own"
)]
pub struct Revocation {
    /// Emit a system revocation event.
    pub emit_system_revocation: bool,
    /// Put the command in the dead letter queue.
    pub send_to_dead_letter_queue: bool,
    /// Escalate to a person.
    pub escalate: bool,
    /// Stop the workflow.
    pub abort: bool,
    /// Why.
    pub reason: String,
}

impl Revocation {
    /// A revocation with a reason and no flag set.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The failing status that a coordinator returns to the sender of the command.
    #[must_use]
    #[doc(hidden)]
    pub fn as_failure(&self) -> Failure {
        Failure::rejected(format!("Command revoked: {}", self.reason))
    }
}

/// A notification that the logic sends instead of emitting events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Addressee.
    pub cover: Option<Cover>,
    /// Content.
    pub payload: Option<Payload>,
    /// Time of sending.
    pub sent_at: Option<Timestamp>,
    /// Free-form additions of older dialects, sorted by key.
    pub metadata: Vec<(String, String)>,
}

impl Notification {
    /// A notification with this content and nothing else.
    #[must_use]
    pub const fn new(payload: Payload) -> Self {
        Self {
            cover: None,
            payload: Some(payload),
            sent_at: None,
            metadata: Vec::new(),
        }
    }

    /// Sets the addressee.
    #[must_use]
    pub fn with_cover(mut self, cover: Cover) -> Self {
        self.cover = Some(cover);
        self
    }
}

/// Outcome of a stimulus: the whole answer of the logic. What could be seen of an answer in production is a
/// [`crate::model::Observed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Events, possibly none.
    Accepted(EmittedBook),
    /// The business logic rejected the command.
    Rejected(Failure),
    /// The command was revoked.
    Revoked(Revocation),
    /// A notification instead of events.
    Notified(Notification),
    /// The handler crashed because of a defect.
    Crashed(Failure),
    /// There is no such handler.
    Unimplemented(Failure),
    /// The logic could not read the input.
    Refused(Failure),
    /// State folded from a history.
    Folded(Payload),
    /// Pages converted to the newest schema.
    Upcast(Vec<Page>),
    /// Reaction of a saga or process manager.
    Reacted(Reaction),
    /// Read model of a projector.
    Projected(Projection),
    /// The aggregates whose heads a process manager needs.
    Prepared(Vec<Cover>),
}

impl Outcome {
    /// Failing status that a coordinator returns to the sender of the command; `None` if it is OK.
    #[must_use]
    pub fn status(&self) -> Option<Failure> {
        match self {
            Self::Revoked(revocation) => Some(revocation.as_failure()),
            other => other.failure().cloned(),
        }
    }

    /// Name of the outcome in fixtures and snapshots.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted(_) | Self::Reacted(_) | Self::Projected(_) | Self::Upcast(_) => {
                "accepted"
            }
            Self::Rejected(_) => "rejected",
            Self::Revoked(_) => "revoked",
            Self::Notified(_) => "notified",
            Self::Crashed(_) => "crashed",
            Self::Unimplemented(_) => "unimplemented",
            Self::Refused(_) => "refused",
            Self::Folded(_) => "folded",
            Self::Prepared(_) => "prepared",
        }
    }

    /// Outcome for a failing status; returns the failure as the error if the logic did not answer.
    pub fn from_failure(failure: Failure, by: AnsweredBy) -> Result<Self, Failure> {
        match failure.class(by) {
            FailureClass::Rejected | FailureClass::StaleSequence => Ok(Self::Rejected(failure)),
            FailureClass::Revoked => {
                let reason = failure.message.strip_prefix("Command revoked:");
                let reason = reason.unwrap_or_default();
                // The coordinator adds one space, as `Revocation::as_failure` does; any others belong to the reason.
                let reason = reason.strip_prefix(' ').unwrap_or(reason);
                Ok(Self::Revoked(Revocation {
                    reason: reason.to_owned(),
                    ..Revocation::default()
                }))
            }
            FailureClass::Refused => Ok(Self::Refused(failure)),
            FailureClass::Unimplemented => Ok(Self::Unimplemented(failure)),
            FailureClass::Crashed => Ok(Self::Crashed(failure)),
            FailureClass::Unreachable => Err(failure),
        }
    }

    /// Failing status behind this outcome, if any.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Rejected(failure)
            | Self::Crashed(failure)
            | Self::Unimplemented(failure)
            | Self::Refused(failure) => Some(failure),
            // The logic answered OK; what its coordinator makes of a revocation is in `status`.
            Self::Accepted(_)
            | Self::Revoked(_)
            | Self::Notified(_)
            | Self::Folded(_)
            | Self::Upcast(_)
            | Self::Reacted(_)
            | Self::Projected(_)
            | Self::Prepared(_) => None,
        }
    }
}
