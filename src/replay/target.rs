//! What can be replayed on: something that answers a stimulus.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::IsolatedError;
use crate::grpc::{LogicClient, LogicError, panic_text};
use crate::model::{AnsweredBy, Component, Failure, Logic, Outcome, Stimulus};
use crate::wire::{Dialect, UnknownFields};

/// A target that gave no answer that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Logic over gRPC did not answer.
    #[error(transparent)]
    Logic(#[from] LogicError),
    /// It could not be made ready.
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

    /// Dialect of the coordinator that it is used to.
    fn dialect(&self) -> Dialect;

    /// Whether a coordinator would have it upcast every history first.
    fn upcasts(&self) -> bool;

    /// Takes the unknown fields of its replies since they were last taken; there are none where nothing is decoded.
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
}

impl InProcess {
    /// Business logic that takes itself to stand behind a coordinator of `dialect`.
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
        // In one process nothing is unreachable: a failing status is the logic's own word.
        Ok(answer
            .or_else(|failure| Outcome::from_failure(failure, AnsweredBy::Logic))
            .unwrap_or_else(Outcome::Crashed))
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn upcasts(&self) -> bool {
        self.upcasts
    }
}

/// Logic behind gRPC.
#[derive(Debug, Clone)]
pub struct GrpcTarget {
    client: LogicClient,
    upcasts: bool,
}

impl GrpcTarget {
    /// Logic that a client asks.
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

/// Logic and the upcaster of its domain, which serves by itself.
pub struct WithUpcaster {
    logic: Box<dyn Target>,
    upcaster: Box<dyn Target>,
}

impl WithUpcaster {
    /// Both together, as a coordinator has them.
    #[must_use]
    pub fn new(logic: Box<dyn Target>, upcaster: Box<dyn Target>) -> Self {
        Self { logic, upcaster }
    }
}

impl Target for WithUpcaster {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        match stimulus {
            Stimulus::Upcast { .. } => self.upcaster.ask(stimulus),
            _ => self.logic.ask(stimulus),
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
