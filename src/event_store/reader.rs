//! An open store, and what it holds of one stream or workflow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::database::{Database, Field, Parameter};
use super::layout::Layout;
use super::rows::{Fields, content, edition_name, text};
use super::sqlite::SqliteDatabase;
use super::{StoreError, StoreLocation};
use crate::capture::PageNote;
use crate::grpc::{QueryPolicy, Secret, Tls, Way, pauses};
use crate::model::{Cover, Domain, History, Page, Root, Snapshot, Timestamp};
use crate::wire::StoredBook;

/// How a store is accessed.
#[derive(Clone)]
pub struct StoreAccess {
    /// Password of a database server.
    pub password: Option<Secret>,
    /// TLS settings of a database server; `None` for the default.
    pub tls: Option<Tls>,
    /// Time limit of one query.
    pub deadline: Duration,
    /// Rate limit and bounds.
    pub policy: Arc<QueryPolicy>,
    /// How often a query is repeated if the connection to a database server breaks.
    pub retries: u32,
    /// The way to a database server, if it is ours to keep open.
    pub tunnel: Option<StoreTunnel>,
}

/// The way to a database server.
#[derive(Debug, Clone)]
pub struct StoreTunnel {
    /// Opens it again when it ends.
    pub way: Arc<dyn Way>,
    /// What `{port}` in the location stands for.
    pub port: String,
}

/// The main timeline, where it has a name.
const MAIN_BY_NAME: &str = "edition IN ('', 'angzarr')";

/// An open event store. All its methods read.
pub struct EventStore {
    database: Mutex<Box<dyn Database + Send>>,
    pub(super) layout: Layout,
    pub(super) place: String,
    access: StoreAccess,
}

impl EventStore {
    /// Opens a store and checks its tables.
    pub fn open(location: &StoreLocation, access: &StoreAccess) -> Result<Self, StoreError> {
        let mut attempts = Attempts::of(access);
        loop {
            match Self::open_once(location, access) {
                Err(error) if error.is_broken() => attempts.again(error)?,
                opened => return opened,
            }
        }
    }

    fn open_once(location: &StoreLocation, access: &StoreAccess) -> Result<Self, StoreError> {
        let place = location.to_string();
        let mut database: Box<dyn Database + Send> = match location {
            StoreLocation::Sqlite { file, .. } => {
                Box::new(SqliteDatabase::open(file, &place, access.deadline)?)
            }
            #[cfg(feature = "postgres")]
            StoreLocation::Postgres(url) => Box::new(super::postgres::PostgresDatabase::open(
                url, &place, access,
            )?),
            #[cfg(not(feature = "postgres"))]
            StoreLocation::Postgres(_) => return Err(StoreError::NoPostgres { place }),
        };
        let layout = Layout::of(database.as_mut(), &place)?;
        Ok(Self {
            database: Mutex::new(database),
            layout,
            place,
            access: access.clone(),
        })
    }

