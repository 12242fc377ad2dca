//! The server side of a coordinator: decodes requests and encodes replies.
//!
//! Requests are passed on unchecked, because the coordinator itself decides how bad input is refused. Knows nothing of
//! stores or of the coordinator's behaviour.
//!
//! | module | owns |
//! |---|---|
//! | this one | queries, commands and speculative commands |
//! | `facts` | facts and compensation |
//! | `reactions` | speculative calls to sagas, process managers and projectors |
//! | `editions` | our own service that lists and deletes editions |
//! | `own_events` | our own service that speculates on events in the request |

mod editions;
mod facts;
mod own_events;
mod reactions;

use std::net::TcpListener;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

pub use editions::{DeletedEdition, DeletionRequest, EditionsClient, EditionsError, StoredEdition};
pub use facts::{FactInjection, ReceivedFacts};
pub use own_events::{AggregateSpeculation, ReactionSpeculation, Speculated};

use super::PointInTime;
use super::serve::{Methods, Server};
use crate::model::{
    Code, CommandBook, Cover, Domain, EmittedBook, Failure, Outcome, Reaction, Root, Stimulus,
};
use crate::wire::messages as pb;
use crate::wire::status::FailingStatus;
use crate::wire::{DecodeError, Dialect, decode, encode};

/// An unchecked cover.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawCover {
    /// Bytes of the root, if there is one.
    pub root: Option<Vec<u8>>,
    /// Domain.
    pub domain: String,
    /// Correlation id.
    pub correlation_id: String,
    /// Name of the edition; empty if there is none.
    pub edition: String,
}

/// Which pages an unchecked query requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedPages {
    /// All of them.
    Whole,
    /// From one sequence to another, or to the head.
    Range(u32, Option<u32>),
    /// These sequences.
    Sequences(Vec<u32>),
    /// The history at a point in time.
    AsOf(PointInTime),
    /// A temporal query without a point in time.
    MissingPointInTime,
}

/// An unchecked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedQuery {
    /// Aggregate or workflow.
    pub cover: Option<RawCover>,
    /// Which pages.
    pub pages: RequestedPages,
}

/// A received command book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedCommand {
    /// The addressee, unchecked.
    pub cover: Option<RawCover>,
    /// Size of each page's payload.
    pub payload_sizes: Vec<usize>,
    /// Whether the events are to be stored as provisional (two-phase commit).
    pub provisional: bool,
    /// The book, if it decodes.
    pub book: Result<CommandBook, DecodeError>,
}

/// An event book to return, with the stored bytes of pages and snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplyBook {
    /// The aggregate, if the reply names one.
    pub cover: Option<Cover>,
    /// Whether the cover names its edition even if it is main.
    pub spells_main: bool,
    /// Encoded snapshot.
    pub snapshot: Option<Bytes>,
    /// Encoded pages.
    pub pages: Vec<Bytes>,
    /// Sequence after the last page.
    pub next_sequence: u32,
}

/// A call that the coordinator refuses with a failing status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedCall {
    /// Without details.
    Plain(Failure),
    /// With a bare event book as details, as for stale commands.
    WithBook(Failure, ReplyBook),
    /// With details passed on from elsewhere.
    WithDetails(Failure, Bytes),
}

