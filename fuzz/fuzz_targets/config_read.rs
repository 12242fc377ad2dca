//! Any text as `replay.toml`: no panic, and every error has a message.
//!
//! `cargo +nightly fuzz run config_read`
#![no_main]

use std::path::Path;

use angzarr_replay::internal::project::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Config::of_text(text, Path::new("project")) {
        assert!(!error.to_string().is_empty());
    }
});
