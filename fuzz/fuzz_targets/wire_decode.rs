//! Any bytes as any wire message: no panic, and a decoded command or page stays the same when it is encoded again.
//!
//! `cargo +nightly fuzz run wire_decode`; the first byte chooses the dialect.
#![no_main]

use angzarr_replay::internal::grpc::DeadLetter;
use angzarr_replay::internal::wire::{
    Dialect, Direction, command_book, command_book_of_request, encode_command_book, encode_page,
    event_book, event_book_of_response, inspect, page, snapshot,
};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

const METHODS: [&str; 6] = [
    "CommandHandlerCoordinatorService/HandleCommand",
    "CommandHandlerCoordinatorService/HandleSyncSpeculative",
    "CommandHandlerService/Handle",
    "CommandHandlerService/Replay",
    "EventQueryService/GetEventBook",
    "UpcasterService/Upcast",
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else {
        return;
    };
    let dialect = Dialect::all()[usize::from(*choice) % Dialect::all().len()];
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(book) = command_book(&bytes, dialect) {
        let written = encode_command_book(&book, dialect);
        assert_eq!(command_book(&written, dialect).as_ref(), Ok(&book));
    }
    if let Ok(read) = page(&bytes) {
        assert_eq!(page(&encode_page(&read)).as_ref(), Ok(&read));
    }
    let _ = event_book(bytes.clone());
    let _ = event_book_of_response(bytes.clone());
    let _ = command_book_of_request(bytes.clone());
    let _ = snapshot(&bytes);
    if let Ok(letter) = DeadLetter::decode(bytes.clone()) {
        let _ = letter.command(dialect);
    }
    for method in METHODS {
        for direction in [Direction::Request, Direction::Reply] {
            let path = format!("/{}.{method}", dialect.package());
            let _ = inspect(&path, direction, bytes.clone(), dialect);
        }
    }
});
