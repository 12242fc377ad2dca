//! Failures among other text: tickets, and the fields that Angzarr's documentation has clients log, as the loggers of
//! several languages write them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use angzarr_replay::capture::ticket::Ticket;
use angzarr_replay::capture::{Aside, LogReading, Logged, LoggedFailure, group_failures};
use angzarr_replay::model::{Code, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const ROOT: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
/// The root as Python shows its bytes.
const BYTES: &str = r"b'e\x13\'\x0e&\x9eM7\xb2\xa7M\xe4R\xe6\xb48'";
const FAILURES: &str = include_str!("../examples/poker/recorded/failures.jsonl");

/// Call 16 of the recording, refused.
fn line() -> &'static str {
    FAILURES.lines().nth(2).unwrap()
}

fn ticket() -> Ticket {
    Ticket::parse_line(line(), 1).unwrap()
}

fn only(text: &str) -> Logged {
    let reading = LogReading::of(text);
    assert_eq!(reading.unusable, [], "{text}");
    let [(line, logged)] = reading.found.as_slice() else {
        panic!("{text}\n{:?}", reading.found);
    };
    assert_eq!(*line, 1, "{text}");
    logged.clone()
}

fn failure(text: &str) -> LoggedFailure {
    match only(text) {
        Logged::Failure(failure) => failure,
        Logged::Ticket(ticket) => panic!("{text}\n{ticket:?}"),
    }
}

#[test]
fn a_ticket_is_found_amid_other_text() {
    let line = line();
    let escaped = serde_json::to_string(line).unwrap();
    let mut merged: serde_json::Value = serde_json::from_str(line).unwrap();
    merged["event"] = json!("command failed");
    merged["level"] = json!("error");
    let nested = json!({"level": "WARN", "fields": {"ticket": serde_json::from_str::<serde_json::Value>(line).unwrap()}});
    let docker = json!({"log": format!("WARN refused {line}\n"), "stream": "stdout"});
    for text in [
        line.to_owned(),
        format!("2026-11-23T00:01:30Z stderr F {line}"),
        format!("WARN player: command failed: {line} (trace 7)"),
        merged.to_string(),
        nested.to_string(),
        docker.to_string(),
        json!({"message": line, "level": "WARN"}).to_string(),
        format!("level=warn ticket={escaped}"),
        format!("[error    ] refused   ticket='{line}'"),
        format!("\u{1b}[31m[error]\u{1b}[0m \u{1b}[36mticket\u{1b}[0m='{line}'"),
    ] {
        let Logged::Ticket(mut found) = only(&text) else {
            panic!("{text}");
        };
        found.time = None;
        assert_eq!(found, ticket(), "{text}");
    }
}

#[test]
fn the_fields_of_a_ticket_are_a_ticket_too() {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line()).unwrap();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(key, value)| match value {
            serde_json::Value::String(text) => format!("{key}='{text}'"),
            other => format!("{key}={other}"),
        })
        .collect();
    let text = format!("timestamp='2026-11-23T00:01:30Z' {}", pairs.join(" "));
    let Logged::Ticket(found) = only(&text) else {
        panic!("{text}");
    };
    let time = Some(Timestamp {
        seconds: 1_795_392_090,
        nanos: 0,
    });
    assert_eq!(found, Ticket { time, ..ticket() });
}

#[test]
fn an_assumed_dialect_is_read_in_every_spelling() {
    let mut fields: serde_json::Value = serde_json::from_str(line()).unwrap();
    let shared = |fields: &serde_json::Value| {
        let Logged::Ticket(found) = only(&fields.to_string()) else {
            panic!("{fields}");
        };
        assert_eq!(Ticket::parse_line(&found.to_line(), 1), Ok(found.clone()));
        found.dialect_assumed
    };
    fields["dialect"] = json!("io.angzarr.v1-2026-09");
    assert!(!shared(&fields));
    for (assumed, expected) in [
        (json!(true), true),
        (json!("true"), true),
        // Python's.
        (json!("True"), true),
        (json!(false), false),
        (json!("False"), false),
        // A logger's own.
        (json!("by the gateway"), false),
    ] {
        fields["dialect_assumed"] = assumed;
        assert_eq!(shared(&fields), expected, "{fields}");
    }
    fields["dialect"] = json!("angzarr");
    fields["dialect_assumed"] = json!(true);
    assert!(!shared(&fields), "no other dialect has its package");
}

