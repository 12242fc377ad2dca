//! The coordinator's side of the wire: requests taken apart, replies put together.
//!
//! Requests arrive unchecked, since the words in which bad input is refused are the coordinator's own.
//! Knows nothing of stores and of what a coordinator does.
//!
//! | part | owns |
//! |---|---|
//! | this one | queries, commands and their speculation |
//! | `facts` | facts and compensation |
//! | `reactions` | speculation with sagas, process managers and projectors |
//! | `editions` | the service of our own that lists and deletes editions |

mod editions;
mod facts;
mod reactions;

use std::net::TcpListener;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

pub use editions::{AskedDeletion, DeletedEdition, EditionsClient, EditionsError, StoredEdition};
pub use facts::{Injected, SentFacts};

use super::PointInTime;
use super::serve::{Methods, Server};
use crate::model::{
    Code, CommandBook, Cover, Domain, EmittedBook, Failure, Outcome, Root, Stimulus,
};
use crate::wire::messages as pb;
use crate::wire::status::Refusal;
use crate::wire::{DecodeError, Dialect, decode, encode};

/// A cover as it came: nothing of it is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawCover {
    /// The root's bytes, where there is a root.
    pub root: Option<Vec<u8>>,
    /// Domain.
    pub domain: String,
    /// Correlation id.
    pub correlation_id: String,
    /// Name of the edition, empty where there is none.
    pub edition: String,
}

/// Which pages a query asks for, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedPages {
    /// All of them.
    Whole,
    /// From a sequence on, to another where there is one.
    Range(u32, Option<u32>),
    /// These sequences.
    Sequences(Vec<u32>),
    /// As the history was at a point in time.
    AsOf(PointInTime),
    /// At a point in time that is missing.
    NoPoint,
}

/// A query as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedBook {
    /// Whose pages.
    pub cover: Option<RawCover>,
    /// Which pages.
    pub pages: AskedPages,
}

/// A command book as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentCommand {
    /// The addressee, unchecked.
    pub cover: Option<RawCover>,
    /// Size of each page's payload.
    pub payload_sizes: Vec<usize>,
    /// Whether the events are asked to be stored as provisional (two-phase commit).
    pub provisional: bool,
    /// The book, where it makes sense.
    pub book: Result<CommandBook, DecodeError>,
}

/// A book to answer with; pages and snapshot by their stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyBook {
    /// The aggregate, where the reply names one.
    pub cover: Option<Cover>,
    /// Whether the cover says its edition even where that is main.
    pub spells_main: bool,
    /// Encoded snapshot.
    pub snapshot: Option<Bytes>,
    /// Encoded pages.
    pub pages: Vec<Bytes>,
    /// Sequence after the last page.
    pub next_sequence: u32,
}

/// A call that is answered with a failing status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Just so.
    Plain(Failure),
    /// With a bare event book as its details, as stale commands are answered.
    WithBook(Failure, ReplyBook),
    /// With details that came from elsewhere and are passed on.
    WithDetails(Failure, Bytes),
}

impl Refused {
    /// The status.
    #[must_use]
    pub const fn failure(&self) -> &Failure {
        match self {
            Self::Plain(failure) | Self::WithBook(failure, _) | Self::WithDetails(failure, _) => {
                failure
            }
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Plain(failure)
    }
}

/// What a coordinator offers. Methods it does not offer are unknown to its server.
pub trait Coordinator: Send + Sync + 'static {
    /// `GetEventBook`.
    fn event_book(&self, query: &AskedBook) -> Result<ReplyBook, Refused>;
    /// `GetEvents`: any number of books.
    fn events(&self, query: &AskedBook) -> Result<Vec<ReplyBook>, Refused>;
    /// `Synchronize`: one book for each query of the stream.
    fn synchronize(&self, query: &AskedBook) -> Result<ReplyBook, Refused>;
    /// `GetAggregateRoots`.
    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, Refused>;
    /// `HandleCommand`; none where the request has no command.
    fn handle_command(&self, command: Option<SentCommand>) -> Result<ReplyBook, Refused>;
    /// `HandleSyncSpeculative`: the logic's book as the logic wrote it.
    fn speculate(
        &self,
        command: Option<SentCommand>,
        point: Option<PointInTime>,
    ) -> Result<EmittedBook, Refused>;
    /// `HandleEvent`; none where the request has no facts.
    fn handle_event(&self, facts: Option<SentFacts>) -> Result<Injected, Refused>;
    /// `HandleCompensation`: the logic's answer as the logic gave it; none where the request has no command.
    fn compensate(&self, command: Option<SentCommand>) -> Result<Outcome, Refused>;
    /// `ExecuteSpeculative` of a saga, `HandleSpeculative` of a process manager or projector: what the component
    /// would answer.
    fn speculate_reaction(&self, stimulus: Stimulus) -> Result<Outcome, Refused>;
    /// Every named edition that is stored.
    fn editions(&self) -> Result<Vec<StoredEdition>, Refused>;
    /// Deletes a named edition.
    fn delete_edition(&self, asked: &AskedDeletion) -> Result<DeletedEdition, Refused>;
}

