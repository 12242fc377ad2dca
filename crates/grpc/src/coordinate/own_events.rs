//! Server of our own service that speculates on events in the request.
//!
//! Angzarr's released coordinators do not have it. `proto/speculate.proto` describes it for other programs. Requests are
//! decoded here; the coordinator checks whether they make sense.

use bytes::Bytes;
use prost::Message;

use super::{CoordinatorService, ReceivedCommand, RefusedCall, received_command};
use crate::model::{Destinations, EmittedBook, Failure, Reaction};
use crate::serve::OWN_PACKAGE;
use crate::wire::messages::{Any, local as pb};
use crate::wire::{DecodeError, Dialect, StoredBook, decode, encode, event_book};

/// A command for business logic, and the history of its aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateSpeculation {
    /// The command.
    pub command: ReceivedCommand,
    /// The history, if there is one.
    pub events: Option<StoredBook>,
    /// Edition that the logic sees; empty for that of the books.
    pub edition: String,
}

/// New events for a saga or process manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionSpeculation {
    /// The new events.
    pub events: StoredBook,
    /// For a process manager, its own stream; `None` for a saga.
    pub process_state: Option<StoredBook>,
    /// Next sequences of the aggregates that it writes to, by domain.
    pub destinations: Destinations,
    /// Edition that the component sees; empty for that of the books.
    pub edition: String,
}

/// An answer as a coordinator passes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speculated<T> {
    /// The answer.
    pub answer: T,
    /// What the caller should know.
    pub notes: Vec<String>,
}

impl CoordinatorService {
    /// Answers a method of this service; `None` for a method of another service.
    pub(super) fn speculate_on_events(
        &self,
        method: &str,
        request: Bytes,
    ) -> Option<Result<Vec<Bytes>, RefusedCall>> {
        let method = method
            .strip_prefix(OWN_PACKAGE)?
            .strip_prefix(".Speculate/")?;
        let reply = match method {
            "Aggregate" => self.aggregate(request),
            "Saga" => self.saga(request),
            "ProcessManager" => self.process_manager(request),
            _ => return None,
        };
        Some(reply.map(|reply| vec![reply.into()]))
    }

    fn aggregate(&self, request: Bytes) -> Result<Vec<u8>, RefusedCall> {
        let request: pb::SpeculateAggregateRequest = read(request)?;
        let command = self.unpacked("command", "CommandBook", request.command)?;
        let events = request.events.filter(|events| *events != Any::default());
        let speculated = self.coordinator.speculate_aggregate(AggregateSpeculation {
            command: received_command(&command, false, self.dialect)
                .map_err(|error| refused("command", &error))?,
            events: events.map(|it| self.book("events", Some(it))).transpose()?,
            edition: request.edition,
        })?;
        let book = encode::emitted_book(&speculated.answer, self.dialect);
        let reply = pb::SpeculateAggregateResponse {
            events: Some(packed("EventBook", &book, self.dialect)),
            notes: speculated.notes,
        };
        Ok(reply.encode_to_vec())
    }

    fn saga(&self, request: Bytes) -> Result<Vec<u8>, RefusedCall> {
        let request: pb::SpeculateSagaRequest = read(request)?;
        let speculated = self.coordinator.speculate_on_events(ReactionSpeculation {
            events: self.book("events", request.events)?,
            process_state: None,
            destinations: request.destinations.into_iter().collect(),
            edition: request.edition,
        })?;
        let reply = pb::SpeculateSagaResponse {
            commands: packed_commands(&speculated.answer, self.dialect),
            facts: packed_books(&speculated.answer.facts, self.dialect),
            notes: speculated.notes,
        };
        Ok(reply.encode_to_vec())
    }

    fn process_manager(&self, request: Bytes) -> Result<Vec<u8>, RefusedCall> {
        let request: pb::SpeculateProcessManagerRequest = read(request)?;
        let speculated = self.coordinator.speculate_on_events(ReactionSpeculation {
            events: self.book("events", request.events)?,
            process_state: Some(self.book("process_state", request.process_state)?),
            destinations: request.destinations.into_iter().collect(),
            edition: request.edition,
        })?;
        let reaction = speculated.answer;
        let notification = reaction.notification.as_ref().map(encode::notification);
        let reply = pb::SpeculateProcessManagerResponse {
            process_events: packed_books(&reaction.process_events, self.dialect),
            commands: packed_commands(&reaction, self.dialect),
            facts: packed_books(&reaction.facts, self.dialect),
            notification: notification.map(|it| packed("Notification", &it, self.dialect)),
            notes: speculated.notes,
        };
        Ok(reply.encode_to_vec())
    }

    fn book(&self, field: &str, any: Option<Any>) -> Result<StoredBook, RefusedCall> {
        let bytes = self.unpacked(field, "EventBook", any)?;
        event_book(bytes).map_err(|error| refused(field, &error))
    }

    /// The bytes of a packed message, which must be one of the server's dialect.
    fn unpacked(&self, field: &str, message: &str, any: Option<Any>) -> Result<Bytes, RefusedCall> {
        let wanted = format!("{}.{message}", self.dialect.package());
        let any = any.filter(|any| *any != Any::default()).ok_or_else(|| {
            Failure::refused(format!("`{field}` is missing: pack `{wanted}` into it"))
        })?;
        let name = any.type_url.rsplit('/').next().unwrap_or_default();
        if name == wanted {
            return Ok(any.value);
        }
        let is_of = |other: &&Dialect| name == format!("{}.{message}", other.package());
        let hint = Dialect::all().iter().find(is_of).map_or_else(String::new, |other| {
            format!(
                "; this server speaks the dialect {}, start `serve` with --dialect {other} for the other one",
                self.dialect
            )
        });
        let found: String = name.chars().take(LONGEST_NAME).collect();
        let found = found.escape_debug();
        let text = format!("`{field}` holds `{found}` instead of `{wanted}`{hint}");
        Err(Failure::refused(text).into())
    }
}

/// How much of a type name a message shows, in characters.
const LONGEST_NAME: usize = 100;
/// How much of the reason a message shows, in characters: it may quote the request, and a status must fit into a header.
const LONGEST_REASON: usize = 300;

fn read<M: Message + Default>(request: Bytes) -> Result<M, RefusedCall> {
    let read = decode::message("the request", request);
    read.map_err(|error| Failure::refused(error.to_string()).into())
}

fn refused(field: &str, error: &DecodeError) -> RefusedCall {
    let reason: String = error.to_string().chars().take(LONGEST_REASON).collect();
    Failure::refused(format!("`{field}`: {reason}")).into()
}

fn packed(name: &str, message: &impl Message, dialect: Dialect) -> Any {
    Any {
        type_url: format!("type.googleapis.com/{}.{name}", dialect.package()),
        value: message.encode_to_vec().into(),
    }
}

fn packed_books(books: &[EmittedBook], dialect: Dialect) -> Vec<Any> {
    let pack = |book| packed("EventBook", &encode::emitted_book(book, dialect), dialect);
    books.iter().map(pack).collect()
}

fn packed_commands(reaction: &Reaction, dialect: Dialect) -> Vec<Any> {
    let commands = reaction.commands.iter();
    let encoded = commands.map(|command| encode::emitted_command(command, dialect));
    encoded
        .map(|book| packed("CommandBook", &book, dialect))
        .collect()
}