#[test]
fn a_redacted_ticket_keeps_the_list_of_its_fields() {
    let list =
        json!([{"type": "examples.WithdrawFunds", "field": "amount", "action": "pseudonym"}]);
    let mut fields: serde_json::Value = serde_json::from_str(line()).unwrap();
    for (redacted, count) in [
        (list.clone(), 1),
        (json!(list.to_string()), 1),
        (json!(true), 0),
        (json!("by the gateway"), 0),
        // A logger's own.
        (json!(["email"]), 0),
        (json!("[\"email\"]"), 0),
        (
            json!([{"type": "examples.WithdrawFunds", "field": "amount"}]),
            0,
        ),
    ] {
        fields["redacted"] = redacted;
        let Logged::Ticket(found) = only(&fields.to_string()) else {
            panic!("{fields}");
        };
        assert_eq!(found.redacted.fields.len(), count, "{fields}");
        assert_eq!(found.command, ticket().command);
    }
    let by = json!({"examples.WithdrawFunds": "0123456789abcdef"});
    for (by, count) in [
        (by.clone(), 1),
        (json!(by.to_string()), 1),
        (json!("the gateway"), 0),
        (json!(["email"]), 0),
        (json!({"email": true}), 0),
    ] {
        fields["redacted"] = list.clone();
        fields["redacted_by"] = by;
        let Logged::Ticket(found) = only(&fields.to_string()) else {
            panic!("{fields}");
        };
        assert_eq!(found.redacted.by.len(), count, "{fields}");
        assert_eq!(found.redacted.fields.len(), 1);
    }
}

#[test]
fn the_documented_fields_are_read_in_every_rendering() {
    let in_json = json!({
        "domain": "player", "root": BYTES, "sequence": 3, "correlation_id": "wf-1",
        "error_code": "<StatusCode.FAILED_PRECONDITION: (9, 'failed precondition')>",
        "error_message": "Insufficient funds", "event": "command_failed", "level": "error",
        "timestamp": "2026-11-23T00:01:30.500000Z",
    });
    let within = json!({"timestamp": "2026-11-23T00:01:30.5Z", "fields": {
        "domain": "player", "root": {"value": "ZRMnDiaeTTeyp03kUua0OA=="}, "sequence": "3", "correlation_id": "wf-1",
        "error_code": 9, "error_message": "Insufficient funds",
    }});
    let listed = json!({"ts": 1_795_392_090.5, "domain": "player", "aggregate_root": ticket().command.cover.root.as_bytes(),
        "sequence": 3, "correlation_id": "wf-1",
        "error": "rpc error: code = FailedPrecondition desc = Insufficient funds"});
    let text = "error_message='Insufficient funds'";
    for text in [
        in_json.to_string(),
        within.to_string(),
        listed.to_string(),
        format!("timestamp='2026-11-23T00:01:30.500Z' domain='player' root={BYTES} sequence=3 correlation_id='wf-1' error_code='FAILED_PRECONDITION' {text}"),
        format!("\u{1b}[2m2026-11-23T00:01:30.500000Z\u{1b}[0m [\u{1b}[31m\u{1b}[1merror    \u{1b}[0m] \u{1b}[1mcommand_failed\u{1b}[0m \u{1b}[36mcorrelation_id\u{1b}[0m=\u{1b}[35mwf-1\u{1b}[0m domain=player error_code=<StatusCode.FAILED_PRECONDITION: (9, 'failed precondition')> {text} root={BYTES} sequence=3"),
        format!("2026-11-23T00:01:30.5Z  WARN client: refused domain=\"player\" root={ROOT} sequence=3 correlation_id=\"wf-1\" error_code=FailedPrecondition error_message=\"Insufficient funds\""),
        "time=2026-11-23T00:01:30.500Z level=ERROR msg=refused domain=player root=6513270e269e4d37b2a74de452e6b438 sequence=3 correlation_id=wf-1 error_code=FailedPrecondition error_message=\"Insufficient funds\"".to_owned(),
        format!("2026-11-23T00:01:30.5Z [error] failed domain=player aggregate_root=UUID('{ROOT}') sequence=3 correlation_id=wf-1 error='status: FailedPrecondition, message: \"Insufficient funds\", details: [], metadata: MetadataMap'"),
        "2026-11-23T00:01:30.5Z [error] failed domain=player aggregate_root=value: \"e\\023\\'\\016&\\236M7\\262\\247M\\344R\\346\\2648\"\n sequence=3".replace('\n', " error_code=9 error_message='Insufficient funds' correlation_id=wf-1"),
    ] {
        let found = failure(&text);
        assert_eq!(found.domain.as_ref().unwrap().as_str(), "player", "{text}");
        assert_eq!(found.root.to_string(), ROOT, "{text}");
        assert!(found.edition.is_main(), "{text}");
        assert_eq!(found.noted.code, Some(Code::FailedPrecondition), "{text}");
        assert_eq!(found.noted.message, "Insufficient funds", "{text}");
        assert_eq!(found.noted.sequence, Some(3), "{text}");
        assert_eq!(found.noted.correlation_id, "wf-1", "{text}");
        let time = found.noted.time.unwrap();
        assert_eq!((time.seconds, time.nanos), (1_795_392_090, 500_000_000), "{text}");
    }
}