/// Serves a coordinator over gRPC. Messages of more than `limit` bytes are refused in both directions.
pub fn serve_coordinator(
    listener: TcpListener,
    dialect: Dialect,
    coordinator: Arc<dyn Coordinator>,
    limit: Option<usize>,
) -> std::io::Result<Server> {
    let service = CoordinatorService {
        coordinator,
        dialect,
    };
    Server::start(listener, dialect, Arc::new(service), limit)
}

struct CoordinatorService {
    coordinator: Arc<dyn Coordinator>,
    dialect: Dialect,
}

impl Methods for CoordinatorService {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, Refusal>> {
        let replies = match method {
            "EventQueryService/GetEventBook" => self
                .query(request)
                .and_then(|query| self.coordinator.event_book(&query))
                .map(|book| vec![self.encode_book(&book)]),
            "EventQueryService/GetEvents" => self
                .query(request)
                .and_then(|query| self.coordinator.events(&query))
                .map(|books| books.iter().map(|book| self.encode_book(book)).collect()),
            "EventQueryService/Synchronize" => self
                .query(request)
                .and_then(|query| self.coordinator.synchronize(&query))
                .map(|book| vec![self.encode_book(&book)]),
            "EventQueryService/GetAggregateRoots" => self
                .coordinator
                .aggregate_roots()
                .map(|roots| roots.iter().map(encode_root).collect()),
            "CommandHandlerCoordinatorService/HandleCommand" => self.handle_command(request),
            "CommandHandlerCoordinatorService/HandleSyncSpeculative" => self.speculate(request),
            "CommandHandlerCoordinatorService/HandleEvent" => self.handle_event(request),
            "CommandHandlerCoordinatorService/HandleCompensation" => self.compensate(request),
            "SagaCoordinatorService/ExecuteSpeculative"
            | "ProcessManagerCoordinatorService/HandleSpeculative"
            | "ProjectorCoordinatorService/HandleSpeculative" => {
                self.speculate_reaction(method, request)
            }
            _ => editions::answer(self.coordinator.as_ref(), method, request)?,
        };
        Some(replies.map_err(|refused| self.refusal(refused)))
    }
}

impl CoordinatorService {
    #[allow(clippy::unused_self, reason = "reads as the other steps do")]
    fn query(&self, request: Bytes) -> Result<AskedBook, Refused> {
        use pb::query::Selection;
        use pb::temporal_query::PointInTime as Point;
        let query: pb::Query = decode::message("query", request).map_err(not_understood)?;
        let pages = match query.selection {
            None => AskedPages::Whole,
            Some(Selection::Range(range)) => AskedPages::Range(range.lower, range.upper),
            Some(Selection::Sequences(set)) => AskedPages::Sequences(set.values),
            Some(Selection::Temporal(temporal)) => match temporal.point_in_time {
                None => AskedPages::NoPoint,
                Some(Point::AsOfTime(time)) => {
                    AskedPages::AsOf(PointInTime::Time(decode::timestamp(time)))
                }
                Some(Point::AsOfSequence(sequence)) => {
                    AskedPages::AsOf(PointInTime::Sequence(sequence))
                }
            },
        };
        Ok(AskedBook {
            cover: query.cover.map(raw_cover),
            pages,
        })
    }

