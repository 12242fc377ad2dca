//! Client logic: asked over gRPC, and served.

use std::net::TcpListener;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::messages as pb;
use super::serve::{Methods, Refusal, Server};
use super::{CallError, Connection, DecodeError, Dialect, decode, encode};
use crate::model::{
    CommandBook, EmittedBook, EventBook, Failure, Logic, Outcome, Page, Reply, Stimulus,
};

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

/// Client logic at an address.
#[derive(Debug, Clone)]
pub struct LogicClient {
    connection: Connection,
    dialect: Dialect,
}

impl LogicClient {
    /// Logic behind a connection, in a dialect.
    #[must_use]
    pub const fn new(connection: Connection, dialect: Dialect) -> Self {
        Self {
            connection,
            dialect,
        }
    }

    /// The dialect that it is spoken to in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Sends one stimulus, once.
    pub fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
        let (service, method) = method_of(stimulus);
        let path = self.dialect.path(service, method);
        let reply = match self.connection.call(&path, request(stimulus, self.dialect)) {
            Ok(reply) => reply,
            Err(error) => return self.outcome_of_failure(stimulus, error),
        };
        outcome(stimulus, reply).map_err(|reason| LogicError::Garbage {
            address: self.connection.address().to_owned(),
            method: format!("{service}/{method}"),
            reason,
        })
    }

    /// Sends one command, once, and judges nothing: a failing status stays one, with its details. For those
    /// who pass it on.
    pub fn handle(&self, prior: &EventBook, command: &CommandBook) -> Result<Reply, LogicError> {
        let path = self.dialect.path("CommandHandlerService", "Handle");
        let reply = self
            .connection
            .call(&path, contextual_command(prior, command, self.dialect))?;
        business_reply(reply).map_err(|reason| LogicError::Garbage {
            address: self.connection.address().to_owned(),
            method: "CommandHandlerService/Handle".to_owned(),
            reason,
        })
    }

    fn outcome_of_failure(
        &self,
        stimulus: &Stimulus,
        error: CallError,
    ) -> Result<Outcome, LogicError> {
        // Replay is what many do not have; an upcaster is only asked where one is configured.
        if error.is_unknown_method() && !matches!(stimulus, Stimulus::Fold { .. }) {
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
        Outcome::from_failure(failure.clone()).map_err(|_| error.into())
    }
}

const fn method_of(stimulus: &Stimulus) -> (&'static str, &'static str) {
    match stimulus {
        Stimulus::Command { .. } => ("CommandHandlerService", "Handle"),
        Stimulus::Fold { .. } => ("CommandHandlerService", "Replay"),
        Stimulus::Upcast { .. } => ("UpcasterService", "Upcast"),
    }
}

fn contextual_command(prior: &EventBook, command: &CommandBook, dialect: Dialect) -> Bytes {
    let message = pb::ContextualCommand {
        events: Some(encode::encode_event_book(prior, dialect)),
        command: Some(encode::encode_command_book(command, dialect)),
    };
    message.encode_to_vec().into()
}

fn request(stimulus: &Stimulus, dialect: Dialect) -> Bytes {
    let bytes = match stimulus {
        Stimulus::Command { prior, command } => {
            return contextual_command(prior, command, dialect);
        }
        Stimulus::Fold { snapshot, pages } => pb::ReplayRequest {
            base_snapshot: snapshot.as_ref().map(encode::encode_snapshot),
            events: pages.iter().map(encode::encode_page).collect(),
        }
        .encode_to_vec(),
        Stimulus::Upcast { domain, pages } => pb::UpcastRequest {
            domain: domain.to_string(),
            events: pages.iter().map(encode::encode_page).collect(),
        }
        .encode_to_vec(),
    };
    bytes.into()
}

fn outcome(stimulus: &Stimulus, reply: Bytes) -> Result<Outcome, DecodeError> {
    match stimulus {
        Stimulus::Command { .. } => business_response(reply),
        Stimulus::Fold { .. } => {
            let reply: pb::ReplayResponse = decode::message("replay response", reply)?;
            let state = reply
                .state
                .ok_or_else(|| DecodeError::new("replay response", "it has no state"))?;
            Ok(Outcome::Folded(decode::any(state)))
        }
        Stimulus::Upcast { .. } => {
            let reply: pb::UpcastResponse = decode::message("upcast response", reply)?;
            reply
                .events
                .iter()
                .map(decode::page)
                .collect::<Result<_, _>>()
                .map(Outcome::Upcast)
        }
    }
}

