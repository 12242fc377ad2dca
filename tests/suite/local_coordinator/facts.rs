//! Facts: renumbered, stored once for each key, asked of the logic or not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::coordinator::recording::Recording;
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator};
use angzarr_replay::internal::grpc::{
    CallError, Connection, ConnectionOptions, FactClient, FactError, FactRoute, InjectedFacts,
    encode_fact_request,
};
use angzarr_replay::internal::model::{
    Component, Cover, EmittedBook, EmittedPage, Header, Payload, Timestamp,
};
use angzarr_replay::internal::wire::{Dialect, StoredBook};
use test_support::coordinators;

use super::recorded::{CALLS, assert_status, bytes, call};
use super::support::*;

fn fact(header: Header, value: &str) -> EmittedPage {
    EmittedPage {
        header,
        ..EmittedPage::event(Payload::new("test.Added", value.into()))
    }
}

fn marked(id: &str) -> Header {
    Header::ExternalDeferred {
        external_id: id.into(),
        description: String::new(),
    }
}

fn facts(cover: Cover, id: &str, count: usize) -> EmittedBook {
    let pages = (0..count).map(|position| {
        let header = if position == 0 {
            marked(id)
        } else {
            Header::Sequence(77)
        };
        fact(header, &format!("fact {position}"))
    });
    EmittedBook {
        cover: Some(cover),
        pages: pages.collect(),
        ..EmittedBook::default()
    }
}

fn inject(peer: &Peer, book: &EmittedBook) -> Result<InjectedFacts, FactError> {
    FactClient::new(peer.connection.clone(), peer.dialect).inject(book)
}

fn ask_logic(peer: &Peer, book: &EmittedBook) -> Result<InjectedFacts, FactError> {
    FactClient::new(peer.connection.clone(), peer.dialect).inject_through_logic(book)
}

fn failing(error: FactError) -> CallError {
    match error {
        FactError::Call(error) => error,
        other @ FactError::Garbage { .. } => panic!("{other}"),
    }
}

/// Calls 103 to 107: a history loaded into an edition of a root that has events on main lands after those, and
/// speculation in the edition sees its own pages only.
#[test]
fn the_recorded_facts_are_answered_byte_for_byte_with_their_trap() {
    let recorded: StoredBook = {
        // FactInjectionResponse.events is field 1, as CommandResponse.events is.
        let reply = bytes(&call(103)["response"]);
        angzarr_replay::internal::wire::event_book_of_response(reply.into()).unwrap()
    };
    let times: VecDeque<Timestamp> = recorded
        .history
        .pages()
        .iter()
        .map(|page| page.created_at.unwrap())
        .collect();
    assert_eq!(times.len(), 3);
    let times = Mutex::new(times);
    let stores = coordinators::stores();
    let clock = Arc::new(move || times.lock().unwrap().pop_front().unwrap());
    let logic = Component::Aggregate(Arc::new(poker::Player::new(|| NOW)));
    let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, clock)
        .with_logic(player(), Backend::InProcess(logic));
    let seed = Recording::parse(CALLS, Dialect::ANGZARR).unwrap().stored;
    coordinator.seed(&seed, SEEDED).unwrap();
    let server = coordinator.start(coordinators::listener()).unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    for number in 102..=107 {
        let call = call(number);
        let path = call["path"].as_str().unwrap();
        match connection.call(path, bytes(&call["request"]).into()) {
            Ok(reply) => assert_eq!(reply.to_vec(), bytes(&call["response"]), "call {number}"),
            Err(error) => assert_status(&error, &call),
        }
    }
}

#[test]
fn facts_are_numbered_on_and_keep_their_time_and_bytes() {
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[seed(cover(), pages(2))]);
        let mut book = facts(cover(), "bank/1", 2);
        book.pages[1].created_at = Some(SEEDED);
        book.pages[1].provisional = true;
        let injected = inject(&peer, &book).unwrap();
        assert!(!injected.already_processed, "{dialect}");
        assert_eq!(sequences(&injected.book), [2, 3], "{dialect}");
        assert_eq!(injected.book.next_sequence, 4, "{dialect}");
        let stored = peer.ask("", &range(2, 3)).unwrap();
        assert_eq!(texts(&stored), ["fact 0", "fact 1"], "{dialect}");
        let times: Vec<_> = stored
            .history
            .pages()
            .iter()
            .map(|page| page.created_at)
            .collect();
        assert_eq!(times, [Some(NOW), Some(SEEDED)], "{dialect}");
        assert!(stored.history.pages().iter().all(|page| !page.provisional));
    }
}

