//! Production's own event store as a source: the tables that an Angzarr coordinator writes, in SQLite or Postgres.
//!
//! Owns where a store is (`location`), how a database is asked (`database`, `sqlite`, `postgres`), which tables it has
//! (`layout`), and how rows become pages (`reader`, `rows`). A store answers the questions of `capture::EventQueries` and
//! nothing else: no type in here has a method that writes, and both databases are opened so that they would refuse it.
//! Does not know configuration or fixtures.

mod database;
mod error;
mod layout;
mod location;
#[cfg(feature = "postgres")]
mod postgres;
mod reader;
mod rows;
mod sqlite;

pub use error::StoreError;
pub use location::{LocationError, StoreLocation};
pub use reader::{DomainStore, EventStore, StoreAccess};
