//! The queries of a coordinator. Nothing else is ever sent to production.

use std::thread;

use bytes::Bytes;
use prost::Message;

use super::query_connection::{Query, QueryConnection};
use super::{CallError, Connection};
use crate::model::{Cover, Domain, Root, Timestamp};
use crate::wire::messages as pb;
use crate::wire::unknown::{Kept, UnreportedFields, unknown_in};
use crate::wire::{Dialect, StoredBook, decode, encode};

/// Which pages to request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    Whole,
    /// From one sequence to another, both included; without the second, to the head.
    Range(u32, Option<u32>),
    /// The history at a point in time.
    AsOf(PointInTime),
}

/// A point in time, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointInTime {
    /// After this event.
    Sequence(u32),
    /// After this instant.
    Time(Timestamp),
}

/// A query that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The reply does not decode.
    #[error("{address} answered {method} with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// Method that was called.
        method: &'static str,
        /// The decoding error.
        reason: decode::DecodeError,
    },
    /// The reply is for another aggregate.
    #[error(
        "{address} was asked for {asked} and answered with the events of {answered}; nothing of it was used: is this the \
         coordinator of that domain?"
    )]
    OtherAggregate {
        /// The address.
        address: String,
        /// The requested aggregate, as `DOMAIN/ROOT`.
        asked: String,
        /// The aggregate in the reply.
        answered: String,
    },
}

/// Client for the queries of one coordinator. It has no method that writes.
#[derive(Debug, Clone)]
pub struct QueryClient {
    connection: QueryConnection,
    dialect: Dialect,
    unknown: UnreportedFields,
}

impl QueryClient {
    /// A client on a connection, in a dialect.
    #[must_use]
    pub fn new(connection: impl Into<QueryConnection>, dialect: Dialect) -> Self {
        Self {
            connection: connection.into(),
            dialect,
            unknown: UnreportedFields::default(),
        }
    }

    /// Collects the unknown fields of replies in `unknown`, except those of pages and snapshots, which keep their bytes.
    #[must_use]
    pub fn collecting_unknown(self, unknown: UnreportedFields) -> Self {
        Self { unknown, ..self }
    }

    /// The dialect of its calls.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// Requests pages of one aggregate. The cover's correlation id is not sent: with it, a coordinator would run a query by
    /// correlation id and ignore the root.
    pub fn event_book(
        &self,
        cover: &Cover,
        selection: Selection,
    ) -> Result<StoredBook, QueryError> {
        let sent = pb::Cover {
            correlation_id: String::new(),
            ext: None,
            ..encode::cover(cover)
        };
        let query = pb::Query {
            cover: Some(sent),
            selection: selection_message(selection),
        };
        let message = query.encode_to_vec().into();
        let mut replies = self
            .connection
            .ask(self.dialect, Query::EventBook, &message)?;
        // A unary method has exactly one reply.
        let reply = replies.pop().unwrap_or_default();
        self.note_unknown("EventBook", &reply);
        let book = decode::event_book(reply)
            .map_err(|reason| self.garbage("EventQueryService/GetEventBook", reason))?;
        let of = |cover: &Cover| (cover.domain.clone(), cover.root);
        match book.cover.as_ref().map(of) {
            Some((domain, root)) if (&domain, root) != (&cover.domain, cover.root) => {
                Err(QueryError::OtherAggregate {
                    address: self.connection.address().to_owned(),
                    asked: format!("{}/{}", cover.domain, cover.root),
                    answered: format!("{domain}/{root}"),
                })
            }
            _ => Ok(book),
        }
    }

    /// Requests pages of one aggregate twice at once. Only the first request is retried: the second one is ahead of its time,
    /// and can be sent again.
    pub fn event_books(
        &self,
        cover: &Cover,
        selections: [Selection; 2],
    ) -> [Result<StoredBook, QueryError>; 2] {
        let ahead = Self {
            connection: self.connection.impatient(),
            ..self.clone()
        };
        let [first, second] = selections;
        thread::scope(|scope| {
            let ahead = scope.spawn(|| ahead.event_book(cover, second));
            let first = self.event_book(cover, first);
            let ahead = ahead.join();
            [first, ahead.expect("a query returns its errors")]
        })
    }

