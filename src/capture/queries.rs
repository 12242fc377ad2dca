//! What capture may ask of production. There is nothing here that writes.

use crate::grpc::{QueryClient, QueryError, Selection};
use crate::model::{Cover, Domain, Root};
use crate::wire::{Dialect, StoredBook};

/// The queries of one domain's coordinator.
pub trait EventQueries {
    /// Pages of one aggregate.
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryError>;
    /// Of every aggregate the pages that carry a correlation id.
    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryError>;
    /// Every aggregate of the store, main timeline, possibly of other domains too.
    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryError>;
    /// Dialect that it speaks.
    fn dialect(&self) -> Dialect;
    /// Where it is, for messages.
    fn place(&self) -> String;
}

impl EventQueries for QueryClient {
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryError> {
        Self::event_book(self, cover, selection)
    }

    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryError> {
        Self::workflow(self, domain, id)
    }

    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryError> {
        Self::aggregate_roots(self)
    }

    fn dialect(&self) -> Dialect {
        Self::dialect(self)
    }

    fn place(&self) -> String {
        self.address().to_owned()
    }
}
