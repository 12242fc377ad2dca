//! Real peers: the demo's player, a saga and the process manager in Python on the released client library, started as
//! `replay.toml` says.
//!
//! Ignored, as it needs `.venv` (examples/poker-python/README.md). `cargo xtask check` asks for it with
//! `cargo test --test suite -- --ignored python_peer`; then a missing peer is a failure. The fixtures are replayed on it by
//! the harness, as on a twin.
use std::path::Path;

use angzarr_replay::internal::model::{
    CommandBook, EventBook, FailureClass, Header, Outcome, Page, Payload, Stimulus,
};
use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::wire::{self, Dialect, StoredBook};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost::bytes::Bytes;
use serde_json::Value;

mod compensation;
mod flows;
mod reactions;

const CALLS: &str = include_str!("../../../examples/poker/recorded/calls.jsonl");

#[derive(Clone, PartialEq, Message)]
struct ContextualCommand {
    #[prost(bytes = "bytes", tag = "1")]
    events: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    command: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct BusinessResponse {
    #[prost(bytes = "bytes", tag = "1")]
    events: Bytes,
}

fn call(n: u32) -> Value {
    let calls = CALLS.lines().map(serde_json::from_str::<Value>);
    calls
        .map(Result::unwrap)
        .find(|call| call["n"] == n)
        .unwrap()
}

fn message<M: Message + Default>(base64: &Value) -> M {
    let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
    M::decode(bytes.as_slice()).unwrap()
}

fn asked(call: &Value) -> (EventBook, CommandBook) {
    let request: ContextualCommand = message(&call["request"]);
    let StoredBook {
        cover,
        snapshot,
        history,
        next_sequence,
    } = wire::event_book(request.events).unwrap();
    let prior = EventBook {
        cover: cover.unwrap(),
        snapshot,
        history,
        next_sequence,
    };
    let command = wire::command_book(&request.command, Dialect::ANGZARR).unwrap();
    (prior, command)
}

fn recorded_pages(call: &Value) -> Vec<Page> {
    let reply: BusinessResponse = message(&call["response"]);
    let book = wire::event_book(reply.events).unwrap();
    book.history.into_pages()
}

struct Peer(Project);

impl Peer {
    fn start() -> Self {
        let project = Project::open(poker::app(), Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        for name in ["player-python", "hand-player-python", "buy-in-python"] {
            let peer = project.logics().named(name).unwrap();
            let required = peer.config.requires.unwrap();
            assert!(
                required.exists(),
                "the peer needs {}: see examples/poker-python/README.md",
                required.display()
            );
        }
        Self(project)
    }

    /// Asks logic of a name, once.
    fn ask_of(&self, name: &str, stimulus: &Stimulus) -> Outcome {
        let logics = self.0.logics();
        let logic = logics.named(name).unwrap();
        let target = logics.target(&logic, Dialect::ANGZARR.name()).unwrap();
        target.ask(stimulus).unwrap()
    }

    fn ask(&self, call: &Value) -> Outcome {
        let (prior, command) = asked(call);
        self.ask_of("player-python", &Stimulus::Command { prior, command })
    }

    /// Type and fields of an event without the handler's clock.
    fn view(&self, event: &Payload) -> (String, serde_yaml::Value) {
        let Decoded::Exact(mut view) = self.0.registry().unwrap().decode(event) else {
            panic!("{} does not decode", event.type_name());
        };
        assert!(without_clock(&mut view) > 0);
        (event.type_url.to_string(), view)
    }
}

/// Takes out what the handler's clock said, and counts how often.
fn without_clock(view: &mut serde_yaml::Value) -> usize {
    let Some(fields) = view.as_mapping_mut() else {
        return 0;
    };
    let all = fields.len();
    fields.retain(|key, _| !key.as_str().is_some_and(|key| key.ends_with("_at")));
    let gone = all - fields.len();
    gone + fields.values_mut().map(without_clock).sum::<usize>()
}

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn recorded_calls_have_their_recorded_outcome_on_the_python_peer() {
    let peer = Peer::start();

    let accepted = call(108);
    let Outcome::Accepted(book) = peer.ask(&accepted) else {
        panic!("call 108 is accepted");
    };
    let recorded = recorded_pages(&accepted);
    assert_eq!(book.pages.len(), recorded.len());
    for (page, recorded) in book.pages.iter().zip(&recorded) {
        assert_eq!(page.header, Header::Sequence(recorded.sequence));
        let (ours, theirs) = (page.body.event().unwrap(), recorded.body.event().unwrap());
        assert_eq!(peer.view(ours), peer.view(theirs));
    }

    for (n, class) in [
        (109, FailureClass::Rejected),
        (110, FailureClass::Refused),
        (111, FailureClass::Crashed),
    ] {
        let call = call(n);
        let outcome = peer.ask(&call);
        let failure = outcome.failure().unwrap();
        assert_eq!(failure.code.name(), call["code"], "call {n}");
        assert_eq!(Value::from(failure.message.clone()), call["message"]);
        assert_eq!(
            failure.class(angzarr_replay::internal::model::AnsweredBy::NotKnown),
            class,
            "call {n}"
        );
    }
}

/// What was asked and answered in a recorded call of a component.
fn recorded(n: u32) -> (Stimulus, Outcome) {
    let call = call(n);
    let bytes = |field: &str| Bytes::from(STANDARD.decode(call[field].as_str().unwrap()).unwrap());
    let method = call["path"].as_str().unwrap().rsplit('.').next().unwrap();
    let stimulus = wire::stimulus_of_request(method, bytes("request"), Dialect::ANGZARR);
    let stimulus = stimulus.unwrap().unwrap();
    let outcome = wire::outcome_of_reply(&stimulus, bytes("response"), Dialect::ANGZARR);
    (stimulus, outcome.unwrap())
}
