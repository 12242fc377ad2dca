//! The rules of a coordinator: what becomes of a reply, and that replay and the local coordinator agree on it.
use std::sync::Arc;

use angzarr_replay::internal::coordination::{Effect, effect};
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, QueryClient, Selection};
use angzarr_replay::internal::model::{
    Answer, Body, CommandBook, CommandPage, Component, Cover, Domain, EmittedBook, EmittedPage,
    EventBook, Failure, Header, History, Logic, MergeStrategy, Outcome, Page, Payload, Reply,
    Retention, Root, Snapshot, SyncMode, Timestamp,
};
use angzarr_replay::internal::replay::{InProcess, replay_command};
use angzarr_replay::internal::wire::{Dialect, encode_command_request};
use proptest::prelude::*;
use test_support::{books, coordinators};

fn cover(root: u8) -> Cover {
    Cover::main(Domain::new("player").unwrap(), Root::new([root; 16]))
}

fn page(sequence: u32) -> Page {
    books::page(sequence, body(&format!("stored {sequence}")))
}

fn body(value: &str) -> Body {
    Body::Event(Payload::new("test.Added", value.into()))
}

fn emitted(header: Header) -> EmittedPage {
    EmittedPage {
        header,
        created_at: None,
        body: body("new"),
        provisional: false,
    }
}

/// A history of `count` pages; a snapshot stands for those up to its sequence.
fn book(count: u32, snapshot: Option<u32>) -> EventBook {
    EventBook {
        cover: cover(7),
        snapshot: snapshot.map(|sequence| Snapshot {
            sequence,
            state: Some(Payload::new("test.State", b"state".to_vec())),
            retention: Retention::Persist,
            created_at: None,
            original: None,
        }),
        history: History::new((0..count).map(page).collect()).unwrap(),
        next_sequence: count,
    }
}

/// What is loaded for the logic: of a snapshot on, the pages after it.
fn loaded(count: u32, snapshot: Option<u32>) -> EventBook {
    let mut book = book(count, snapshot);
    let tail = book.history.into_pages().into_iter();
    let tail = tail.filter(|page| snapshot.is_none_or(|at| page.sequence > at));
    book.history = History::new(tail.collect()).unwrap();
    book
}

fn becomes(dialect: Dialect, shown: &EventBook, headers: &[Header]) -> Result<Vec<u32>, String> {
    let emitted = EmittedBook {
        pages: headers.iter().cloned().map(emitted).collect(),
        ..EmittedBook::default()
    };
    match effect(dialect, shown, &emitted) {
        Effect::Stored(pages) => Ok(pages
            .iter()
            .map(|page| page.header.sequence().unwrap())
            .collect()),
        Effect::Refused(failure) => Err(failure.message),
    }
}

#[test]
fn what_becomes_of_an_odd_place_depends_on_the_dialect_and_on_what_was_loaded() {
    let newest = Dialect::IO_ANGZARR_V1;
    let released = Dialect::ANGZARR;
    let at = Header::Sequence;
    let conflict =
        |expected: u32, got: u32| Err(format!("Sequence conflict: expected {expected}, got {got}"));
    let history = loaded(3, None);
    for dialect in Dialect::all() {
        assert_eq!(becomes(*dialect, &history, &[at(3), at(4)]), Ok(vec![3, 4]));
        let empty = loaded(0, None);
        assert_eq!(becomes(*dialect, &empty, &[Header::Absent]), Ok(vec![0]));
    }
    // Live, core 0.5.1: a gap is stored, a place below the head is dropped in silence, with and without a header.
    assert_eq!(becomes(released, &history, &[at(8)]), Ok(vec![8]));
    assert_eq!(becomes(released, &history, &[at(0)]), Ok(vec![]));
    assert_eq!(becomes(released, &history, &[Header::Absent]), Ok(vec![]));
    assert_eq!(becomes(released, &history, &[at(2), at(3)]), Ok(vec![3]));
    // After a snapshot without a tail nothing tells that the page is known.
    let folded = loaded(5, Some(4));
    assert_eq!(becomes(released, &folded, &[at(0)]), conflict(5, 0));
    assert_eq!(
        becomes(released, &folded, &[Header::Absent]),
        conflict(5, 0)
    );
    // With a tail it is.
    let tail = loaded(6, Some(4));
    assert_eq!(becomes(released, &tail, &[at(0)]), Ok(vec![]));

    assert_eq!(becomes(newest, &history, &[at(8)]), conflict(3, 8));
    assert_eq!(becomes(newest, &history, &[at(0)]), conflict(3, 0));
    // Twice the same place is a conflict everywhere.
    assert_eq!(becomes(released, &history, &[at(3), at(3)]), conflict(4, 3));
}

#[test]
fn what_is_stored_has_an_explicit_sequence_whatever_the_reply_says() {
    let deferred = Header::ExternalDeferred {
        external_id: "id".into(),
        description: String::new(),
    };
    for header in [Header::Absent, deferred] {
        let reply = EmittedBook {
            pages: vec![emitted(header)],
            ..EmittedBook::default()
        };
        assert_eq!(
            effect(Dialect::ANGZARR, &loaded(0, None), &reply),
            Effect::Stored(vec![emitted(Header::Sequence(0))])
        );
    }
}

