//! Our own service: speculation on events in the request.

mod components;
mod mistakes;

use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::grpc::{
    CallError, Connection, ConnectionOptions, LogicClient, Methods, Server,
};
use angzarr_replay::internal::model::{
    Answer, CommandBook, Component, Cover, EmittedBook, EmittedPage, EventBook, Failure, Header,
    History, Logic, Page, Payload, Reply,
};
use angzarr_replay::internal::wire::messages::{Any, local as pb};
use angzarr_replay::internal::wire::{
    Dialect, FailingStatus, StoredBook, encode_command_book, encode_event_book, event_book,
};
use prost::Message;
use test_support::coordinators;

use super::logic::Scripted;
use super::support::*;
use super::upcasting::Marking;

const SERVICE: &str = "/angzarr_replay.local.v1.Speculate/";

fn packed(dialect: Dialect, name: &str, value: impl Into<prost::bytes::Bytes>) -> Any {
    Any {
        type_url: format!("type.example/{}.{name}", dialect.package()),
        value: value.into(),
    }
}

fn packed_book(dialect: Dialect, book: &EventBook) -> Any {
    packed(dialect, "EventBook", encode_event_book(book, dialect))
}

fn packed_command(dialect: Dialect, book: &CommandBook) -> Any {
    packed(dialect, "CommandBook", encode_command_book(book, dialect))
}

fn history(cover: Cover, pages: Vec<Page>) -> EventBook {
    EventBook::new(cover, None, History::new(pages).unwrap())
}

/// A command of the tests' aggregate, and `count` events before it.
fn request(dialect: Dialect, type_name: &str, count: u32) -> pb::SpeculateAggregateRequest {
    let sent = command(cover(), type_name, Header::Sequence(count));
    pb::SpeculateAggregateRequest {
        command: Some(packed_command(dialect, &sent)),
        events: Some(packed_book(dialect, &history(cover(), pages(count)))),
        edition: String::new(),
    }
}

fn call<R: Message + Default>(
    peer: &Peer,
    method: &str,
    request: &impl Message,
) -> Result<R, CallError> {
    let path = format!("{SERVICE}{method}");
    let reply = peer
        .connection
        .call(&path, request.encode_to_vec().into())?;
    Ok(R::decode(reply).unwrap())
}

fn aggregate(
    peer: &Peer,
    request: &pb::SpeculateAggregateRequest,
) -> Result<pb::SpeculateAggregateResponse, CallError> {
    call(peer, "Aggregate", request)
}

/// The book in an answer. Its type is that of the server's dialect.
fn unpacked(peer: &Peer, any: &Any) -> StoredBook {
    let name = format!("type.googleapis.com/{}.EventBook", peer.dialect.package());
    assert_eq!(any.type_url, name);
    event_book(any.value.clone()).unwrap()
}

fn events(peer: &Peer, request: &pb::SpeculateAggregateRequest) -> StoredBook {
    let reply = aggregate(peer, request).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(reply.notes, Vec::<String>::new());
    unpacked(peer, &reply.events.unwrap())
}

/// Logic for the tests' domain over a store that has a history of its own, which must never be seen.
fn peer(dialect: Dialect) -> Peer {
    start(dialect, &[seed(cover(), pages(7))])
}

#[test]
fn a_command_runs_on_the_callers_events_and_nothing_is_stored() {
    for dialect in Dialect::all() {
        let peer = peer(*dialect);
        let before = peer.store.dump().unwrap();
        let book = events(&peer, &request(*dialect, "test.Seen", 2));
        assert_eq!(
            texts(&book),
            ["main[0 1] next 2, command at Some(2) in ``"],
            "{dialect}"
        );
        assert_eq!((sequences(&book), book.next_sequence), (vec![2], 3));
        assert_eq!(book.cover, Some(cover()), "{dialect}");
        for type_name in ["test.Add", "test.Snapshot", "test.Echo", "test.Notify"] {
            aggregate(&peer, &request(*dialect, type_name, 2)).unwrap();
        }
        for type_name in ["test.Reject", "test.Revoke"] {
            aggregate(&peer, &request(*dialect, type_name, 2)).unwrap_err();
        }
        assert_eq!(peer.store.dump().unwrap(), before, "{dialect}");
        assert_eq!(before.len(), 7);
    }
}