fn business_response(reply: Bytes) -> Result<Outcome, DecodeError> {
    Ok(match business_reply(reply)? {
        Reply::Events(book) => Outcome::Accepted(book),
        Reply::Revocation(revocation) => Outcome::Revoked(revocation),
        Reply::Notification(notification) => Outcome::Notified(notification),
    })
}

pub(super) fn business_reply(reply: Bytes) -> Result<Reply, DecodeError> {
    use pb::business_response::Result as Answer;
    let reply: pb::BusinessResponse = decode::message("business response", reply)?;
    Ok(match reply.result {
        None => Reply::Events(EmittedBook::default()),
        Some(Answer::Events(book)) => Reply::Events(decode::emitted_book(book)?),
        Some(Answer::Revocation(revocation)) => Reply::Revocation(decode::revocation(revocation)),
        Some(Answer::Notification(notification)) => {
            Reply::Notification(decode::notification(notification)?)
        }
    })
}

/// Serves business logic over gRPC: `Handle`, `Replay` and `Upcast` of one dialect, and health.
pub fn serve_logic(
    listener: TcpListener,
    dialect: Dialect,
    logic: Arc<dyn Logic>,
) -> std::io::Result<Server> {
    Server::start(
        listener,
        dialect,
        Arc::new(LogicService { logic, dialect }),
        None,
    )
}

struct LogicService {
    logic: Arc<dyn Logic>,
    dialect: Dialect,
}

impl Methods for LogicService {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, Refusal>> {
        let reply = match method {
            "CommandHandlerService/Handle" => self.handle(request),
            "CommandHandlerService/Replay" => self.replay(request),
            "UpcasterService/Upcast" => self.upcast(request),
            _ => return None,
        };
        Some(reply.map(|reply| vec![reply]).map_err(Refusal::from))
    }
}

fn not_understood(error: &DecodeError) -> Failure {
    Failure::refused(error.to_string())
}

impl LogicService {
    fn handle(&self, request: Bytes) -> Result<Bytes, Failure> {
        use pb::business_response::Result as Answer;
        let (prior, command) = decode::contextual_command(request, self.dialect)
            .map_err(|error| not_understood(&error))?;
        let result = match self.logic.handle(&prior, &command)? {
            Reply::Events(book) => Answer::Events(encode::emitted_book(&book, self.dialect)),
            Reply::Revocation(revocation) => Answer::Revocation(encode::revocation(&revocation)),
            Reply::Notification(notification) => {
                Answer::Notification(encode::notification(&notification))
            }
        };
        Ok(pb::BusinessResponse {
            result: Some(result),
        }
        .encode_to_vec()
        .into())
    }

    fn replay(&self, request: Bytes) -> Result<Bytes, Failure> {
        let read = || -> Result<_, DecodeError> {
            let message: pb::ReplayRequest = decode::message("replay request", request)?;
            let snapshot = message
                .base_snapshot
                .as_ref()
                .map(decode::snapshot)
                .transpose()?;
            Ok((snapshot, pages(&message.events)?))
        };
        let (snapshot, pages) = read().map_err(|error| not_understood(&error))?;
        let state = self.logic.fold(snapshot.as_ref(), &pages)?;
        Ok(pb::ReplayResponse {
            state: Some(encode::any(&state)),
        }
        .encode_to_vec()
        .into())
    }

    fn upcast(&self, request: Bytes) -> Result<Bytes, Failure> {
        let read = || -> Result<_, DecodeError> {
            let message: pb::UpcastRequest = decode::message("upcast request", request)?;
            let domain = crate::model::Domain::new(message.domain)
                .map_err(|error| DecodeError::new("upcast request", &error))?;
            Ok((domain, pages(&message.events)?))
        };
        let (domain, pages) = read().map_err(|error| not_understood(&error))?;
        let upcast = self.logic.upcast(&domain, &pages)?;
        let events = upcast.iter().map(encode::encode_page).collect();
        Ok(pb::UpcastResponse { events }.encode_to_vec().into())
    }
}

fn pages(encoded: &[Bytes]) -> Result<Vec<Page>, DecodeError> {
    encoded.iter().map(decode::page).collect()
}
