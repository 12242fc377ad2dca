//! Requests that make no sense, each with its message.

use angzarr_replay::internal::model::{Cover, Domain, EventBook, Header, History, Root};
use angzarr_replay::internal::wire::Dialect;
use angzarr_replay::internal::wire::messages::{Any, local as pb};
use prost::Message;

use super::components::{behind, reporting, source};
use super::{SERVICE, call, history, packed, packed_book, packed_command, peer, request};
use crate::local_coordinator::support::*;

const DIALECT: Dialect = Dialect::ANGZARR;

/// The code and the message that a request is refused with.
fn refused<R: Message + Default + std::fmt::Debug>(
    peer: &Peer,
    method: &str,
    request: &impl Message,
) -> String {
    let (code, message) = status(&call::<R>(peer, method, request).unwrap_err());
    format!("{method} {code}: {message}\n")
}

fn all_refused(requests: &[pb::SpeculateAggregateRequest]) -> String {
    let peer = peer(DIALECT);
    let refused = requests
        .iter()
        .map(|request| refused::<pb::SpeculateAggregateResponse>(&peer, "Aggregate", request));
    refused.collect()
}

fn good() -> pb::SpeculateAggregateRequest {
    request(DIALECT, "test.Add", 2)
}

fn with_command(command: Option<Any>) -> pb::SpeculateAggregateRequest {
    pb::SpeculateAggregateRequest { command, ..good() }
}

fn with_events(events: Any) -> pb::SpeculateAggregateRequest {
    pb::SpeculateAggregateRequest {
        events: Some(events),
        ..good()
    }
}

fn command_book(bytes: impl Into<Vec<u8>>) -> Any {
    packed(DIALECT, "CommandBook", bytes.into())
}

fn events_book(bytes: impl Into<Vec<u8>>) -> Any {
    packed(DIALECT, "EventBook", bytes.into())
}

fn of_table() -> Cover {
    Cover {
        domain: Domain::new("table").unwrap(),
        ..cover()
    }
}

#[test]
fn every_mistake_in_a_command_is_explained() {
    let of_domain = |name: &str| {
        let root = field(1, &field(1, ROOT.as_bytes()));
        command_book(field(1, &[root, field(2, name.as_bytes())].concat()))
    };
    let short_root = [field(1, &field(1, b"short")), field(2, b"player")].concat();
    let mut correlated = command(cover(), "test.Add", Header::Sequence(2));
    correlated.cover.correlation_id = "not one".into();
    let mut without_payload = command(cover(), "test.Add", Header::Sequence(2));
    without_payload.pages[0].command = None;
    let unknown_type = Any {
        type_url: "\u{1b}[31m".to_owned() + &"x".repeat(1000),
        value: prost::bytes::Bytes::new(),
    };
    let commands = [
        Any::default(),
        command_book(b"\xff"),
        command_book([]),
        events_book([]),
        packed(Dialect::IO_ANGZARR_V1, "CommandBook", Vec::new()),
        unknown_type,
        of_domain(""),
        of_domain("No Domain"),
        command_book(field(1, &field(2, b"player"))),
        command_book(field(1, &short_root)),
        of_domain("player"),
        packed_command(DIALECT, &without_payload),
        packed_command(DIALECT, &correlated),
    ];
    let mut requests = vec![with_command(None)];
    requests.extend(commands.map(|command| with_command(Some(command))));
    insta::assert_snapshot!(all_refused(&requests));
}