#[test]
fn an_aggregate_without_events_does_not_exist_yet() {
    let peer = peer(Dialect::ANGZARR);
    for events_sent in [
        None,
        Some(Any::default()),
        Some(packed_book(peer.dialect, &history(cover(), Vec::new()))),
    ] {
        let request = pb::SpeculateAggregateRequest {
            events: events_sent,
            ..request(peer.dialect, "test.Seen", 0)
        };
        assert_eq!(
            texts(&events(&peer, &request)),
            ["main[] next 0, command at Some(0) in ``"]
        );
    }
}

#[test]
fn a_snapshot_and_the_later_pages_are_enough() {
    let peer = peer(Dialect::ANGZARR);
    let later = History::new(vec![page(2, "two"), page(3, "three")]).unwrap();
    let book = EventBook::new(cover(), Some(snapshot(1, "state")), later);
    let mut request = request(peer.dialect, "test.Seen", 4);
    request.events = Some(packed_book(peer.dialect, &book));
    assert_eq!(
        texts(&events(&peer, &request)),
        ["main from 1[2 3] next 4, command at Some(4) in ``"]
    );
}

/// A query by correlation id answers 0, and a cut history keeps the sequence of the whole one.
#[test]
fn the_head_follows_from_the_pages() {
    let peer = peer(Dialect::ANGZARR);
    for says in [0, 9] {
        let mut book = history(cover(), pages(2));
        book.next_sequence = says;
        let mut request = request(peer.dialect, "test.Seen", 2);
        request.events = Some(packed_book(peer.dialect, &book));
        assert_eq!(
            texts(&events(&peer, &request)),
            ["main[0 1] next 2, command at Some(2) in ``"]
        );
    }
}

#[test]
fn events_without_a_cover_are_those_of_the_commands_aggregate() {
    let peer = peer(Dialect::ANGZARR);
    let mut request = request(peer.dialect, "test.Seen", 1);
    let page = field(3, &field(3, &field(1, b"test.Added")));
    request.events = Some(packed(peer.dialect, "EventBook", page));
    assert_eq!(
        texts(&events(&peer, &request)),
        ["main[0] next 1, command at Some(1) in ``"]
    );
}

#[test]
fn the_logic_sees_the_requested_edition() {
    let peer = peer(Dialect::ANGZARR);
    let mut request = request(peer.dialect, "test.Seen", 1);
    for (edition, seen) in [("debug", "debug"), ("main", "main"), ("angzarr", "main")] {
        request.edition = edition.into();
        let book = events(&peer, &request);
        let expected = format!("{seen}[0] next 1, command at Some(1) in ``");
        assert_eq!(texts(&book), [expected]);
    }
    let of_branch = edition("branch");
    let sent = command(of_branch.clone(), "test.Seen", Header::Sequence(1));
    request = pb::SpeculateAggregateRequest {
        command: Some(packed_command(peer.dialect, &sent)),
        events: Some(packed_book(peer.dialect, &history(of_branch, pages(1)))),
        edition: String::new(),
    };
    assert!(texts(&events(&peer, &request))[0].starts_with("branch[0]"));
    request.edition = "main".into();
    assert!(texts(&events(&peer, &request))[0].starts_with("main[0]"));
}

#[test]
fn a_rejection_is_the_logics_status() {
    let peer = peer(Dialect::ANGZARR);
    let refused = |type_name, count| {
        status(&aggregate(&peer, &request(peer.dialect, type_name, count)).unwrap_err())
    };
    assert_eq!(
        refused("test.Reject", 2),
        ("FAILED_PRECONDITION", "not today".to_owned())
    );
    assert_eq!(
        refused("test.Revoke", 2),
        (
            "FAILED_PRECONDITION",
            "Command revoked: too late".to_owned()
        )
    );
    assert_eq!(
        refused("test.What", 2),
        (
            "INVALID_ARGUMENT",
            "Unknown command type: test.What".to_owned()
        )
    );
}

/// Refuses every call with details that only the caller can read.
struct Detailed;

