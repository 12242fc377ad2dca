//! The business logic behind a coordinator: in this process, or at an address.

use std::fmt;
use std::sync::Arc;

use crate::model::{Code, CommandBook, EventBook, Failure, Logic, Reply};
use crate::wire::{CallError, LogicClient, LogicError, Refused};

/// Business logic of one domain.
#[derive(Clone)]
pub enum Backend {
    /// Rust logic in this process.
    InProcess(Arc<dyn Logic>),
    /// Client logic over gRPC.
    Remote(LogicClient),
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProcess(_) => f.write_str("InProcess"),
            Self::Remote(client) => f.debug_tuple("Remote").field(client).finish(),
        }
    }
}

impl Backend {
    /// Asks once. A failing status of the logic is passed on as it came, details included.
    pub(super) fn handle(
        &self,
        prior: &EventBook,
        command: &CommandBook,
    ) -> Result<Reply, Refused> {
        match self {
            Self::InProcess(logic) => logic.handle(prior, command).map_err(Refused::Plain),
            Self::Remote(client) => client.handle(prior, command).map_err(passed_on),
        }
    }
}

fn passed_on(error: LogicError) -> Refused {
    let code = match &error {
        LogicError::Call(CallError::Deadline { .. }) => Code::DeadlineExceeded,
        LogicError::Call(_) => Code::Unavailable,
        LogicError::WrongServer { .. } | LogicError::Garbage { .. } => Code::Internal,
    };
    match error {
        LogicError::Call(CallError::Status {
            failure, details, ..
        }) => Refused::WithDetails(failure, details),
        error => Refused::Plain(Failure {
            code,
            message: error.to_string(),
            info: None,
        }),
    }
}