/// Logic that always answers the same.
struct Says(EmittedBook);

impl Logic for Says {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        Ok(Reply::Events(self.0.clone()))
    }
}

fn a_reply(count: u32) -> impl Strategy<Value = EmittedBook> {
    let header = prop_oneof![
        1 => Just(Header::Absent),
        6 => (0..count + 4).prop_map(Header::Sequence),
        4 => Just(Header::Sequence(count)),
    ];
    let page = (header, any::<bool>()).prop_map(|(header, repeats)| {
        let body = match header {
            Header::Sequence(sequence) if repeats => body(&format!("stored {sequence}")),
            _ => body("new"),
        };
        EmittedPage {
            body,
            ..emitted(header)
        }
    });
    let cover = prop_oneof![
        4 => Just(None),
        2 => Just(Some(cover(7))),
        1 => Just(Some(cover(9))),
    ];
    (proptest::collection::vec(page, 1..4), cover).prop_map(|(pages, cover)| EmittedBook {
        cover,
        pages,
        ..EmittedBook::default()
    })
}

fn a_command(count: u32) -> impl Strategy<Value = CommandBook> {
    let header = prop_oneof![
        4 => Just(Header::Sequence(count)),
        2 => (0..count + 2).prop_map(Header::Sequence),
        1 => Just(Header::Absent),
    ];
    let strategy = prop_oneof![
        Just(MergeStrategy::Strict),
        Just(MergeStrategy::Commutative),
        Just(MergeStrategy::AggregateHandles),
        Just(MergeStrategy::Manual),
    ];
    (header, strategy).prop_map(|(header, merge_strategy)| CommandBook {
        cover: cover(7),
        pages: vec![CommandPage {
            header,
            sync_mode: None,
            merge_strategy,
            command: Some(Payload::new("test.Do", Vec::new())),
            external: None,
        }],
        original: None,
    })
}

fn a_case() -> impl Strategy<Value = (Dialect, EventBook, CommandBook, EmittedBook)> {
    let dialect = proptest::sample::select(Dialect::all().to_vec());
    (dialect, 0..6_u32, proptest::option::of(0..6_u32)).prop_flat_map(|(dialect, count, at)| {
        let snapshot = at.filter(|at| *at < count);
        let prior = Just(book(count, snapshot));
        (Just(dialect), prior, a_command(count), a_reply(count))
    })
}

/// What the local coordinator answers, and what it then has stored.
fn really(
    dialect: Dialect,
    prior: &EventBook,
    command: &CommandBook,
    logic: Arc<Says>,
) -> Result<Vec<(u8, u32)>, Failure> {
    let store = Arc::new(Store::in_memory().unwrap());
    let now = Timestamp {
        seconds: 1,
        nanos: 0,
    };
    let coordinator = LocalCoordinator::new(Stores::Shared(store), dialect, Arc::new(move || now));
    let seed = SeedBook {
        cover: prior.cover.clone(),
        pages: prior.history.pages().to_vec(),
        snapshot: prior.snapshot.clone(),
    };
    coordinator.seed(&[seed], now).unwrap();
    let backend = Backend::InProcess(Component::Aggregate(logic));
    let server = coordinator
        .with_logic(Domain::new("player").unwrap(), backend)
        .start(coordinators::listener())
        .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let path = dialect.path("CommandHandlerCoordinatorService", "HandleCommand");
    let request = encode_command_request(command, SyncMode::Simple, dialect);
    let answered = connection.call(&path, request);
    let queries = QueryClient::new(connection, dialect);
    let mut stored = Vec::new();
    for root in [7, 9] {
        let book = queries.event_book(&cover(root), Selection::Whole).unwrap();
        let below = if root == 7 { prior.next_sequence } else { 0 };
        let pages = book.history.pages().iter();
        let new = pages.filter(|page| page.sequence >= below);
        stored.extend(new.map(|page| (root, page.sequence)));
    }
    match answered {
        Ok(_) => Ok(stored),
        Err(error) => {
            assert_eq!(stored, []);
            Err(error.failure().unwrap().clone())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replay_and_the_local_coordinator_agree((dialect, prior, command, reply) in a_case()) {
        let logic = Arc::new(Says(reply));
        let target = InProcess::new(Arc::clone(&logic) as Arc<dyn Logic>, dialect, false);
        let replay = replay_command(&target, &prior, &command, false).unwrap();
        let outcome = replay.as_coordinated().unwrap_or(replay.outcome);
        match (really(dialect, &prior, &command, logic), outcome) {
            (Ok(stored), Outcome::Accepted(book)) => {
                let root = match &book.cover {
                    Some(other) if other.root == Root::new([9; 16]) => 9,
                    _ => 7,
                };
                let expected: Vec<(u8, u32)> =
                    book.pages.iter().map(|page| (root, page.header.sequence().unwrap())).collect();
                prop_assert_eq!(stored, expected);
            }
            (Err(failure), Outcome::Rejected(said)) => {
                prop_assert_eq!((failure.code, failure.message), (said.code, said.message));
            }
            (really, said) => prop_assert!(false, "{:?} and {:?}", really, said),
        }
    }
}