#[test]
fn a_repeated_facts_reply_has_its_edition_in_the_released_dialect() {
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[]);
        // The request names no edition.
        let mut request = Vec::new();
        let encoded = encode_fact_request(&facts(cover(), "bank/1", 1), FactRoute::Store, *dialect);
        request.extend_from_slice(&encoded);
        let reply = || {
            let reply = peer.call(
                "CommandHandlerCoordinatorService/HandleEvent",
                request.clone(),
            );
            let main = field(4, &field(1, b"angzarr"));
            let reply = reply.unwrap();
            reply.windows(main.len()).any(|bytes| bytes == main)
        };
        let is_spelled = [reply(), reply()];
        let expected = [false, dialect.name() == "angzarr"];
        assert_eq!(is_spelled, expected, "{dialect}");
    }
}

#[test]
fn the_same_key_is_stored_once_in_each_stream_and_an_empty_one_every_time() {
    let peer = start(Dialect::ANGZARR, &[seed(cover(), pages(2))]);
    let first = inject(&peer, &facts(cover(), "bank/1", 2)).unwrap();
    let again = inject(&peer, &facts(cover(), "bank/1", 1)).unwrap();
    assert!(again.already_processed);
    assert_eq!(again.book.history, first.book.history);
    let elsewhere = inject(&peer, &facts(edition("debug"), "bank/1", 1)).unwrap();
    assert!(!elsewhere.already_processed);
    assert_eq!(sequences(&elsewhere.book), [4]);
    for expected in [4, 5] {
        let unmarked = inject(&peer, &facts(cover(), "", 1)).unwrap();
        assert!(!unmarked.already_processed);
        assert_eq!(sequences(&unmarked.book), [expected]);
    }
}

#[test]
fn only_the_key_of_the_first_page_counts() {
    let peer = start(Dialect::ANGZARR, &[]);
    let mut book = facts(cover(), "bank/1", 2);
    book.pages[0].header = Header::Absent;
    book.pages[1].header = marked("bank/1");
    for expected in [[0, 1], [2, 3]] {
        assert_eq!(sequences(&inject(&peer, &book).unwrap().book), expected);
    }
}

#[test]
fn facts_without_a_marker_are_refused_in_the_recorded_words() {
    let peer = start(Dialect::ANGZARR, &[]);
    let mut unmarked = facts(cover(), "bank/1", 1);
    unmarked.pages[0].header = Header::Sequence(0);
    for book in [unmarked, facts(cover(), "bank/1", 0)] {
        let error = failing(inject(&peer, &book).unwrap_err());
        assert_eq!(
            status(&error),
            (
                "INVALID_ARGUMENT",
                "Fact events must have ExternalDeferredSequence markers".to_owned()
            )
        );
    }
    let nothing = peer.call("CommandHandlerCoordinatorService/HandleEvent", Vec::new());
    assert_eq!(
        status(&nothing.unwrap_err()),
        ("INVALID_ARGUMENT", "the request has no facts".to_owned())
    );
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
}

#[test]
fn the_number_and_size_of_facts_is_not_limited() {
    let peer = start(Dialect::ANGZARR, &[]);
    let mut book = facts(cover(), "bank/1", 150);
    book.pages[3] = fact(Header::Absent, &"x".repeat(300_000));
    let injected = inject(&peer, &book).unwrap();
    assert_eq!(injected.book.history.pages().len(), 150);
}

