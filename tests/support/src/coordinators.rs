//! Local coordinators over a store in memory.

use std::net::TcpListener;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::model::Timestamp;
use angzarr_replay::internal::wire::Dialect;

/// 2026-11-23T00:01:30Z, when the events that a test begins with were stored.
pub const SEEDED: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};
/// A hundred seconds later: the present of a test.
pub const NOW: Timestamp = Timestamp {
    seconds: 1_795_392_190,
    nanos: 0,
};

/// Free port of this machine.
#[must_use]
pub fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Empty store in memory.
#[must_use]
pub fn stores() -> Stores {
    Stores::Shared(Arc::new(Store::in_memory().unwrap()))
}

/// Coordinator that holds these books and is not started yet. Its clock stands still.
#[must_use]
pub fn seeded(dialect: Dialect, books: &[SeedBook]) -> LocalCoordinator {
    let coordinator = LocalCoordinator::new(stores(), dialect, Arc::new(|| SEEDED));
    coordinator.seed(books, SEEDED).unwrap();
    coordinator
}

/// The same, started.
#[must_use]
pub fn coordinator(dialect: Dialect, books: &[SeedBook]) -> Server {
    seeded(dialect, books).start(listener()).unwrap()
}