impl Methods for Detailed {
    fn call(
        &self,
        _: &str,
        _: prost::bytes::Bytes,
    ) -> Option<Result<Vec<prost::bytes::Bytes>, FailingStatus>> {
        Some(Err(FailingStatus {
            failure: Failure::rejected("not today"),
            details: DETAILS.into(),
        }))
    }
}

const DETAILS: &[u8] = b"any bytes";

fn connection(server: &Server) -> Connection {
    let address = server.address().to_string();
    Connection::new(&address, ConnectionOptions::default()).unwrap()
}

#[test]
fn a_rejection_over_grpc_keeps_its_details() {
    let dialect = Dialect::ANGZARR;
    let server =
        Server::start(coordinators::listener(), dialect, Arc::new(Detailed), None).unwrap();
    let backend = Backend::Remote(LogicClient::new(connection(&server), dialect));
    let peer = start_backend(dialect, &[], Some(backend));
    let error = aggregate(&peer, &request(dialect, "test.Add", 2)).unwrap_err();
    let CallError::Status { details, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(&details[..], DETAILS);
    assert_eq!(
        status(&error),
        ("FAILED_PRECONDITION", "not today".to_owned())
    );
}

#[test]
fn logic_that_cannot_be_reached_is_unavailable() {
    let dialect = Dialect::ANGZARR;
    let address = coordinators::listener().local_addr().unwrap().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let backend = Backend::Remote(LogicClient::new(connection, dialect));
    let peer = start_backend(dialect, &[], Some(backend));
    let error = aggregate(&peer, &request(dialect, "test.Add", 2)).unwrap_err();
    let (code, message) = status(&error);
    assert_eq!(code, "UNAVAILABLE");
    assert!(
        message.starts_with(&format!(
            "cannot reach {address} for CommandHandlerService/Handle"
        )),
        "{message}"
    );
}

#[test]
fn a_coordinators_rules_come_before_the_logic_and_after_it() {
    for dialect in Dialect::all() {
        let peer = peer(*dialect);
        let mut stale = request(*dialect, "test.Add", 2);
        let sent = command(cover(), "test.Add", Header::Sequence(5));
        stale.command = Some(packed_command(*dialect, &sent));
        assert_eq!(
            status(&aggregate(&peer, &stale).unwrap_err()),
            (
                "FAILED_PRECONDITION",
                "Sequence mismatch: command expects 5, aggregate at 2".to_owned()
            ),
            "{dialect}"
        );
        let mut large = request(*dialect, "test.Add", 0);
        let mut sent = command(cover(), "test.Add", Header::Sequence(0));
        sent.pages[0].command = Some(Payload::new("test.Add", vec![0; 262_145]));
        large.command = Some(packed_command(*dialect, &sent));
        assert_eq!(
            status(&aggregate(&peer, &large).unwrap_err()),
            (
                "INVALID_ARGUMENT",
                "a command has 262145 bytes, at most 262144 are taken".to_owned()
            )
        );
    }
    let newest = peer(Dialect::IO_ANGZARR_V1);
    let foreign = request(newest.dialect, "test.Foreign", 2);
    let (code, message) = status(&aggregate(&newest, &foreign).unwrap_err());
    assert_eq!(code, "FAILED_PRECONDITION");
    assert!(
        message.starts_with("the logic answered for player/09090909"),
        "{message}"
    );
    let gap = request(newest.dialect, "test.Gap", 2);
    assert_eq!(
        status(&aggregate(&newest, &gap).unwrap_err()),
        (
            "FAILED_PRECONDITION",
            "Sequence conflict: expected 2, got 7".to_owned()
        )
    );
}

#[test]
fn what_a_coordinator_would_do_silently_is_noted() {
    let peer = peer(Dialect::ANGZARR);
    let ask = |type_name| {
        let reply = aggregate(&peer, &request(peer.dialect, type_name, 2)).unwrap();
        (
            sequences(&unpacked(&peer, &reply.events.unwrap())),
            reply.notes,
        )
    };
    let (stored, notes) = ask("test.Clash");
    assert_eq!(stored, [0_u32; 0]);
    assert_eq!(
        notes,
        [
            "event 1 has sequence 0, but 2 is next: a coordinator of this dialect answers OK and does not store it"
        ]
    );
    let (stored, notes) = ask("test.Echo");
    assert_eq!(stored, [2]);
    assert_eq!(
        notes,
        ["the logic repeated 2 pages that it was shown; left out"]
    );
    let (stored, notes) = ask("test.Notify");
    assert_eq!(stored, [0_u32; 0]);
    assert_eq!(
        notes,
        ["the logic's outcome is `notified`: a coordinator passes on no events"]
    );
    let mut provisional = history(cover(), pages(2)).history.into_pages();
    provisional[1].provisional = true;
    let mut request = request(peer.dialect, "test.Seen", 2);
    request.events = Some(packed_book(peer.dialect, &history(cover(), provisional)));
    let reply = aggregate(&peer, &request).unwrap();
    assert_eq!(
        texts(&unpacked(&peer, &reply.events.unwrap())),
        ["main[0 1=placeholder] next 2, command at Some(2) in ``"]
    );
    assert_eq!(
        reply.notes,
        ["1 provisional or framework pages were shown as placeholders, as a coordinator does"]
    );
}

#[test]
fn the_upcaster_of_the_domain_goes_first() {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let logic = Component::Aggregate(Arc::new(Scripted::default()));
    let upcaster = Component::Upcaster(Arc::new(Marking));
    let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW))
        .with_logic(player(), Backend::InProcess(logic))
        .with_upcaster(player(), Backend::InProcess(upcaster));
    let peer = serve(Dialect::ANGZARR, coordinator, store);
    let mut request = request(peer.dialect, "test.Seen", 1);
    assert_eq!(
        texts(&events(&peer, &request)),
        ["main[0=placeholder] next 1, command at Some(1) in ``"]
    );
    let unreadable = history(cover(), vec![page(0, "unreadable")]);
    request.events = Some(packed_book(peer.dialect, &unreadable));
    assert_eq!(
        status(&aggregate(&peer, &request).unwrap_err()),
        ("INTERNAL", "Upcaster failed: page is too old".to_owned())
    );
}

