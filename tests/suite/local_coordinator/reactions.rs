//! Speculation with sagas, process managers and projectors.

use std::collections::BTreeMap;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{
    Backend, HostedComponent, LocalCoordinator, Store, Stores,
};
use angzarr_replay::internal::grpc::{LogicClient, LogicError, SpeculativeClient, serve_component};
use angzarr_replay::internal::model::{
    CommandPage, Component, ComponentKind, Cover, Destinations, Domain, EmittedCommand, EventBook,
    Failure, Header, History, Modes, Notification, Outcome, Payload, ProcessManager, Projection,
    Projector, Reaction, Root, Saga, Stimulus,
};
use angzarr_replay::internal::wire::Dialect;
use test_support::coordinators;

use super::support::*;

fn book(cover: Cover, count: u32) -> EventBook {
    EventBook {
        cover,
        snapshot: None,
        history: History::new(pages(count)).unwrap(),
        next_sequence: count,
    }
}

fn seat(edition_of: &Cover) -> EmittedCommand {
    let table = Domain::new("table").unwrap();
    let cover = Cover {
        edition: edition_of.edition.clone(),
        ..Cover::main(table, Root::new([3; 16]))
    };
    EmittedCommand {
        cover: Some(cover),
        pages: vec![CommandPage {
            header: Header::Absent,
            sync_mode: None,
            merge_strategy: angzarr_replay::internal::model::MergeStrategy::default(),
            command: Some(Payload::new("test.Seat", b"seat".to_vec())),
            external: None,
        }],
    }
}

/// Says its name and what it was shown, as the payload of its only command.
pub(super) struct Reporter(pub(super) &'static str);

impl Reporter {
    fn said(&self, seen: &str) -> Payload {
        Payload::new("test.Said", format!("{}: {seen}", self.0).into_bytes())
    }

    fn reaction(&self, seen: &str) -> Reaction {
        let mut command = seat(&cover());
        command.pages[0].command = Some(self.said(seen));
        Reaction {
            commands: vec![command, seat(&edition("elsewhere"))],
            ..Reaction::default()
        }
    }
}

impl Saga for Reporter {
    fn react(&self, source: &EventBook, destinations: &Destinations) -> Result<Reaction, Failure> {
        if source.history.pages().is_empty() {
            return Err(Failure::rejected("there is nothing to react to"));
        }
        let count = source.history.pages().len();
        Ok(self.reaction(&format!("{count} pages, {} told", destinations.len())))
    }
}

impl ProcessManager for Reporter {
    fn react(
        &self,
        trigger: &EventBook,
        state: &EventBook,
        destinations: &Destinations,
    ) -> Result<Reaction, Failure> {
        let (trigger, state) = (trigger.history.pages().len(), state.history.pages().len());
        let mut reaction = self.reaction(&format!(
            "{trigger} on {state}, {} told",
            destinations.len()
        ));
        reaction.notification = Some(Notification {
            cover: None,
            payload: None,
            sent_at: None,
            metadata: Vec::new(),
        });
        Ok(reaction)
    }
}

impl Projector for Reporter {
    fn project(&self, events: &EventBook, with_effects: bool) -> Result<Projection, Failure> {
        assert!(!with_effects, "a speculation must have no effects");
        Ok(Projection {
            cover: Some(events.cover.clone()),
            projector: self.0.into(),
            sequence: events.next_sequence,
            payload: None,
        })
    }
}

fn saga(name: &'static str, subscriptions: &[(&str, &[&str])]) -> HostedComponent {
    component(
        name,
        Component::Saga(Arc::new(Reporter(name))),
        subscriptions,
    )
}

pub(super) fn component(
    name: &str,
    component: Component,
    subscriptions: &[(&str, &[&str])],
) -> HostedComponent {
    let patterns = |types: &[&str]| types.iter().map(ToString::to_string).collect();
    let subscriptions = subscriptions
        .iter()
        .map(|(domain, types)| (Domain::new(*domain).unwrap(), patterns(types)));
    HostedComponent {
        name: name.into(),
        kind: component.kind(),
        subscriptions: subscriptions.collect::<BTreeMap<_, _>>(),
        backend: Backend::InProcess(component),
    }
}

fn behind(dialect: Dialect, components: Vec<HostedComponent>) -> Peer {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let mut coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW));
    for component in components {
        coordinator = coordinator.with_reacting(component);
    }
    serve(dialect, coordinator, store)
}

