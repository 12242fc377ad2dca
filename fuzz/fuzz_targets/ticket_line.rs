//! Any text as a failure ticket: no panic, and a valid ticket stays the same when it is written and read again.
//!
//! `cargo +nightly fuzz run ticket_line fuzz/corpus/ticket_line examples/poker/recorded`
#![no_main]

use angzarr_replay::internal::ticket::Ticket;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(ticket) = Ticket::parse_line(text, 1) {
        let again = Ticket::parse_line(&ticket.to_line(), 1).expect("a written ticket is valid");
        assert_eq!(again, ticket);
    }
});
