//! The queries that capture may send to production. None of them writes.

use crate::grpc::{QueryClient, QueryError, Selection};
use crate::model::{Cover, Domain, Root};
use crate::wire::{Dialect, StoredBook};

/// The queries of one domain's coordinator.
pub trait EventQueries {
    /// Pages of one aggregate.
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryError>;
    /// The pages with a correlation id, for all aggregates.
    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryError>;
    /// All aggregates in the store on the main timeline, possibly including other domains. `found` gets each when it
    /// arrives.
    fn each_aggregate_root(&self, found: &mut dyn FnMut(Domain, Root)) -> Result<(), QueryError>;
    /// The coordinator's dialect.
    fn dialect(&self) -> Dialect;
    /// The coordinator's address, for messages.
    fn place(&self) -> String;

    /// The same aggregates as a list.
    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, QueryError> {
        let mut roots = Vec::new();
        self.each_aggregate_root(&mut |domain, root| roots.push((domain, root)))?;
        Ok(roots)
    }
}

impl EventQueries for QueryClient {
    fn event_book(&self, cover: &Cover, selection: Selection) -> Result<StoredBook, QueryError> {
        Self::event_book(self, cover, selection)
    }

    fn workflow(&self, domain: &Domain, id: &str) -> Result<Vec<StoredBook>, QueryError> {
        Self::workflow(self, domain, id)
    }

    fn each_aggregate_root(&self, found: &mut dyn FnMut(Domain, Root)) -> Result<(), QueryError> {
        Self::each_aggregate_root(self, found)
    }

    fn dialect(&self) -> Dialect {
        Self::dialect(self)
    }

    fn place(&self) -> String {
        self.address().to_owned()
    }
}