fn speculate(peer: &Peer, stimulus: &Stimulus) -> Result<Outcome, LogicError> {
    SpeculativeClient::new(peer.connection.clone(), peer.dialect).react(stimulus)
}

fn source(cover: Cover, count: u32) -> Stimulus {
    Stimulus::Saga {
        source: book(cover, count),
        destinations: Destinations::from([("table".into(), 4)]),
        modes: Modes::default(),
    }
}

fn reaction(outcome: Result<Outcome, LogicError>) -> Reaction {
    match outcome {
        Ok(Outcome::Reacted(reaction)) => reaction,
        other => panic!("{other:?}"),
    }
}

/// What the component that answered said.
fn said(outcome: Result<Outcome, LogicError>) -> String {
    let reaction = reaction(outcome);
    let command = reaction.commands[0].pages[0].command.clone().unwrap();
    String::from_utf8(command.value).unwrap()
}

fn editions(reaction: &Reaction) -> Vec<&str> {
    let covers = reaction
        .commands
        .iter()
        .map(|command| command.cover.as_ref().unwrap());
    covers.map(|cover| cover.edition.label()).collect()
}

fn failure_of(outcome: &Result<Outcome, LogicError>) -> (&'static str, &str) {
    let failure = match outcome {
        Ok(outcome) => outcome.failure(),
        Err(LogicError::Call(error)) => error.failure(),
        Err(other) => panic!("{other}"),
    };
    let failure = failure.unwrap_or_else(|| panic!("{outcome:?}"));
    (failure.code.name(), &failure.message)
}

