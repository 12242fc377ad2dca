//! Stores that cannot be read.

use super::layout::EXPECTED;
use crate::grpc::ReachedBound;

/// A store that cannot be read. `place` is its location.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such file.
    #[error(
        "{place}: there is no such file; name the file that the coordinator writes (it is never created here)"
    )]
    Missing {
        /// The store.
        place: String,
    },
    /// It is a folder, a device or a pipe.
    #[error("{place}: this is no regular file; name the file that the coordinator writes")]
    NoFile {
        /// The store.
        place: String,
    },
    /// The file cannot be opened.
    #[error("{place}: cannot be opened: {reason}; may this user read it?")]
    Unreadable {
        /// The store.
        place: String,
        /// The system's or SQLite's reason.
        reason: String,
    },
    /// The file is not a database.
    #[error("{place}: this is not a SQLite file; name the file that the coordinator writes")]
    NotSqlite {
        /// The store.
        place: String,
    },
    /// Reading it would create a file beside it.
    #[error(
        "{place}: a write-ahead log lies beside it that no process has open, and reading it would create a file there; copy both files \
         to another folder, run `sqlite3 COPY 'PRAGMA journal_mode = DELETE'`, and name the copy"
    )]
    LeftLog {
        /// The store.
        place: String,
    },
    /// The file changed although nobody seemed to have it open.
    #[error("{place}: it changed while it was read, so nothing of it was used; repeat the command")]
    Changed {
        /// The store.
        place: String,
    },
    /// Another process has it locked.
    #[error(
        "{place}: it stayed locked by another process for {seconds} s; repeat the command, raise `deadline`, or name a copy of the file"
    )]
    Locked {
        /// The store.
        place: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The file is damaged.
    #[error(
        "{place}: it is damaged or cut off ({reason}); copy it again with `sqlite3 FILE '.backup COPY'`, which also copies a file in use"
    )]
    Damaged {
        /// The store.
        place: String,
        /// SQLite's reason.
        reason: String,
    },
    /// The tables are not those of a store.
    #[error("{place}: {found}; is it the store of an Angzarr coordinator? {EXPECTED} are known")]
    OtherTables {
        /// The store.
        place: String,
        /// What is missing.
        found: String,
    },
    /// A row that makes no sense.
    #[error("{place}: {row}: {reason}; nothing of it was used")]
    Row {
        /// The store.
        place: String,
        /// Which row, as far as it is known.
        row: String,
        /// What is wrong.
        reason: String,
    },
    /// A bound on all queries to the source was reached.
    #[error(
        "{place}: there is more to read, but the bound `{bound}` of its source is reached; raise it if the amount is right"
    )]
    OverBound {
        /// The store.
        place: String,
        /// The bound that was reached.
        bound: ReachedBound,
    },
    /// There is more of something than is held in memory.
    #[error("{place}: {what} more than {limit}, which is too much to hold in memory{advice}")]
    TooMuch {
        /// The store.
        place: String,
        /// What holds it, as the beginning of a sentence.
        what: String,
        /// How much is read at most.
        limit: String,
        /// What to do, with the separator before it.
        advice: &'static str,
    },
    /// Support for Postgres was not built in.
    #[error(
        "{place}: this program was built without Postgres; build it with the feature `postgres` (`cargo install --path . --features \
         postgres`, or `features = [\"postgres\"]` of the dependency `angzarr-replay`), or use a released program"
    )]
    NoPostgres {
        /// The store.
        place: String,
    },
    /// The database cannot be reached.
    #[error("{place}: cannot connect: {reason}{advice}")]
    Unreachable {
        /// The store.
        place: String,
        /// Why.
        reason: String,
        /// What to do, with the separator before it; may be empty.
        advice: &'static str,
    },
    /// The connection broke, and was not made again as often as it may be tried.
    #[error("{place}: the connection broke: {reason}; repeat the command")]
    Broken {
        /// The store.
        place: String,
        /// Why.
        reason: String,
    },
    /// The way to the database ended.
    #[error("{reason}")]
    WayEnded {
        /// How it ended.
        reason: String,
    },
    /// The database refused or interrupted a query.
    #[error("{place}: {reason}{advice}")]
    Query {
        /// The store.
        place: String,
        /// The database's message.
        reason: String,
        /// What to do, with the separator before it; may be empty.
        advice: &'static str,
    },
}

impl StoreError {
    /// Whether another connection may answer.
    pub(super) const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }

    /// The same for a database that was reached before.
    #[cfg(feature = "postgres")]
    pub(super) fn into_broken(self) -> Self {
        match self {
            Self::Unreachable { place, reason, .. } => Self::Broken { place, reason },
            other => other,
        }
    }
}
