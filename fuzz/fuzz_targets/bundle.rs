//! Any bytes as a bundle, and as the content of one whose hash is right: no panic, and a bundle that is read gives the same
//! fixture after a log put other lines around it.
//!
//! `cargo +nightly fuzz run bundle -- -timeout=5`. The first byte says which of the two it is.
#![no_main]

use angzarr_replay::capturing::{fixture_of_bundle, packed_bundle};
use libfuzzer_sys::fuzz_target;

/// Bytes that are unpacked at most.
const LIMIT: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        if let Ok(text) = std::str::from_utf8(rest) {
            let _ = fixture_of_bundle(text, LIMIT);
        }
        return;
    }
    let line = packed_bundle(rest);
    let fixture = fixture_of_bundle(&line, LIMIT);
    let in_log = format!("started\n2026-11-23T00:01:30Z {line}done\n");
    match (fixture, fixture_of_bundle(&in_log, LIMIT)) {
        (Ok(fixture), Ok(in_log)) => assert!(fixture.case == in_log.case),
        (Err(alone), Err(in_log)) => assert_eq!(alone.to_string(), in_log.to_string()),
        _ => panic!("the lines around a bundle matter"),
    }
});