/// Up to June 2026 the logic was asked on request, since then unless told otherwise.
#[test]
fn the_logic_is_asked_by_the_rule_of_the_dialect() {
    let request = |flags: &[u8]| {
        // In this dialect nothing but the facts needs to be said.
        let facts = facts(cover(), "bank/1", 1);
        let bare = encode_fact_request(&facts, FactRoute::Store, Dialect::ANGZARR);
        [bare.to_vec(), flags.to_vec()].concat()
    };
    let said_by_logic = |dialect, flags: &[u8]| {
        let peer = start(dialect, &[]);
        let reply = peer.call(
            "CommandHandlerCoordinatorService/HandleEvent",
            request(flags),
        );
        match reply {
            Ok(_) => None,
            Err(error) => Some(status(&error)),
        }
    };
    let asked = Some(("UNIMPLEMENTED", "this logic takes no facts".to_owned()));
    let (route, skip) = (number(3, 1), number(4, 1));
    for dialect in Dialect::all() {
        let newest = ["io.angzarr.v1", "io.angzarr.v1-2026-09"].contains(&dialect.name());
        let (by_default, with_route, with_skip) = if newest {
            (&asked, &asked, &None)
        } else {
            (&None, &asked, &None)
        };
        assert_eq!(said_by_logic(*dialect, &[]), *by_default, "{dialect}");
        assert_eq!(said_by_logic(*dialect, &route), *with_route, "{dialect}");
        assert_eq!(said_by_logic(*dialect, &skip), *with_skip, "{dialect}");
    }
}

#[test]
fn the_logic_decides_what_a_fact_becomes() {
    for dialect in Dialect::all() {
        let logic = Arc::new(super::logic::Bookkeeper);
        let peer = start_with(*dialect, &[seed(cover(), pages(2))], Some(logic));
        let injected = ask_logic(&peer, &facts(cover(), "bank/1", 1)).unwrap();
        assert_eq!(
            texts(&injected.book),
            ["fact 0 after 2", "noted"],
            "{dialect}"
        );
        assert_eq!(sequences(&injected.book), [2, 3], "{dialect}");
        let again = ask_logic(&peer, &facts(cover(), "bank/1", 1)).unwrap();
        assert!(again.already_processed, "{dialect}");
        assert_eq!(again.book.history, injected.book.history, "{dialect}");
    }
}

#[test]
fn logic_that_takes_no_facts_leaves_nothing_stored() {
    let peer = start(Dialect::ANGZARR, &[]);
    let error = failing(ask_logic(&peer, &facts(cover(), "bank/1", 1)).unwrap_err());
    assert_eq!(
        status(&error),
        ("UNIMPLEMENTED", "this logic takes no facts".to_owned())
    );
    assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
}

#[test]
fn a_snapshot_among_facts_is_stored_for_the_last_of_them() {
    let peer = start(Dialect::ANGZARR, &[]);
    let mut book = facts(cover(), "bank/1", 3);
    book.snapshot = Some(snapshot(0, "folded"));
    inject(&peer, &book).unwrap();
    let seen = peer.send("test.Seen", 3).unwrap();
    assert_eq!(
        texts(&seen),
        ["main from 2[] next 3, command at Some(3) in ``"]
    );
}

#[test]
fn compensation_is_carried_out_unchecked_and_answered_as_the_logic_answered() {
    let compensate = |peer: &Peer, type_name, sequence| {
        let command = command(cover(), type_name, Header::Sequence(sequence));
        let book = angzarr_replay::internal::wire::encode_command_book(&command, peer.dialect);
        peer.call(
            "CommandHandlerCoordinatorService/HandleCompensation",
            field(1, &book),
        )
    };
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[seed(cover(), pages(3))]);
        // BusinessResponse.events is field 1, and the sequence is not held against the head.
        let reply = compensate(&peer, "test.Seen", 99).unwrap();
        let book = angzarr_replay::internal::wire::event_book_of_response(reply.into()).unwrap();
        assert_eq!(
            texts(&book),
            ["main[0 1 2] next 3, command at Some(99) in ``"],
            "{dialect}"
        );
        assert_eq!(peer.ask("", &[]).unwrap().next_sequence, 4, "{dialect}");
        // A revocation is an answer here, and no failing status: field 2, its reason field 5.
        let reply = compensate(&peer, "test.Revoke", 4).unwrap();
        assert_eq!(reply, field(2, &field(5, b"too late")), "{dialect}");
        let error = compensate(&peer, "test.Reject", 4).unwrap_err();
        let rejected = ("FAILED_PRECONDITION", "not today".to_owned());
        assert_eq!(status(&error), rejected, "{dialect}");
        assert_eq!(peer.ask("", &[]).unwrap().next_sequence, 4, "{dialect}");
    }
    let peer = start(Dialect::ANGZARR, &[]);
    let nothing = peer.call(
        "CommandHandlerCoordinatorService/HandleCompensation",
        Vec::new(),
    );
    assert_eq!(
        status(&nothing.unwrap_err()),
        ("INVALID_ARGUMENT", "the request has no command".to_owned())
    );
}
