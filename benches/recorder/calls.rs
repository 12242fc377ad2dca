//! Recorded calls to the player's logic, and the redaction of them.

use std::error::Error;
use std::path::Path;

use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::wire::{Dialect, call_descriptors};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

/// A call that the logic accepts.
pub(crate) const ACCEPTED: u64 = 108;
/// A call that it rejects.
#[allow(dead_code, reason = "only one of the benchmarks sends it")]
pub(crate) const REJECTED: u64 = 109;

/// The message in `request` or `response` of a call of `recorded/calls.jsonl`.
pub(crate) fn message(number: u64, which: &str) -> Result<Bytes, Box<dyn Error>> {
    let calls = include_str!("../../examples/poker/recorded/calls.jsonl");
    for line in calls.lines() {
        let call: Value = serde_json::from_str(line)?;
        if call["n"] == number {
            let message = call[which].as_str().unwrap_or_default();
            return Ok(STANDARD.decode(message)?.into());
        }
    }
    Err("the recording has no such call".into())
}

/// Two rules, one of which matches a field in every call.
pub(crate) fn redactor() -> Result<Redactor, Box<dyn Error>> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let registry = Registry::from_paths(&[protos])?;
    let registry = registry.filled_from(&call_descriptors(Dialect::ANGZARR))?;
    let policy = Policy {
        rules: vec![
            RedactionRule::new("examples.*", "email", Action::Pseudonym)?,
            RedactionRule::new("examples.Currency", "amount", Action::Pseudonym)?,
        ],
        key: Some(Key::new("a key that only this benchmark has")?),
        debug_redact: None,
        roots: false,
        is_strict: true,
    };
    Ok(Redactor::new(registry, policy)?)
}
