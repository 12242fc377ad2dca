//! The tables of a store, and the file that contains them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::Store;

/// Marks a file as a store: `AnRp` in ASCII.
const APPLICATION_ID: i64 = 0x416e_5270;
/// Version of the tables below.
const LAYOUT: i64 = 2;

const TABLES: &str = "
CREATE TABLE pages (
    domain TEXT NOT NULL,
    edition TEXT NOT NULL,       -- empty: the main timeline
    root BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    page BLOB NOT NULL,          -- encoded EventPage, unchanged
    correlation_id TEXT NOT NULL,
    created_at TEXT NOT NULL,    -- the page's own time, else that of its insertion; RFC 3339, nine digits, UTC
    UNIQUE (domain, edition, root, sequence)
) STRICT;
CREATE INDEX pages_by_correlation ON pages (correlation_id) WHERE correlation_id <> '';
CREATE TABLE snapshots (
    domain TEXT NOT NULL,
    edition TEXT NOT NULL,
    root BLOB NOT NULL,
    sequence INTEGER NOT NULL,   -- last page folded in
    snapshot BLOB NOT NULL,      -- encoded Snapshot
    PRIMARY KEY (domain, edition, root, sequence)
) STRICT;
";

/// Since layout 2.
const FACT_TABLES: &str = "
CREATE TABLE facts (
    domain TEXT NOT NULL,
    edition TEXT NOT NULL,
    root BLOB NOT NULL,
    external_id TEXT NOT NULL,   -- idempotency key, never empty
    first INTEGER NOT NULL,      -- sequences of the pages that were stored for it
    last INTEGER NOT NULL,
    PRIMARY KEY (domain, edition, root, external_id)
) STRICT;
";

/// A store that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or created.
    #[error("cannot open the event store {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The file is not a store.
    #[error(
        "{path} is not an event store of angzarr-replay ({found}); name a new file, or one that it wrote"
    )]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        found: &'static str,
    },
    /// The file was written by a later version.
    #[error(
        "the event store {path} has layout {layout}, this version reads layout {LAYOUT}: it was written by a newer angzarr-replay"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        layout: i64,
    },
    /// SQLite failed.
    #[error("the event store failed: {0}")]
    Failed(#[from] rusqlite::Error),
}

impl Store {
    /// An empty store that lives as long as this value.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        create(&connection)?;
        Ok(Self::new(connection))
    }

    /// The store in a file, which is created if it does not exist.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let cannot_open = |source| match source {
            rusqlite::Error::SqliteFailure(error, _)
                if error.code == rusqlite::ErrorCode::NotADatabase =>
            {
                StoreError::NotAStore {
                    path: path.to_owned(),
                    found: "it is not a SQLite file",
                }
            }
            source => StoreError::Open {
                path: path.to_owned(),
                source,
            },
        };
        let connection = Connection::open(path).map_err(cannot_open)?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(cannot_open)?;
        let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let application = pragma("application_id").map_err(cannot_open)?;
        let layout = pragma("user_version").map_err(cannot_open)?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(cannot_open)?;
        match (application, layout) {
            (0, 0) if tables == 0 => create(&connection).map_err(cannot_open)?,
            (APPLICATION_ID, LAYOUT) => {}
            (APPLICATION_ID, 1) => connection
                .execute_batch(&format!(
                    "BEGIN IMMEDIATE; {FACT_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"
                ))
                .map_err(cannot_open)?,
            (APPLICATION_ID, layout) if layout > LAYOUT => {
                return Err(StoreError::Newer {
                    path: path.to_owned(),
                    layout,
                });
            }
            _ => {
                return Err(StoreError::NotAStore {
                    path: path.to_owned(),
                    found: "its tables are another program's",
                });
            }
        }
        Ok(Self::new(connection))
    }
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {FACT_TABLES}
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT}; COMMIT;"
    ))
}
