//! The components behind a coordinator, in this process or over gRPC.

use crate::grpc::{CallError, LogicClient, LogicError, RefusedCall};
use crate::model::{Code, CommandBook, Component, EventBook, Failure, Outcome, Stimulus};
use crate::wire::UnknownFields;

/// A component behind a coordinator: business logic, saga, process manager, projector or upcaster.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A Rust component in this process.
    InProcess(Component),
    /// Client logic over gRPC.
    Remote(LogicClient),
}

impl Backend {
    /// Sends a stimulus once. A failing status of the component is passed on unchanged, including its details.
    pub(super) fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, RefusedCall> {
        match self {
            Self::InProcess(component) => component.answer(stimulus).map_err(RefusedCall::Plain),
            Self::Remote(client) => client.pass_on(stimulus).map_err(passed_on),
        }
    }

    /// The same component, which reports only the unknown fields of its own replies.
    pub(super) fn reporting_apart(&self) -> Self {
        match self {
            Self::InProcess(component) => Self::InProcess(component.clone()),
            Self::Remote(client) => Self::Remote(client.reporting_apart()),
        }
    }

    /// Unknown fields of its replies since the last call. There are none if nothing is decoded.
    pub(super) fn take_unknown(&self) -> UnknownFields {
        match self {
            Self::InProcess(_) => UnknownFields::new(),
            Self::Remote(client) => client.take_unknown(),
        }
    }

    /// Sends a command to business logic.
    pub(super) fn handle(
        &self,
        prior: &EventBook,
        command: &CommandBook,
    ) -> Result<Outcome, RefusedCall> {
        self.ask(&Stimulus::Command {
            prior: prior.clone(),
            command: command.clone(),
        })
    }
}

fn passed_on(error: LogicError) -> RefusedCall {
    let code = match &error {
        LogicError::Call(CallError::Deadline { .. }) => Code::DeadlineExceeded,
        LogicError::Call(_) => Code::Unavailable,
        LogicError::WrongServer { .. } | LogicError::Garbage { .. } => Code::Internal,
    };
    match error {
        LogicError::Call(CallError::Status {
            failure, details, ..
        }) => RefusedCall::WithDetails(failure, details),
        error => RefusedCall::Plain(Failure {
            code,
            message: error.to_string(),
            info: None,
        }),
    }
}
