//! Real traffic: every recorded call decodes, and is told for what it is.
use angzarr_replay::internal::model::{Code, Failure, FailureClass};
use angzarr_replay::internal::wire::{Dialect, Direction, MessageSummary, inspect};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const CALLS: &str = include_str!("../../examples/poker/recorded/calls.jsonl");
const CLASSES: &str = include_str!("../../examples/poker/recorded/classes.tsv");

fn calls() -> Vec<Value> {
    let calls: Vec<Value> = CALLS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(calls.len(), 118);
    calls
}

fn decoded(call: &Value, direction: Direction, base64: &Value) -> MessageSummary {
    let bytes = STANDARD.decode(base64.as_str().unwrap()).unwrap();
    let path = call["path"].as_str().unwrap();
    inspect(path, direction, bytes.into(), Dialect::ANGZARR)
        .unwrap_or_else(|error| panic!("call {}: {error}", call["n"]))
}

#[test]
fn every_recorded_message_decodes() {
    let (mut requests, mut replies) = (0, 0);
    let (mut events, mut commands) = (0, 0);
    for call in calls() {
        let mut count = |understood: MessageSummary| {
            events += understood.event_pages;
            commands += understood.command_pages;
        };
        count(decoded(&call, Direction::Request, &call["request"]));
        requests += 1;
        let unary = call.get("response").into_iter();
        let streamed = call
            .get("responses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for reply in unary.chain(streamed).filter(|reply| !reply.is_null()) {
            count(decoded(&call, Direction::Reply, reply));
            replies += 1;
        }
    }
    // 86 calls were answered, three of them by streams: of 3, 1 and 3 messages.
    assert_eq!((requests, replies), (118, 86 - 3 + 7));
    assert!(events > 200, "{events}");
    assert!(commands > 70, "{commands}");
}

#[test]
fn every_recorded_call_has_its_class() {
    for (call, line) in calls().iter().zip(CLASSES.lines().skip(1)) {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(call["n"].to_string(), columns[0]);
        assert_eq!(class(call), columns[3], "call {}", call["n"]);
    }
}

fn class(call: &Value) -> &'static str {
    let code = Code::from_name(call["code"].as_str().unwrap()).unwrap();
    if code == Code::Ok {
        return "answered";
    }
    let message = call["message"].as_str().unwrap_or_default().to_owned();
    match (Failure {
        code,
        message,
        info: None,
    })
    .class(angzarr_replay::internal::model::AnsweredBy::NotKnown)
    {
        FailureClass::Rejected => "rejected",
        FailureClass::StaleSequence => "stale-sequence",
        FailureClass::Revoked => "revoked",
        FailureClass::Refused => "refused-input",
        FailureClass::Unimplemented => "unimplemented",
        FailureClass::Crashed => "crashed",
        FailureClass::Unreachable => "unreachable",
    }
}

#[test]
fn a_path_of_another_dialect_is_not_understood() {
    let path = "/io.angzarr.v1.EventQueryService/GetEventBook";
    let error = inspect(
        path,
        Direction::Request,
        Vec::new().into(),
        Dialect::ANGZARR,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("path `{path}`: the dialect angzarr has no such method")
    );
}

#[test]
fn bytes_that_are_no_message_are_not_understood() {
    let path = "/angzarr.EventQueryService/GetEventBook";
    let error = inspect(
        path,
        Direction::Request,
        vec![0x0a, 0x05].into(),
        Dialect::ANGZARR,
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Query: the bytes do not decode ("),
        "{error}"
    );
}
