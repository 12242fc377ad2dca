//! What is read is what is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use angzarr_replay::internal::capture::{EventQueries, Fetched, UpTo, fetch_history};
use angzarr_replay::internal::grpc::Selection;
use angzarr_replay::internal::model::{Cover, Edition, EditionName, Page};
use angzarr_replay::internal::wire::{encode_page, encode_snapshot};
use rusqlite::Connection;

use super::{DOMAINS, SNAPPY, Stores, open, queries};

fn fetch(queries: &dyn EventQueries, cover: &Cover, up_to: UpTo) -> Fetched {
    fetch_history(queries, cover, up_to, &mut |_| {}).unwrap()
}

fn bytes(pages: &[Page]) -> Vec<Vec<u8>> {
    pages
        .iter()
        .map(|page| encode_page(page).to_vec())
        .collect()
}

/// The rows of the main timeline by root, read without this project.
fn stored(stores: &Stores, domain: &str) -> BTreeMap<String, Vec<Vec<u8>>> {
    let connection = Connection::open(stores.file(domain)).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT root, event_data FROM events WHERE edition = 'angzarr' OR edition IS NULL
             ORDER BY root, sequence",
        )
        .unwrap();
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let pages = found.entry(row.get(0).unwrap()).or_default();
        pages.push(row.get(1).unwrap());
    }
    found
}

fn cover(domain: &str, root: &str) -> Cover {
    Cover::main(domain.parse().unwrap(), root.parse().unwrap())
}

#[test]
fn every_page_of_a_real_deployment_is_read_byte_for_byte() {
    let stores = Stores::of(&DOMAINS);
    let mut pages = 0;
    for domain in DOMAINS {
        let rows = stored(&stores, domain);
        let queries = queries(&stores.file(domain));
        for (root, expected) in &rows {
            let fetched = fetch(&queries, &cover(domain, root), UpTo::Head);
            assert_eq!(bytes(fetched.history.pages()), *expected, "{domain}/{root}");
            pages += expected.len();
        }
        let roots = queries.aggregate_roots().unwrap();
        let roots: Vec<String> = roots.iter().map(|(_, root)| root.to_string()).collect();
        assert_eq!(roots, rows.keys().cloned().collect::<Vec<_>>());
    }
    assert_eq!(pages, 4_853);
}

#[test]
fn the_layout_of_may_2026_gives_the_same_pages_and_another_dialect() {
    let stores = Stores::of(&["snappy", "table"]);
    let expected = stored(&stores, "table");
    let dialect = |domain| open(&stores.file(domain)).unwrap().layout().dialect();
    assert_eq!(dialect("table").name(), "angzarr");
    for domain in ["snappy", "table"] {
        stores.to_may(domain);
    }
    assert_eq!(dialect("table").name(), "angzarr_client.proto.angzarr.v1");
    let table = queries(&stores.file("table"));
    for (root, expected) in expected {
        let fetched = fetch(&table, &cover("table", &root), UpTo::Head);
        assert_eq!(bytes(fetched.history.pages()), expected, "{root}");
    }
    let snappy = fetch(
        &queries(&stores.file("snappy")),
        &cover("snappy", SNAPPY),
        UpTo::Head,
    );
    assert_eq!(snappy.snapshots.len(), 2);
}

#[test]
fn an_edition_is_read_with_the_part_of_main_that_it_branched_from() {
    let stores = Stores::of(&["player"]);
    let queries = queries(&stores.file("player"));
    let main = cover("player", "6ad546e6-99e2-47bf-bb73-86b6b64902e5");
    let branch = Cover {
        edition: Edition::Named {
            name: EditionName::new("branch").unwrap(),
            divergences: Vec::new(),
        },
        ..main.clone()
    };
    let (main, branch) = (
        fetch(&queries, &main, UpTo::Head),
        fetch(&queries, &branch, UpTo::Head),
    );
    let (main_pages, pages) = (main.history.pages(), branch.history.pages());
    assert_eq!(pages.len(), 4);
    assert_eq!(pages[..2], main_pages[..2]);
    assert_ne!(pages[2], main_pages[2]);
    // The insert times are those of the pages that were read: main's first, then its own.
    let times: Vec<_> = pages.iter().map(|page| branch.time_of(page)).collect();
    assert!(times.is_sorted() && times[0].is_some(), "{times:?}");
    assert_ne!(times[2], main.time_of(&main_pages[2]));
}