#[test]
fn every_mistake_in_a_history_is_explained() {
    let book = |cover, pages| packed_book(DIALECT, &history(cover, pages));
    let other_root = Cover {
        root: Root::new([8; 16]),
        ..cover()
    };
    let after_snapshot = History::new(vec![page(5, "five")]).unwrap();
    let after_snapshot = EventBook::new(cover(), Some(snapshot(1, "state")), after_snapshot);
    let page_at = |sequence| field(3, &field(1, &number(1, sequence)));
    let of_long_domain = [
        field(1, &field(1, ROOT.as_bytes())),
        field(2, "x".repeat(20_000).as_bytes()),
    ];
    let histories = [
        command_book([]),
        events_book(b"\xff"),
        events_book(field(3, b"\xff")),
        events_book(field(1, &field(2, b"player"))),
        events_book(field(1, &of_long_domain.concat())),
        book(other_root, pages(2)),
        book(of_table(), pages(2)),
        book(cover(), vec![page(1, "one")]),
        book(cover(), vec![page(0, ""), page(4, "")]),
        packed_book(DIALECT, &after_snapshot),
        events_book([page_at(1), page_at(0)].concat()),
        events_book(field(3, &field(1, &field(2, &field(1, b"key"))))),
        book(edition("debug"), pages(2)),
    ];
    insta::assert_snapshot!(all_refused(&histories.map(with_events)));
}

#[test]
fn every_other_mistake_in_a_command_request_is_explained() {
    let edition = |edition: &str| pb::SpeculateAggregateRequest {
        edition: edition.into(),
        ..good()
    };
    let sent = command(of_table(), "test.Add", Header::Sequence(2));
    let without_logic = pb::SpeculateAggregateRequest {
        command: Some(packed_command(DIALECT, &sent)),
        events: None,
        edition: String::new(),
    };
    let mut messages = all_refused(&[
        edition("No Edition"),
        edition(&"x".repeat(20_000)),
        without_logic,
    ]);
    let path = format!("{SERVICE}Aggregate");
    let garbage = peer(DIALECT)
        .connection
        .call(&path, b"\xff".to_vec().into());
    let (code, message) = status(&garbage.unwrap_err());
    messages += &["Aggregate ", code, ": ", &message, "\n"].concat();
    insta::assert_snapshot!(messages);
}

fn saga_refused(peer: &Peer, request: &pb::SpeculateSagaRequest) -> String {
    refused::<pb::SpeculateSagaResponse>(peer, "Saga", request)
}

#[test]
fn every_mistake_in_a_request_for_a_saga_is_explained() {
    let with_events = |events| pb::SpeculateSagaRequest {
        events,
        ..pb::SpeculateSagaRequest::default()
    };
    let bare_page = events_book(field(3, &field(1, &number(1, 0))));
    let gap = history(cover(), vec![page(3, ""), page(6, "")]);
    let peer = behind(DIALECT, reporting());
    let mut messages: String = [
        None,
        Some(source(DIALECT, 0, 0)),
        Some(bare_page),
        Some(packed_book(DIALECT, &gap)),
    ]
    .map(|events| saga_refused(&peer, &with_events(events)))
    .concat();
    let newest = behind(Dialect::IO_ANGZARR_V1, reporting());
    let with_destinations = pb::SpeculateSagaRequest {
        destinations: [("table".to_owned(), 4)].into(),
        ..with_events(Some(source(newest.dialect, 0, 1)))
    };
    messages += &saga_refused(&newest, &with_destinations);
    let good = with_events(Some(source(DIALECT, 0, 1)));
    messages += &saga_refused(&behind(DIALECT, Vec::new()), &good);
    let several = behind(DIALECT, [reporting(), reporting()].concat());
    messages += &saga_refused(&several, &good);
    insta::assert_snapshot!(messages);
}

#[test]
fn every_mistake_in_a_request_for_a_process_manager_is_explained() {
    let refused = |peer: &Peer, process_state| {
        let request = pb::SpeculateProcessManagerRequest {
            events: Some(source(DIALECT, 0, 1)),
            process_state,
            ..pb::SpeculateProcessManagerRequest::default()
        };
        refused::<pb::SpeculateProcessManagerResponse>(peer, "ProcessManager", &request)
    };
    let book = |cover, pages| Some(packed_book(DIALECT, &history(cover, pages)));
    let peer = behind(DIALECT, reporting());
    let mut messages: String = [
        None,
        Some(events_book(field(3, &field(1, &number(1, 0))))),
        book(cover(), vec![page(1, "")]),
        book(edition("debug"), pages(1)),
    ]
    .map(|state| refused(&peer, state))
    .concat();
    messages += &refused(&behind(DIALECT, Vec::new()), book(cover(), Vec::new()));
    insta::assert_snapshot!(messages);
}
