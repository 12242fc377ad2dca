//! The questions that a store answers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::database::{Database, Field, Parameter};
use super::layout::Layout;
use super::rows::{Fields, content, edition_name, text};
use super::sqlite::SqliteDatabase;
use super::{StoreError, StoreLocation};
use crate::capture::{EventQueries, PageNote, QueryFailure, StoreQueries, StreamSummary};
use crate::grpc::{PointInTime, QueryPolicy, Secret, Selection, Tls};
use crate::model::{Cover, Domain, History, Page, Root, Snapshot, Timestamp};
use crate::wire::{Dialect, StoredBook};

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
}

/// The main timeline, where it has a name.
const MAIN_BY_NAME: &str = "edition IN ('', 'angzarr')";

/// An open event store. All its methods read.
pub struct EventStore {
    database: Mutex<Box<dyn Database + Send>>,
    layout: Layout,
    place: String,
    policy: Arc<QueryPolicy>,
}

impl EventStore {
    /// Opens a store and checks its tables.
    pub fn open(location: &StoreLocation, access: &StoreAccess) -> Result<Self, StoreError> {
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
            policy: Arc::clone(&access.policy),
        })
    }

    /// The layout of its tables.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The domains that have events.
    pub fn domains(&self) -> Result<Vec<Domain>, StoreError> {
        let mut domains: Vec<Domain> = Vec::new();
        // One look into the index for each domain, not for each event.
        let statement = format!(
            "SELECT {} FROM events WHERE domain > $1",
            text("min(domain)")
        );
        loop {
            let after = domains.last().map_or("", Domain::as_str).to_owned();
            let mut next = None;
            self.select(&statement, &[Parameter::Text(&after)], &mut |fields| {
                if fields != [Field::Null] {
                    next = Some(self.fields("the table `events`", fields).domain()?);
                }
                Ok(ControlFlow::Break(()))
            })?;
            match next {
                Some(domain) => domains.push(domain),
                None => return Ok(domains),
            }
        }
    }

    fn fields(&self, row: impl Into<String>, fields: Vec<Field>) -> Fields<'_> {
        Fields::new(&self.place, row.into(), fields)
    }

    fn select(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: &mut dyn FnMut(Vec<Field>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let over_bound = |bound| StoreError::OverBound {
            place: self.place.clone(),
            bound,
        };
        self.policy.count_query().map_err(over_bound)?;
        self.policy.wait_for_turn();
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        database.select(statement, parameters, &mut |fields| {
            let bytes = fields.iter().map(size_of_field).sum();
            self.policy.count_bytes(bytes).map_err(over_bound)?;
            each(fields)
        })
    }

    /// Selects from the rows of a stream between two sequences. `each` also gets the name of the stream.
    fn select_of_stream(
        &self,
        columns: &str,
        table: &str,
        cover: &Cover,
        (first, last): (u32, u32),
        each: &mut dyn FnMut(Fields<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
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
        let stream = format!(
            "{}/{root} (edition {})",
            cover.domain,
            cover.edition.label()
        );
        self.select(
            // The first column is the sequence.
            &format!("{statement} ORDER BY 1"),
            &parameters,
            &mut |fields| {
                each(self.fields(stream.clone(), fields))?;
                Ok(ControlFlow::Continue(()))
            },
        )
    }

    /// Rows on the main timeline.
    fn on_main(&self, rows: &str) -> String {
        if self.layout.main_is_null {
            format!("{rows} AND (edition IS NULL OR {MAIN_BY_NAME})")
        } else {
            format!("{rows} AND {MAIN_BY_NAME}")
        }
    }

    fn pages(&self, cover: &Cover, span: (u32, u32)) -> Result<Vec<Page>, StoreError> {
        let mut pages = Vec::new();
        let columns = content("event_data");
        self.select_of_stream(&columns, "events", cover, span, &mut |mut fields| {
            pages.push(fields.page()?.0);
            Ok(())
        })?;
        Ok(pages)
    }

    fn snapshots(&self, cover: &Cover) -> Result<Vec<Snapshot>, StoreError> {
        let mut snapshots = Vec::new();
        let columns = content("state_data");
        let span = (0, u32::MAX);
        self.select_of_stream(&columns, "snapshots", cover, span, &mut |mut fields| {
            snapshots.push(fields.snapshot()?.0);
            Ok(())
        })?;
        Ok(snapshots)
    }

    fn notes(&self, cover: &Cover, span: (u32, u32)) -> Result<Vec<PageNote>, StoreError> {
        let caused_by = if self.layout.has_provenance {
            let (domain, root) = (text("source_domain"), text("source_root"));
            format!("{domain}, {root}, CAST(source_seq AS BIGINT)")
        } else {
            "NULL, NULL, NULL".to_owned()
        };
        let columns = format!(
            "CAST(sequence AS BIGINT), {}, {caused_by}",
            text("created_at")
        );
        let mut notes = Vec::new();
        self.select_of_stream(&columns, "events", cover, span, &mut |mut fields| {
            notes.push(fields.note()?);
            Ok(())
        })?;
        Ok(notes)
    }

    fn workflow(&self, id: &str) -> Result<Vec<StoredBook>, StoreError> {
        let statement = format!(
            "SELECT {}, {}, {}, {} FROM events WHERE correlation_id = $1 ORDER BY domain, root, edition, sequence",
            text("domain"),
            text("root"),
            text("edition"),
            content("event_data")
        );
        let mut streams: BTreeMap<(Domain, Root, String), (Cover, Vec<Page>)> = BTreeMap::new();
        self.select(&statement, &[Parameter::Text(id)], &mut |fields| {
            let mut fields = self.fields("a row with the correlation id", fields);
            let (domain, root, edition) = (fields.domain()?, fields.root()?, fields.edition()?);
            fields.named(format!("{domain}/{root} (edition {})", edition.label()));
            let page = fields.page()?.0;
            let key = (domain.clone(), root, edition.label().to_owned());
            let cover = Cover {
                edition,
                ..Cover::main(domain, root)
            };
            let (_, pages) = streams.entry(key).or_insert_with(|| (cover, Vec::new()));
            pages.push(page);
            Ok(ControlFlow::Continue(()))
        })?;
        let books = streams.into_values();
        books
            .map(|(cover, pages)| self.book(cover, pages))
            .collect()
    }

    fn book(&self, cover: Cover, pages: Vec<Page>) -> Result<StoredBook, StoreError> {
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

    fn roots(&self) -> Result<Vec<(Domain, Root)>, StoreError> {
        let statement = format!(
            "SELECT {}, {} FROM events WHERE {} GROUP BY domain, root ORDER BY domain, root",
            text("domain"),
            text("root"),
            self.on_main("domain IS NOT NULL")
        );
        let mut roots = Vec::new();
        self.select(&statement, &[], &mut |fields| {
            let mut fields = self.fields("the table `events`", fields);
            roots.push((fields.domain()?, fields.root()?));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(roots)
    }

    fn summaries(&self, domain: &Domain) -> Result<Vec<StreamSummary>, StoreError> {
        let statement = format!(
            "WITH streams AS (SELECT root AS stream, count(*) AS many, max(sequence) AS newest FROM events WHERE {} GROUP BY root)
             SELECT {}, CAST(many AS BIGINT), {} FROM streams JOIN events ON root = stream AND sequence = newest
             WHERE {} ORDER BY stream",
            self.on_main("domain = $1"),
            text("stream"),
            content("event_data"),
            self.on_main("domain = $1"),
        );
        let mut summaries = Vec::new();
        let parameters = [Parameter::Text(domain.as_str())];
        self.select(&statement, &parameters, &mut |fields| {
            let mut fields = self.fields(format!("domain {domain}"), fields);
            let root = fields.root()?;
            let count = fields.number("count")?;
            fields.named(format!("{domain}/{root}"));
            summaries.push(StreamSummary {
                root,
                count: usize::try_from(count).unwrap_or(usize::MAX),
                last: fields.page()?.0,
            });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(summaries)
    }

    /// Where the pages end that were inserted at or before a time.
    fn end_at(&self, cover: &Cover, time: Timestamp) -> Result<Option<u32>, StoreError> {
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

fn size_of_field(field: &Field) -> usize {
    match field {
        Field::Null | Field::Integer(_) => 8,
        Field::Text(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
    }
}

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
        for (domain, root) in self.store.roots()? {
            found(domain, root);
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

    fn summaries(&self, domain: &Domain) -> Result<Vec<StreamSummary>, QueryFailure> {
        Ok(self.store.summaries(domain)?)
    }

    fn origin(&self) -> String {
        format!(
            "events, snapshots and insert times from {}; dialect {}",
            self.store.place, self.dialect_from
        )
    }
}