#[test]
fn a_case_gets_the_snapshot_that_production_had_at_its_head() {
    let stores = Stores::of(&["snappy"]);
    let queries = queries(&stores.file("snappy"));
    let fetched = fetch(&queries, &cover("snappy", SNAPPY), UpTo::Head);
    let before = |head| fetched.snapshot_before(head).map(|it| it.sequence);
    assert_eq!(
        [4, 5, 9, 10, 13].map(before),
        [None, Some(4), Some(4), Some(9), Some(9)]
    );
    let rows = Connection::open(stores.file("snappy")).unwrap();
    for snapshot in &fetched.snapshots {
        let in_row: Vec<u8> = rows
            .query_row(
                "SELECT state_data FROM snapshots WHERE root = ?1 AND sequence = ?2",
                (SNAPPY, snapshot.sequence),
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(encode_snapshot(snapshot).to_vec(), in_row);
    }
}

#[test]
fn a_time_selects_by_the_insert_time_because_the_pages_have_none() {
    let stores = Stores::of(&["snappy"]);
    let queries = queries(&stores.file("snappy"));
    // Sequence 4 was inserted at 52.273426493.
    let at = |nanos| {
        let time = angzarr_replay::internal::model::Timestamp {
            seconds: 1_795_914_232,
            nanos,
        };
        fetch(&queries, &cover("snappy", SNAPPY), UpTo::Time(time))
    };
    assert!(at(999_999_999).history.pages()[0].created_at.is_none());
    for (nanos, expected) in [
        (0, 0),
        (273_426_492, 4),
        (273_426_493, 5),
        (273_426_494, 5),
        (999_999_999, 13),
    ] {
        assert_eq!(at(nanos).history.next_sequence(), expected, "{nanos}");
    }
    // What comes later is not lost: it says what the command stored.
    assert_eq!(at(273_426_493).later.len(), 8);
}

#[test]
fn a_gap_in_the_store_is_a_gap_in_the_history() {
    let stores = Stores::of(&["player"]);
    stores.change(
        "player",
        "DELETE FROM events WHERE sequence BETWEEN 10 AND 2500 AND root LIKE '32833106%'",
    );
    let root = cover("player", "32833106-536e-45df-80b2-d002cc92d33d");
    let mut read = Vec::new();
    let queries = queries(&stores.file("player"));
    let fetched = fetch_history(&queries, &root, UpTo::Head, &mut |count| read.push(count));
    let fetched = fetched.unwrap();
    assert_eq!(fetched.history.gaps(), [(10, 2500)]);
    assert_eq!(fetched.history.pages().len(), 510);
    // Read in windows.
    assert_eq!(read, [10, 510, 510]);
}

#[test]
fn reading_changes_no_file_and_creates_none() {
    let stores = Stores::of(&["snappy"]);
    let read = || {
        let queries = queries(&stores.file("snappy"));
        let pages = fetch(&queries, &cover("snappy", SNAPPY), UpTo::Head);
        assert_eq!(pages.history.pages().len(), 13);
    };
    let check = |what| {
        let before = stores.contents();
        read();
        assert!(stores.contents() == before, "{what}");
    };
    check("without a log");
    stores.change("snappy", "PRAGMA journal_mode = WAL");
    check("with a log, and nobody has the file open");

    // Somebody has it open, and an event is in the log only.
    let production = Connection::open(stores.file("snappy")).unwrap();
    production
        .execute_batch("PRAGMA wal_autocheckpoint = 0; DELETE FROM events WHERE sequence = 12")
        .unwrap();
    let names: Vec<_> = stores.contents().into_keys().collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let before = stores.contents();
    let open = queries(&stores.file("snappy"));
    let fetched = fetch(&open, &cover("snappy", SNAPPY), UpTo::Head);
    assert_eq!(fetched.history.pages().len(), 12);
    // Production goes on writing while it is read.
    production
        .execute_batch("DELETE FROM events WHERE sequence = 11")
        .unwrap();
    let fetched = fetch(&open, &cover("snappy", SNAPPY), UpTo::Head);
    assert_eq!(fetched.history.pages().len(), 11);
    drop(open);
    let after = stores.contents();
    assert!(before.keys().eq(after.keys()));
    // The log is still production's own: nothing was moved into the file.
    assert!(before[&stores.file("snappy")] == after[&stores.file("snappy")]);
}

/// Replaces the events of the aggregate in `snappy` by this many copies of its first one, and notes the same cause for each.
fn lengthen(stores: &Stores, count: u32) {
    let mut connection = Connection::open(stores.file("snappy")).unwrap();
    let main = queries(&stores.file("snappy"));
    let first = fetch(&main, &cover("snappy", SNAPPY), UpTo::Head)
        .history
        .pages()[0]
        .clone();
    let changed = connection.transaction().unwrap();
    changed
        .execute("DELETE FROM events WHERE root = ?1", [SNAPPY])
        .unwrap();
    for sequence in 0..count {
        let page = Page {
            sequence,
            original: None,
            ..first.clone()
        };
        // The main timeline has two spellings.
        let edition = if sequence % 3 == 0 { "" } else { "angzarr" };
        let second = 1_700_000_000 + i64::from(sequence);
        changed
            .prepare_cached(
                "INSERT INTO events (domain, edition, root, sequence, created_at, event_data, source_domain, source_root, source_seq)
                 VALUES ('snappy', ?1, ?2, ?3, strftime('%Y-%m-%dT%H:%M:%SZ', ?4, 'unixepoch'), ?5, 'player', ?2, ?3)",
            )
            .unwrap()
            .execute((edition, SNAPPY, sequence, second, encode_page(&page).to_vec()))
            .unwrap();
    }
    changed.commit().unwrap();
}

#[test]
fn a_long_stream_is_read_in_windows_and_in_order() {
    const COUNT: u32 = 45_000;
    let stores = Stores::of(&["snappy"]);
    lengthen(&stores, COUNT);
    // A gap, where a window of notes ends.
    stores.change(
        "snappy",
        "DELETE FROM events WHERE sequence BETWEEN 19990 AND 20010",
    );
    let expected: Vec<u32> = (0..COUNT)
        .filter(|it| !(19_990..=20_010).contains(it))
        .collect();
    let queries = queries(&stores.file("snappy"));
    let cover = cover("snappy", SNAPPY);
    let whole = queries.event_book(&cover, Selection::Whole).unwrap();
    let sequences: Vec<u32> = whole
        .history
        .pages()
        .iter()
        .map(|page| page.sequence)
        .collect();
    assert_eq!(sequences, expected);
    let notes = queries.store().unwrap().notes(&cover, 7, 40_003).unwrap();
    let covered: Vec<u32> = notes.iter().map(|note| note.sequence).collect();
    assert_eq!(
        covered,
        expected
            .iter()
            .copied()
            .filter(|it| (7..=40_003).contains(it))
            .collect::<Vec<_>>()
    );
    let last = notes.last().unwrap();
    let cause = last.caused_by.as_ref().unwrap();
    assert_eq!(
        cause.to_string(),
        format!("player/{SNAPPY}, sequence 40003")
    );
    // The name of the stream is held once.
    let first = notes[0].caused_by.as_ref().unwrap();
    assert!(Arc::ptr_eq(&first.stream, &cause.stream));
    let time = last.inserted_at.unwrap();
    assert_eq!(queries.head_at(&cover, time).unwrap(), 40_004);
}
