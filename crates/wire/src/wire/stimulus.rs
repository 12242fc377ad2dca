//! Converts stimuli and outcomes to the requests and replies of client logic, and back.

use bytes::Bytes;
use prost::Message;

use super::messages as pb;
use super::{DecodeError, Dialect, decode, encode};
use crate::model::{
    Destinations, EmittedBook, EmittedCommand, EventBook, Modes, Outcome, Page, Projection,
    Reaction, Reply, Stimulus,
};

/// Service and method for a stimulus.
#[must_use]
pub const fn method_of(stimulus: &Stimulus) -> (&'static str, &'static str) {
    match stimulus {
        Stimulus::Command { .. } => ("CommandHandlerService", "Handle"),
        Stimulus::Fact { .. } => ("CommandHandlerService", "HandleFact"),
        Stimulus::Fold { .. } => ("CommandHandlerService", "Replay"),
        Stimulus::Upcast { .. } => ("UpcasterService", "Upcast"),
        Stimulus::Saga { .. } => ("SagaService", "Handle"),
        Stimulus::Prepare { .. } => ("ProcessManagerService", "Prepare"),
        Stimulus::ProcessManager { .. } => ("ProcessManagerService", "Handle"),
        Stimulus::Project {
            with_effects: false,
            ..
        } => ("ProjectorService", "HandleSpeculative"),
        Stimulus::Project {
            with_effects: true, ..
        } => ("ProjectorService", "Handle"),
    }
}

/// Whether the method is optional, so that a server without it may still be the right server.
#[must_use]
pub const fn is_optional(stimulus: &Stimulus) -> bool {
    matches!(
        stimulus,
        Stimulus::Fold { .. }
            | Stimulus::Fact { .. }
            | Stimulus::Prepare { .. }
            | Stimulus::Project { .. }
    )
}

/// Encodes the request for a stimulus.
pub fn request(stimulus: &Stimulus, dialect: Dialect) -> Bytes {
    let book = |book: &EventBook| Some(encode::encode_event_book(book, dialect));
    let bytes = match stimulus {
        Stimulus::Command { prior, command } => pb::ContextualCommand {
            events: book(prior),
            command: Some(encode::encode_command_book(command, dialect)),
        }
        .encode_to_vec(),
        Stimulus::Fact { facts, prior } => pb::FactRequest {
            facts: Some(encode::emitted_book(facts, dialect).encode_to_vec().into()),
            prior_events: book(prior),
        }
        .encode_to_vec(),
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
        Stimulus::Saga {
            source,
            destinations,
            modes,
        } => saga_request(source, destinations, *modes, dialect).encode_to_vec(),
        Stimulus::Prepare { trigger, state } => pb::ProcessManagerPrepareRequest {
            trigger: book(trigger),
            process_state: book(state),
        }
        .encode_to_vec(),
        Stimulus::ProcessManager {
            trigger,
            state,
            destinations,
        } => process_manager_request(trigger, state, destinations, dialect).encode_to_vec(),
        Stimulus::Project { events, .. } => return encode::encode_event_book(events, dialect),
    };
    bytes.into()
}

#[must_use]
pub fn saga_request(
    source: &EventBook,
    destinations: &Destinations,
    modes: Modes,
    dialect: Dialect,
) -> pb::SagaHandleRequest {
    pb::SagaHandleRequest {
        source: Some(encode::encode_event_book(source, dialect)),
        sync_mode: dialect.sync_mode_number(modes.sync_mode),
        cascade_error_mode: dialect.cascade_error_mode_number(modes.cascade_error_mode),
        destination_sequences: destinations_sent(destinations, dialect),
    }
}

#[must_use]
pub fn process_manager_request(
    trigger: &EventBook,
    state: &EventBook,
    destinations: &Destinations,
    dialect: Dialect,
) -> pb::ProcessManagerHandleRequest {
    pb::ProcessManagerHandleRequest {
        trigger: Some(encode::encode_event_book(trigger, dialect)),
        process_state: Some(encode::encode_event_book(state, dialect)),
        destination_sequences: destinations_sent(destinations, dialect),
    }
}

fn destinations_sent(
    destinations: &Destinations,
    dialect: Dialect,
) -> std::collections::HashMap<String, u32> {
    if dialect.rules().sends_destinations {
        destinations.clone().into_iter().collect()
    } else {
        std::collections::HashMap::new()
    }
}

