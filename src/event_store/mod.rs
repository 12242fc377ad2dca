//! Production's own event store as a source: the tables that an Angzarr coordinator writes, in SQLite or Postgres.
//!
//! Owns where a store is (`location`), how a database is asked (`database`, `sqlite`, `postgres`), which tables it has
//! (`layout`), how it is opened (`reader`), what it holds of a stream (`streams`, `rows`), which aggregates there are
//! (`listing`), and which events have an id (`search`). `domain_store` answers the questions of `capture::EventQueries`. No
//! type in here has a method that writes, and both databases are opened so that they would refuse it.
//! Does not know configuration or fixtures.

mod database;
mod domain_store;
mod error;
mod layout;
mod listing;
mod location;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod rows;
mod search;
mod sqlite;
mod streams;

pub use domain_store::DomainStore;
pub use error::StoreError;
pub use location::{LocationError, StoreLocation};
pub use reader::{EventStore, HELD_BYTES, StoreAccess, StoreTunnel};
pub use search::{StoredCause, StoredEvent, StoredRun, StoredScan};