#[test]
fn a_python_error_in_a_text_says_its_code_and_details() {
    let error = "grpc error: <_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.NOT_FOUND\n\tdetails = \"no such table\"\n\tdebug_error_string = \"{}\"\n>";
    let found = failure(
        &json!({"aggregate_root": ROOT, "domain": "table", "sequence": 0, "error": error})
            .to_string(),
    );
    assert_eq!(found.noted.code, Some(Code::NotFound));
    assert_eq!(found.noted.message, "no such table");
}

#[test]
fn a_code_of_the_applications_own_stays_in_the_message() {
    let found = failure(&format!("root={ROOT} error_code=E42 error_message=no"));
    assert_eq!((found.domain, found.noted.code), (None, None));
    assert_eq!(found.noted.message, "E42: no");
}

#[test]
fn other_lines_are_passed_over() {
    let text = format!(
        "root=/ error=none\n{{\"root\": \"{ROOT}\"}}\nnothing\nroot={ROOT} sequence=3\n{{\"root\": {{\"error\": 5}}}}\n\
         chroot= failed error=\n{{ROOT}} root\n"
    );
    let reading = LogReading::of(&text);
    assert_eq!((reading.found, reading.unusable), (Vec::new(), Vec::new()));
    assert_eq!(reading.lines, 7);
}

#[test]
fn what_looks_like_a_failure_and_is_none_is_told_with_its_line() {
    let damaged = line().replacen("\"code\":\"FAILED", "\"code\":\"FALED", 1);
    let text = format!(
        "\ndomain=player root=6513 error=no\n{damaged}\ndomain=Player root={ROOT} error=no"
    );
    let reading = LogReading::of(&text);
    assert_eq!(reading.found, []);
    assert_eq!(
        reading.unusable,
        [
            (
                2,
                "`root`: hex, a UUID, base64 or bytes as Python shows them are expected".to_owned()
            ),
            (
                3,
                "`code`: `FALED_PRECONDITION` is no status code of gRPC, such as NOT_FOUND".to_owned()
            ),
            (
                4,
                "`domain`: `Player` is not a domain: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter or _"
                    .to_owned()
            ),
        ]
    );
}

#[test]
fn failures_of_one_bug_are_one_group() {
    let mut later = ticket();
    later.time = Some(Timestamp {
        seconds: 5,
        nanos: 0,
    });
    let other = format!("domain=player root={ROOT} error_code=ABORTED error_message=busy");
    let text = format!("{FAILURES}{}\n{other}\n", later.to_line());
    let found: Vec<Logged> = LogReading::of(&text)
        .found
        .into_iter()
        .map(|(_, logged)| logged)
        .collect();
    let groups = group_failures(&found);
    let frequent = groups.iter().take_while(|group| group.aside.is_none());
    assert!(
        frequent
            .map(|group| group.count)
            .is_sorted_by(|one, next| one >= next)
    );
    let refused = groups
        .iter()
        .find(|group| group.command.is_some() && group.message == "Insufficient funds");
    let refused = refused.unwrap();
    let last = FAILURES.lines().count();
    assert_eq!((refused.count, refused.example), (2, last));
    assert_eq!(refused.newest, later.time);
    assert!(
        groups
            .iter()
            .any(|group| group.command.is_none() && group.code == Some(Code::Aborted))
    );
    assert_eq!(groups.last().unwrap().aside, Some(Aside::Stale));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// The twin of the fuzz target: nothing panics, and what is understood is written and read again as the same.
    #[test]
    fn any_log_is_read(parts in proptest::collection::vec(proptest::sample::select(vec![
        "root", "root=", "aggregate_root=", "\"root\":", "domain=player ", "error=", "error_code=9 ", "sequence=3 ", ROOT,
        BYTES, "b'", "'", "\"", "\\", "\\x", "\\u", "{", "}", "[", "]", ",", ":", "=", " ", "\n", "\u{1b}[", "m", "<", ">", "value: ",
        "ticket=1 ", "command=", "Å", "\u{0}", "9999999999999999999999", "1e400", "time=", line(),
    ]), 0..30)) {
        let text = parts.concat();
        for (_, logged) in LogReading::of(&text).found {
            if let Logged::Ticket(ticket) = logged {
                let again = LogReading::of(&ticket.to_line());
                prop_assert_eq!(again.found, vec![(1, Logged::Ticket(ticket))]);
            }
        }
    }
}
