//! Client logic: asked over gRPC, and served.

use std::net::TcpListener;
use std::sync::Arc;

use bytes::Bytes;

use super::serve::{Methods, Server};
use super::{CallError, Connection};
use crate::client::unknown_in_answer;
use crate::model::{AnsweredBy, Component, ComponentKind, Failure, Logic, Outcome, Stimulus};
use crate::wire::status::Refusal;
use crate::wire::stimulus::{
    is_optional, method_of, outcome_of_reply, reply, request, stimulus_of_request,
};
use crate::wire::unknown::{UnknownFields, UnknownSeen};
use crate::wire::{DecodeError, Dialect};

/// Logic that gave no answer that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogicError {
    /// The call failed on the way.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server knows no such method: it is no client logic, or speaks another dialect.
    #[error(
        "{address} does not serve {method} in the dialect {dialect}: is it client logic, and is this its dialect?"
    )]
    WrongServer {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// Dialect that was spoken.
        dialect: Dialect,
    },
    /// The answer is no message of the protocol.
    #[error("{address} answered {method} with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// What is wrong with them.
        reason: DecodeError,
    },
}

/// Client logic of any kind at an address.
#[derive(Debug, Clone)]
pub struct LogicClient {
    connection: Connection,
    dialect: Dialect,
    unknown: UnknownSeen,
}

impl LogicClient {
    /// Logic behind a connection, in a dialect.
    #[must_use]
    pub fn new(connection: Connection, dialect: Dialect) -> Self {
        Self {
            connection,
            dialect,
            unknown: UnknownSeen::default(),
        }
    }

    /// The dialect that it is spoken to in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes the unknown fields of the replies since they were last taken. Clones share them.
    #[must_use]
    pub fn take_unknown(&self) -> UnknownFields {
        self.unknown.take()
    }

    /// Sends one stimulus, once.
    pub fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
        match self.call(stimulus) {
            Ok(reply) => outcome_of_reply(stimulus, reply, self.dialect)
                .map_err(|reason| self.garbage(stimulus, reason)),
            Err(error) => self.outcome_of_failure(stimulus, error),
        }
    }

    /// Sends one stimulus, once, and judges nothing: a failing status stays one, with its details. For those who
    /// pass it on.
    pub fn pass_on(&self, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
        let reply = self.call(stimulus)?;
        outcome_of_reply(stimulus, reply, self.dialect)
            .map_err(|reason| self.garbage(stimulus, reason))
    }

    fn call(&self, stimulus: &Stimulus) -> Result<Bytes, CallError> {
        let (service, method) = method_of(stimulus);
        let path = self.dialect.path(service, method);
        let answer = self.connection.call(&path, request(stimulus, self.dialect));
        self.unknown
            .add(unknown_in_answer(&format!("{service}/{method}"), &answer));
        answer
    }

    fn garbage(&self, stimulus: &Stimulus, reason: DecodeError) -> LogicError {
        let (service, method) = method_of(stimulus);
        LogicError::Garbage {
            address: self.connection.address().to_owned(),
            method: format!("{service}/{method}"),
            reason,
        }
    }

    fn outcome_of_failure(
        &self,
        stimulus: &Stimulus,
        error: CallError,
    ) -> Result<Outcome, LogicError> {
        // What many do not have is their own business; an upcaster is only asked where one is configured.
        if error.is_unknown_method() && !is_optional(stimulus) {
            let (service, method) = method_of(stimulus);
            return Err(LogicError::WrongServer {
                address: self.connection.address().to_owned(),
                method: format!("{service}/{method}"),
                dialect: self.dialect,
            });
        }
        let Some(failure) = error.failure() else {
            return Err(error.into());
        };
        if error.is_too_large() {
            return Err(error.into());
        }
        // It came from the server itself: what the transport says has no status.
        Outcome::from_failure(failure.clone(), AnsweredBy::Logic).map_err(|_| error.into())
    }
}

/// Serves business logic over gRPC: `Handle`, `HandleFact`, `Replay` and `Upcast` of one dialect, and health.
pub fn serve_logic(
    listener: TcpListener,
    dialect: Dialect,
    logic: Arc<dyn Logic>,
) -> std::io::Result<Server> {
    serve_component(listener, dialect, Component::Aggregate(logic))
}

/// Serves a component over gRPC, as client logic of any language is served: its methods in one dialect, and health.
pub fn serve_component(
    listener: TcpListener,
    dialect: Dialect,
    component: Component,
) -> std::io::Result<Server> {
    let service = ComponentService { component, dialect };
    Server::start(listener, dialect, Arc::new(service), None)
}

struct ComponentService {
    component: Component,
    dialect: Dialect,
}

impl Methods for ComponentService {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, Refusal>> {
        let (service, _) = method.split_once('/')?;
        if !serves(self.component.kind(), service) {
            return None;
        }
        let stimulus = stimulus_of_request(method, request, self.dialect)?;
        let answer = stimulus
            .map_err(|error| Failure::refused(error.to_string()))
            .and_then(|stimulus| self.answer(&stimulus));
        Some(answer.map(|reply| vec![reply]).map_err(Refusal::from))
    }
}

/// Whether a component of a kind has methods of a service.
fn serves(kind: ComponentKind, service: &str) -> bool {
    match kind {
        ComponentKind::Aggregate => {
            matches!(service, "CommandHandlerService" | "UpcasterService")
        }
        ComponentKind::Saga => service == "SagaService",
        ComponentKind::ProcessManager => service == "ProcessManagerService",
        ComponentKind::Projector => service == "ProjectorService",
        ComponentKind::Upcaster => service == "UpcasterService",
    }
}

impl ComponentService {
    fn answer(&self, stimulus: &Stimulus) -> Result<Bytes, Failure> {
        let outcome = self.component.answer(stimulus)?;
        match reply(&outcome, stimulus, self.dialect) {
            Some(reply) => Ok(reply),
            // A status that was made an outcome on the way becomes one again.
            None => Err(outcome
                .failure()
                .cloned()
                .unwrap_or_else(|| Failure::crashed("the component gave no answer"))),
        }
    }
}
