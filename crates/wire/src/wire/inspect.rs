//! Decodes any message of the protocol by its path, to check that recorded traffic is understood.

use bytes::Bytes;

use super::messages as pb;
use super::{DecodeError, Dialect, decode, stimulus};

/// Direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Request,
    /// To the caller.
    Reply,
}

/// Summary of a decoded message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageSummary {
    /// Its name, without the package.
    pub message: &'static str,
    /// Number of event pages, including those of nested books.
    pub event_pages: usize,
    /// Number of command pages.
    pub command_pages: usize,
}

/// Decodes a message of a method completely, down to each page and cover.
pub fn inspect(
    path: &str,
    direction: Direction,
    bytes: Bytes,
    dialect: Dialect,
) -> Result<MessageSummary, DecodeError> {
    let prefix = format!("/{}.", dialect.package());
    let method = path.strip_prefix(&prefix).unwrap_or_default();
    let message = message_of(method, direction).ok_or_else(|| {
        DecodeError::new(
            format!("path `{path}`"),
            &format!("the dialect {dialect} has no such method"),
        )
    })?;
    let mut reader = Reader {
        dialect,
        event_pages: 0,
        command_pages: 0,
    };
    reader.read(message, bytes)?;
    Ok(MessageSummary {
        message,
        event_pages: reader.event_pages,
        command_pages: reader.command_pages,
    })
}

/// Name of a method's request or reply message.
#[must_use]
pub fn message_of(method: &str, direction: Direction) -> Option<&'static str> {
    let (request, reply) = match method {
        "CommandHandlerService/Handle" => ("ContextualCommand", "BusinessResponse"),
        "CommandHandlerService/HandleFact" => ("FactRequest", "EventBook"),
        "CommandHandlerService/Replay" => ("ReplayRequest", "ReplayResponse"),
        "CommandHandlerCoordinatorService/HandleCommand" => ("CommandRequest", "CommandResponse"),
        "CommandHandlerCoordinatorService/HandleEvent" => ("EventRequest", "FactInjectionResponse"),
        "CommandHandlerCoordinatorService/HandleSyncSpeculative" => {
            ("SpeculateCommandHandlerRequest", "CommandResponse")
        }
        "CommandHandlerCoordinatorService/HandleCompensation" => {
            ("CommandRequest", "BusinessResponse")
        }
        "EventQueryService/GetEventBook"
        | "EventQueryService/GetEvents"
        | "EventQueryService/Synchronize" => ("Query", "EventBook"),
        "EventQueryService/GetAggregateRoots" => ("Empty", "AggregateRoot"),
        "SagaService/Handle" | "SagaCoordinatorService/Execute" => {
            ("SagaHandleRequest", "SagaResponse")
        }
        "SagaCoordinatorService/ExecuteSpeculative" => ("SpeculateSagaRequest", "SagaResponse"),
        "ProcessManagerService/Prepare" => (
            "ProcessManagerPrepareRequest",
            "ProcessManagerPrepareResponse",
        ),
        "ProcessManagerService/Handle" => (
            "ProcessManagerHandleRequest",
            "ProcessManagerHandleResponse",
        ),
        "ProcessManagerCoordinatorService/Handle" => (
            "ProcessManagerCoordinatorRequest",
            "ProcessManagerHandleResponse",
        ),
        "ProcessManagerCoordinatorService/HandleSpeculative" => {
            ("SpeculatePmRequest", "ProcessManagerHandleResponse")
        }
        "ProjectorService/Handle" | "ProjectorService/HandleSpeculative" => {
            ("EventBook", "Projection")
        }
        "ProjectorCoordinatorService/HandleSync" => ("EventRequest", "Projection"),
        "ProjectorCoordinatorService/Handle" => ("EventBook", "Empty"),
        "ProjectorCoordinatorService/HandleSpeculative" => {
            ("SpeculateProjectorRequest", "Projection")
        }
        "EventStreamService/Subscribe" => ("EventStreamFilter", "EventBook"),
        "UpcasterService/Upcast" => ("UpcastRequest", "UpcastResponse"),
        _ => return None,
    };
    Some(match direction {
        Direction::Request => request,
        Direction::Reply => reply,
    })
}

/// A request that wraps one message in field 1: a speculative call to a saga, process manager or projector. It also reads
/// empty messages.
#[derive(Clone, PartialEq, prost::Message)]
struct Wrapped {
    #[prost(bytes = "bytes", optional, tag = "1")]
    inner: Option<Bytes>,
}

struct Reader {
    dialect: Dialect,
    event_pages: usize,
    command_pages: usize,
}

impl Reader {
    fn read(&mut self, name: &'static str, bytes: Bytes) -> Result<(), DecodeError> {
        match name {
            "EventBook" => self.books([bytes]),
            "BusinessResponse" => self.business_response(bytes),
            "CommandRequest" => {
                let request: pb::CommandRequest = decode::message(name, bytes)?;
                self.commands(request.command)
            }
            "SpeculateCommandHandlerRequest" => {
                let request: pb::SpeculateCommandHandlerRequest = decode::message(name, bytes)?;
                self.commands(request.command)
            }
            "ContextualCommand" => {
                let context: pb::ContextualCommand = decode::message(name, bytes)?;
                self.books(context.events)?;
                self.commands(context.command)
            }
            "CommandResponse" => {
                let reply: pb::CommandResponse = decode::message(name, bytes)?;
                let book = reply.events.map(decode::emitted_book).transpose()?;
                self.event_pages += book.map_or(0, |book| book.pages.len());
                Ok(())
            }
            "ReplayRequest" => {
                let request: pb::ReplayRequest = decode::message(name, bytes)?;
                request
                    .base_snapshot
                    .as_ref()
                    .map(decode::snapshot)
                    .transpose()?;
                self.pages(&request.events)
            }
            "UpcastRequest" => {
                let request: pb::UpcastRequest = decode::message(name, bytes)?;
                self.pages(&request.events)
            }
            "UpcastResponse" => {
                let reply: pb::UpcastResponse = decode::message(name, bytes)?;
                self.pages(&reply.events)
            }
            _ => self.read_rarer(name, bytes),
        }
    }

