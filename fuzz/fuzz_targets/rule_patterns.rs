//! Any texts as the patterns of rules, of redaction rules and of `[[audit.allow]]`: matching agrees with a simple
//! letter-by-letter matcher, takes linear time for long patterns, and rules of a foreign fixture cause no panic.
//!
//! `cargo +nightly fuzz run rule_patterns -- -timeout=5`
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::{Payload, Rule, matches_pattern};
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::redact::{Action, Allowed, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::snapshot::Rules;
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

/// Long enough that anything slower than linear time causes a timeout.
const LONG: usize = 1 << 17;
/// Limit for the letter-by-letter matcher, which takes the product of both lengths.
const SLOW: usize = 1 << 16;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});
/// A message with every kind of field, as a view and as bytes.
static EXAMPLE: LazyLock<(Value, Payload)> = LazyLock::new(|| {
    let name = "sample.Everything";
    let view = REGISTRY.skeleton(name).expect("the type is described");
    let bytes = REGISTRY.encode(name, &view).expect("a skeleton encodes");
    (view, Payload::new(name, bytes))
});

fuzz_target!(|data: (&str, &str, &str)| {
    let (type_pattern, field, text) = data;
    for pattern in [type_pattern, field] {
        if pattern.len() * text.len() < SLOW {
            assert_eq!(matches_pattern(pattern, text), fits(pattern, text));
        }
        let _ = matches_pattern(&long(pattern), &long(text));
    }
    normalise(type_pattern, field);
    redact(type_pattern, field);
    allow(type_pattern, text);
});

fn long(text: &str) -> String {
    text.repeat(LONG / text.len().max(1))
}

/// The letter-by-letter matcher: for each prefix of the text, whether the pattern so far matches it.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for letter in pattern.chars() {
        if letter == '*' {
            let first = row.iter().position(|fits| *fits).unwrap_or(row.len());
            row[first..].fill(true);
        } else {
            for at in (1..row.len()).rev() {
                row[at] = row[at - 1] && text[at - 1] == letter;
            }
            row[0] = false;
        }
    }
    row[text.len()]
}

/// Applying a rule twice is the same as once.
fn normalise(type_pattern: &str, field: &str) {
    let rules = Rules::new([Rule {
        type_pattern: type_pattern.to_owned(),
        field: field.to_owned(),
        reason: "clock".to_owned(),
    }]);
    let (view, payload) = &*EXAMPLE;
    let mut once = view.clone();
    rules.apply(payload.type_name(), &mut once);
    assert_eq!(rules.unused().count() == 1, once == *view);
    let mut twice = once.clone();
    rules.apply(payload.type_name(), &mut twice);
    assert_eq!(once, twice);
}

/// A redacted message is still valid, and nothing in it matches the rule any more.
fn redact(type_pattern: &str, field: &str) {
    let Ok(rule) = RedactionRule::new(type_pattern, field, Action::Drop) else {
        return;
    };
    let redactor = match Redactor::new(REGISTRY.clone(), policy(vec![rule])) {
        Ok(redactor) => redactor,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let dropped = redactor
        .redact_payload(&EXAMPLE.1)
        .expect("it is described");
    assert!(matches!(
        REGISTRY.decode(&dropped.payload),
        Decoded::Exact(_)
    ));
    let again = redactor
        .redact_payload(&dropped.payload)
        .expect("it is described");
    assert_eq!(again.payload, dropped.payload);
    assert!(again.report.touched.is_empty());
}

/// If nothing is removed, there is nothing to allow; if everything is allowed, nothing is removed.
fn allow(pattern: &str, text: &str) {
    let redactor = Redactor::new(REGISTRY.clone(), policy(Vec::new())).expect("no key is needed");
    let without = redactor.redact_text(text);
    let allowed = |text: &str| Allowed {
        finding: None,
        text: text.to_owned(),
    };
    let with = redactor
        .clone()
        .allowing([allowed(pattern)])
        .redact_text(text);
    assert!(without != text || with == text);
    assert_eq!(redactor.allowing([allowed("*")]).redact_text(text), text);
}

fn policy(rules: Vec<RedactionRule>) -> Policy {
    Policy {
        rules,
        key: None,
        debug_redact: None,
        roots: false,
        is_strict: true,
    }
}