/// Decodes the reply to a stimulus.
pub fn outcome_of_reply(
    stimulus: &Stimulus,
    reply: Bytes,
    dialect: Dialect,
) -> Result<Outcome, DecodeError> {
    match stimulus {
        Stimulus::Command { .. } => business_response(reply),
        Stimulus::Fact { .. } => {
            let book: pb::EventBook = decode::message("event book", reply)?;
            decode::emitted_book(book).map(Outcome::Accepted)
        }
        Stimulus::Fold { .. } => {
            let reply: pb::ReplayResponse = decode::message("replay response", reply)?;
            let state = reply
                .state
                .ok_or_else(|| DecodeError::new("replay response", "it has no state"))?;
            Ok(Outcome::Folded(decode::any(state)))
        }
        Stimulus::Upcast { .. } => {
            let reply: pb::UpcastResponse = decode::message("upcast response", reply)?;
            pages(&reply.events).map(Outcome::Upcast)
        }
        Stimulus::Saga { .. } => saga_response(reply, dialect).map(Outcome::Reacted),
        Stimulus::Prepare { .. } => {
            let reply: pb::ProcessManagerPrepareResponse =
                decode::message("prepare response", reply)?;
            let covers = reply.destinations.into_iter();
            covers
                .filter(|cover| cover.root.is_some())
                .map(decode::cover)
                .collect::<Result<_, _>>()
                .map(Outcome::Prepared)
        }
        Stimulus::ProcessManager { .. } => {
            process_manager_response(reply, dialect).map(Outcome::Reacted)
        }
        Stimulus::Project { .. } => projection(reply).map(Outcome::Projected),
    }
}

fn business_response(reply: Bytes) -> Result<Outcome, DecodeError> {
    Ok(match business_reply(reply)? {
        Reply::Events(book) => Outcome::Accepted(book),
        Reply::Revocation(revocation) => Outcome::Revoked(revocation),
        Reply::Notification(notification) => Outcome::Notified(notification),
    })
}

