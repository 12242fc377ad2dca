//! Named editions: a branch of main that may begin anywhere.

use std::sync::Arc;

use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, EditionsClient, FactClient, StoredEdition, serve_logic,
};
use angzarr_replay::internal::model::{
    Cover, Divergence, Domain, Edition, EditionName, EmittedBook, EmittedPage, Header, Payload,
};
use angzarr_replay::internal::wire::Dialect;
use test_support::coordinators;

use super::logic::Scripted;
use super::support::*;

fn branched(dialect: Dialect) -> Peer {
    let own = vec![page(2, "own 2"), page(3, "own 3")];
    start(
        dialect,
        &[seed(cover(), pages(5)), seed(edition("debug"), own)],
    )
}

fn diverging(sequence: u32) -> Cover {
    let Edition::Named { name, .. } = edition("debug").edition else {
        panic!()
    };
    let divergences = vec![Divergence {
        domain: player(),
        sequence,
    }];
    Cover {
        edition: Edition::Named { name, divergences },
        ..cover()
    }
}

#[test]
fn a_whole_read_is_main_below_the_divergence_and_the_own_pages() {
    for dialect in Dialect::all() {
        let book = branched(*dialect).ask("debug", &[]).unwrap();
        assert_eq!(
            texts(&book),
            ["main 0", "main 1", "own 2", "own 3"],
            "{dialect}"
        );
        assert_eq!(
            (book.next_sequence, book.cover),
            (4, Some(edition("debug"))),
            "{dialect}"
        );
    }
}

#[test]
fn other_reads_are_the_own_pages_only_except_in_the_newest() {
    let read = |dialect, selection: Vec<u8>| {
        sequences(&branched(dialect).ask("debug", &selection).unwrap())
    };
    assert_eq!(read(Dialect::ANGZARR, range(1, 2)), [2]);
    assert_eq!(read(Dialect::ANGZARR, as_of(2)), [2]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, range(1, 2)), [1, 2]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, range(3, 9)), [3]);
    assert_eq!(read(Dialect::IO_ANGZARR_V1, as_of(2)), [0, 1, 2]);
}

#[test]
fn an_unknown_edition_reads_as_main() {
    let peer = branched(Dialect::ANGZARR);
    assert_eq!(peer.ask("nowhere", &[]).unwrap().history.pages(), pages(5));
    assert_eq!(
        sequences(&peer.ask("nowhere", &range(0, 9)).unwrap()),
        [0_u32; 0]
    );
}

#[test]
fn both_spellings_of_main_are_main() {
    let peer = branched(Dialect::ANGZARR);
    assert_eq!(
        peer.ask("angzarr", &[]).unwrap(),
        peer.ask("", &[]).unwrap()
    );
}

#[test]
fn a_new_edition_continues_main_and_leaves_it_alone() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let send = |type_name, sequence| {
        peer.send_book(&command(
            edition("debug"),
            type_name,
            Header::Sequence(sequence),
        ))
    };
    assert_eq!(sequences(&send("test.Add", 3).unwrap()), [3]);
    assert_eq!(
        texts(&send("test.Seen", 4).unwrap()),
        ["debug[0 1 2 3] next 4, command at Some(4) in ``"]
    );
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2]);
}

#[test]
fn an_explicit_divergence_branches_there() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let book = peer
        .send_book(&command(diverging(2), "test.Seen", Header::Sequence(2)))
        .unwrap();
    assert_eq!(
        texts(&book),
        ["debug[0 1] next 2, command at Some(2) in ``"]
    );
    let book = peer
        .send_book(&command(edition("debug"), "test.Seen", Header::Sequence(3)))
        .unwrap();
    assert_eq!(
        texts(&book),
        ["debug[0 1 2] next 3, command at Some(3) in ``"]
    );
}

/// The released coordinator takes the empty prior book for one event.
#[test]
fn a_divergence_at_the_very_beginning_works() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let book = peer
        .send_book(&command(diverging(0), "test.Seen", Header::Sequence(0)))
        .unwrap();
    assert_eq!(texts(&book), ["debug[] next 0, command at Some(0) in ``"]);
    assert_eq!(sequences(&book), [0]);
}

fn editions_of(peer: &Peer) -> EditionsClient {
    EditionsClient::new(peer.connection.clone())
}

