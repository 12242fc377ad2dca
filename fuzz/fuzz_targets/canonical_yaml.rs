//! Any text: what the quick reader of canonical YAML takes means the same to the whole reader.
//!
//! `cargo +nightly fuzz run canonical_yaml`
#![no_main]

use angzarr_replay::payload::{from_canonical_yaml, to_yaml};
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

fuzz_target!(|text: &str| {
    let Some(quick) = from_canonical_yaml::<Value>(text) else {
        return;
    };
    let whole: Value = serde_yaml::from_str(text).expect("what the quick reader takes is YAML");
    // As text, so that a NaN is itself.
    assert_eq!(to_yaml(&quick), to_yaml(&whole));
});