pub fn business_reply(reply: Bytes) -> Result<Reply, DecodeError> {
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

pub fn saga_response(reply: Bytes, dialect: Dialect) -> Result<Reaction, DecodeError> {
    let reply: pb::SagaResponse = decode::message("saga response", reply)?;
    Ok(Reaction {
        commands: commands(reply.commands, dialect)?,
        facts: books(reply.events)?,
        ..Reaction::default()
    })
}

pub fn process_manager_response(reply: Bytes, dialect: Dialect) -> Result<Reaction, DecodeError> {
    let reply: pb::ProcessManagerHandleResponse =
        decode::message("process manager response", reply)?;
    Ok(Reaction {
        process_events: books(reply.process_events)?,
        commands: commands(reply.commands, dialect)?,
        facts: books(reply.facts)?,
        notification: reply.notification.map(decode::notification).transpose()?,
    })
}

pub fn projection(reply: Bytes) -> Result<Projection, DecodeError> {
    let reply: pb::Projection = decode::message("projection", reply)?;
    Ok(Projection {
        cover: decode::addressee(reply.cover)?,
        projector: reply.projector,
        sequence: reply.sequence,
        payload: reply.projection.map(decode::any),
    })
}

fn commands(
    books: Vec<pb::CommandBook>,
    dialect: Dialect,
) -> Result<Vec<EmittedCommand>, DecodeError> {
    let read = books
        .into_iter()
        .map(|book| decode::emitted_command(book, dialect));
    read.collect()
}

fn books(books: Vec<Bytes>) -> Result<Vec<EmittedBook>, DecodeError> {
    let read = books
        .into_iter()
        .map(|book| decode::emitted_book(decode::message("event book", book)?));
    read.collect()
}

fn pages(encoded: &[Bytes]) -> Result<Vec<Page>, DecodeError> {
    encoded.iter().map(decode::page).collect()
}

/// Decodes the request of a method of client logic (`Service/Method`, without the package); `None` if client logic has no
/// such method.
pub fn stimulus_of_request(
    method: &str,
    request: Bytes,
    dialect: Dialect,
) -> Option<Result<Stimulus, DecodeError>> {
    Some(match method {
        "CommandHandlerService/Handle" => decode::contextual_command(request, dialect)
            .map(|(prior, command)| Stimulus::Command { prior, command }),
        "CommandHandlerService/HandleFact" => fact(request),
        "CommandHandlerService/Replay" => fold(request),
        "UpcasterService/Upcast" => upcast(request),
        "SagaService/Handle" => saga(request, dialect),
        "ProcessManagerService/Prepare" => prepare(request),
        "ProcessManagerService/Handle" => process_manager(request),
        "ProjectorService/HandleSpeculative" => project(request, false),
        "ProjectorService/Handle" => project(request, true),
        _ => return None,
    })
}

fn fact(request: Bytes) -> Result<Stimulus, DecodeError> {
    let message: pb::FactRequest = decode::message("fact request", request)?;
    let facts: pb::EventBook = decode::message("facts", message.facts.unwrap_or_default())?;
    let facts = decode::emitted_book(facts)?;
    let stored = decode::event_book(message.prior_events.unwrap_or_default())?;
    let cover = stored
        .cover
        .clone()
        .or_else(|| facts.cover.clone())
        .ok_or_else(|| DecodeError::new("fact request", "neither of its books has a cover"))?;
    let prior = decode::with_cover(stored, cover);
    Ok(Stimulus::Fact { facts, prior })
}

fn fold(request: Bytes) -> Result<Stimulus, DecodeError> {
    let message: pb::ReplayRequest = decode::message("replay request", request)?;
    let snapshot = message.base_snapshot.as_ref();
    Ok(Stimulus::Fold {
        snapshot: snapshot.map(decode::snapshot).transpose()?,
        pages: pages(&message.events)?.into(),
    })
}

fn upcast(request: Bytes) -> Result<Stimulus, DecodeError> {
    let message: pb::UpcastRequest = decode::message("upcast request", request)?;
    let domain = crate::model::Domain::new(message.domain)
        .map_err(|error| DecodeError::new("upcast request", &error))?;
    Ok(Stimulus::Upcast {
        domain,
        pages: pages(&message.events)?.into(),
    })
}

pub fn saga(request: Bytes, dialect: Dialect) -> Result<Stimulus, DecodeError> {
    let message: pb::SagaHandleRequest = decode::message("saga request", request)?;
    Ok(Stimulus::Saga {
        source: covered("source", message.source)?,
        destinations: message.destination_sequences.into_iter().collect(),
        modes: Modes {
            sync_mode: dialect.sync_mode(message.sync_mode),
            cascade_error_mode: dialect.cascade_error_mode(message.cascade_error_mode),
        },
    })
}

fn prepare(request: Bytes) -> Result<Stimulus, DecodeError> {
    let message: pb::ProcessManagerPrepareRequest = decode::message("prepare request", request)?;
    Ok(Stimulus::Prepare {
        trigger: covered("trigger", message.trigger)?,
        state: covered("process state", message.process_state)?,
    })
}

pub fn process_manager(request: Bytes) -> Result<Stimulus, DecodeError> {
    let message: pb::ProcessManagerHandleRequest =
        decode::message("process manager request", request)?;
    Ok(Stimulus::ProcessManager {
        trigger: covered("trigger", message.trigger)?,
        state: covered("process state", message.process_state)?,
        destinations: message.destination_sequences.into_iter().collect(),
    })
}

pub fn project(request: Bytes, with_effects: bool) -> Result<Stimulus, DecodeError> {
    Ok(Stimulus::Project {
        events: covered("event book", Some(request))?,
        with_effects,
    })
}

/// Decodes a book whose cover is required.
fn covered(what: &str, book: Option<Bytes>) -> Result<EventBook, DecodeError> {
    let stored = decode::event_book(book.unwrap_or_default())?;
    let cover = stored.cover.clone();
    let cover = cover.ok_or_else(|| DecodeError::new(what, "it has no cover"))?;
    Ok(decode::with_cover(stored, cover))
}

/// Encodes the reply of client logic for an outcome; `None` for an outcome that is not a reply.
#[must_use]
pub fn reply(outcome: &Outcome, stimulus: &Stimulus, dialect: Dialect) -> Option<Bytes> {
    let bytes = match outcome {
        Outcome::Accepted(book) if matches!(stimulus, Stimulus::Fact { .. }) => {
            encode::emitted_book(book, dialect).encode_to_vec()
        }
        Outcome::Accepted(_) | Outcome::Revoked(_) | Outcome::Notified(_) => {
            return business_answer(outcome, dialect);
        }
        Outcome::Folded(state) => pb::ReplayResponse {
            state: Some(encode::any(state)),
        }
        .encode_to_vec(),
        Outcome::Upcast(pages) => pb::UpcastResponse {
            events: pages.iter().map(encode::encode_page).collect(),
        }
        .encode_to_vec(),
        Outcome::Reacted(reaction) => match stimulus {
            Stimulus::Saga { .. } => saga_reply(reaction, dialect).encode_to_vec(),
            Stimulus::ProcessManager { .. } => {
                process_manager_reply(reaction, dialect).encode_to_vec()
            }
            Stimulus::Command { .. }
            | Stimulus::Fold { .. }
            | Stimulus::Upcast { .. }
            | Stimulus::Fact { .. }
            | Stimulus::Prepare { .. }
            | Stimulus::Project { .. } => return None,
        },
        Outcome::Projected(projection) => projection_reply(projection, dialect).encode_to_vec(),
        Outcome::Prepared(covers) => pb::ProcessManagerPrepareResponse {
            destinations: covers.iter().map(encode::cover).collect(),
        }
        .encode_to_vec(),
        Outcome::Rejected(_)
        | Outcome::Crashed(_)
        | Outcome::Unimplemented(_)
        | Outcome::Refused(_) => return None,
    };
    Some(bytes.into())
}

/// Encodes the `BusinessResponse` for the outcome of a command; `None` for an outcome that it cannot express.
#[must_use]
pub fn business_answer(outcome: &Outcome, dialect: Dialect) -> Option<Bytes> {
    use pb::business_response::Result as Answer;
    let result = match outcome {
        Outcome::Accepted(book) => Answer::Events(encode::emitted_book(book, dialect)),
        Outcome::Revoked(revocation) => Answer::Revocation(encode::revocation(revocation)),
        Outcome::Notified(notification) => Answer::Notification(encode::notification(notification)),
        Outcome::Rejected(_)
        | Outcome::Crashed(_)
        | Outcome::Unimplemented(_)
        | Outcome::Refused(_)
        | Outcome::Folded(_)
        | Outcome::Upcast(_)
        | Outcome::Reacted(_)
        | Outcome::Projected(_)
        | Outcome::Prepared(_) => return None,
    };
    let reply = pb::BusinessResponse {
        result: Some(result),
    };
    Some(reply.encode_to_vec().into())
}

fn encoded_books(books: &[EmittedBook], dialect: Dialect) -> Vec<Bytes> {
    let encoded = books
        .iter()
        .map(|book| encode::emitted_book(book, dialect).encode_to_vec().into());
    encoded.collect()
}

fn encoded_commands(commands: &[EmittedCommand], dialect: Dialect) -> Vec<pb::CommandBook> {
    let encoded = commands
        .iter()
        .map(|command| encode::emitted_command(command, dialect));
    encoded.collect()
}

#[must_use]
pub fn saga_reply(reaction: &Reaction, dialect: Dialect) -> pb::SagaResponse {
    pb::SagaResponse {
        commands: encoded_commands(&reaction.commands, dialect),
        events: encoded_books(&reaction.facts, dialect),
    }
}

pub fn process_manager_reply(
    reaction: &Reaction,
    dialect: Dialect,
) -> pb::ProcessManagerHandleResponse {
    pb::ProcessManagerHandleResponse {
        process_events: encoded_books(&reaction.process_events, dialect),
        commands: encoded_commands(&reaction.commands, dialect),
        facts: encoded_books(&reaction.facts, dialect),
        notification: reaction.notification.as_ref().map(encode::notification),
    }
}

pub fn projection_reply(projection: &Projection, dialect: Dialect) -> pb::Projection {
    pb::Projection {
        cover: projection
            .cover
            .as_ref()
            .map(|cover| encode::spelled_cover(cover, dialect)),
        projector: projection.projector.clone(),
        sequence: projection.sequence,
        projection: projection.payload.as_ref().map(encode::any),
    }
}