#[test]
fn editions_are_listed_and_deleted_and_main_is_left_alone() {
    for dialect in Dialect::all() {
        let mut other = seed(edition("debug"), vec![page(4, "own 4")]);
        other.cover.domain = Domain::new("table").unwrap();
        other.snapshot = Some(snapshot(4, "state"));
        let peer = start(
            *dialect,
            &[
                seed(cover(), pages(3)),
                seed(edition("debug"), vec![page(2, "own 2"), page(3, "own 3")]),
                seed(edition("kept"), vec![page(3, "kept 3")]),
                other,
            ],
        );
        let client = editions_of(&peer);
        let listed = |client: &EditionsClient| -> Vec<String> {
            let found = client.list().unwrap();
            let line = |one: &StoredEdition| {
                let (domain, edition) = (&one.domain, &one.edition);
                format!("{domain} {edition} {} {}", one.roots, one.pages)
            };
            found.iter().map(line).collect()
        };
        let all = ["player debug 1 2", "player kept 1 1", "table debug 1 1"];
        assert_eq!(listed(&client), all, "{dialect}");
        let main = || peer.ask("", &[]).unwrap();
        let before = main();
        let name = EditionName::new("debug").unwrap();
        let deleted = client.delete(&player(), &name).unwrap();
        assert_eq!((deleted.pages, deleted.snapshots), (2, 0));
        assert_eq!(listed(&client), ["player kept 1 1", "table debug 1 1"]);
        // An edition without pages of its own reads as main again.
        assert_eq!(sequences(&peer.ask("debug", &[]).unwrap()), [0, 1, 2]);
        let deleted = client
            .delete(&Domain::new("table").unwrap(), &name)
            .unwrap();
        assert_eq!((deleted.pages, deleted.snapshots), (1, 1));
        let again = client.delete(&player(), &name).unwrap();
        assert_eq!((again.pages, again.snapshots), (0, 0));
        assert_eq!(main(), before, "{dialect}");
    }
}

/// Asked under both of its names, since the client of this project cannot even say it.
#[test]
fn the_main_timeline_is_never_deleted() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(3))]);
    let before = peer.store.dump().unwrap();
    let path = "/angzarr_replay.local.v1.Editions/Delete";
    for name in ["", "angzarr", "main"] {
        let request = field(1, name.as_bytes());
        let error = peer.connection.call(path, request.into()).unwrap_err();
        assert_eq!(
            status(&error),
            (
                "INVALID_ARGUMENT",
                "the main timeline is never deleted; name an edition".to_owned()
            )
        );
    }
    let odd = peer.connection.call(path, field(1, b"JIRA-12").into());
    assert_eq!(status(&odd.unwrap_err()).0, "INVALID_ARGUMENT");
    assert_eq!(peer.store.dump().unwrap(), before);
}

#[test]
fn a_deleted_edition_takes_facts_anew() {
    let peer = start(Dialect::ANGZARR, &[]);
    let client = FactClient::new(peer.connection.clone(), Dialect::ANGZARR);
    let fact = EmittedPage {
        header: Header::ExternalDeferred {
            external_id: "bank/1".into(),
            description: String::new(),
        },
        ..EmittedPage::event(Payload::new("test.Added", b"fact".to_vec()))
    };
    let facts = EmittedBook {
        cover: Some(edition("debug")),
        pages: vec![fact],
        ..EmittedBook::default()
    };
    assert!(!client.inject(&facts).unwrap().already_processed);
    assert!(client.inject(&facts).unwrap().already_processed);
    let name = EditionName::new("debug").unwrap();
    editions_of(&peer).delete(&player(), &name).unwrap();
    assert!(!client.inject(&facts).unwrap().already_processed);
}

/// Other servers do not have the service: client logic here, every coordinator that was released.
#[test]
fn editions_of_another_server_cannot_be_listed() {
    let server = serve_logic(
        coordinators::listener(),
        Dialect::ANGZARR,
        Arc::new(Scripted::default()),
    )
    .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    assert_eq!(
        EditionsClient::new(connection)
            .list()
            .unwrap_err()
            .to_string(),
        format!(
            "{address} cannot list or delete editions: over gRPC, only the local coordinator of \
             angzarr-replay can"
        )
    );
}
