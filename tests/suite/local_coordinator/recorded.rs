//! Recorded calls asked again, byte for byte, of a coordinator that is seeded from the recording.

use std::collections::BTreeSet;

use angzarr_replay::internal::coordinator::SeedBook;
use angzarr_replay::internal::coordinator::recording::Recording;
use angzarr_replay::internal::grpc::CallError;
use angzarr_replay::internal::wire::Dialect;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::Value;

use super::support::{Peer, start};

pub(crate) const CALLS: &str = include_str!("../../../examples/poker/recorded/calls.jsonl");

pub(crate) fn call(number: u32) -> Value {
    CALLS
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|call| call["n"] == number)
        .unwrap()
}

pub(crate) fn bytes(base64: &Value) -> Vec<u8> {
    STANDARD.decode(base64.as_str().unwrap()).unwrap()
}

/// The recorded domain's own coordinator: every domain had one, with a store of its own.
fn coordinator_of(call: &Value) -> Peer {
    let recording = Recording::parse(CALLS, Dialect::ANGZARR).unwrap();
    let own = |book: &SeedBook| call["server"] == book.cover.domain.as_str();
    let books: Vec<SeedBook> = recording.stored.into_iter().filter(own).collect();
    start(Dialect::ANGZARR, &books)
}

pub(crate) fn assert_status(error: &CallError, call: &Value) {
    let failure = error
        .failure()
        .unwrap_or_else(|| panic!("call {}: {error}", call["n"]));
    assert_eq!(failure.code.name(), call["code"], "call {}", call["n"]);
    assert_eq!(failure.message, call["message"], "call {}", call["n"]);
}

/// Asks a unary call again.
fn assert_as_recorded(number: u32) {
    let call = call(number);
    let peer = coordinator_of(&call);
    let reply = peer.connection.call(
        call["path"].as_str().unwrap(),
        bytes(&call["request"]).into(),
    );
    match reply {
        Ok(reply) => assert_eq!(STANDARD.encode(reply), call["response"], "call {number}"),
        Err(error) => assert_status(&error, &call),
    }
}

#[test]
fn recorded_queries_answer_byte_for_byte() {
    for number in (79..=93).chain([33, 53, 73, 102, 107]) {
        assert_as_recorded(number);
    }
}

/// The real one's order is that of a hash map.
#[test]
fn recorded_streams_answer_the_same_messages() {
    for number in 94..=96 {
        let call = call(number);
        let peer = coordinator_of(&call);
        let path = call["path"].as_str().unwrap();
        let replies = peer
            .connection
            .call_stream(path, bytes(&call["request"]).into())
            .unwrap();
        let answered: BTreeSet<Vec<u8>> = replies.into_iter().map(Into::into).collect();
        let recorded: BTreeSet<Vec<u8>> = call["responses"]
            .as_array()
            .unwrap()
            .iter()
            .map(bytes)
            .collect();
        assert_eq!(answered, recorded, "call {number}");
    }
}

#[test]
fn a_stale_command_is_answered_as_recorded_with_the_book_in_its_details() {
    let call = call(17);
    let peer = coordinator_of(&call);
    let error = peer
        .connection
        .call(
            call["path"].as_str().unwrap(),
            bytes(&call["request"]).into(),
        )
        .unwrap_err();
    assert_status(&error, &call);
    let CallError::Status { details, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(
        STANDARD_NO_PAD.encode(details),
        call["trailers"]["grpc-status-details-bin"]
    );
}

#[test]
fn speculation_without_a_point_in_time_is_refused_as_recorded() {
    assert_as_recorded(97);
}

#[test]
fn a_recording_that_cannot_be_read_is_named_with_its_line() {
    let accepted = |response: &str| {
        let call = serde_json::json!({
            "n": 1,
            "path": Dialect::ANGZARR.path("CommandHandlerCoordinatorService", "HandleCommand"),
            "request": "",
            "code": "OK",
            "response": response,
        });
        let text = format!("\n{call}\n");
        Recording::parse(&text, Dialect::ANGZARR).map_err(|error| (error.line(), error.to_string()))
    };
    assert_eq!(accepted("").unwrap(), Recording::default());
    let cut = STANDARD.encode(b"\x0a\x05cut");
    let (line, error) = accepted(&cut).unwrap_err();
    assert_eq!(line, 2);
    assert!(
        error.starts_with("line 2 of the recording: ") && error.contains("command response"),
        "{error}"
    );
}
