//! Stores that cannot be read: one message each, with the place, the reason and what to do.

use std::time::Duration;

use angzarr_replay::internal::capture::{EventQueries, StoreQueries};
use angzarr_replay::internal::event_store::{DomainStore, EventStore, StoreAccess};
use angzarr_replay::internal::grpc::{Bounds, QueryPolicy, Selection};
use angzarr_replay::internal::model::Cover;
use angzarr_replay::internal::wire::{Dialect, encode_snapshot};
use rusqlite::Connection;

use super::{SNAPPY, Stores, access, location, open, queries};

/// The message about a store.
fn refused(stores: &Stores, name: &str) -> String {
    match open(&stores.path(name)) {
        Ok(_) => panic!("{name} was opened"),
        Err(error) => error.to_string(),
    }
}

fn snappy() -> Cover {
    Cover::main("snappy".parse().unwrap(), SNAPPY.parse().unwrap())
}

/// The message about the pages of an aggregate of `snappy`, after a change.
fn unreadable(statements: &str) -> String {
    let stores = Stores::of(&["snappy"]);
    stores.change("snappy", statements);
    let read = queries(&stores.file("snappy")).event_book(&snappy(), Selection::Whole);
    read.unwrap_err().to_string()
}

#[test]
fn a_file_that_is_no_store_is_named_with_what_it_is() {
    let stores = Stores::of(&["snappy", "table"]);
    std::fs::write(stores.path("text.sqlite"), "no database".repeat(20)).unwrap();
    std::fs::write(stores.path("short.sqlite"), b"SQLite format 3\0").unwrap();
    std::fs::create_dir(stores.path("folder")).unwrap();
    stores.change("snappy", "ALTER TABLE events RENAME TO other");
    stores.change("table", "ALTER TABLE events DROP COLUMN event_data");
    Connection::open(stores.path("viewed.sqlite"))
        .unwrap()
        .execute_batch("CREATE VIEW events AS SELECT 1 AS domain; CREATE TABLE snapshots (domain)")
        .unwrap();
    insta::assert_snapshot!(
        [
            "missing.sqlite",
            "folder",
            "text.sqlite",
            "short.sqlite",
            "snappy.sqlite",
            "table.sqlite",
            "viewed.sqlite"
        ]
        .map(|name| refused(&stores, name))
        .join("\n")
    );
    assert!(!stores.path("missing.sqlite").exists());
}

#[test]
fn a_file_that_is_cut_off_is_said_to_be_damaged() {
    let stores = Stores::of(&["player"]);
    let bytes = std::fs::read(stores.file("player")).unwrap();
    std::fs::write(stores.file("player"), &bytes[..bytes.len() / 2]).unwrap();
    let message = match open(&stores.file("player")) {
        Err(error) => error.to_string(),
        Ok(store) => store.domains().unwrap_err().to_string(),
    };
    assert!(
        message.contains("it is damaged or cut off") && message.contains(".backup COPY"),
        "{message}"
    );
}

#[test]
fn a_locked_file_is_named_with_the_lock() {
    let stores = Stores::of(&["snappy"]);
    let writer = Connection::open(stores.file("snappy")).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    insta::assert_snapshot!(
        refused(&stores, "snappy.sqlite"),
        @"sqlite:snappy.sqlite: it stayed locked by another process for 0 s; repeat the command, raise `deadline`, or name a copy of the file"
    );
}

#[test]
fn a_log_that_was_left_behind_is_not_opened() {
    let stores = Stores::of(&["snappy"]);
    stores.change("snappy", "PRAGMA journal_mode = WAL");
    std::fs::write(stores.path("snappy.sqlite-wal"), "left").unwrap();
    insta::assert_snapshot!(refused(&stores, "snappy.sqlite"));
    assert!(!stores.path("snappy.sqlite-shm").exists());
}

#[test]
fn a_file_that_changes_while_nobody_seems_to_have_it_open_is_not_used() {
    let stores = Stores::of(&["snappy"]);
    stores.change("snappy", "PRAGMA journal_mode = WAL");
    let open = queries(&stores.file("snappy"));
    stores.change("snappy", "DELETE FROM events WHERE sequence = 12");
    let read = open.event_book(&snappy(), Selection::Whole);
    insta::assert_snapshot!(
        read.unwrap_err().to_string(),
        @"sqlite:snappy.sqlite: it changed while it was read, so nothing of it was used; repeat the command"
    );
}

