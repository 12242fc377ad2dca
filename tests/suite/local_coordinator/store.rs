//! The store's file, and seeds.

use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, SeedError, Store, Stores};
use angzarr_replay::internal::grpc::{QueryClient, Selection};
use angzarr_replay::internal::model::{Component, Cover, Domain, Header};
use angzarr_replay::internal::wire::Dialect;

use super::logic::Scripted;
use super::support::*;

fn coordinator(stores: Stores) -> LocalCoordinator {
    LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW))
}

#[test]
fn a_file_keeps_what_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = Arc::new(Store::open(&path).unwrap());
    assert!(store.is_empty().unwrap());
    coordinator(Stores::Shared(Arc::clone(&store)))
        .seed(&[seed(cover(), pages(3))], SEEDED)
        .unwrap();
    let stored = store.dump().unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.dump().unwrap(), stored);
    assert_eq!(stored.len(), 3);
    assert!(!store.is_empty().unwrap());
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    let content = "not a database, but long enough to be looked at as one. ".repeat(40);
    std::fs::write(&text, &content).unwrap();
    assert_eq!(
        Store::open(&text).unwrap_err().to_string(),
        format!(
            "{} is not an event store of angzarr-replay (it is not a SQLite file); name a new file, or one that it wrote",
            text.display()
        )
    );
    assert_eq!(std::fs::read_to_string(&text).unwrap(), content);

    let short = folder.path().join("short.txt");
    std::fs::write(&short, "hm").unwrap();
    assert!(
        Store::open(&short)
            .unwrap_err()
            .to_string()
            .contains("(it is not a SQLite file)")
    );

    let other = folder.path().join("other.db");
    let connection = rusqlite::Connection::open(&other).unwrap();
    connection
        .execute_batch("CREATE TABLE events (id)")
        .unwrap();
    drop(connection);
    assert_eq!(
        Store::open(&other).unwrap_err().to_string(),
        format!(
            "{} is not an event store of angzarr-replay (its tables are another program's); name a new file, or one that it wrote",
            other.display()
        )
    );
}

/// Why a store whose file has this layout is refused; and its path.
fn refused_layout(layout: u32) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    drop(Store::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", layout)
        .unwrap();
    drop(connection);
    let error = Store::open(&path).unwrap_err().to_string();
    (error, path.display().to_string())
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let (error, path) = refused_layout(3);
    assert_eq!(
        error,
        format!(
            "the event store {path} has layout 3, this version reads layout 2: it was written by a newer angzarr-replay"
        )
    );
}

#[test]
fn a_file_of_no_known_version_is_refused() {
    let (error, path) = refused_layout(0);
    assert_eq!(
        error,
        format!(
            "{path} is not an event store of angzarr-replay (its tables are another program's); name a new file, or one \
             that it wrote"
        )
    );
}

/// Layout 1 had no facts.
#[test]
fn a_file_of_the_first_layout_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = Arc::new(Store::open(&path).unwrap());
    coordinator(Stores::Shared(Arc::clone(&store)))
        .seed(&[seed(cover(), pages(3))], SEEDED)
        .unwrap();
    let stored = store.dump().unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("DROP TABLE facts; PRAGMA user_version = 1")
        .unwrap();
    drop(connection);
    for _ in 0..2 {
        assert_eq!(Store::open(&path).unwrap().dump().unwrap(), stored);
    }
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("events.db");
    let error = Store::open(&path).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot open the event store {}: ", path.display())),
        "{error}"
    );
}

#[test]
fn a_seed_continues_its_stream_and_knows_its_store() {
    let store = Arc::new(Store::in_memory().unwrap());
    let coordinator = coordinator(Stores::PerDomain([(player(), Arc::clone(&store))].into()));
    coordinator
        .seed(
            &[seed(cover(), pages(2)), seed(cover(), vec![page(2, "")])],
            SEEDED,
        )
        .unwrap();
    let error = coordinator
        .seed(&[seed(cover(), pages(1))], SEEDED)
        .unwrap_err();
    assert!(matches!(error, SeedError::Order { .. }));
    assert_eq!(
        error.to_string(),
        format!("player/{ROOT} continues at sequence 3, the seed has a page with sequence 0")
    );
    let mut elsewhere = cover();
    elsewhere.domain = Domain::new("table").unwrap();
    let error = coordinator
        .seed(&[seed(elsewhere, pages(1))], SEEDED)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no store for the domain `table`"
    );
    assert_eq!(store.dump().unwrap().len(), 3);
}

#[test]
fn a_snapshot_without_the_pages_before_it_is_a_beginning() {
    let mut book = seed(cover(), Vec::new());
    book.snapshot = Some(snapshot(6, "state"));
    let peer = start(Dialect::ANGZARR, &[book]);
    let seen = peer.send("test.Seen", 7).unwrap();
    assert_eq!(
        texts(&seen),
        ["main from 6[] next 7, command at Some(7) in ``"]
    );
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [7]);
}

/// A coordinator over a store that somebody else wrote into.
fn tampered(statement: &str) -> Peer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = Arc::new(Store::open(&path).unwrap());
    let coordinator = coordinator(Stores::Shared(Arc::clone(&store)));
    let mut book = seed(cover(), pages(3));
    book.snapshot = Some(snapshot(0, "state"));
    coordinator.seed(&[book], SEEDED).unwrap();
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(statement)
        .unwrap();
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(Scripted::default())));
    serve(
        Dialect::ANGZARR,
        coordinator.with_logic(player(), logic),
        store,
    )
}

#[test]
fn a_damaged_store_is_named_and_not_handed_to_the_logic() {
    let cases = [
        (
            "UPDATE pages SET page = x'0aff'",
            "stored page 1 is damaged: event page: the bytes do not decode (",
        ),
        (
            "UPDATE pages SET page = x''",
            "stored page 1 is damaged: it says sequence 0",
        ),
        (
            "UPDATE snapshots SET snapshot = x'ff'",
            "the stored snapshot is damaged: snapshot: the bytes do not decode (",
        ),
        (
            "DROP TABLE snapshots",
            "the event store failed: no such table: snapshots",
        ),
    ];
    for (statement, expected) in cases {
        let (code, message) = status(&tampered(statement).send("test.Add", 3).unwrap_err());
        assert_eq!(code, "INTERNAL");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn with_a_store_a_domain_other_domains_are_empty_and_take_nothing() {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::PerDomain([(player(), Arc::clone(&store))].into());
    let logic = Backend::InProcess(Component::Aggregate(Arc::new(Scripted::default())));
    let coordinator = coordinator(stores).with_logic(player(), logic);
    coordinator
        .seed(&[seed(cover(), pages(1))], SEEDED)
        .unwrap();
    let peer = serve(Dialect::ANGZARR, coordinator, store);
    let table = Cover {
        domain: Domain::new("table").unwrap(),
        ..cover()
    };
    let client = QueryClient::new(peer.connection.clone(), peer.dialect);
    let book = client.event_book(&table, Selection::Whole).unwrap();
    assert_eq!(
        (book.history.pages().len(), book.cover),
        (0, Some(table.clone()))
    );
    let error = peer
        .send_book(&command(table, "test.Add", Header::Sequence(0)))
        .unwrap_err();
    assert_eq!(
        status(&error),
        (
            "UNAVAILABLE",
            "no logic is configured for domain `table`".to_owned()
        )
    );
    let error = peer.send("test.Astray", 1).unwrap_err();
    let told = format!(
        "the logic answered for table/{ROOT}, the command was for player/{ROOT}: that domain has no store here"
    );
    assert_eq!(status(&error), ("FAILED_PRECONDITION", told));
}
