//! Failures among other text: tickets, and the fields that Angzarr's documentation has clients log, as the loggers of
//! several languages write them.
use angzarr_replay::internal::capture::{
    Aside, LogReading, Logged, LoggedFailure, group_failures, newest_of_times,
};
use angzarr_replay::internal::model::{Code, Timestamp};
use angzarr_replay::internal::ticket::Ticket;
use proptest::prelude::*;
use serde_json::json;

const ROOT: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
/// The root as Python shows its bytes.
const BYTES: &str = r"b'e\x13\'\x0e&\x9eM7\xb2\xa7M\xe4R\xe6\xb48'";
const FAILURES: &str = include_str!("../../examples/poker/recorded/failures.jsonl");

/// Call 16 of the recording, refused.
fn line() -> &'static str {
    FAILURES.lines().nth(2).unwrap()
}

fn ticket() -> Ticket {
    Ticket::parse_line(line(), 1).unwrap()
}

/// Unusable lines with their messages.
fn unusable(reading: &LogReading) -> Vec<(usize, String)> {
    let lines = reading.unusable.iter();
    lines
        .map(|(line, error)| (*line, error.to_string()))
        .collect()
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
fn the_build_is_that_of_the_record_or_of_its_resource() {
    let fields = json!({"domain": "player", "root": "07".repeat(16), "error_code": "NOT_FOUND", "error_message": "gone"});
    let otlp = json!([
        {"key": "service.name", "value": {"stringValue": "player"}},
        {"key": "service.version", "value": {"stringValue": "1.4.2"}},
    ]);
    let ticket = serde_json::from_str::<serde_json::Value>(line()).unwrap();
    for (key, value) in [
        ("service.version", json!("1.4.2")),
        ("service_version", json!("1.4.2")),
        ("resource", json!({"service.version": "1.4.2"})),
        (
            "resource",
            json!({"attributes": {"service.version": "1.4.2"}}),
        ),
        ("resource", json!({"attributes": otlp})),
        ("Resource", json!({"service.version": "1.4.2"})),
        ("resource_attributes", json!({"service.version": "1.4.2"})),
        ("resource.attributes", otlp.clone()),
    ] {
        for inner in [&fields, &ticket] {
            let mut beside = inner.clone();
            beside[key] = value.clone();
            let around = json!({key: value, "attributes": inner});
            let text = json!({key: value, "body": inner.to_string()});
            for record in [beside, around, text] {
                let logged = only(&record.to_string());
                assert_eq!(logged.service_version(), Some("1.4.2"), "{record}");
            }
        }
    }
    // Something else under the same name hides no failure.
    for value in [json!(7), json!(""), json!("x".repeat(201)), json!({"a": 1})] {
        let mut beside = fields.clone();
        beside["service.version"] = value;
        assert_eq!(only(&beside.to_string()).service_version(), None);
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
        unusable(&reading),
        [
            (
                2,
                "`root`: expected hex, a UUID, base64 or bytes as Python prints them".to_owned()
            ),
            (
                3,
                "`code`: `FALED_PRECONDITION` is not a gRPC status code such as NOT_FOUND".to_owned()
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

/// What clients of many languages write about one failure.
#[test]
fn what_clients_of_other_languages_write_has_its_code_and_message() {
    let at = "2026-11-23T00:05:00.123Z";
    let of = format!("domain=player root={ROOT}");
    let json = |key: &str, value: serde_json::Value| {
        json!({"time": at, "domain": "player", "root": ROOT, key: value}).to_string()
    };
    for text in [
        // Java and Kotlin, by a text and by a stack trace.
        format!("{at} ERROR [player] command rejected {of} error=\"io.grpc.StatusRuntimeException: FAILED_PRECONDITION: Insufficient funds\""),
        json("stack_trace", json!("io.grpc.StatusRuntimeException: FAILED_PRECONDITION: Insufficient funds\n\tat io.grpc.stub.ClientCalls.toStatus")),
        json("exception", json!("io.grpc.StatusException: FAILED_PRECONDITION: Insufficient funds\r\n\tat a.B.c(B.kt:5)\nCaused by: x")),
        // C#, as Serilog names fields.
        json!({"@t": at, "@mt": "Command rejected", "Domain": "player", "AggregateRoot": ROOT, "Error": "Grpc.Core.RpcException: Status(StatusCode=\"FailedPrecondition\", Detail=\"Insufficient funds\")"}).to_string(),
        json!({"@t": at, "Domain": "player", "AggregateRoot": ROOT, "@x": "Grpc.Core.RpcException: Status(StatusCode=\"FailedPrecondition\", Detail=\"Insufficient funds\", DebugException=\"x\")\n   at Program.Main()"}).to_string(),
        // JavaScript: pino's error, and one with the parts of a status.
        json("err", json!({"type": "Error", "message": "9 FAILED_PRECONDITION: Insufficient funds", "stack": "Error: 9 FAILED_PRECONDITION: Insufficient funds\n    at callErrorFromStatus"})),
        json("error", json!({"code": 9, "details": "Insufficient funds"})),
        // Go, wrapped and as it is.
        format!("time={at} level=ERROR msg=\"command rejected\" {of} err=\"rpc error: code = FailedPrecondition desc = Insufficient funds\""),
        format!("time={at} {of} error=\"withdraw: rpc error: code = FailedPrecondition desc = Insufficient funds\""),
        // Rust: several ways to print a status, with and without quotes around it.
        format!("{at} ERROR gateway: rejected {of} error=status: FailedPrecondition, message: \"Insufficient funds\", details: [], metadata: MetadataMap {{ headers: {{\"a\": \"b=c d=\"}} }}"),
        format!("{at} ERROR gateway: rejected error=Status {{ code: FailedPrecondition, message: \"Insufficient funds\", source: None }} {of}"),
        format!("{at} ERROR handle{{{of}}}: gateway: rejected error=code: 'The system is not in a state required for the operation's execution', message: \"Insufficient funds\""),
        json!({"timestamp": at, "fields": {"domain": "player", "root": ROOT, "error": tonic::Status::failed_precondition("Insufficient funds").to_string()}}).to_string(),
        json("error", json!(format!("{:?}", tonic::Status::failed_precondition("Insufficient funds")))),
        // C++, where nothing is quoted.
        format!("{at} gateway.cc:88] rejected {of} code=FAILED_PRECONDITION error=Insufficient funds"),
        format!("{at} gateway.cc:88] rejected error=FAILED_PRECONDITION: Insufficient funds, {of}"),
        // Ruby and Dart.
        json("error", json!("9:Insufficient funds. debug_error_string:{UNKNOWN:Error received from peer {grpc_status:9}}")),
        json("error", json!("gRPC Error (code: 9, codeName: FAILED_PRECONDITION, message: Insufficient funds, details: [], rawResponse: null, trailers: {})")),
        // A message amid the text, after a word that says it is one.
        format!("2026-11-23T00:05:00.123Z ERROR player.api rejected: Insufficient funds code=FAILED_PRECONDITION {of}"),
        json!({"@timestamp": at, "domain": "player", "root": ROOT, "code": "FAILED_PRECONDITION", "msg": "command failed: Insufficient funds"}).to_string(),
        // Elastic's names.
        json!({"@timestamp": at, "domain": "player", "root": ROOT, "error.message": "Insufficient funds", "error.code": "FAILED_PRECONDITION"}).to_string(),
    ] {
        let found = failure(&text);
        assert_eq!(found.domain.as_ref().unwrap().as_str(), "player", "{text}");
        assert_eq!(found.root.to_string(), ROOT, "{text}");
        assert_eq!(found.noted.code, Some(Code::FailedPrecondition), "{text}");
        assert_eq!(found.noted.message, "Insufficient funds", "{text}");
        assert_eq!(found.noted.time.map(|time| (time.seconds, time.nanos)), Some((1_795_392_300, 123_000_000)), "{text}");
    }
}

#[test]
fn every_status_of_tonic_is_read_as_it_is_printed() {
    for (number, code) in Code::all().enumerate().skip(1) {
        let theirs = tonic::Code::from_i32(i32::try_from(number).unwrap());
        for message in ["busy", "say \"no\", twice", ""] {
            let status = tonic::Status::new(theirs, message);
            for text in [status.to_string(), format!("{status:?}")] {
                let found = failure(&json!({"root": ROOT, "error": text}).to_string());
                assert_eq!(found.noted.code, Some(code), "{text}");
                assert_eq!(found.noted.message, message, "{text}");
            }
        }
    }
}

/// A hostile line, as long as lines may be, must not take the square of its length.
#[test]
fn long_lines_of_brackets_and_records_are_read() {
    // In quadratic time these lines would take minutes.
    let failure = json!({"domain": "player", "root": ROOT, "error": "Insufficient funds"});
    // Brackets that do not end, before the end of which no sentence ends.
    let reading = LogReading::of(&format!("{}root=x {failure}", "err=( ".repeat(20_000)));
    assert_eq!(reading.found.len(), 1);
    // Fields that belong to every record within theirs.
    let fields: Vec<String> = (0..2000).map(|at| format!("\"f{at}\":1")).collect();
    let fields = fields.join(",");
    let inner = "{\"code\":1},".repeat(20_000);
    let reading = LogReading::of(&format!("{{{fields},\"root\":[{inner}{failure}]}}"));
    let reason = "the line has too many nested records, so not all of them were read";
    assert_eq!(unusable(&reading), [(1, reason.to_owned())]);
    // As many side by side are all looked at.
    let many = format!("[{inner}{}{failure}]", format!("{failure},").repeat(2000));
    assert_eq!(LogReading::of(&many).unusable, []);
}

/// A message that stands in free text, and one that is cut, are told: half a message is never taken.
#[test]
fn half_a_message_is_never_taken() {
    for (text, reason) in [
        (
            format!(
                "player.api Insufficient funds: 5 code=FAILED_PRECONDITION domain=player root={ROOT}"
            ),
            "a failure with the code FAILED_PRECONDITION, whose message has no key of its own: log it as `error_message`",
        ),
        (
            format!(
                "ERROR: rejected: Insufficient funds code=FAILED_PRECONDITION domain=player root={ROOT}"
            ),
            "a failure with the code FAILED_PRECONDITION, whose message has no key of its own: log it as `error_message`",
        ),
        (
            format!("domain=player root={ROOT} error=\"Insufficient fu"),
            "the line ends within the message of the failure",
        ),
        (
            format!(
                "domain=player root={ROOT} error='status: FailedPrecondition, message: \"Insufficient fu'"
            ),
            "the line ends within the message of the failure",
        ),
        (
            format!("{{\"domain\":\"player\",\"root\":\"{ROOT}\",\"error\":\"Insufficient fu"),
            "a failure that is cut: the line ends within it",
        ),
        (
            line()[..line().len() - 20].to_owned(),
            "a ticket that is cut: the line ends within it",
        ),
        (
            json!({"log": &line()[..line().len() - 20], "stream": "stdout"}).to_string(),
            "a ticket that is cut: the container runtime cut this line, and the log does not have the rest of it",
        ),
    ] {
        let reading = LogReading::of(&text);
        assert_eq!(reading.found, [], "{text}");
        assert_eq!(unusable(&reading), [(1, reason.to_owned())], "{text}");
    }
    // Other programs have codes too.
    for text in [
        format!("code=200 domain=player root={ROOT}"),
        format!("code=OK domain=player root={ROOT}"),
        format!("code=ABORTED root={ROOT}"),
        "code=ABORTED domain=player root=/".to_owned(),
        format!("exception=NullPointerException domain=player root={ROOT} stack_trace=x"),
    ] {
        let reading = LogReading::of(&text);
        assert_eq!(
            (reading.found, reading.unusable),
            (vec![], vec![]),
            "{text}"
        );
    }
}

/// A ticket in pieces, as runtimes and collectors write them.
fn cut_in_three() -> [String; 3] {
    let line = line();
    [&line[..100], &line[100..250], &line[250..]].map(str::to_owned)
}

#[test]
fn a_line_that_a_container_runtime_cut_is_joined() {
    let [one, two, three] = cut_in_three();
    let docker = |text: &str| {
        json!({"log": text, "stream": "stdout", "time": "2026-11-23T00:05:01Z"}).to_string()
    };
    let other =
        json!({"log": "another stream\n", "stream": "stderr", "time": "2026-11-23T00:05:01Z"})
            .to_string();
    let cri = |part: &str, text: &str| format!("2026-11-23T00:05:01.5Z stdout {part} {text}");
    let tagged = |tag: &str, text: &str| {
        json!({"time": "2026-11-23T00:05:01Z", "stream": "stdout", "logtag": tag, "message": text})
            .to_string()
    };
    let fluentd = |last: &str, text: &str| {
        json!({"log": text, "container_id": "c", "partial_message": "true", "partial_id": "p", "partial_last": last}).to_string()
    };
    let journald = |id: &str, text: &str| {
        json!({"CONTAINER_ID": id, "CONTAINER_PARTIAL_MESSAGE": "true", "MESSAGE": text})
            .to_string()
    };
    let last = |text: &str| json!({"CONTAINER_ID": "c", "MESSAGE": text}).to_string();
    for lines in [
        [
            docker(&one),
            other,
            docker(&two),
            docker(&format!("{three}\n")),
        ],
        [
            cri("P", &one),
            "2026-11-23T00:05:01Z stderr F another".into(),
            cri("P", &two),
            cri("F", &three),
        ],
        [
            cri("P:x", &one),
            String::new(),
            cri("P", &two),
            cri("F:y", &three),
        ],
        [
            tagged("P", &one),
            tagged("P", &two),
            tagged("F", &three),
            String::new(),
        ],
        [
            fluentd("false", &one),
            journald("d", "{\"root\""),
            fluentd("false", &two),
            fluentd("true", &three),
        ],
        [
            journald("c", &one),
            journald("d", "{\"root\""),
            journald("c", &two),
            last(&three),
        ],
    ] {
        let text = lines.join("\n");
        let reading = LogReading::of(&text);
        assert_eq!(reading.unusable, [], "{text}");
        let [(1, Logged::Ticket(found))] = reading.found.as_slice() else {
            panic!("{text}\n{:?}", reading.found);
        };
        assert_eq!(found.command, ticket().command, "{text}");
    }
    // The rest was rotated away, or never came.
    for lines in [
        [cri("P", &one), cri("P", &two)],
        [docker(&one), docker(&two)],
    ] {
        let reading = LogReading::of(&lines.join("\n"));
        assert_eq!(reading.found, []);
        let [(1, reason)] = reading.unusable.as_slice() else {
            panic!("{:?}", reading.unusable);
        };
        let reason = reason.to_string();
        assert!(reason.starts_with("a ticket that is cut"), "{reason}");
    }
    // A blank at which a line is cut is part of it.
    let text = format!(
        "{}\n{}",
        cri(
            "P",
            &format!("domain=player root={ROOT} error=Insufficient ")
        ),
        cri("F", "funds")
    );
    assert_eq!(failure(&text).noted.message, "Insufficient funds");
}

#[test]
fn a_list_of_bytes_and_many_braces_hide_nothing() {
    let text = format!("\u{1b}[31mERROR\u{1b}[0m refused {}", line());
    for text in [
        json!({"__REALTIME_TIMESTAMP": "1795392060000000", "MESSAGE": text.as_bytes()}).to_string(),
        json!({"__REALTIME_TIMESTAMP": "1795392060000000", "MESSAGE": text}).to_string(),
        json!({"MESSAGE": ["started", text], "__REALTIME_TIMESTAMP": 1_795_392_060_000_000_u64})
            .to_string(),
    ] {
        let Logged::Ticket(found) = only(&text) else {
            panic!("{text}");
        };
        assert_eq!(
            found.time.map(|time| time.seconds),
            Some(1_795_392_060),
            "{text}"
        );
    }
    for before in [
        "{x} ",
        "{\"a\" ",
        "{ \"a\": {",
        "{}",
        "{\"a\":1}",
        "{\"a\": [",
        "{{",
    ] {
        let text = before.repeat(300) + line();
        assert!(matches!(only(&text), Logged::Ticket(_)), "{before}");
    }
}

#[test]
fn a_pretty_printed_record_is_read_whoever_wrote_the_lines() {
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(line()).unwrap())
            .unwrap();
    let around = serde_json::to_string_pretty(&json!({
        "level": "WARN", "tags": ["a", 5, true, null], "failed": {"ticket": line()},
    }))
    .unwrap();
    let lines = |with: &dyn Fn(&str) -> String| {
        let lines: Vec<String> = pretty.lines().map(with).collect();
        lines.join("\n")
    };
    for text in [
        pretty.clone(),
        format!("WARN refused: {pretty} (trace 7)"),
        around.clone(),
        format!("[\n{around},\n{{}}\n]"),
        lines(&|line| format!("player-1  | {line}")),
        lines(&|line| format!("[pod/player-0/player] {line}")),
        lines(&|line| format!("2026-11-23T00:05:01.5Z stdout F {line}")),
        lines(&|line| json!({"log": format!("{line}\n"), "stream": "stdout"}).to_string()),
        // What only looks like the beginning of one.
        format!("class Player {{\nfn main() {{\n{pretty}"),
    ] {
        let reading = LogReading::of(&text);
        assert_eq!(reading.unusable, [], "{text}");
        let [(_, Logged::Ticket(found))] = reading.found.as_slice() else {
            panic!("{text}\n{:?}", reading.found);
        };
        assert_eq!(found.command, ticket().command, "{text}");
    }
    // What is never ended keeps nothing from being found.
    for text in [
        format!("started {{\n{}", line()),
        format!("{{\n\"a\": 1,\n{}\n\"b\"", line()),
    ] {
        assert_eq!(LogReading::of(&text).found.len(), 1, "{text}");
    }
}

/// Whether the times of two lines tell which is the newer: by an instant, by a clock without a zone, or not at all.
#[test]
fn the_time_of_a_line_is_read_as_far_as_it_is_known() {
    let zoned = [
        "2026-11-23T00:0%:00Z ",
        "[pod/p/c] 2026-11-23T00:0%:00Z ",
        "player-1  | 2026-11-23T00:0%:00Z ",
        "2026-11-23T01:0%:00.000+0100 ",
        "[2026-11-23 00:0%:00 +0000] [7] ",
        "2026-11-23 00:0%:00 UTC ",
        "ERROR [player] 2026-11-23 00:0%:00,000+00:00 ",
        "10.0.0.1 - - [23/Nov/2026:00:0%:00 +0000] ",
        "<11>1 2026-11-23T00:0%:00Z host app - - - ",
    ];
    let local = [
        "2026-11-23 00:0%:00,123 ERROR x ",
        "2026-11-23T00:0%:00.123 ",
        "2026/11/23 00:0%:00 ",
        "2026/11/23 00:0%:00.000123 ",
        "E1123 00:0%:00.123456 1 x.go:1] ",
        "Nov 23 00:0%:00 host app: ",
        "<11>Nov 23 00:0%:00 host app: ",
        "[Mon Nov 23 00:0%:00 2026] ",
        "23 Nov 2026 00:0%:00 ",
        "asctime='2026-11-23 00:0%:00,123' ",
    ];
    let unknown = [
        "",
        "00:0%:00.123 [main] ",
        "user of 2026-11-23 ",
        "99/99/9999 99:0%:99 ",
    ];
    for (forms, expected) in [
        (&zoned[..], "known"),
        (&local, "local"),
        (&unknown, "unknown"),
    ] {
        for form in forms {
            let text = |minute: &str| format!("{}{}\n", form.replace('%', minute), line());
            let reading = LogReading::of(&(text("5") + &text("1")));
            let times: Vec<_> = reading
                .found
                .iter()
                .enumerate()
                .map(|(at, (_, logged))| (logged.time(), reading.local.get(&at).copied()))
                .collect();
            assert_eq!(times.len(), 2, "{form}");
            let is_known = times.iter().all(|(known, _)| known.is_some());
            let is_local = times
                .iter()
                .all(|(known, local)| known.is_none() && local.is_some());
            assert_eq!(
                (is_known, is_local),
                (expected == "known", expected == "local"),
                "{form}"
            );
            let newest = newest_of_times(&times);
            assert_eq!(
                newest,
                Some(if expected == "unknown" {
                    (1, false)
                } else {
                    (0, true)
                }),
                "{form}"
            );
            if is_known {
                assert_eq!(times[0].0.unwrap().seconds, 1_795_392_300, "{form}");
            }
        }
    }
    // Around a new year, dates without one tell nothing; nor does an instant beside a clock.
    let mixed = |first: &str, second: &str| {
        let reading = LogReading::of(&format!("{first} {}\n{second} {}\n", line(), line()));
        let times = (0..2).map(|at| (reading.found[at].1.time(), reading.local.get(&at).copied()));
        newest_of_times(&times.collect::<Vec<_>>()).unwrap()
    };
    assert_eq!(mixed("Dec 31 23:59:59", "Jan  1 00:00:01"), (1, false));
    assert_eq!(mixed("Feb 29 23:59:59", "Feb 28 00:00:01"), (0, true));
    assert_eq!(
        mixed("2026-11-23T00:05:00Z", "2026-11-23 00:06:00"),
        (0, false)
    );
    assert_eq!(mixed("Nov 23 00:05:00", "2026-11-23 00:01:00"), (1, false));
    assert_eq!(newest_of_times(&[]), None);
    // What the program wrote itself is nearer than what the runtime noted.
    let inner = format!("2026-11-23T00:05:00Z {}", line());
    let text = json!({"log": inner + "\n", "stream": "stdout", "time": "2026-11-23T00:09:00Z"});
    let found = only(&text.to_string());
    assert_eq!(found.time().unwrap().seconds, 1_795_392_300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// The twin of the fuzz target: nothing panics, and what is understood is written and read again as the same.
    #[test]
    fn any_log_is_read(parts in proptest::collection::vec(proptest::sample::select(vec![
        "root", "root=", "aggregate_root=", "\"root\":", "domain=player ", "error=", "error_code=9 ", "sequence=3 ", ROOT,
        BYTES, "b'", "'", "\"", "\\", "\\x", "\\u", "{", "}", "[", "]", ",", ":", "=", " ", "\n", "\u{1b}[", "m", "<", ">", "value: ",
        "ticket=1 ", "command=", "err=", "status: ABORTED", "code: '", "message: ", "MESSAGE", "{\"log\":\"", "\n\"", "P ",
        "2026-11-23T00:00:00Z stdout P ", "a | ", "Nov 23 00:00:00 ", "114,111,111,116", "Å", "\u{0}", "9999999999999999999999", "1e400", "time=", line(),
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

/// Failures whose messages differ only in their values are one bug, in whatever order they are read.
#[test]
fn failures_are_grouped_by_the_shape_of_their_messages() {
    let messages = [
        "balance is 1003",
        "balance is 1004",
        "balance is 5 or more",
        "player 'a' is not seated",
        "player 'b' is not seated",
    ];
    let mut failures: Vec<Logged> = (0..)
        .zip(messages)
        .map(|(seconds, message)| {
            let mut ticket = ticket();
            ticket.failure.message = message.into();
            ticket.time = Some(Timestamp { seconds, nanos: 0 });
            Logged::Ticket(ticket)
        })
        .collect();
    let found = |failures: &[Logged]| {
        let groups = group_failures(failures);
        let shown = groups.iter().map(|group| {
            let seconds = |time: Option<Timestamp>| time.unwrap().seconds;
            (
                group.for_all(&group.message).into_owned(),
                group.count,
                seconds(group.oldest)..=seconds(group.newest),
                group.message.clone(),
            )
        });
        shown.collect::<Vec<_>>()
    };
    let expected = [
        ("balance is …", 2, 0..=1, messages[1]),
        ("player … is not seated", 2, 3..=4, messages[4]),
        // A single failure keeps its values.
        (messages[2], 1, 2..=2, messages[2]),
    ]
    .map(|(shown, count, times, example)| (shown.to_owned(), count, times, example.to_owned()));
    assert_eq!(found(&failures), expected);
    failures.reverse();
    assert_eq!(found(&failures), expected);
}
