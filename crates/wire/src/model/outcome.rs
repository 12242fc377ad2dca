//! What logic can answer. A rejection is an outcome; a server that cannot be reached is an error.

use std::fmt;

use super::{Cover, EmittedBook, Page, Payload, Projection, Reaction, Timestamp};

/// Status codes of gRPC by name.
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
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.iter().map(|(code, _)| *code)
    }

    /// The code of a name.
    #[must_use]
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

/// Machine-readable reason that newer client libraries attach to a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    /// For example `NO_HANDLER_REGISTERED`.
    pub reason: String,
    /// Who defines the reason.
    pub domain: String,
    /// Details, sorted by key.
    pub metadata: Vec<(String, String)>,
}

/// A call that ended with a status other than OK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Status code.
    pub code: Code,
    /// Status message.
    pub message: String,
    /// Reason, where the logic attaches one.
    pub info: Option<ErrorInfo>,
}

/// Who gave a failing answer, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AnsweredBy {
    /// Nothing says it: a code that is the transport's as a rule is taken for that.
    #[default]
    NotKnown,
    /// The logic itself. Only `UNAVAILABLE` and `DEADLINE_EXCEEDED` are the transport's even then: a replay could not tell
    /// them from logic that is not there.
    Logic,
}

impl AnsweredBy {
    /// The logic, where one of two knows it.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match self {
            Self::NotKnown => other,
            Self::Logic => self,
        }
    }
}

/// What a failing status means. `FAILED_PRECONDITION` is overloaded and is told apart by its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The business logic said no.
    Rejected,
    /// The command was made for another head.
    StaleSequence,
    /// The logic revoked the command.
    Revoked,
    /// The input was not understood.
    Refused,
    /// The method, or a handler for this type, is not there.
    Unimplemented,
    /// The handler failed on its own defect.
    Crashed,
    /// No answer of the logic at all: transport, limits, deadlines, credentials.
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

    /// Input that is not understood.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            code: Code::InvalidArgument,
            message: message.into(),
            info: None,
        }
    }

    /// A handler that failed on its own defect.
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

    /// What this status means to a command that was sent for a sequence. A conflict that expected this very sequence is
    /// about the places that the logic gave its own events: the command was not stale.
    #[must_use]
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

    /// What this status means.
    #[must_use]
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

/// The logic takes the command back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the four flags are Angzarr's own"
)]
pub struct Revocation {
    /// Emit a revocation of the system's own.
    pub emit_system_revocation: bool,
    /// Put the command in the dead letter queue.
    pub send_to_dead_letter_queue: bool,
    /// Tell somebody.
    pub escalate: bool,
    /// Stop the workflow.
    pub abort: bool,
    /// Why.
    pub reason: String,
}

impl Revocation {
    /// As a coordinator words it to the sender of the command.
    #[must_use]
    pub fn as_failure(&self) -> Failure {
        Failure::rejected(format!("Command revoked: {}", self.reason))
    }
}

/// The logic tells somebody something instead of emitting events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// To whom.
    pub cover: Option<Cover>,
    /// What.
    pub payload: Option<Payload>,
    /// When.
    pub sent_at: Option<Timestamp>,
    /// Free-form additions of older dialects, sorted by key.
    pub metadata: Vec<(String, String)>,
}

/// What a stimulus led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Events, possibly none.
    Accepted(EmittedBook),
    /// The business logic said no.
    Rejected(Failure),
    /// The command was taken back.
    Revoked(Revocation),
    /// A notification instead of events.
    Notified(Notification),
    /// The handler failed on its own defect.
    Crashed(Failure),
    /// There is no such handler.
    Unimplemented(Failure),
    /// The input was not understood.
    Refused(Failure),
    /// The folded state of a history.
    Folded(Payload),
    /// Pages in their newest form.
    Upcast(Vec<Page>),
    /// What a saga or process manager does.
    Reacted(Reaction),
    /// A projector's view.
    Projected(Projection),
    /// The aggregates whose heads a process manager wants to know.
    Prepared(Vec<Cover>),
}

impl Outcome {
    /// The status that a coordinator answers to the sender of the command; none where it is OK.
    #[must_use]
    pub fn status(&self) -> Option<Failure> {
        match self {
            Self::Revoked(revocation) => Some(revocation.as_failure()),
            other => other.failure().cloned(),
        }
    }

    /// The fixed word for it, as fixtures and snapshots have it.
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

    /// The outcome that a failing status stands for; gives the failure back where the logic did not answer.
    pub fn from_failure(failure: Failure, by: AnsweredBy) -> Result<Self, Failure> {
        match failure.class(by) {
            FailureClass::Rejected | FailureClass::StaleSequence => Ok(Self::Rejected(failure)),
            FailureClass::Revoked => {
                let reason = failure.message.strip_prefix("Command revoked:");
                let reason = reason.unwrap_or_default();
                // One space is the coordinator's own, as `Revocation::as_failure` has it; the rest is the reason's.
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

    /// The failing status that this outcome was, if it was one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Rejected(failure)
            | Self::Crashed(failure)
            | Self::Unimplemented(failure)
            | Self::Refused(failure) => Some(failure),
            _ => None,
        }
    }
}