/// Wants to be told a rejection under its deferred header.
struct Compensating;

impl Logic for Compensating {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        assert!(matches!(
            command.pages[0].header,
            Header::AngzarrDeferred { .. }
        ));
        let page = EmittedPage::event(Payload::new("test.Released", b"released".to_vec()));
        Ok(Reply::Events(EmittedBook::new(vec![page])))
    }
}

#[test]
fn a_notification_keeps_its_deferred_header() {
    let peer = start_with(Dialect::ANGZARR, &[], Some(Arc::new(Compensating)));
    let header = Header::AngzarrDeferred {
        source: None,
        source_sequence: 1,
        source_component: String::new(),
        command_index: 0,
        basis_sequence: None,
    };
    let mut request = request(peer.dialect, "test.Seen", 2);
    let sent = command(cover(), "angzarr.Notification", header);
    request.command = Some(packed_command(peer.dialect, &sent));
    assert_eq!(texts(&events(&peer, &request)), ["released"]);
}

#[test]
fn a_request_over_the_limit_is_explained() {
    let peer = peer(Dialect::ANGZARR);
    let page = page(0, &"x".repeat(11 * 1024 * 1024));
    let mut request = request(peer.dialect, "test.Add", 1);
    request.events = Some(packed_book(peer.dialect, &history(cover(), vec![page])));
    let (code, message) = status(&aggregate(&peer, &request).unwrap_err());
    assert_eq!(code, "INVALID_ARGUMENT");
    assert!(
        message.starts_with("the request is too large ("),
        "{message}"
    );
    assert!(
        message.ends_with("): capture a long history as a fixture, and use `replay`"),
        "{message}"
    );
}

#[test]
fn other_methods_of_our_package_do_not_exist() {
    let peer = peer(Dialect::ANGZARR);
    for method in ["Speculate/Projector", "Speculated/Aggregate"] {
        let path = format!("/angzarr_replay.local.v1.{method}");
        let error = peer.connection.call(&path, Vec::new().into()).unwrap_err();
        assert_eq!(status(&error), ("UNIMPLEMENTED", String::new()));
    }
}
