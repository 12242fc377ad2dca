//! The released Python client library against the local coordinator: its `SpeculativeClient` gets the four answers.
//!
//! Ignored, as it needs `.venv` (examples/poker-python/README.md); `cargo xtask check` demands it.
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use angzarr_replay::internal::coordinator::{
    Backend, HostedComponent, LocalCoordinator, Store, Stores,
};
use angzarr_replay::internal::model::{
    Answer, CommandBook, CommandPage, Component, Cover, Destinations, Domain, EmittedBook,
    EmittedCommand, EmittedPage, EventBook, Failure, Header, Logic, MergeStrategy, Payload,
    ProcessManager, Projection, Projector, Reaction, Reply, Root, Saga, Timestamp,
};
use angzarr_replay::internal::wire::Dialect;
use test_support::{books, coordinators};

const NOW: Timestamp = Timestamp {
    seconds: 1_795_392_190,
    nanos: 0,
};

struct Small;

fn payload(text: String) -> Payload {
    Payload::new("test.Said", text.into_bytes())
}

fn reaction(text: String) -> Reaction {
    let page = CommandPage {
        header: Header::Absent,
        sync_mode: None,
        merge_strategy: MergeStrategy::default(),
        command: Some(payload(text)),
        external: None,
    };
    let table = Domain::new("table").unwrap();
    let command = EmittedCommand {
        cover: Some(Cover::main(table, Root::new([3; 16]))),
        pages: vec![page],
    };
    Reaction {
        commands: vec![command],
        ..Reaction::default()
    }
}

impl Logic for Small {
    fn handle(&self, prior: &EventBook, _: &CommandBook) -> Answer {
        let event = payload(format!("after {}", prior.next_sequence));
        Ok(Reply::Events(EmittedBook {
            pages: vec![EmittedPage::event(event)],
            ..EmittedBook::default()
        }))
    }
}

impl Saga for Small {
    fn react(&self, source: &EventBook, _: &Destinations) -> Result<Reaction, Failure> {
        let count = source.history.pages().len();
        Ok(reaction(format!("saga saw {count}")))
    }
}

impl ProcessManager for Small {
    fn react(
        &self,
        _: &EventBook,
        state: &EventBook,
        _: &Destinations,
    ) -> Result<Reaction, Failure> {
        let count = state.history.pages().len();
        Ok(reaction(format!("process manager stands at {count}")))
    }
}

impl Projector for Small {
    fn project(&self, events: &EventBook, with_effects: bool) -> Result<Projection, Failure> {
        Ok(Projection {
            cover: Some(events.cover.clone()),
            projector: format!("with effects: {with_effects}"),
            sequence: 0,
            payload: None,
        })
    }
}

fn reacting(component: Component) -> HostedComponent {
    HostedComponent {
        name: component.kind().word().into(),
        kind: component.kind(),
        subscriptions: BTreeMap::new(),
        backend: Backend::InProcess(component),
    }
}

#[test]
#[ignore = "needs .venv, see examples/poker-python/README.md"]
fn the_speculative_client_is_answered() {
    let player = Domain::new("player").unwrap();
    let cover = Cover::main(player.clone(), Root::new([7; 16]));
    let page = books::event(0, payload("stored".into()));
    let seed = books::seed(cover, vec![page]);
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW));
    coordinator.seed(&[seed], NOW).unwrap();
    let logic = Component::Aggregate(Arc::new(Small));
    let server = coordinator
        .with_logic(player, Backend::InProcess(logic))
        .with_reacting(reacting(Component::Saga(Arc::new(Small))))
        .with_reacting(reacting(Component::ProcessManager(Arc::new(Small))))
        .with_reacting(reacting(Component::Projector(Arc::new(Small))))
        .start(coordinators::listener())
        .unwrap();
    let before = store.dump().unwrap();

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new(root.join(".venv/bin/python"))
        .arg(root.join("tests/python/speculative_client.py"))
        .arg(server.address().to_string())
        .output()
        .expect("the interpreter of .venv");
    let errors = String::from_utf8_lossy(&ran.stderr);
    let said = String::from_utf8_lossy(&ran.stdout);
    let lines: Vec<&str> = said.lines().collect();
    let found = |line: usize, words: &[&str]| {
        let line = lines.get(line).copied().unwrap_or_default();
        for word in words {
            assert!(line.contains(word), "{word}\n{said}{errors}");
        }
    };
    found(0, &["command: events", "after 1"]);
    found(1, &["saga: commands", "table", "saga saw 1"]);
    found(
        2,
        &["process manager: commands", "process manager stands at 0"],
    );
    found(3, &["projector: cover", "with effects: false"]);
    assert_eq!(lines.len(), 4, "{said}{errors}");
    assert_eq!(store.dump().unwrap(), before);
}
