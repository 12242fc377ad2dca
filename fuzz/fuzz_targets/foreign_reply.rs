//! Any bytes as the reply of logic to every kind of stimulus: no panic, and a decoded outcome stays the same when it is encoded
//! again or shown.
//!
//! `cargo +nightly fuzz run foreign_reply`; the first byte chooses the dialect.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::{
    CommandBook, Cover, Destinations, Domain, EmittedBook, EventBook, History, Modes, Pages, Root,
    Stimulus,
};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::snapshot::{Renderer, Rules, described};
use angzarr_replay::internal::wire::{Dialect, outcome_of_reply, reply_of_outcome};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});
static COVER: LazyLock<Cover> = LazyLock::new(|| {
    let domain = Domain::new("player").expect("the name is a constant");
    Cover::main(domain, Root::new([7; 16]))
});
static STIMULI: LazyLock<[Stimulus; 9]> = LazyLock::new(|| {
    let book = || EventBook {
        cover: COVER.clone(),
        snapshot: None,
        history: History::default(),
        next_sequence: 0,
    };
    let project = |with_effects| Stimulus::Project {
        events: book(),
        with_effects,
    };
    let command = CommandBook {
        cover: COVER.clone(),
        pages: Vec::new(),
        original: None,
    };
    [
        Stimulus::Command {
            prior: book(),
            command,
        },
        Stimulus::Fold {
            snapshot: None,
            pages: Pages::default(),
        },
        Stimulus::Upcast {
            domain: COVER.domain.clone(),
            pages: Pages::default(),
        },
        Stimulus::Fact {
            facts: EmittedBook::default(),
            prior: book(),
        },
        Stimulus::Saga {
            source: book(),
            destinations: Destinations::default(),
            modes: Modes::default(),
        },
        Stimulus::Prepare {
            trigger: book(),
            state: book(),
        },
        Stimulus::ProcessManager {
            trigger: book(),
            state: book(),
            destinations: Destinations::default(),
        },
        project(false),
        project(true),
    ]
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let dialect = Dialect::all()[usize::from(*choice) % Dialect::all().len()];
    let bytes = Bytes::copy_from_slice(bytes);
    let rules = Rules::default();
    let renderer = Renderer::new(vec![&REGISTRY], vec![&rules], &COVER, 3);
    for stimulus in STIMULI.iter() {
        let outcome = match outcome_of_reply(stimulus, bytes.clone(), dialect) {
            Ok(outcome) => outcome,
            Err(error) => {
                let _ = error.to_string();
                continue;
            }
        };
        let written =
            reply_of_outcome(&outcome, stimulus, dialect).expect("the outcome came from a reply");
        assert_eq!(
            outcome_of_reply(stimulus, written, dialect).as_ref(),
            Ok(&outcome)
        );
        assert_eq!(described(&outcome), outcome.word());
        let shown = Renderer::text(&renderer.view(&outcome));
        let read: Value = serde_yaml::from_str(&shown).expect("canonical YAML is YAML");
        // Compared as text, because NaN is not equal to itself.
        assert_eq!(Renderer::text(&read), shown);
    }
});
