//! What a store holds of one stream or workflow. Streams are read in windows, so that memory is bounded by what is kept of
//! them, and a connection that breaks costs one window.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::StoreError;
use super::database::Parameter;
use super::reader::EventStore;
use super::rows::{Fields, KnownStream, content, edition_name, text};
use crate::capture::PageNote;
use crate::model::{Cover, Domain, History, Page, Root, Snapshot, Timestamp};
use crate::wire::StoredBook;

/// Number of pages that one query reads.
const PAGES: usize = 2_048;
/// Number of notes about pages that one query reads.
const NOTES: usize = 20_000;
/// Number of snapshots that one query reads.
const SNAPSHOTS: usize = 100;
/// Number of events of a workflow that are read.
const WORKFLOW: i64 = 100_000;

/// Turns a row into its sequence and a value.
type RowOf<'a, T> = &'a dyn Fn(Fields<'_>) -> Result<(u32, T), StoreError>;

/// A stream that is read in windows.
struct StreamWindow<'a> {
    table: &'static str,
    columns: &'a str,
    cover: &'a Cover,
    /// The first and the last sequence.
    span: (u32, u32),
    /// Number of rows in a window.
    size: usize,
}

impl<'a> StreamWindow<'a> {
    const fn of_events(columns: &'a str, cover: &'a Cover, span: (u32, u32), size: usize) -> Self {
        Self {
            table: "events",
            columns,
            cover,
            span,
            size,
        }
    }
}

impl EventStore {
    /// Passes on the rows of a stream between two sequences, in windows of so many rows. The first column is the sequence.
    fn each_row_of_stream<T>(
        &self,
        window: &StreamWindow<'_>,
        row: RowOf<'_, T>,
        found: &mut dyn FnMut(T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let cover = window.cover;
        let (root, stream) = (cover.root.to_string(), stream_name(cover));
        let name = edition_name(&cover.edition);
        let statement = self.statement_of(window, name.is_some());
        let (first, last) = window.span;
        // Without an end, a row with a sequence beyond `u32` is also read, and then refused.
        let mut first = if first == 0 { i64::MIN } else { first.into() };
        let last = if last == u32::MAX {
            i64::MAX
        } else {
            last.into()
        };
        let mut known = 0;
        loop {
            let mut parameters = vec![
                Parameter::Text(cover.domain.as_str()),
                Parameter::Text(&root),
                Parameter::Integer(first),
                Parameter::Integer(last),
            ];
            parameters.extend(name.map(Parameter::Text));
            let rows = self.rows(&stream, &statement, &parameters, row)?;
            let has_more = rows.len() == window.size;
            for (sequence, value) in rows.into_iter().skip(known) {
                first = sequence.into();
                found(value)?;
            }
            if !has_more {
                return Ok(());
            }
            // The next window begins with the last row, because the same sequence may be stored under two spellings of main.
            known = 1;
        }
    }

    /// The statement that reads a window of a stream.
    fn statement_of(&self, window: &StreamWindow<'_>, is_named: bool) -> String {
        // Each spelling of main is a query of its own, which finds its rows in the order of the index.
        let spellings: &[&str] = match (is_named, self.layout.main_is_null) {
            (true, _) => &["edition = $5"],
            (false, true) => &["edition IS NULL", "edition = 'angzarr'", "edition = ''"],
            (false, false) => &["edition = 'angzarr'", "edition = ''"],
        };
        let StreamWindow {
            table,
            columns,
            size,
            ..
        } = window;
        let rows = "domain = $1 AND root = $2 AND sequence >= CAST($3 AS BIGINT) AND sequence <= CAST($4 AS BIGINT)";
        let queries = spellings.iter().map(|spelling| {
            format!(
                "SELECT * FROM (SELECT {columns} FROM {table} WHERE {rows} AND {spelling} ORDER BY {table}.sequence LIMIT {size}) AS part"
            )
        });
        let queries: Vec<String> = queries.collect();
        format!("{} ORDER BY 1 LIMIT {size}", queries.join(" UNION ALL "))
    }

    pub(super) fn pages(&self, cover: &Cover, span: (u32, u32)) -> Result<Vec<Page>, StoreError> {
        let columns = content("event_data");
        let window = StreamWindow::of_events(&columns, cover, span, PAGES);
        let mut pages = Vec::new();
        self.each_row_of_stream(
            &window,
            &|mut fields| {
                let page = fields.page()?.0;
                Ok((page.sequence, page))
            },
            &mut |page| {
                pages.push(page);
                Ok(())
            },
        )?;
        Ok(pages)
    }

    pub(super) fn snapshots(&self, cover: &Cover) -> Result<Vec<Snapshot>, StoreError> {
        let columns = content("state_data");
        let window = StreamWindow {
            table: "snapshots",
            ..StreamWindow::of_events(&columns, cover, (0, u32::MAX), SNAPSHOTS)
        };
        let mut snapshots = Vec::new();
        // Counted before a row is collected, so that a window holds no more either.
        let size = Cell::new(0);
        self.each_row_of_stream(
            &window,
            &|mut fields| {
                let (snapshot, own) = fields.snapshot()?;
                size.set(size.get() + own);
                if size.get() > self.access.held_bytes {
                    return Err(StoreError::TooMuch {
                        place: self.place.clone(),
                        what: format!("{}: its snapshots hold", stream_name(cover)),
                        limit: format!("{} MiB", self.access.held_bytes >> 20),
                        advice: "; leave `store` out if a coordinator's `address` can answer instead",
                    });
                }
                Ok((snapshot.sequence, snapshot))
            },
            &mut |snapshot| {
                snapshots.push(snapshot);
                Ok(())
            },
        )?;
        Ok(snapshots)
    }

    /// Passes on what is noted about pages.
    pub(super) fn each_note(
        &self,
        cover: &Cover,
        span: (u32, u32),
        found: &mut dyn FnMut(PageNote) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let columns = format!(
            "CAST(sequence AS BIGINT), {}, {}",
            text("created_at"),
            self.layout.cause()
        );
        let window = StreamWindow::of_events(&columns, cover, span, NOTES);
        let streams = KnownStream::default();
        let row = |mut fields: Fields<'_>| {
            let note = fields.note(&streams)?;
            Ok((note.sequence, note))
        };
        self.each_row_of_stream(&window, &row, found)
    }

