//! Redaction at the library's edge: payloads, texts and cases.
mod cases;
mod leftovers;
mod notifications;
mod payloads;
mod properties;
mod refusals;
mod texts;

use std::path::Path;
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use serde_yaml::Value;

const PERSON: &str = "people.Person";

fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/redaction/proto");
        Registry::from_paths(&[folder]).unwrap()
    });
    &REGISTRY
}

fn rule(type_pattern: &str, field: &str, action: Action) -> RedactionRule {
    RedactionRule::new(type_pattern, field, action).unwrap()
}

fn policy(rules: Vec<RedactionRule>) -> Policy {
    Policy {
        rules,
        key: Some(Key::new("a key that only these tests have").unwrap()),
        debug_redact: None,
        roots: false,
        is_strict: true,
    }
}

fn redactor(rules: Vec<RedactionRule>) -> Redactor {
    Redactor::new(registry().clone(), policy(rules)).unwrap()
}

fn person(view: &str) -> Payload {
    let view: Value = serde_yaml::from_str(view).unwrap();
    Payload::new(PERSON, registry().encode(PERSON, &view).unwrap())
}

fn view(payload: &Payload) -> Value {
    match registry().decode(payload) {
        Decoded::Exact(view) => view,
        other => panic!("{other:?}"),
    }
}

/// A person after redaction by some rules.
fn redacted(rules: Vec<RedactionRule>, text: &str) -> Value {
    view(
        &redactor(rules)
            .redact_payload(&person(text))
            .unwrap()
            .payload,
    )
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}
