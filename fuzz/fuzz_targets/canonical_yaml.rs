//! Any text: whatever the fast reader for canonical YAML accepts means the same to the complete reader.
//!
//! `cargo +nightly fuzz run canonical_yaml`
#![no_main]

use angzarr_replay::internal::yaml::{from_canonical_yaml, to_yaml};
use libfuzzer_sys::fuzz_target;
use serde_yaml::Value;

fuzz_target!(|text: &str| {
    let Some(quick) = from_canonical_yaml::<Value>(text) else {
        return;
    };
    let whole: Value = serde_yaml::from_str(text).expect("what the fast reader accepts is YAML");
    // Compared as text, because NaN is not equal to itself.
    assert_eq!(to_yaml(&quick), to_yaml(&whole));
});