    fn read_rarer(&mut self, name: &'static str, bytes: Bytes) -> Result<(), DecodeError> {
        match name {
            "EventRequest" => {
                let request: pb::EventRequest = decode::message(name, bytes)?;
                self.books(request.events)
            }
            "FactInjectionResponse" => {
                let reply: pb::FactInjectionResponse = decode::message(name, bytes)?;
                self.books(reply.events)
            }
            "FactRequest" => {
                // Facts and prior events are books in fields 1 and 2, as in `Prepare`.
                let request: pb::ProcessManagerPrepareRequest = decode::message(name, bytes)?;
                self.books(request.trigger.into_iter().chain(request.process_state))
            }
            // In both requests the book is field 1.
            "SagaHandleRequest" | "ProcessManagerCoordinatorRequest" => {
                let request: pb::SagaHandleRequest = decode::message(name, bytes)?;
                self.books(request.source)
            }
            "SagaResponse" => {
                let reply: pb::SagaResponse = decode::message(name, bytes)?;
                self.command_messages(reply.commands)?;
                self.books(reply.events)
            }
            "ProcessManagerPrepareRequest" => {
                let request: pb::ProcessManagerPrepareRequest = decode::message(name, bytes)?;
                self.books(request.trigger.into_iter().chain(request.process_state))
            }
            "ProcessManagerPrepareResponse" => {
                let reply: pb::ProcessManagerPrepareResponse = decode::message(name, bytes)?;
                reply
                    .destinations
                    .into_iter()
                    .try_for_each(|cover| decode::cover(cover).map(drop))
            }
            "ProcessManagerHandleRequest" => {
                let request: pb::ProcessManagerHandleRequest = decode::message(name, bytes)?;
                self.books(request.trigger.into_iter().chain(request.process_state))
            }
            "ProcessManagerHandleResponse" => {
                let reply: pb::ProcessManagerHandleResponse = decode::message(name, bytes)?;
                self.command_messages(reply.commands)?;
                self.books(reply.process_events.into_iter().chain(reply.facts))?;
                reply
                    .notification
                    .map(decode::notification)
                    .transpose()
                    .map(drop)
            }
            "SpeculateSagaRequest" => self.wrapped(name, "SagaHandleRequest", bytes),
            "SpeculatePmRequest" => self.wrapped(name, "ProcessManagerHandleRequest", bytes),
            "SpeculateProjectorRequest" => self.wrapped(name, "EventBook", bytes),
            _ => plain(name, bytes),
        }
    }

    fn business_response(&mut self, bytes: Bytes) -> Result<(), DecodeError> {
        if let crate::model::Reply::Events(book) = stimulus::business_reply(bytes)? {
            self.event_pages += book.pages.len();
        }
        Ok(())
    }

    fn wrapped(
        &mut self,
        name: &'static str,
        inner: &'static str,
        bytes: Bytes,
    ) -> Result<(), DecodeError> {
        let wrapped: Wrapped = decode::message(name, bytes)?;
        wrapped
            .inner
            .map_or(Ok(()), |bytes| self.read(inner, bytes))
    }

    /// Reads books as emitted books: facts have deferred headers, and covers may be stubs.
    fn books(&mut self, books: impl IntoIterator<Item = Bytes>) -> Result<(), DecodeError> {
        for bytes in books {
            let book = decode::emitted_book(decode::message("event book", bytes)?)?;
            self.event_pages += book.pages.len();
        }
        Ok(())
    }

    fn pages(&mut self, pages: &[Bytes]) -> Result<(), DecodeError> {
        for page in pages {
            decode::page(page)?;
        }
        self.event_pages += pages.len();
        Ok(())
    }

    fn commands(&mut self, books: impl IntoIterator<Item = Bytes>) -> Result<(), DecodeError> {
        for bytes in books {
            let book = decode::command_book(&bytes, self.dialect)?;
            self.command_pages += book.pages.len();
        }
        Ok(())
    }

    fn command_messages(&mut self, books: Vec<pb::CommandBook>) -> Result<(), DecodeError> {
        self.commands(
            books
                .into_iter()
                .map(|book| Bytes::from(prost::Message::encode_to_vec(&book))),
        )
    }
}

/// Decodes messages that contain no book.
fn plain(name: &'static str, bytes: Bytes) -> Result<(), DecodeError> {
    match name {
        "Query" => decode::message::<pb::Query>(name, bytes).map(drop),
        "AggregateRoot" => decode::message::<pb::AggregateRoot>(name, bytes).map(drop),
        "ReplayResponse" => decode::message::<pb::ReplayResponse>(name, bytes).map(drop),
        "Projection" => decode::message::<pb::Projection>(name, bytes).map(drop),
        // An empty message, or a single text, which is ignored.
        _ => decode::message::<Wrapped>(name, bytes).map(drop),
    }
}