    pub(super) fn notes(
        &self,
        cover: &Cover,
        span: (u32, u32),
    ) -> Result<Vec<PageNote>, StoreError> {
        let mut notes = Vec::new();
        self.each_note(cover, span, &mut |note| {
            notes.push(note);
            Ok(())
        })?;
        Ok(notes)
    }

    pub(super) fn workflow(&self, id: &str) -> Result<Vec<StoredBook>, StoreError> {
        self.check_size_of_workflow(id)?;
        let statement = format!(
            "SELECT {}, {}, {}, {} FROM events WHERE correlation_id = $1 ORDER BY domain, root, edition, sequence LIMIT {WORKFLOW}",
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

    /// Refuses a workflow that is too large to be held in memory, before its events are read.
    fn check_size_of_workflow(&self, id: &str) -> Result<(), StoreError> {
        let statement = format!(
            "SELECT CAST(count(*) AS BIGINT), CAST(sum(size) AS BIGINT) FROM
             (SELECT length(event_data) AS size FROM events WHERE correlation_id = $1 LIMIT {}) AS sizes",
            WORKFLOW + 1
        );
        let what = "the events with the correlation id";
        let sizes = self.rows(what, &statement, &[Parameter::Text(id)], &|mut fields| {
            let mut number = || fields.number_or_null().unwrap_or_default();
            Ok((number(), number()))
        })?;
        let too_much = |limit: String| StoreError::TooMuch {
            place: self.place.clone(),
            what: "the workflow has".to_owned(),
            limit,
            advice: "; is its correlation id shared by everything? Capture one aggregate without --correlation",
        };
        match sizes.first() {
            Some((events, _)) if *events > WORKFLOW => Err(too_much(format!("{WORKFLOW} events"))),
            Some((_, bytes))
                if usize::try_from(*bytes).is_ok_and(|it| it > self.access.held_bytes) =>
            {
                Err(too_much(format!(
                    "{} MiB of events",
                    self.access.held_bytes >> 20
                )))
            }
            _ => Ok(()),
        }
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

    /// The last sequence that was inserted at or before a time.
    pub(super) fn end_at(&self, cover: &Cover, time: Timestamp) -> Result<Option<u32>, StoreError> {
        let mut end = None;
        self.each_note(cover, (0, u32::MAX), &mut |note| {
            let at = note.inserted_at.ok_or_else(|| StoreError::Row {
                place: self.place.clone(),
                row: format!(
                    "{}/{}, sequence {}",
                    cover.domain, cover.root, note.sequence
                ),
                reason: "its `created_at` is no time".to_owned(),
            })?;
            if at <= time {
                end = Some(note.sequence);
            }
            Ok(())
        })?;
        Ok(end)
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
