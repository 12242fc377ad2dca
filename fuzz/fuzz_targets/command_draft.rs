//! Any text as a written command: no panic, and every resulting command can be sent.
//!
//! `cargo +nightly fuzz run command_draft`
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use angzarr_replay::internal::capture::parse_draft;
use angzarr_replay::internal::model::{Cover, Domain, Root};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::wire::{Dialect, command_book, encode_command_book};
use libfuzzer_sys::fuzz_target;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let protos = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/protos"));
    Registry::from_paths(&[protos]).expect("the test protos compile")
});

fuzz_target!(|text: &str| {
    let Ok(draft) = parse_draft(text, "command.yaml") else {
        return;
    };
    let domain = Domain::new("player").expect("the name is a constant");
    let cover = Cover::main(domain, Root::new([7; 16]));
    let prefix = "type.googleapis.com/";
    if let Ok(book) = draft.into_book("command.yaml", &REGISTRY, &cover, 3, prefix) {
        let written = encode_command_book(&book, Dialect::ANGZARR);
        command_book(&written, Dialect::ANGZARR).expect("the encoded command decodes");
    }
});