    /// The books of a workflow, in all domains and editions of the store: for each aggregate, only the pages with the
    /// correlation id. The cover's edition tells which timeline they are from.
    pub fn workflow(
        &self,
        domain: &Domain,
        correlation_id: &str,
    ) -> Result<Vec<StoredBook>, QueryError> {
        let query = pb::Query {
            cover: Some(pb::Cover {
                domain: domain.to_string(),
                correlation_id: correlation_id.to_owned(),
                ..pb::Cover::default()
            }),
            selection: None,
        };
        let message = query.encode_to_vec().into();
        let replies = self.connection.ask(self.dialect, Query::Events, &message)?;
        let read = |bytes: Bytes| {
            self.note_unknown("EventBook", &bytes);
            decode::event_book(bytes)
                .map_err(|reason| self.garbage("EventQueryService/GetEvents", reason))
        };
        let books: Vec<StoredBook> = replies.into_iter().map(read).collect::<Result<_, _>>()?;
        // Some coordinators return an empty book if they find nothing.
        Ok(books
            .into_iter()
            .filter(|book| !book.history.pages().is_empty())
            .collect())
    }

    /// Every aggregate on the main timeline of the coordinator's store. `found` gets each when it arrives.
    pub fn each_aggregate_root(
        &self,
        found: &mut dyn FnMut(Domain, Root),
    ) -> Result<(), QueryError> {
        let read = |bytes: Bytes| -> Result<_, decode::DecodeError> {
            self.note_unknown("AggregateRoot", &bytes);
            let message: pb::AggregateRoot = decode::message("aggregate root", bytes)?;
            let refused = |error| decode::DecodeError::new("aggregate root", &error);
            let root = message.root.unwrap_or_default();
            Ok((
                Domain::new(message.domain).map_err(refused)?,
                Root::from_slice(&root.value).map_err(refused)?,
            ))
        };
        let mut unreadable = None;
        let asked = self.connection.ask_each(
            self.dialect,
            Query::AggregateRoots,
            &Bytes::new(),
            &mut |bytes| match read(bytes) {
                Ok((domain, root)) if unreadable.is_none() => found(domain, root),
                Ok(_) => {}
                Err(reason) => {
                    unreadable.get_or_insert(reason);
                }
            },
        );
        if let Some(reason) = unreadable {
            return Err(self.garbage("EventQueryService/GetAggregateRoots", reason));
        }
        Ok(asked?)
    }

    /// The same aggregates as a list.
    pub fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryError> {
        let mut roots = Vec::new();
        self.each_aggregate_root(&mut |domain, root| roots.push((domain, root)))?;
        Ok(roots)
    }

    fn note_unknown(&self, message: &str, reply: &[u8]) {
        self.unknown.add(unknown_in(message, reply, Kept::Parts));
    }

    fn garbage(&self, method: &'static str, reason: decode::DecodeError) -> QueryError {
        QueryError::Garbage {
            address: self.connection.address().to_owned(),
            method,
            reason,
        }
    }
}

fn selection_message(selection: Selection) -> Option<pb::query::Selection> {
    match selection {
        Selection::Whole => None,
        Selection::Range(lower, upper) => Some(pb::query::Selection::Range(pb::SequenceRange {
            lower,
            upper,
        })),
        Selection::AsOf(point) => {
            let point = match point {
                PointInTime::Sequence(sequence) => {
                    pb::temporal_query::PointInTime::AsOfSequence(sequence)
                }
                PointInTime::Time(time) => {
                    pb::temporal_query::PointInTime::AsOfTime(encode::timestamp(time))
                }
            };
            Some(pb::query::Selection::Temporal(pb::TemporalQuery {
                point_in_time: Some(point),
            }))
        }
    }
}

/// Detects the dialect of a coordinator; `None` if it serves no known package.
pub fn detect_dialect(connection: &Connection) -> Result<Option<Dialect>, CallError> {
    QueryConnection::from(connection.clone()).detect_dialect()
}
