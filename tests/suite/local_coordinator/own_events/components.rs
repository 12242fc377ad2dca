//! Sagas and process managers on events in the request.

use std::collections::HashMap;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::grpc::{LogicClient, serve_component};
use angzarr_replay::internal::model::{
    Component, Cover, Destinations, Domain, ErrorInfo, EventBook, Failure, ProcessManager,
    Reaction, Saga,
};
use angzarr_replay::internal::wire::Dialect;
use angzarr_replay::internal::wire::messages::{self, Any, local as pb};
use prost::Message;
use test_support::coordinators;

use super::{call, connection, history, packed_book};
use crate::local_coordinator::reactions::{Reporter, component};
use crate::local_coordinator::support::*;

pub(super) fn source(dialect: Dialect, from: u32, to: u32) -> Any {
    let pages = (from..to).map(|sequence| page(sequence, "new")).collect();
    packed_book(dialect, &history(cover(), pages))
}

/// The text of the first command of an answer, and the editions of all.
fn said(dialect: Dialect, commands: &[Any]) -> (String, Vec<String>) {
    let mut editions = Vec::new();
    let mut texts = Vec::new();
    for any in commands {
        let name = format!("type.googleapis.com/{}.CommandBook", dialect.package());
        assert_eq!(any.type_url, name);
        let book = messages::CommandBook::decode(any.value.clone()).unwrap();
        let edition = book.cover.unwrap().edition.unwrap_or_default();
        editions.push(edition.name);
        let Some(messages::command_page::Payload::Command(command)) = &book.pages[0].payload else {
            panic!("no command");
        };
        texts.push(String::from_utf8(command.value.to_vec()).unwrap());
    }
    (texts.remove(0), editions)
}

pub(super) fn behind(dialect: Dialect, components: Vec<Component>) -> Peer {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let mut coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW));
    coordinator
        .seed(&[seed(cover(), pages(3))], SEEDED)
        .unwrap();
    for one in components {
        coordinator = coordinator.with_reacting(component("one", one, &[]));
    }
    serve(dialect, coordinator, store)
}

pub(super) fn reporting() -> Vec<Component> {
    vec![
        Component::Saga(Arc::new(Reporter("seats"))),
        Component::ProcessManager(Arc::new(Reporter("buy-in"))),
    ]
}

fn destinations(dialect: Dialect) -> HashMap<String, u32> {
    if dialect.rules().sends_destinations {
        [("table".to_owned(), 4)].into()
    } else {
        [].into()
    }
}

#[test]
fn a_saga_gets_the_callers_events_and_destinations() {
    for dialect in Dialect::all() {
        let peer = behind(*dialect, reporting());
        let before = peer.store.dump().unwrap();
        let request = pb::SpeculateSagaRequest {
            events: Some(source(*dialect, 5, 7)),
            destinations: destinations(*dialect),
            edition: "debug".into(),
        };
        let told = request.destinations.len();
        let reply: pb::SpeculateSagaResponse = call(&peer, "Saga", &request).unwrap();
        let (text, editions) = said(*dialect, &reply.commands);
        assert_eq!(text, format!("seats: 2 pages, {told} told"), "{dialect}");
        let own = if *dialect == Dialect::ANGZARR {
            "elsewhere"
        } else {
            "debug"
        };
        assert_eq!(editions, ["debug", own], "{dialect}");
        assert_eq!(reply.notes, Vec::<String>::new());
        assert_eq!(peer.store.dump().unwrap(), before);
    }
}

#[test]
fn a_process_manager_gets_the_callers_events_and_stream() {
    for dialect in Dialect::all() {
        let peer = behind(*dialect, reporting());
        let before = peer.store.dump().unwrap();
        let own = Cover {
            domain: Domain::new("pmg-buy-in").unwrap(),
            ..cover()
        };
        let request = pb::SpeculateProcessManagerRequest {
            events: Some(source(*dialect, 5, 7)),
            process_state: Some(packed_book(*dialect, &history(own, pages(1)))),
            destinations: destinations(*dialect),
            edition: String::new(),
        };
        let told = request.destinations.len();
        let reply: pb::SpeculateProcessManagerResponse =
            call(&peer, "ProcessManager", &request).unwrap();
        let (text, _) = said(*dialect, &reply.commands);
        assert_eq!(text, format!("buy-in: 2 on 1, {told} told"), "{dialect}");
        assert!(reply.notification.is_some());
        assert_eq!(reply.notes, Vec::<String>::new());
        let without_destinations = pb::SpeculateProcessManagerRequest {
            destinations: [].into(),
            ..request
        };
        let reply: pb::SpeculateProcessManagerResponse =
            call(&peer, "ProcessManager", &without_destinations).unwrap();
        let noted = "the component was told no heads of the aggregates that it writes to: `destinations` is empty";
        assert_eq!(reply.notes, vec![noted; told]);
        assert_eq!(peer.store.dump().unwrap(), before);
    }
}

/// Refuses, with a code and a reason that a coordinator would lose.
struct Refusing;

fn refusal() -> Failure {
    Failure {
        info: Some(ErrorInfo {
            reason: "NO_SEAT".into(),
            domain: "angzarr.io".into(),
            metadata: Vec::new(),
        }),
        ..Failure::rejected("no seat")
    }
}

impl Saga for Refusing {
    fn react(&self, _: &EventBook, _: &Destinations) -> Result<Reaction, Failure> {
        Err(refusal())
    }
}

impl ProcessManager for Refusing {
    fn react(&self, _: &EventBook, _: &EventBook, _: &Destinations) -> Result<Reaction, Failure> {
        Err(refusal())
    }
}

#[test]
fn a_component_that_refuses_keeps_its_status() {
    let dialect = Dialect::ANGZARR;
    let remote = Component::Saga(Arc::new(Refusing));
    let server = serve_component(coordinators::listener(), dialect, remote.clone()).unwrap();
    let client = LogicClient::new(connection(&server), dialect);
    let mut hosted = component("remote", remote, &[]);
    hosted.backend = Backend::Remote(client);
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW))
        .with_reacting(hosted)
        .with_reacting(component(
            "local",
            Component::ProcessManager(Arc::new(Refusing)),
            &[],
        ));
    let peer = serve(dialect, coordinator, store);
    let saga = pb::SpeculateSagaRequest {
        events: Some(source(dialect, 0, 1)),
        ..pb::SpeculateSagaRequest::default()
    };
    let manager = pb::SpeculateProcessManagerRequest {
        events: Some(source(dialect, 0, 1)),
        process_state: Some(packed_book(dialect, &history(cover(), Vec::new()))),
        ..pb::SpeculateProcessManagerRequest::default()
    };
    let refused = [
        call::<pb::SpeculateSagaResponse>(&peer, "Saga", &saga).unwrap_err(),
        call::<pb::SpeculateProcessManagerResponse>(&peer, "ProcessManager", &manager).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.failure(), Some(&refusal()));
    }
}