#[test]
fn rows_that_make_no_sense_are_named() {
    let messages = [
        "UPDATE events SET event_data = zeroblob(100 << 20) WHERE sequence = 3",
        "UPDATE events SET event_data = 'text' WHERE sequence = 3",
        "UPDATE events SET event_data = x'ffff' WHERE sequence = 3",
        "UPDATE events SET sequence = 77 WHERE sequence = 12",
        "UPDATE events SET sequence = 5000000000 WHERE sequence = 12",
    ]
    .map(unreadable);
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn hostile_identifiers_are_refused() {
    let stores = Stores::of(&["snappy"]);
    let file = stores.file("snappy");
    let mut messages = Vec::new();
    for statement in [
        "UPDATE events SET domain = 'a domain' || char(27) || '[2J'",
        "UPDATE events SET domain = 'snappy', root = 'no root'",
        "UPDATE events SET root = printf('%.*c', 1000000, 'x')",
    ] {
        stores.change(
            "snappy",
            &format!("{statement} WHERE rowid = (SELECT rowid FROM events LIMIT 1)"),
        );
        let error = queries(&file).aggregate_roots().unwrap_err().to_string();
        messages.push(error);
    }
    insta::assert_snapshot!(messages.join("\n").replace('\u{1b}', "ESC"));
}

#[test]
fn a_snapshot_that_makes_no_sense_is_named() {
    let stores = Stores::of(&["snappy"]);
    stores.change(
        "snappy",
        "UPDATE snapshots SET sequence = 8 WHERE sequence = 9",
    );
    let queries = queries(&stores.file("snappy"));
    let read = queries
        .store()
        .map(|store: &dyn StoreQueries| store.snapshots(&snappy()));
    insta::assert_snapshot!(
        read.unwrap().unwrap_err().to_string(),
        @"sqlite:snappy.sqlite: snappy/78b18107-1a61-4bd0-a2a7-7a78d6d66e3a (edition main), sequence 8: the snapshot in it says sequence 9; nothing of it was used"
    );
}

#[test]
fn the_bounds_of_the_source_apply() {
    let stores = Stores::of(&["player"]);
    let mut access = access();
    let bounds = Bounds {
        queries: 3,
        bytes: 64 << 10,
        time: Duration::from_secs(3600),
    };
    access.policy = QueryPolicy::new(0, None, bounds).into();
    let location = super::location(&stores.file("player"));
    let store = EventStore::open(&location, &access).unwrap();
    let domains = store.domains().unwrap();
    assert_eq!(domains.len(), 1);
    insta::assert_snapshot!(
        store.domains().unwrap_err().to_string(),
        @"sqlite:player.sqlite: there is more to read, but the bound `max_queries = 3` of its source is reached; raise it if the amount is right"
    );
    access.policy = QueryPolicy::new(
        0,
        None,
        Bounds {
            queries: 99,
            ..bounds
        },
    )
    .into();
    let store = EventStore::open(&location, &access).unwrap();
    let queries = DomainStore::new(store.into(), Dialect::ANGZARR, String::new());
    let long = "32833106-536e-45df-80b2-d002cc92d33d";
    let long = Cover::main("player".parse().unwrap(), long.parse().unwrap());
    insta::assert_snapshot!(
        queries.event_book(&long, Selection::Whole).unwrap_err().to_string(),
        @"sqlite:player.sqlite: there is more to read, but the bound `max_mebibytes = 0` of its source is reached; raise it if the amount is right"
    );
}

#[test]
fn what_is_too_much_to_hold_is_refused_before_it_is_held() {
    let stores = Stores::of(&["snappy"]);
    let mut access = access();
    access.held_bytes = 1 << 20;
    let open = |access: &StoreAccess| {
        let store = EventStore::open(&location(&stores.file("snappy")), access).unwrap();
        DomainStore::new(store.into(), Dialect::ANGZARR, String::new())
    };
    let workflow = |id: &str| {
        let read = open(&access).workflow(&"snappy".parse().unwrap(), id);
        read.unwrap_err().to_string()
    };
    // None of these rows holds a page, so none of them was read.
    stores.change(
        "snappy",
        "WITH RECURSIVE numbers(number) AS (SELECT 100 UNION ALL SELECT number + 1 FROM numbers LIMIT 100001)
         INSERT INTO events (domain, edition, root, sequence, created_at, event_data, correlation_id)
         SELECT 'snappy', 'angzarr', 'r', number, '', x'', 'shared' FROM numbers;
         INSERT INTO events (domain, edition, root, sequence, created_at, event_data, correlation_id)
         VALUES ('snappy', 'angzarr', 's', 0, '', zeroblob(3 << 20), 'large')",
    );
    let mut messages = vec![workflow("shared"), workflow("large")];
    // Each snapshot may be as large as this one, but not both together.
    let queries = open(&access);
    let mut snapshots = queries.store().unwrap().snapshots(&snappy()).unwrap();
    let connection = Connection::open(stores.file("snappy")).unwrap();
    for snapshot in &mut snapshots {
        snapshot.original = None;
        snapshot.state.as_mut().unwrap().value = vec![0; 600 << 10];
        connection
            .execute(
                "UPDATE snapshots SET state_data = ?1 WHERE root = ?2 AND sequence = ?3",
                (
                    encode_snapshot(snapshot).to_vec(),
                    SNAPPY,
                    snapshot.sequence,
                ),
            )
            .unwrap();
    }
    let queries = open(&access);
    let read = queries.store().unwrap().snapshots(&snappy());
    messages.push(read.unwrap_err().to_string());
    insta::assert_snapshot!(messages.join("\n"));
}
