//! The event store: SQLite, in memory or in a file, with any number of domains.
//!
//! Owns the tables and the order of appends. Pages and snapshots are bytes here, and stored unchanged. Does not know what
//! they mean, nor how timelines branch.

mod editions;
mod facts;
mod file;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

pub use file::StoreError;

use crate::coordination;
use crate::model::{Domain, EditionName, Root};

/// One timeline of one aggregate, without the pages of the timeline that it branched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Domain.
    pub domain: Domain,
    /// Edition; none for the main timeline.
    pub edition: Option<EditionName>,
    /// Root.
    pub root: Root,
}

impl Stream {
    /// The main timeline of the same aggregate.
    #[must_use]
    pub fn main(&self) -> Self {
        Self {
            edition: None,
            ..self.clone()
        }
    }

    fn edition_text(&self) -> &str {
        self.edition.as_ref().map_or("", EditionName::as_str)
    }
}

/// A stored page: its sequence and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPage {
    /// Sequence.
    pub sequence: u32,
    /// The encoded page.
    pub bytes: Vec<u8>,
}

/// A page to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPage {
    /// Sequence.
    pub sequence: u32,
    /// The encoded page.
    pub bytes: Vec<u8>,
    /// The time for queries by time: RFC 3339 in UTC with nine digits.
    pub created_at: String,
}

/// What one transaction stores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Append {
    /// Head of a stream that has no pages yet.
    pub base: u32,
    /// Head that the writer saw; none if it does not matter.
    pub seen: Option<u32>,
    /// The pages, in order.
    pub pages: Vec<NewPage>,
    /// Correlation id of the pages.
    pub correlation_id: String,
    /// Snapshot: last sequence folded in, and its encoding.
    pub snapshot: Option<(u32, Vec<u8>)>,
    /// Idempotency key of the pages; empty if there is none.
    pub external_id: String,
}

/// Why an append failed: it came too late, or does not continue the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendConflict {
    /// The head.
    pub expected: u32,
    /// Sequence of the offending page.
    pub got: u32,
    /// Whether another append moved the head since the writer saw it.
    pub moved: bool,
}

impl From<coordination::Conflict> for AppendConflict {
    fn from(conflict: coordination::Conflict) -> Self {
        Self {
            expected: conflict.expected,
            got: conflict.got,
            moved: false,
        }
    }
}

/// Part of a stream's own pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Between two sequences, both included.
    Range(u32, u32),
    /// Created at or before this time.
    Until(&'a str),
}

impl Part<'_> {
    /// All of them.
    pub const WHOLE: Self = Part::Range(0, u32::MAX);
}

