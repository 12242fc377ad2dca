//! Any text as a log: no panic, and a found ticket stays the same when it is written and found again.
//!
//! `cargo +nightly fuzz run log_line fuzz/corpus/log_line examples/poker/recorded`
#![no_main]

use angzarr_replay::internal::capture::{LogReading, Logged};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for (_, logged) in LogReading::of(text).found {
        if let Logged::Ticket(ticket) = logged {
            let again = LogReading::of(&ticket.to_line());
            assert_eq!(again.found, vec![(1, Logged::Ticket(ticket))]);
        }
    }
});