#[test]
fn a_saga_is_shown_the_source_and_no_destinations() {
    for dialect in Dialect::all() {
        let peer = behind(*dialect, vec![saga("seats", &[])]);
        assert_eq!(
            said(speculate(&peer, &source(cover(), 2))),
            "seats: 2 pages, 0 told",
            "{dialect}"
        );
        assert_eq!(peer.store.dump().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn commands_get_the_edition_of_their_source() {
    for dialect in Dialect::all() {
        let peer = behind(*dialect, vec![saga("seats", &[])]);
        let expected = if *dialect == Dialect::ANGZARR {
            ["debug", "elsewhere"]
        } else {
            ["debug", "debug"]
        };
        let reaction = reaction(speculate(&peer, &source(edition("debug"), 1)));
        assert_eq!(editions(&reaction), expected, "{dialect}");
    }
}

#[test]
fn a_sagas_failure_loses_its_code() {
    let peer = behind(Dialect::ANGZARR, vec![saga("seats", &[])]);
    assert_eq!(
        failure_of(&speculate(&peer, &source(cover(), 0))),
        (
            "INTERNAL",
            "Saga handler failed: there is nothing to react to"
        )
    );
}

#[test]
fn a_process_manager_is_shown_trigger_and_state() {
    let stimulus = Stimulus::ProcessManager {
        trigger: book(cover(), 2),
        state: book(cover(), 1),
        destinations: Destinations::from([("table".into(), 4)]),
    };
    for dialect in Dialect::all() {
        let manager = Component::ProcessManager(Arc::new(Reporter("buy-in")));
        let peer = behind(*dialect, vec![component("buy-in", manager, &[])]);
        let outcome = speculate(&peer, &stimulus);
        assert_eq!(reaction(outcome.clone()).notification, None, "{dialect}");
        assert_eq!(said(outcome), "buy-in: 2 on 1, 0 told", "{dialect}");
    }
}

/// The sidecars take them, so they are no mistakes of the caller.
#[test]
fn books_that_do_not_say_whose_they_are_are_taken() {
    let page = field(3, &field(1, &number(1, 0)));
    let of_player = field(1, &field(2, b"player"));
    let sources = [page.clone(), [of_player, page.clone()].concat()];
    for dialect in Dialect::all() {
        let peer = behind(*dialect, vec![saga("seats", &[])]);
        for source in &sources {
            let request = field(1, &field(1, source));
            let reply = peer.call("SagaCoordinatorService/ExecuteSpeculative", request);
            let reply = String::from_utf8_lossy(&reply.unwrap()).into_owned();
            assert!(reply.contains("seats: 1 pages, 0 told"), "{dialect}");
        }
        let manager = Component::ProcessManager(Arc::new(Reporter("buy-in")));
        let peer = behind(*dialect, vec![component("buy-in", manager, &[])]);
        let root = field(1, &field(1, ROOT.as_bytes()));
        let cover = field(1, &[root, field(2, b"player")].concat());
        let trigger = field(1, &[cover, page.clone()].concat());
        let no_root = field(2, &field(1, &field(2, b"buy-in")));
        for state in [Vec::new(), no_root] {
            let request = field(1, &[trigger.clone(), state].concat());
            let reply = peer.call(
                "ProcessManagerCoordinatorService/HandleSpeculative",
                request,
            );
            let reply = String::from_utf8_lossy(&reply.unwrap()).into_owned();
            assert!(reply.contains("buy-in: 1 on 0, 0 told"), "{dialect}");
        }
    }
}

/// The released coordinator makes the effectful call here.
#[test]
fn a_projector_is_asked_without_effects() {
    let stimulus = Stimulus::Project {
        events: book(cover(), 2),
        with_effects: false,
    };
    let projector = Component::Projector(Arc::new(Reporter("seats")));
    let server = serve_component(
        coordinators::listener(),
        Dialect::ANGZARR,
        projector.clone(),
    )
    .unwrap();
    let address = server.address().to_string();
    let options = angzarr_replay::internal::grpc::ConnectionOptions::default();
    let connection = angzarr_replay::internal::grpc::Connection::new(&address, options).unwrap();
    let remote = HostedComponent {
        backend: Backend::Remote(LogicClient::new(connection, Dialect::ANGZARR)),
        ..component("seats", projector.clone(), &[])
    };
    for one in [component("seats", projector, &[]), remote] {
        let peer = behind(Dialect::ANGZARR, vec![one]);
        let Ok(Outcome::Projected(projection)) = speculate(&peer, &stimulus) else {
            panic!()
        };
        assert_eq!(
            (projection.projector.as_str(), projection.sequence),
            ("seats", 2)
        );
    }
}

#[test]
fn of_several_the_subscribed_one_answers() {
    let components = || {
        vec![
            saga("other", &[("table", &["*"])]),
            saga("narrow", &[("player", &["test.Removed"])]),
            saga("wide", &[("player", &["test.Add*"])]),
        ]
    };
    let peer = behind(Dialect::ANGZARR, components());
    assert_eq!(
        said(speculate(&peer, &source(cover(), 1))),
        "wide: 1 pages, 0 told"
    );
    let mut elsewhere = cover();
    elsewhere.domain = Domain::new("table").unwrap();
    assert_eq!(
        said(speculate(&peer, &source(elsewhere, 1))),
        "other: 1 pages, 0 told"
    );
}

#[test]
fn where_it_is_not_clear_who_answers_nobody_does() {
    let both = [("player", ["test.*"].as_slice())];
    let peer = behind(
        Dialect::ANGZARR,
        vec![saga("one", &both), saga("two", &both)],
    );
    assert_eq!(
        failure_of(&speculate(&peer, &source(cover(), 1))),
        (
            "UNAVAILABLE",
            "more than one of these components of kind saga is subscribed to `test.Added` of domain `player`: one, \
             two; start `serve` with --component NAME for the one that is to answer"
        )
    );
    let mut elsewhere = cover();
    elsewhere.domain = Domain::new("hand").unwrap();
    assert_eq!(
        failure_of(&speculate(&peer, &source(elsewhere, 1))),
        (
            "UNAVAILABLE",
            "none of these components of kind saga is subscribed to `test.Added` of domain `hand`: one, two; start \
             `serve` with --component NAME for the one that is to answer"
        )
    );
    let nobody = behind(Dialect::ANGZARR, Vec::new());
    assert_eq!(
        failure_of(&speculate(&nobody, &source(cover(), 1))),
        ("UNAVAILABLE", "no saga is configured")
    );
    assert_eq!(ComponentKind::Saga.word(), "saga");
}