/// An event store.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    const fn new(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // If the lock is poisoned, the transaction was rolled back, so the connection is still usable.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        let any: i64 = self.connection().query_row(
            "SELECT EXISTS (SELECT 1 FROM pages) OR EXISTS (SELECT 1 FROM snapshots)",
            [],
            |row| row.get(0),
        )?;
        Ok(any == 0)
    }

    /// A stream's own pages, or part of them, in order.
    pub fn pages(&self, stream: &Stream, part: Part<'_>) -> Result<Vec<StoredPage>, StoreError> {
        let (lower, upper, until) = match part {
            Part::Range(lower, upper) => (lower, upper, None),
            Part::Until(time) => (0, u32::MAX, Some(time)),
        };
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT sequence, page FROM pages
             WHERE domain = ?1 AND edition = ?2 AND root = ?3 AND sequence BETWEEN ?4 AND ?5
               AND (?6 IS NULL OR created_at <= ?6)
             ORDER BY sequence",
        )?;
        let rows = statement.query_map(
            params![
                stream.domain.as_str(),
                stream.edition_text(),
                stream.root.as_bytes(),
                lower,
                upper,
                until
            ],
            |row| {
                Ok(StoredPage {
                    sequence: row.get(0)?,
                    bytes: row.get(1)?,
                })
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lowest and highest sequence of a stream's own pages; none if it has none.
    pub fn bounds(&self, stream: &Stream) -> Result<Option<(u32, u32)>, StoreError> {
        Ok(bounds(&self.connection(), stream)?)
    }

    /// Sequence after all of a stream's own pages and snapshots: the pages before a snapshot may never have been stored here.
    /// None if it has neither.
    pub fn head(&self, stream: &Stream) -> Result<Option<u32>, StoreError> {
        Ok(head(&self.connection(), stream)?)
    }

    /// Newest snapshot of a stream: last sequence folded in, and its bytes.
    pub fn newest_snapshot(&self, stream: &Stream) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT sequence, snapshot FROM snapshots
             WHERE domain = ?1 AND edition = ?2 AND root = ?3 ORDER BY sequence DESC LIMIT 1",
        )?;
        let key = params![
            stream.domain.as_str(),
            stream.edition_text(),
            stream.root.as_bytes()
        ];
        let found = statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// All pages of one workflow by stream, in the order in which the streams were first written.
    pub fn correlated(
        &self,
        correlation_id: &str,
    ) -> Result<Vec<(Stream, Vec<StoredPage>)>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT domain, edition, root, sequence, page FROM pages WHERE correlation_id = ?1
             ORDER BY min(rowid) OVER (PARTITION BY domain, edition, root), sequence",
        )?;
        let rows = statement.query_map([correlation_id], |row| {
            let page = StoredPage {
                sequence: row.get(3)?,
                bytes: row.get(4)?,
            };
            Ok((stream_of(row)?, page))
        })?;
        let mut found: Vec<(Stream, Vec<StoredPage>)> = Vec::new();
        for row in rows {
            let (stream, page) = row?;
            match found.last_mut() {
                Some((last, pages)) if *last == stream => pages.push(page),
                _ => found.push((stream, vec![page])),
            }
        }
        Ok(found)
    }

    /// Every aggregate that has pages on the main timeline, in the order of first writing.
    pub fn roots(&self) -> Result<Vec<(Domain, Root)>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT domain, edition, root FROM pages WHERE edition = ''
             GROUP BY domain, root ORDER BY min(rowid)",
        )?;
        let rows = statement.query_map([], |row| {
            let stream = stream_of(row)?;
            Ok((stream.domain, stream.root))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Stores pages and snapshot together, or nothing. `contiguous` asks for pages without gaps.
    pub fn append(
        &self,
        stream: &Stream,
        append: &Append,
        contiguous: bool,
    ) -> Result<Result<(), AppendConflict>, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let head = head(&transaction, stream)?.unwrap_or(append.base);
        if let Some(conflict) = conflict(head, append, contiguous) {
            return Ok(Err(conflict));
        }
        insert(&transaction, stream, append)?;
        transaction.commit()?;
        Ok(Ok(()))
    }

    /// The whole content, one line per row, sorted by key, to compare two states of a store.
    pub fn dump(&self) -> Result<Vec<String>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT 'page', domain, edition, hex(root), sequence, hex(page), correlation_id || ' ' || created_at
             FROM pages
             UNION ALL SELECT 'snapshot', domain, edition, hex(root), sequence, hex(snapshot), '' FROM snapshots
             UNION ALL SELECT 'fact', domain, edition, hex(root), first, hex(external_id), last || '' FROM facts
             ORDER BY 1, 2, 3, 4, 5",
        )?;
        let rows = statement.query_map([], |row| {
            let text = |column| row.get::<_, String>(column);
            let sequence: u32 = row.get(4)?;
            Ok(format!(
                "{} {}/{}/{} {sequence} {} {}",
                text(0)?,
                text(1)?,
                text(2)?,
                text(3)?,
                text(5)?,
                text(6)?
            ))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn bounds(connection: &Connection, stream: &Stream) -> rusqlite::Result<Option<(u32, u32)>> {
    let mut statement = connection.prepare_cached(
        "SELECT min(sequence), max(sequence) FROM pages
         WHERE domain = ?1 AND edition = ?2 AND root = ?3",
    )?;
    let key = params![
        stream.domain.as_str(),
        stream.edition_text(),
        stream.root.as_bytes()
    ];
    let (lowest, highest): (Option<u32>, Option<u32>) =
        statement.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(lowest.zip(highest))
}

fn head(connection: &Connection, stream: &Stream) -> rusqlite::Result<Option<u32>> {
    let mut statement = connection.prepare_cached(
        "SELECT max(sequence) FROM (
             SELECT sequence FROM pages WHERE domain = ?1 AND edition = ?2 AND root = ?3
             UNION ALL
             SELECT sequence FROM snapshots WHERE domain = ?1 AND edition = ?2 AND root = ?3
         )",
    )?;
    let key = params![
        stream.domain.as_str(),
        stream.edition_text(),
        stream.root.as_bytes()
    ];
    let last: Option<u32> = statement.query_row(key, |row| row.get(0))?;
    Ok(last.map(|last| last.saturating_add(1)))
}

fn conflict(head: u32, append: &Append, contiguous: bool) -> Option<AppendConflict> {
    let moved = append.seen.is_some_and(|seen| seen != head);
    let mut expected = head;
    for page in &append.pages {
        let fits = if contiguous {
            page.sequence == expected
        } else {
            page.sequence >= expected
        };
        if moved || !fits {
            let got = page.sequence;
            return Some(AppendConflict {
                expected,
                got,
                moved,
            });
        }
        expected = page.sequence.saturating_add(1);
    }
    None
}

fn insert(connection: &Connection, stream: &Stream, append: &Append) -> rusqlite::Result<()> {
    let (domain, edition) = (stream.domain.as_str(), stream.edition_text());
    let mut statement =
        connection.prepare_cached("INSERT INTO pages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for page in &append.pages {
        statement.execute(params![
            domain,
            edition,
            stream.root.as_bytes(),
            page.sequence,
            page.bytes,
            append.correlation_id,
            page.created_at
        ])?;
    }
    if let Some((sequence, bytes)) = &append.snapshot {
        connection.execute(
            "INSERT OR REPLACE INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5)",
            params![domain, edition, stream.root.as_bytes(), sequence, bytes],
        )?;
    }
    facts::remember(connection, stream, append)
}

/// The key in a row's first three columns. Only valid names are written; others come from another program.
fn stream_of(row: &Row<'_>) -> rusqlite::Result<Stream> {
    let foreign = |column: usize, error: crate::model::IdError| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    };
    let edition: String = row.get(1)?;
    let root: Vec<u8> = row.get(2)?;
    Ok(Stream {
        domain: Domain::new(row.get::<_, String>(0)?).map_err(|error| foreign(0, error))?,
        edition: match edition.as_str() {
            "" => None,
            name => Some(EditionName::new(name).map_err(|error| foreign(1, error))?),
        },
        root: Root::from_slice(&root).map_err(|error| foreign(2, error))?,
    })
}
