//! The queries that capture may send to production. None of them writes.

use std::fmt;
use std::sync::Arc;

use super::RootPart;
use crate::grpc::{PointInTime, QueryClient, QueryError, Selection};
use crate::model::{Cover, Domain, Page, Root, Snapshot, Timestamp};
use crate::wire::{Dialect, StoredBook};

/// A query without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFailure {
    /// A coordinator did not answer.
    #[error(transparent)]
    Coordinator(#[from] QueryError),
    /// An event store cannot be read.
    #[error("{reason}")]
    Store {
        /// Where, why, and what to do.
        reason: String,
    },
}

impl QueryFailure {
    /// Whether the answer exceeded the size limit of a message.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self, Self::Coordinator(QueryError::Call(error)) if error.is_too_large())
    }
}

/// The queries of one domain: to its coordinator, or to its event store.
pub trait EventQueries {
    /// Pages of one aggregate.
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryFailure>;
    /// Pages of one aggregate, for two selections. A coordinator is asked for both at once; the second answer may be a
    /// failure that asking again avoids.
    fn event_books(
        &self,
        cover: &Cover,
        selections: [Selection; 2],
    ) -> [Result<StoredBook, QueryFailure>; 2] {
        selections.map(|selection| self.event_book(cover, selection))
    }
    /// The pages with a correlation id, for all aggregates.
    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryFailure>;
    /// All aggregates in the store on the main timeline, possibly including other domains. `found` gets each when it
    /// arrives.
    fn each_aggregate_root(&self, found: &mut dyn FnMut(Domain, Root)) -> Result<(), QueryFailure>;
    /// The dialect of the pages.
    fn dialect(&self) -> Dialect;
    /// The address of the coordinator or the place of the store, for messages.
    fn place(&self) -> String;

    /// The same aggregates as a list.
    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryFailure> {
        let mut roots = Vec::new();
        self.each_aggregate_root(&mut |domain, root| roots.push((domain, root)))?;
        Ok(roots)
    }

    /// The sequence after the last page that existed at a point in time.
    fn head_at(&self, cover: &Cover, time: Timestamp) -> Result<u32, QueryFailure> {
        let book = self.event_book(cover, Selection::AsOf(PointInTime::Time(time)))?;
        Ok(book.history.next_sequence())
    }

    /// What only an event store knows; `None` for a coordinator.
    fn store(&self) -> Option<&dyn StoreQueries> {
        None
    }
}

/// What an event store knows and a coordinator does not tell.
pub trait StoreQueries {
    /// All stored snapshots of a stream, the oldest first.
    fn snapshots(&self, cover: &Cover) -> Result<Vec<Snapshot>, QueryFailure>;
    /// What the store notes about pages, from one sequence to another, both included.
    fn notes(&self, cover: &Cover, first: u32, last: u32) -> Result<Vec<PageNote>, QueryFailure>;
    /// The aggregates of a domain on the main timeline whose root begins like this, in order. `found` gets each when it
    /// arrives.
    fn each_root(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(Root),
    ) -> Result<(), QueryFailure>;
    /// The same with their number of events, which the store counts.
    fn each_summary(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(StreamSummary),
    ) -> Result<(), QueryFailure>;
    /// What was read from where, in words.
    fn origin(&self) -> String;
}

/// What a store notes about a page, beside the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageNote {
    /// Sequence of the page.
    pub sequence: u32,
    /// When it was inserted; `None` if the column holds no time.
    pub inserted_at: Option<Timestamp>,
    /// The event that caused it.
    pub caused_by: Option<PageCause>,
}

/// The event that caused a page, as a store notes it. There may be one for each page of a long history, so it is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCause {
    /// Domain and root.
    pub stream: Arc<str>,
    /// Sequence.
    pub sequence: i64,
}

impl fmt::Display for PageCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, sequence {}", self.stream, self.sequence)
    }
}

/// An aggregate in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSummary {
    /// Its root.
    pub root: Root,
    /// How many events it has.
    pub count: usize,
    /// The last one.
    pub last: Page,
}

impl EventQueries for QueryClient {
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryFailure> {
        Ok(Self::event_book(self, cover, selection)?)
    }

    fn event_books(
        &self,
        cover: &Cover,
        selections: [Selection; 2],
    ) -> [Result<StoredBook, QueryFailure>; 2] {
        Self::event_books(self, cover, selections).map(|answer| Ok(answer?))
    }

    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryFailure> {
        Ok(Self::workflow(self, domain, id)?)
    }

    fn each_aggregate_root(&self, found: &mut dyn FnMut(Domain, Root)) -> Result<(), QueryFailure> {
        Ok(Self::each_aggregate_root(self, found)?)
    }

    fn dialect(&self) -> Dialect {
        Self::dialect(self)
    }

    fn place(&self) -> String {
        self.address().to_owned()
    }
}