    fn handle_command(&self, request: Bytes) -> Result<Vec<Bytes>, Refused> {
        let request: pb::CommandRequest =
            decode::message("command request", request).map_err(not_understood)?;
        let provisional = request.cascade_id.is_some_and(|id| !id.is_empty());
        let command = self.sent(request.command, provisional)?;
        let book = self.coordinator.handle_command(command)?;
        let reply = pb::CommandResponse {
            events: Some(self.book_message(&book)),
            ..pb::CommandResponse::default()
        };
        Ok(vec![reply.encode_to_vec().into()])
    }

    fn speculate(&self, request: Bytes) -> Result<Vec<Bytes>, Refused> {
        use pb::temporal_query::PointInTime as Point;
        let request: pb::SpeculateCommandHandlerRequest =
            decode::message("speculative request", request).map_err(not_understood)?;
        let command = self.sent(request.command, false)?;
        let point = request
            .point_in_time
            .and_then(|query| query.point_in_time)
            .map(|point| match point {
                Point::AsOfTime(time) => PointInTime::Time(decode::timestamp(time)),
                Point::AsOfSequence(sequence) => PointInTime::Sequence(sequence),
            });
        let book = self.coordinator.speculate(command, point)?;
        let reply = pb::CommandResponse {
            events: Some(encode::emitted_book(&book, self.dialect)),
            ..pb::CommandResponse::default()
        };
        Ok(vec![reply.encode_to_vec().into()])
    }

    fn sent(
        &self,
        command: Option<Bytes>,
        provisional: bool,
    ) -> Result<Option<SentCommand>, Refused> {
        let Some(bytes) = command else {
            return Ok(None);
        };
        let message: pb::CommandBook =
            decode::message("command book", bytes.clone()).map_err(not_understood)?;
        let size = |page: &pb::CommandPage| match &page.payload {
            Some(pb::command_page::Payload::Command(command)) => command.value.len(),
            Some(pb::command_page::Payload::External(_)) | None => 0,
        };
        Ok(Some(SentCommand {
            payload_sizes: message.pages.iter().map(size).collect(),
            cover: message.cover.map(raw_cover),
            provisional,
            book: decode::command_book(&bytes, self.dialect),
        }))
    }

    fn book_message(&self, book: &ReplyBook) -> pb::EventBook {
        let cover = book.cover.as_ref().map(|cover| {
            if book.spells_main {
                encode::spelled_cover(cover, self.dialect)
            } else {
                encode::cover(cover)
            }
        });
        pb::EventBook {
            cover,
            snapshot: book.snapshot.clone(),
            pages: book.pages.clone(),
            next_sequence: book.next_sequence,
        }
    }

    fn encode_book(&self, book: &ReplyBook) -> Bytes {
        self.book_message(book).encode_to_vec().into()
    }

    fn refusal(&self, refused: Refused) -> Refusal {
        match refused {
            Refused::Plain(failure) => failure.into(),
            Refused::WithBook(failure, book) => Refusal {
                failure,
                details: self.encode_book(&book),
            },
            Refused::WithDetails(failure, details) => Refusal { failure, details },
        }
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
/// A request that does not decode: the servers of every core answer INTERNAL.
fn not_understood(error: DecodeError) -> Refused {
    Failure {
        code: Code::Internal,
        message: error.to_string(),
        info: None,
    }
    .into()
}

fn raw_cover(cover: pb::Cover) -> RawCover {
    RawCover {
        root: cover.root.map(|root| root.value.into()),
        domain: cover.domain,
        correlation_id: cover.correlation_id,
        edition: cover
            .edition
            .map(|edition| edition.name)
            .unwrap_or_default(),
    }
}

fn encode_root((domain, root): &(Domain, Root)) -> Bytes {
    let message = pb::AggregateRoot {
        domain: domain.to_string(),
        root: Some(encode::uuid(root)),
    };
    message.encode_to_vec().into()
}
