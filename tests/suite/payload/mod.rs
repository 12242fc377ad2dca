//! Payloads at their public edge: descriptors, views, canonical bytes, YAML.
mod bad_sources;
mod cache;
mod descriptors;
mod differences;
mod edit;
mod fidelity;
mod hostile;
mod likely;
mod refusals;
mod views;
mod yaml;
pub(crate) mod yaml_read;

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Registry};
use serde_yaml::Value;

/// Folder of the test protos.
fn protos() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/protos"))
}

/// Everything that the test protos describe.
fn registry() -> &'static Registry {
    static REGISTRY: LazyLock<Registry> =
        LazyLock::new(|| Registry::from_paths(&[protos()]).unwrap());
    &REGISTRY
}

fn decode(type_name: &str, bytes: &[u8]) -> Decoded {
    registry().decode(&Payload::new(type_name, bytes.to_vec()))
}

fn encode(type_name: &str, text: &str) -> Vec<u8> {
    registry().encode(type_name, &value(text)).unwrap()
}

fn value(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// The bytes that hex digits spell; spaces are for the reader.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}
