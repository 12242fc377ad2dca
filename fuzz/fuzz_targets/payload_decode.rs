//! Any bytes as any message: no panic, and an exact view encodes to the same bytes, also via YAML text.
//!
//! `cargo +nightly fuzz run payload_decode`; the first byte chooses the type.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::model::Payload;
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::yaml::to_yaml;
use libfuzzer_sys::fuzz_target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});
static TYPES: LazyLock<Vec<String>> = LazyLock::new(|| REGISTRY.type_names());

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let type_name = &TYPES[usize::from(*choice) % TYPES.len()];
    let payload = Payload::new(type_name, bytes.to_vec());
    let (view, exact) = match REGISTRY.decode(&payload) {
        Decoded::Exact(view) => (view, true),
        Decoded::Inexact(view) => (view, false),
        Decoded::Undescribed | Decoded::Malformed(_) => return,
    };
    let read: serde_yaml::Value =
        serde_yaml::from_str(&to_yaml(&view)).expect("canonical YAML is YAML");
    let encoded = REGISTRY.encode(type_name, &read).expect("a view encodes");
    assert_eq!(encoded == bytes, exact);
});