impl RefusedCall {
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

impl From<Failure> for RefusedCall {
    fn from(failure: Failure) -> Self {
        Self::Plain(failure)
    }
}

/// The methods of a coordinator. Its server treats all others as unknown.
pub trait Coordinator: Send + Sync + 'static {
    /// `GetEventBook`.
    fn event_book(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall>;
    /// `GetEvents`: any number of books.
    fn events(&self, query: &ReceivedQuery) -> Result<Vec<ReplyBook>, RefusedCall>;
    /// `Synchronize`: one book for each query of the stream.
    fn synchronize(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall>;
    /// `GetAggregateRoots`.
    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, RefusedCall>;
    /// `HandleCommand`; `None` if the request has no command.
    fn handle_command(&self, command: Option<ReceivedCommand>) -> Result<ReplyBook, RefusedCall>;
    /// `HandleSyncSpeculative`: returns the book exactly as the logic emitted it.
    fn speculate(
        &self,
        command: Option<ReceivedCommand>,
        point: Option<PointInTime>,
    ) -> Result<EmittedBook, RefusedCall>;
    /// `HandleEvent`; `None` if the request has no facts.
    fn handle_event(&self, facts: Option<ReceivedFacts>) -> Result<FactInjection, RefusedCall>;
    /// `HandleCompensation`: returns the logic's answer unchanged; `None` if the request has no command.
    fn compensate(&self, command: Option<ReceivedCommand>) -> Result<Outcome, RefusedCall>;
    /// `ExecuteSpeculative` of a saga, or `HandleSpeculative` of a process manager or projector: returns the component's
    /// answer.
    fn speculate_reaction(&self, stimulus: Stimulus) -> Result<Outcome, RefusedCall>;
    /// Runs a command on events of the caller.
    fn speculate_aggregate(
        &self,
        request: AggregateSpeculation,
    ) -> Result<Speculated<EmittedBook>, RefusedCall>;
    /// Delivers events of the caller to a saga or process manager.
    fn speculate_on_events(
        &self,
        request: ReactionSpeculation,
    ) -> Result<Speculated<Reaction>, RefusedCall>;
    /// Every stored named edition.
    fn editions(&self) -> Result<Vec<StoredEdition>, RefusedCall>;
    /// Deletes a named edition.
    fn delete_edition(&self, asked: &DeletionRequest) -> Result<DeletedEdition, RefusedCall>;
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
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
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
            _ => match self.speculate_on_events(method, request.clone()) {
                Some(replies) => replies,
                None => editions::answer(self.coordinator.as_ref(), method, request)?,
            },
        };
        Some(replies.map_err(|refused| self.refusal(refused)))
    }
}

impl CoordinatorService {
    #[allow(
        clippy::unused_self,
        reason = "consistent with the other request decoders"
    )]
    fn query(&self, request: Bytes) -> Result<ReceivedQuery, RefusedCall> {
        use pb::query::Selection;
        use pb::temporal_query::PointInTime as Point;
        let query: pb::Query = decode::message("query", request).map_err(not_understood)?;
        let pages = match query.selection {
            None => RequestedPages::Whole,
            Some(Selection::Range(range)) => RequestedPages::Range(range.lower, range.upper),
            Some(Selection::Sequences(set)) => RequestedPages::Sequences(set.values),
            Some(Selection::Temporal(temporal)) => match temporal.point_in_time {
                None => RequestedPages::MissingPointInTime,
                Some(Point::AsOfTime(time)) => {
                    RequestedPages::AsOf(PointInTime::Time(decode::timestamp(time)))
                }
                Some(Point::AsOfSequence(sequence)) => {
                    RequestedPages::AsOf(PointInTime::Sequence(sequence))
                }
            },
        };
        Ok(ReceivedQuery {
            cover: query.cover.map(raw_cover),
            pages,
        })
    }

    fn handle_command(&self, request: Bytes) -> Result<Vec<Bytes>, RefusedCall> {
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

    fn speculate(&self, request: Bytes) -> Result<Vec<Bytes>, RefusedCall> {
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
    ) -> Result<Option<ReceivedCommand>, RefusedCall> {
        let received = command.map(|bytes| received_command(&bytes, provisional, self.dialect));
        received.transpose().map_err(not_understood)
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

    fn refusal(&self, refused: RefusedCall) -> FailingStatus {
        match refused {
            RefusedCall::Plain(failure) => failure.into(),
            RefusedCall::WithBook(failure, book) => FailingStatus {
                failure,
                details: self.encode_book(&book),
            },
            RefusedCall::WithDetails(failure, details) => FailingStatus { failure, details },
        }
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes it by value"
)]
/// The error for a request that does not decode: every core answers INTERNAL.
fn not_understood(error: DecodeError) -> RefusedCall {
    Failure {
        code: Code::Internal,
        message: error.to_string(),
        info: None,
    }
    .into()
}

fn received_command(
    bytes: &Bytes,
    provisional: bool,
    dialect: Dialect,
) -> Result<ReceivedCommand, DecodeError> {
    let message: pb::CommandBook = decode::message("command book", bytes.clone())?;
    let size = |page: &pb::CommandPage| match &page.payload {
        Some(pb::command_page::Payload::Command(command)) => command.value.len(),
        Some(pb::command_page::Payload::External(_)) | None => 0,
    };
    Ok(ReceivedCommand {
        payload_sizes: message.pages.iter().map(size).collect(),
        cover: message.cover.map(raw_cover),
        provisional,
        book: decode::command_book(bytes, dialect),
    })
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
