//! The queries of a coordinator: everything that may be asked of production.

use bytes::Bytes;
use prost::Message;

use super::query_connection::{Query, QueryConnection};
use super::{CallError, Connection};
use crate::model::{Cover, Domain, Root, Timestamp};
use crate::wire::messages as pb;
use crate::wire::unknown::{Kept, UnknownSeen, unknown_in};
use crate::wire::{Dialect, StoredBook, decode, encode};

/// Which pages are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    Whole,
    /// From one sequence to another, both included; to the head where the second is missing.
    Range(u32, Option<u32>),
    /// As the history was at a point in time.
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

/// A query that has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The reply makes no sense.
    #[error("{address} answered {method} with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// Method that was called.
        method: &'static str,
        /// What is wrong with them.
        reason: decode::DecodeError,
    },
    /// The reply is another aggregate's.
    #[error(
        "{address} was asked for {asked} and answered with the events of {answered}; nothing of that is taken: is this the \
         coordinator of that domain?"
    )]
    OtherAggregate {
        /// The address.
        address: String,
        /// The aggregate that was asked for, as `DOMAIN/ROOT`.
        asked: String,
        /// The one in the reply.
        answered: String,
    },
}

/// Asks one coordinator's queries. It has no method that writes.
#[derive(Debug, Clone)]
pub struct QueryClient {
    connection: QueryConnection,
    dialect: Dialect,
    unknown: UnknownSeen,
}

impl QueryClient {
    /// Queries over a connection, in a dialect.
    #[must_use]
    pub fn new(connection: impl Into<QueryConnection>, dialect: Dialect) -> Self {
        Self {
            connection: connection.into(),
            dialect,
            unknown: UnknownSeen::default(),
        }
    }

    /// The same queries, noting here which unknown fields the replies have outside of pages and snapshots, which keep
    /// their bytes.
    #[must_use]
    pub fn noting_unknown(self, unknown: UnknownSeen) -> Self {
        Self { unknown, ..self }
    }

    /// The dialect spoken.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// `HOST:PORT` or `unix:/PATH`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// Asks for pages of one aggregate. The cover's correlation id is not sent: a coordinator would take it for
    /// another kind of query and ignore the root.
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
        // Of a unary method there is exactly one.
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

    /// Every book of a workflow, of whatever domain and edition the store has: of each aggregate the pages that carry
    /// the correlation id, and no others. The cover's edition says which timeline they are of.
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
        // Nothing found is answered with an empty book by some.
        Ok(books
            .into_iter()
            .filter(|book| !book.history.pages().is_empty())
            .collect())
    }

    /// Every aggregate of the coordinator's store, main timeline.
    pub fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryError> {
        let replies = self
            .connection
            .ask(self.dialect, Query::AggregateRoots, &Bytes::new())?;
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
        replies
            .into_iter()
            .map(|bytes| {
                read(bytes)
                    .map_err(|reason| self.garbage("EventQueryService/GetAggregateRoots", reason))
            })
            .collect()
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

/// Finds out which dialect a coordinator speaks. Nothing where no package is known there.
pub fn detect_dialect(connection: &Connection) -> Result<Option<Dialect>, CallError> {
    QueryConnection::from(connection.clone()).detect_dialect()
}