    /// The layout of its tables.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The place of the store, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The rows of a `SELECT`, each made into a value. `what` names a row in messages. If the connection breaks, it is made
    /// again, and the statement runs again from its beginning, so callers ask for few rows at a time.
    pub(super) fn rows<T>(
        &self,
        what: &str,
        statement: &str,
        parameters: &[Parameter<'_>],
        row: &dyn Fn(Fields<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut attempts = Attempts::of(&self.access);
        loop {
            match self.rows_once(what, statement, parameters, row) {
                Err(error) if error.is_broken() => attempts.again(error)?,
                answer => {
                    if let Some(tunnel) = &self.access.tunnel {
                        tunnel.way.note_success();
                    }
                    return answer;
                }
            }
            self.database().disconnect();
        }
    }

    fn rows_once<T>(
        &self,
        what: &str,
        statement: &str,
        parameters: &[Parameter<'_>],
        row: &dyn Fn(Fields<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let policy = &self.access.policy;
        let over_bound = |bound| StoreError::OverBound {
            place: self.place.clone(),
            bound,
        };
        policy.count_query().map_err(over_bound)?;
        policy.wait_for_turn();
        let mut rows = Vec::new();
        self.database()
            .select(statement, parameters, &mut |fields| {
                let bytes = fields.iter().map(size_of_field).sum();
                policy.count_bytes(bytes).map_err(over_bound)?;
                rows.push(row(Fields::new(&self.place, what.to_owned(), fields))?);
                Ok(())
            })?;
        Ok(rows)
    }

    fn database(&self) -> MutexGuard<'_, Box<dyn Database + Send>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the database says that a column contains these bytes.
    pub(super) fn contains(&self, column: &str, bytes: &str) -> String {
        self.database().contains(column, bytes)
    }

    /// The rows of a stream between two sequences.
    fn rows_of_stream<T>(
        &self,
        (table, columns): (&str, &str),
        cover: &Cover,
        (first, last): (u32, u32),
        row: &dyn Fn(Fields<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let root = cover.root.to_string();
        let name = edition_name(&cover.edition);
        // A row beyond every sequence is found, and refused, where no end is given.
        let first = if first == 0 { i64::MIN } else { first.into() };
        let last = if last == u32::MAX {
            i64::MAX
        } else {
            last.into()
        };
        let mut parameters = vec![
            Parameter::Text(cover.domain.as_str()),
            Parameter::Text(&root),
            Parameter::Integer(first),
            Parameter::Integer(last),
        ];
        parameters.extend(name.map(Parameter::Text));
        let rows = "domain = $1 AND root = $2 AND sequence >= CAST($3 AS BIGINT) AND sequence <= CAST($4 AS BIGINT)";
        let of_rows =
            |condition| format!("SELECT {columns} FROM {table} WHERE {rows} AND {condition}");
        // Each spelling of main is a query of its own, which uses the index.
        let statement = match name {
            Some(_) => of_rows("edition = $5"),
            None if self.layout.main_is_null => {
                format!(
                    "{} UNION ALL {}",
                    of_rows("edition IS NULL"),
                    of_rows(MAIN_BY_NAME)
                )
            }
            None => of_rows(MAIN_BY_NAME),
        };
        let stream = stream_name(cover);
        // The first column is the sequence.
        let statement = format!("{statement} ORDER BY 1");
        self.rows(&stream, &statement, &parameters, row)
    }

    pub(super) fn pages(&self, cover: &Cover, span: (u32, u32)) -> Result<Vec<Page>, StoreError> {
        let columns = content("event_data");
        self.rows_of_stream(("events", &columns), cover, span, &|mut fields| {
            Ok(fields.page()?.0)
        })
    }

    pub(super) fn snapshots(&self, cover: &Cover) -> Result<Vec<Snapshot>, StoreError> {
        let columns = content("state_data");
        let span = (0, u32::MAX);
        self.rows_of_stream(("snapshots", &columns), cover, span, &|mut fields| {
            Ok(fields.snapshot()?.0)
        })
    }

    pub(super) fn notes(
        &self,
        cover: &Cover,
        span: (u32, u32),
    ) -> Result<Vec<PageNote>, StoreError> {
        let columns = format!(
            "CAST(sequence AS BIGINT), {}, {}",
            text("created_at"),
            self.layout.cause()
        );
        self.rows_of_stream(("events", &columns), cover, span, &|mut fields| {
            fields.note()
        })
    }

    pub(super) fn workflow(&self, id: &str) -> Result<Vec<StoredBook>, StoreError> {
        let statement = format!(
            "SELECT {}, {}, {}, {} FROM events WHERE correlation_id = $1 ORDER BY domain, root, edition, sequence",
            text("domain"),
            text("root"),
            text("edition"),
            content("event_data")
        );
        let what = "a row with the correlation id";
        let rows = self.rows(what, &statement, &[Parameter::Text(id)], &|mut fields| {
            let cover = fields.cover()?;
            Ok((cover, fields.page()?.0))
        })?;
        let mut streams: BTreeMap<(Domain, Root, String), (Cover, Vec<Page>)> = BTreeMap::new();
        for (cover, page) in rows {
            let key = (
                cover.domain.clone(),
                cover.root,
                cover.edition.label().to_owned(),
            );
            let (_, pages) = streams.entry(key).or_insert_with(|| (cover, Vec::new()));
            pages.push(page);
        }
        let books = streams.into_values();
        books
            .map(|(cover, pages)| self.book(cover, pages))
            .collect()
    }

    pub(super) fn book(&self, cover: Cover, pages: Vec<Page>) -> Result<StoredBook, StoreError> {
        let history = History::new(pages).map_err(|error| StoreError::Row {
            place: self.place.clone(),
            row: format!("{}/{}", cover.domain, cover.root),
            reason: error.to_string(),
        })?;
        Ok(StoredBook {
            next_sequence: history.next_sequence(),
            cover: Some(cover),
            snapshot: None,
            history,
        })
    }

    /// Where the pages end that were inserted at or before a time.
    pub(super) fn end_at(&self, cover: &Cover, time: Timestamp) -> Result<Option<u32>, StoreError> {
        let notes = self.notes(cover, (0, u32::MAX))?;
        if let Some(note) = notes.iter().find(|note| note.inserted_at.is_none()) {
            return Err(StoreError::Row {
                place: self.place.clone(),
                row: format!(
                    "{}/{}, sequence {}",
                    cover.domain, cover.root, note.sequence
                ),
                reason: "its `created_at` is no time".to_owned(),
            });
        }
        let existed = |note: &&PageNote| note.inserted_at.is_some_and(|at| at <= time);
        Ok(notes.iter().rfind(existed).map(|note| note.sequence))
    }
}

/// Attempts to ask a database whose connection breaks.
struct Attempts<'a> {
    access: &'a StoreAccess,
    pauses: Box<dyn Iterator<Item = Duration>>,
    failures: u32,
}

impl<'a> Attempts<'a> {
    fn of(access: &'a StoreAccess) -> Self {
        Self {
            access,
            pauses: Box::new(pauses()),
            failures: 0,
        }
    }

    /// Waits before the next attempt, and opens the way again if it ended. Returns the error after the last attempt.
    fn again(&mut self, broken: StoreError) -> Result<(), StoreError> {
        let tunnel = self.access.tunnel.as_ref();
        if self.failures == self.access.retries {
            return Err(match tunnel.and_then(|tunnel| tunnel.way.ended()) {
                Some(reason) => StoreError::WayEnded { reason },
                None => broken,
            });
        }
        self.failures += 1;
        std::thread::sleep(self.pauses.next().unwrap_or_default());
        if let Some(tunnel) = tunnel {
            tunnel.way.restore(self.failures);
        }
        Ok(())
    }
}

/// A stream, for messages.
pub(super) fn stream_name(cover: &Cover) -> String {
    format!(
        "{}/{} (edition {})",
        cover.domain,
        cover.root,
        cover.edition.label()
    )
}

fn size_of_field(field: &Field) -> usize {
    match field {
        Field::Null | Field::Integer(_) => 8,
        Field::Text(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
    }
}
