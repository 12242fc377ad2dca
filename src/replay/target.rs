//! What can be replayed on: something that answers a stimulus.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::model::{Failure, Logic, Outcome, Reply, Stimulus};
use crate::wire::{Dialect, LogicClient, LogicError, panic_text};

/// A target that gave no answer that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Logic over gRPC did not answer.
    #[error(transparent)]
    Logic(#[from] LogicError),
}

/// Business logic that answers a stimulus, each with one call and no retry.
pub trait Target: Send + Sync {
    /// Sends one stimulus.
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError>;

    /// Dialect of the coordinator that it is used to.
    fn dialect(&self) -> Dialect;

    /// Whether a coordinator would have it upcast every history first.
    fn upcasts(&self) -> bool;
}

/// Rust logic in this process.
#[derive(Clone)]
pub struct InProcess {
    logic: Arc<dyn Logic>,
    dialect: Dialect,
    upcasts: bool,
}

impl InProcess {
    /// Logic that takes itself to stand behind a coordinator of `dialect`.
    #[must_use]
    pub fn new(logic: Arc<dyn Logic>, dialect: Dialect, upcasts: bool) -> Self {
        Self {
            logic,
            dialect,
            upcasts,
        }
    }

    fn answer(&self, stimulus: &Stimulus) -> Result<Outcome, Failure> {
        Ok(match stimulus {
            Stimulus::Command { prior, command } => match self.logic.handle(prior, command)? {
                Reply::Events(book) => Outcome::Accepted(book),
                Reply::Revocation(revocation) => Outcome::Revoked(revocation),
                Reply::Notification(notification) => Outcome::Notified(notification),
            },
            Stimulus::Fold { snapshot, pages } => {
                Outcome::Folded(self.logic.fold(snapshot.as_ref(), pages)?)
            }
            Stimulus::Upcast { domain, pages } => {
                Outcome::Upcast(self.logic.upcast(domain, pages)?)
            }
        })
    }
}

impl Target for InProcess {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        let answer =
            catch_unwind(AssertUnwindSafe(|| self.answer(stimulus))).unwrap_or_else(|panic| {
                Err(Failure::crashed(format!(
                    "the handler panicked: {}",
                    panic_text(panic.as_ref())
                )))
            });
        // In one process nothing is unreachable: a failing status is the logic's own word.
        Ok(answer
            .or_else(Outcome::from_failure)
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
}
