//! Targets: what answers a stimulus in a replay.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::IsolatedError;
use crate::grpc::{LogicClient, LogicError, panic_text};
use crate::model::{AnsweredBy, Component, Failure, Logic, Outcome, Stimulus};
use crate::wire::{
    AnswerSize, Dialect, REPLY_LIMIT, STATUS_LIMIT, UnknownFields, is_surely_within,
};

/// Why a target gave no answer that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Logic over gRPC did not answer.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// Logic in this process gave a larger answer than is compared.
    #[error(
        "the logic answered with more than {} MiB, counting 64 bytes more for each page and each part of one; let it answer less, or \
         raise `max_reply_mebibytes` in replay.toml",
        .0 >> 20
    )]
    ReplyTooLarge(usize),
    /// Logic in this process failed with a larger status than is compared.
    #[error(
        "the logic answered with a failing status of more than {0} bytes: its message and details cannot be compared; let the \
         logic say less, or raise `max_status_kibibytes` in replay.toml"
    )]
    StatusTooLarge(usize),
    /// The logic could not be started.
    #[error("{0}")]
    Unavailable(String),
    /// A coordinator in isolation did not answer.
    #[error(transparent)]
    Isolated(#[from] IsolatedError),
}

/// Business logic that answers a stimulus, each with one call and no retry.
pub trait Target: Send + Sync {
    /// Sends one stimulus.
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError>;

    /// Dialect of the coordinators that the logic was written for.
    fn dialect(&self) -> Dialect;

    /// Whether a coordinator would send it every history to be upcast first.
    fn upcasts(&self) -> bool;

    /// Unknown fields of its replies since the last call. There are none if nothing is decoded.
    fn take_unknown(&self) -> UnknownFields {
        UnknownFields::new()
    }
}

impl<T: Target + ?Sized> Target for &T {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        (**self).ask(stimulus)
    }

    fn dialect(&self) -> Dialect {
        (**self).dialect()
    }

    fn upcasts(&self) -> bool {
        (**self).upcasts()
    }

    fn take_unknown(&self) -> UnknownFields {
        (**self).take_unknown()
    }
}

/// A Rust component in this process.
#[derive(Debug, Clone)]
pub struct InProcess {
    component: Component,
    dialect: Dialect,
    upcasts: bool,
    reply_limit: usize,
    status_limit: usize,
}

impl InProcess {
    /// Business logic that was written for coordinators of `dialect`.
    #[must_use]
    pub fn new(logic: Arc<dyn Logic>, dialect: Dialect, upcasts: bool) -> Self {
        Self::component(Component::Aggregate(logic), dialect, upcasts)
    }

    /// A component of any kind.
    #[must_use]
    pub const fn component(component: Component, dialect: Dialect, upcasts: bool) -> Self {
        Self {
            component,
            dialect,
            upcasts,
            reply_limit: REPLY_LIMIT,
            status_limit: STATUS_LIMIT,
        }
    }

    /// Sets the size limits of its answers, in bytes.
    #[must_use]
    pub const fn with_limits(mut self, reply: usize, status: usize) -> Self {
        self.reply_limit = reply;
        self.status_limit = status;
        self
    }

    /// Refuses an answer that would be too large for a server, too.
    fn bounded(&self, outcome: Outcome, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        if is_surely_within(&outcome, self.reply_limit) {
            return Ok(outcome);
        }
        match AnswerSize::of(&outcome, stimulus, self.dialect) {
            AnswerSize::Reply(size) if size > self.reply_limit => {
                Err(TargetError::ReplyTooLarge(self.reply_limit))
            }
            AnswerSize::Status(size) if size > self.status_limit => {
                Err(TargetError::StatusTooLarge(self.status_limit))
            }
            AnswerSize::Reply(_) | AnswerSize::Status(_) => Ok(outcome),
        }
    }
}

impl Target for InProcess {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        let answer = catch_unwind(AssertUnwindSafe(|| self.component.answer(stimulus)))
            .unwrap_or_else(|panic| {
                Err(Failure::crashed(format!(
                    "the handler panicked: {}",
                    panic_text(panic.as_ref())
                )))
            });
        // Nothing is unreachable within a process: a failing status comes from the logic itself.
        let outcome = answer
            .or_else(|failure| Outcome::from_failure(failure, AnsweredBy::Logic))
            .unwrap_or_else(Outcome::Crashed);
        self.bounded(outcome, stimulus)
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn upcasts(&self) -> bool {
        self.upcasts
    }
}

/// Logic over gRPC.
#[derive(Debug, Clone)]
pub struct GrpcTarget {
    client: LogicClient,
    upcasts: bool,
}

impl GrpcTarget {
    /// The logic at the other end of a client.
    #[must_use]
    pub const fn new(client: LogicClient, upcasts: bool) -> Self {
        Self { client, upcasts }
    }
}

impl Target for GrpcTarget {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        Ok(self.client.ask(stimulus)?)
    }

    fn dialect(&self) -> Dialect {
        self.client.dialect()
    }

    fn upcasts(&self) -> bool {
        self.upcasts
    }

    fn take_unknown(&self) -> UnknownFields {
        self.client.take_unknown()
    }
}

/// Logic together with the upcaster of its domain, which is a service of its own.
pub struct WithUpcaster {
    logic: Box<dyn Target>,
    upcaster: Box<dyn Target>,
}

impl WithUpcaster {
    /// Both together, as a coordinator uses them.
    #[must_use]
    pub fn new(logic: Box<dyn Target>, upcaster: Box<dyn Target>) -> Self {
        Self { logic, upcaster }
    }
}

impl Target for WithUpcaster {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        match stimulus {
            Stimulus::Upcast { .. } => self.upcaster.ask(stimulus),
            Stimulus::Command { .. }
            | Stimulus::Fold { .. }
            | Stimulus::Fact { .. }
            | Stimulus::Saga { .. }
            | Stimulus::Prepare { .. }
            | Stimulus::ProcessManager { .. }
            | Stimulus::Project { .. } => self.logic.ask(stimulus),
        }
    }

    fn dialect(&self) -> Dialect {
        self.logic.dialect()
    }

    fn upcasts(&self) -> bool {
        true
    }

    fn take_unknown(&self) -> UnknownFields {
        let mut unknown = self.logic.take_unknown();
        unknown.append(&mut self.upcaster.take_unknown());
        unknown
    }
}
