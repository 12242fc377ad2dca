//! The queries of one domain, answered by a store.

use std::sync::Arc;

use super::listing::ANY_ROOT;
use super::{EventStore, StoreError};
use crate::capture::{EventQueries, PageNote, QueryFailure, RootPart, StoreQueries, StreamSummary};
use crate::grpc::{PointInTime, Selection};
use crate::model::{Cover, Domain, Root, Snapshot, Timestamp};
use crate::wire::{Dialect, StoredBook};

/// The queries of one domain to a store, and who told the dialect.
pub struct DomainStore {
    store: Arc<EventStore>,
    dialect: Dialect,
    dialect_from: String,
}

impl DomainStore {
    /// `dialect_from` says in words how the dialect is known.
    #[must_use]
    pub const fn new(store: Arc<EventStore>, dialect: Dialect, dialect_from: String) -> Self {
        Self {
            store,
            dialect,
            dialect_from,
        }
    }
}

impl From<StoreError> for QueryFailure {
    fn from(error: StoreError) -> Self {
        Self::Store {
            reason: error.to_string(),
        }
    }
}

impl EventQueries for DomainStore {
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryFailure> {
        let span = match selection {
            Selection::Whole => Some((0, u32::MAX)),
            Selection::Range(first, last) => Some((first, last.unwrap_or(u32::MAX))),
            Selection::AsOf(PointInTime::Sequence(last)) => Some((0, last)),
            Selection::AsOf(PointInTime::Time(time)) => {
                let last = self.store.end_at(cover, time)?;
                last.map(|last| (0, last))
            }
        };
        let pages = span.map(|span| self.store.pages(cover, span));
        let pages = pages.transpose()?.unwrap_or_default();
        Ok(self.store.book(cover.clone(), pages)?)
    }

    fn workflow(&self, _: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryFailure> {
        Ok(self.store.workflow(id)?)
    }

    fn each_aggregate_root(&self, found: &mut dyn FnMut(Domain, Root)) -> Result<(), QueryFailure> {
        for domain in self.store.domains()? {
            self.store
                .each_root(&domain, &ANY_ROOT, &mut |root| found(domain.clone(), root))?;
        }
        Ok(())
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn place(&self) -> String {
        self.store.place.clone()
    }

    fn head_at(&self, cover: &Cover, time: Timestamp) -> Result<u32, QueryFailure> {
        let last = self.store.end_at(cover, time)?;
        Ok(last.map_or(0, |last| last.saturating_add(1)))
    }

    fn store(&self) -> Option<&dyn StoreQueries> {
        Some(self)
    }
}

impl StoreQueries for DomainStore {
    fn snapshots(&self, cover: &Cover) -> Result<Vec<Snapshot>, QueryFailure> {
        Ok(self.store.snapshots(cover)?)
    }

    fn notes(&self, cover: &Cover, first: u32, last: u32) -> Result<Vec<PageNote>, QueryFailure> {
        Ok(self.store.notes(cover, (first, last))?)
    }

    fn each_root(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(Root),
    ) -> Result<(), QueryFailure> {
        Ok(self.store.each_root(domain, part, found)?)
    }

    fn each_summary(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(StreamSummary),
    ) -> Result<(), QueryFailure> {
        Ok(self.store.each_summary(domain, part, found)?)
    }

    fn origin(&self) -> String {
        format!(
            "events, snapshots and insert times from {}; dialect {}",
            self.store.place, self.dialect_from
        )
    }
}
