//! Client logic over gRPC: a client and a server.

use std::net::TcpListener;
#[cfg(unix)]
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use bytes::Bytes;

#[cfg(unix)]
use super::serve::ServerThreads;
use super::serve::{Methods, Server};
use super::{CallError, Connection};
use crate::call_error::unknown_in_answer;
use crate::model::{AnsweredBy, Component, ComponentKind, Failure, Logic, Outcome, Stimulus};
use crate::wire::status::FailingStatus;
use crate::wire::stimulus::{
    is_optional, method_of, outcome_of_reply, reply, request, stimulus_of_request,
};
use crate::wire::unknown::{UnknownFields, UnreportedFields};
use crate::wire::{DecodeError, Dialect};

/// A call to client logic without a usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogicError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server does not have the method: it is not client logic, or speaks another dialect.
    #[error(
        "{address} does not serve {method} in the dialect {dialect}: is it client logic, and is this its dialect?"
    )]
    WrongServer {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// Dialect of the call.
        dialect: Dialect,
    },
    /// The reply does not decode.
    #[error("{address} answered {method} with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// Method that was called.
        method: String,
        /// The decoding error.
        reason: DecodeError,
    },
}

/// Client for client logic of any kind.
#[derive(Debug, Clone)]
pub struct LogicClient {
    connection: Connection,
    dialect: Dialect,
    unknown: UnreportedFields,
}

impl LogicClient {
    /// A client on a connection, in a dialect.
    #[must_use]
    pub fn new(connection: Connection, dialect: Dialect) -> Self {
        Self {
            connection,
            dialect,
            unknown: UnreportedFields::default(),
        }
    }

    /// Address of the logic: `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// The dialect of its calls.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes the unknown fields that were found in replies since the last call. Clones share them.
    #[must_use]
    pub fn take_unknown(&self) -> UnknownFields {
        self.unknown.take()
    }

    /// A client for the same logic that reports only the unknown fields of its own replies.
    #[must_use]
    pub fn reporting_apart(&self) -> Self {
        Self::new(self.connection.clone(), self.dialect)
    }

    /// Sends one stimulus, once.
    pub fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
        match self.call(stimulus) {
            Ok(reply) => outcome_of_reply(stimulus, reply, self.dialect)
                .map_err(|reason| self.garbage(stimulus, reason)),
            Err(error) => self.outcome_of_failure(stimulus, error),
        }
    }

    /// Sends one stimulus, once. A failing status remains an error with its details, so that the caller can pass it on.
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
        // Optional methods may be missing. An upcaster is called only if it is configured, so its method is required.
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
        // The status came from the server: transport errors have no failing status.
        Outcome::from_failure(failure.clone(), AnsweredBy::Logic).map_err(|_| error.into())
    }
}

/// Serves business logic over gRPC: `Handle`, `HandleFact`, `Replay` and `Upcast` in one dialect, and health.
pub fn serve_logic(
    listener: TcpListener,
    dialect: Dialect,
    logic: Arc<dyn Logic>,
) -> std::io::Result<Server> {
    serve_component(listener, dialect, Component::Aggregate(logic))
}

/// Like [`serve_logic`], on a Unix socket.
#[cfg(unix)]
pub fn serve_logic_on_unix_socket(
    listener: UnixListener,
    dialect: Dialect,
    logic: Arc<dyn Logic>,
) -> std::io::Result<ServerThreads> {
    let service = ComponentService {
        component: Component::Aggregate(logic),
        dialect,
    };
    ServerThreads::start_on_unix_socket(listener, dialect, Arc::new(service))
}

/// Serves a component over gRPC like client logic in any language: its methods in one dialect, and health.
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
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        let (service, _) = method.split_once('/')?;
        if !serves(self.component.kind(), service) {
            return None;
        }
        let stimulus = stimulus_of_request(method, request, self.dialect)?;
        let answer = stimulus
            .map_err(|error| Failure::refused(error.to_string()))
            .and_then(|stimulus| self.answer(&stimulus));
        Some(answer.map(|reply| vec![reply]).map_err(FailingStatus::from))
    }
}

/// Whether components of a kind implement a service.
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
            // An outcome that came from a failing status becomes that status again.
            None => Err(outcome
                .failure()
                .cloned()
                .unwrap_or_else(|| Failure::crashed("the component gave no answer"))),
        }
    }
}
