//! A coordinator's speculative calls, which store nothing.

use bytes::Bytes;
use prost::Message;

use super::{CallError, Connection, LogicError};
use crate::call_error::unknown_in_answer;
use crate::model::{AnsweredBy, CommandBook, Failure, Outcome, Stimulus};
use crate::wire::messages as pb;
use crate::wire::unknown::{UnknownFields, UnreportedFields};
use crate::wire::{DecodeError, Dialect, decode, encode, stimulus};

/// Client for a coordinator's speculative calls.
#[derive(Debug, Clone)]
pub struct SpeculativeClient {
    connection: Connection,
    dialect: Dialect,
    unknown: UnreportedFields,
}

const COMMAND: (&str, &str) = ("CommandHandlerCoordinatorService", "HandleSyncSpeculative");

impl SpeculativeClient {
    /// A client on a connection, in a dialect.
    #[must_use]
    pub fn new(connection: Connection, dialect: Dialect) -> Self {
        Self {
            connection,
            dialect,
            unknown: UnreportedFields::default(),
        }
    }

    /// Takes the unknown fields that were found in replies since the last call. Clones share them.
    #[must_use]
    pub fn take_unknown(&self) -> UnknownFields {
        self.unknown.take()
    }

    /// Outcome of a command for the aggregate as it was in the coordinator's store after the event `after`, which is ignored
    /// if the aggregate does not exist.
    pub fn command(&self, command: &CommandBook, after: u32) -> Result<Outcome, LogicError> {
        use pb::temporal_query::PointInTime;
        let request = pb::SpeculateCommandHandlerRequest {
            command: Some(encode::encode_command_book(command, self.dialect)),
            point_in_time: Some(pb::TemporalQuery {
                point_in_time: Some(PointInTime::AsOfSequence(after)),
            }),
        };
        self.outcome(COMMAND, request.encode_to_vec(), |reply| {
            let reply: pb::CommandResponse = decode::message("command response", reply)?;
            let book = reply.events.unwrap_or_default();
            decode::emitted_book(book).map(Outcome::Accepted)
        })
    }

    /// Outcome of a saga, process manager or projector for the events in the stimulus. Other stimuli have no such call.
    pub fn react(&self, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
        let service = match stimulus {
            Stimulus::Saga { .. } => ("SagaCoordinatorService", "ExecuteSpeculative"),
            Stimulus::ProcessManager { .. } => {
                ("ProcessManagerCoordinatorService", "HandleSpeculative")
            }
            Stimulus::Project { .. } => ("ProjectorCoordinatorService", "HandleSpeculative"),
            Stimulus::Command { .. }
            | Stimulus::Fold { .. }
            | Stimulus::Upcast { .. }
            | Stimulus::Fact { .. }
            | Stimulus::Prepare { .. } => {
                let failure = Failure::unimplemented("a coordinator has no such speculative call");
                return Ok(Outcome::Unimplemented(failure));
            }
        };
        let request = pb::SpeculateRequest {
            request: Some(stimulus::request(stimulus, self.dialect)),
        };
        self.outcome(service, request.encode_to_vec(), |reply| {
            stimulus::outcome_of_reply(stimulus, reply, self.dialect)
        })
    }

    fn outcome(
        &self,
        (service, method): (&str, &str),
        request: Vec<u8>,
        read: impl FnOnce(Bytes) -> Result<Outcome, DecodeError>,
    ) -> Result<Outcome, LogicError> {
        let path = self.dialect.path(service, method);
        let address = || self.connection.address().to_owned();
        let answer = self.connection.call(&path, request.into());
        self.unknown
            .add(unknown_in_answer(&format!("{service}/{method}"), &answer));
        match answer {
            Ok(reply) => read(reply).map_err(|reason| LogicError::Garbage {
                address: address(),
                method: format!("{service}/{method}"),
                reason,
            }),
            Err(error) if error.is_unknown_method() => Err(LogicError::WrongServer {
                address: address(),
                method: format!("{service}/{method}"),
                dialect: self.dialect,
            }),
            Err(error) => outcome_of(error),
        }
    }
}

fn outcome_of(error: CallError) -> Result<Outcome, LogicError> {
    match error.failure().cloned() {
        None => Err(error.into()),
        Some(failure) => {
            Outcome::from_failure(failure, AnsweredBy::NotKnown).map_err(|_| error.into())
        }
    }
}
