//! Failure tickets: from real traffic, there and back, and what is said of bad ones.
use angzarr_replay::internal::capture::select_ticket;
use angzarr_replay::internal::coordinator::recording::Recording;
use angzarr_replay::internal::model::{AnsweredBy, Code, FailureClass, Redactions, Timestamp};
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::Dialect;
use serde_json::{Value, json};
use test_support::demo;
use test_support::published::assert_published;

const CALLS: &str = include_str!("../../examples/poker/recorded/calls.jsonl");

fn recorded() -> (Vec<u32>, Vec<Ticket>) {
    let recording = Recording::parse(CALLS, Dialect::ANGZARR).unwrap();
    let numbers = recording.failed.iter().map(|failed| failed.call).collect();
    let tickets = recording.failed.into_iter().map(|failed| Ticket {
        service_version: None,
        trace_id: None,
        command: failed.command,
        failure: failed.failure,
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        time: None,
        head: failed.head,
        persisted: None,
        answered_by: AnsweredBy::NotKnown,
        redacted: Redactions::default(),
    });
    (numbers, tickets.collect())
}

/// Call 16 as a ticket.
fn withdraw() -> Value {
    serde_json::from_str(&recorded().1[2].to_line()).unwrap()
}

fn refusal(ticket: &Value) -> String {
    Ticket::parse_line(&ticket.to_string(), 7)
        .unwrap_err()
        .to_string()
}

#[test]
fn the_recorded_failures_become_tickets() {
    let (numbers, tickets) = recorded();
    assert_eq!(numbers, [7, 8, 16, 17, 18, 31, 51, 71]);
    let withdraw = &tickets[2];
    assert_eq!(
        withdraw.command.cover.root.to_string(),
        "6513270e-269e-4d37-b2a7-4de452e6b438"
    );
    assert_eq!(withdraw.command.type_name(), "examples.WithdrawFunds");
    assert_eq!(withdraw.failure.message, "Insufficient funds");
    let stale = &tickets[3];
    assert_eq!(
        stale.failure.class(AnsweredBy::NotKnown),
        FailureClass::StaleSequence
    );
    assert_eq!(
        (stale.command.expected_sequence(), stale.head),
        (Some(99), Some(3))
    );
}

#[test]
fn a_conflict_about_the_logics_own_places_is_not_stale() {
    let mut ticket = recorded().1.swap_remove(2);
    let sequence = ticket.command.expected_sequence().unwrap();
    let cover = ticket.command.cover.clone();
    for (expected, is_taken) in [(sequence, true), (sequence + 1, false)] {
        ticket.failure.message = format!("Sequence conflict: expected {expected}, got 0");
        let tickets = [ticket.clone()];
        let selected = select_ticket(&tickets, &cover, AnsweredBy::NotKnown);
        assert_eq!(selected.is_some(), is_taken, "expected {expected}");
    }
    ticket.failure.message =
        format!("Sequence mismatch: command expects {sequence}, aggregate at 9");
    assert_eq!(select_ticket(&[ticket], &cover, AnsweredBy::NotKnown), None);
}

#[test]
fn a_redacted_ticket_says_nothing_of_what_was_taken_out() {
    let rules = vec![RedactionRule::new("examples.*", "amount", Action::Pseudonym).unwrap()];
    let policy = Policy {
        rules,
        key: Some(Key::new("the key of this test only").unwrap()),
        debug_redact: None,
        roots: true,
        is_strict: true,
    };
    let redactor = Redactor::new(demo::registry(), policy).unwrap();
    let mut ticket = recorded().1.swap_remove(2);
    ticket.failure.message = format!("{} has no 4500", ticket.command.cover.root);
    let line = redactor.ticket(&ticket).unwrap().to_line();
    let again = Ticket::parse_line(&line, 1).unwrap();
    assert_eq!(again, redactor.ticket(&ticket).unwrap());
    assert!(!line.contains("4500"), "{line}");
    // Without its root no history is found.
    assert_eq!(again.command.cover.root, ticket.command.cover.root);
    // A stand-in for a stand-in would be equal to nothing.
    assert_eq!(redactor.ticket(&again).unwrap(), again);
    ticket.command.pages[0].command.as_mut().unwrap().type_url = "t/other.Thing".into();
    let refusal = redactor.ticket(&ticket).unwrap_err().to_string();
    let page = "page 1 of the command (`other.Thing`): there is no descriptor";
    assert!(refusal.starts_with(page), "{refusal}");
}

#[test]
fn a_ticket_reads_back_as_it_was_written() {
    let (_, mut tickets) = recorded();
    tickets[0].time = Some(Timestamp {
        seconds: 1_795_392_090,
        nanos: 500_000_000,
    });
    tickets[1].trace_id = Some("0af7651916cd43dd8448eb211c80319c".into());
    let text: String = tickets
        .iter()
        .map(|ticket| ticket.to_line() + "\n\n")
        .collect();
    let read = Ticket::parse_lines(&text).unwrap();
    assert_eq!(
        read.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [1, 3, 5, 7, 9, 11, 13, 15]
    );
    assert_eq!(
        read.into_iter()
            .map(|(_, ticket)| ticket)
            .collect::<Vec<_>>(),
        tickets
    );
}

#[test]
fn a_ticket_is_one_line_of_words() {
    let mut ticket = withdraw();
    ticket.as_object_mut().unwrap().remove("command");
    let expected = json!({
        "ticket": 1, "domain": "player", "root": "6513270e-269e-4d37-b2a7-4de452e6b438", "edition": "main",
        "sequence": 3, "correlation_id": "", "code": "FAILED_PRECONDITION", "message": "Insufficient funds",
        "dialect": "angzarr"
    });
    assert_eq!(ticket, expected);
    assert!(
        recorded().1[2]
            .to_line()
            .starts_with(r#"{"ticket":1,"domain":"player","root":"#)
    );
}

#[test]
fn a_line_that_is_no_json_is_named() {
    let error = Ticket::parse_line("{\"ticket\": 1,", 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: not a failure ticket: EOF while parsing a value at column 13"
    );
}

#[test]
fn a_missing_key_is_named() {
    for key in [
        "ticket",
        "domain",
        "root",
        "edition",
        "sequence",
        "correlation_id",
        "code",
        "message",
        "dialect",
        "command",
    ] {
        let mut ticket = withdraw();
        ticket.as_object_mut().unwrap().remove(key);
        assert_eq!(
            refusal(&ticket),
            format!("line 7: the key `{key}` is missing")
        );
    }
}

#[test]
fn an_unknown_key_is_refused() {
    let mut ticket = withdraw();
    ticket["haed"] = json!(3);
    assert!(refusal(&ticket).starts_with(
        "line 7: not a failure ticket: unknown field `haed`, expected one of `ticket`"
    ));
}

#[test]
fn another_version_is_refused() {
    let mut ticket = withdraw();
    ticket["ticket"] = json!(2);
    assert_eq!(
        refusal(&ticket),
        "line 7: ticket version 2 is not known, this version reads 1; is there a newer angzarr-replay?"
    );
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let cases = [
        (
            "command",
            "?",
            "line 7: `command`: not base64 (Invalid symbol 63, offset 0.)",
        ),
        (
            "command",
            "CgYKBAoCAQI=",
            "line 7: `command`: cover: `` is not a domain",
        ),
        (
            "command",
            "CgU=",
            "line 7: `command`: command book: the bytes do not decode (",
        ),
        (
            "command",
            "",
            "line 7: `command`: command book: it has no cover",
        ),
        (
            "code",
            "FAILED",
            "line 7: `code`: `FAILED` is not a gRPC status code such as NOT_FOUND",
        ),
        (
            "dialect",
            "angzar",
            "line 7: `dialect`: unknown dialect `angzar`; known dialects are angzarr, ",
        ),
        (
            "root",
            "6513",
            "line 7: `root`: a UUID with or without dashes is expected",
        ),
        (
            "service_version",
            "",
            "line 7: `service_version`: a version of at most 200 visible characters is expected",
        ),
        (
            "trace_id",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "line 7: `trace_id`: 32 hex digits are expected, not all of them zero",
        ),
        (
            "time",
            "yesterday",
            "line 7: `time`: not an RFC 3339 timestamp (",
        ),
    ];
    for (key, value, expected) in cases {
        let mut ticket = withdraw();
        ticket[key] = json!(value);
        let refusal = refusal(&ticket);
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn keys_that_disagree_with_the_command_are_refused() {
    let cases = [
        ("domain", json!("table"), "player"),
        (
            "root",
            json!("d23f0824-128b-4f33-8c5c-7fd0a6a3a450"),
            "6513270e-269e-4d37-b2a7-4de452e6b438",
        ),
        ("edition", json!("debug"), "main"),
        ("sequence", json!(4), "3"),
        ("sequence", json!(null), "3"),
    ];
    for (key, value, command) in cases {
        let mut ticket = withdraw();
        ticket[key] = value.clone();
        let shown = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(
            refusal(&ticket),
            format!(
                "line 7: `{key}` says `{shown}`, the command says `{command}`; correct the ticket"
            )
        );
    }
}

#[test]
fn a_recording_that_cannot_be_read_names_its_line() {
    let text = CALLS
        .lines()
        .next()
        .unwrap()
        .replace("\"response\": \"", "\"response\": \"?");
    let error = Recording::parse(&format!("\n{text}"), Dialect::ANGZARR).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2 of the recording: response is not base64 (Invalid symbol 63, offset 0.)"
    );
}

#[test]
fn the_recording_holds_seven_roots_and_their_pages() {
    let recording = Recording::parse(CALLS, Dialect::ANGZARR).unwrap();
    let pages: usize = recording.stored.iter().map(|book| book.pages.len()).sum();
    let mut roots: Vec<_> = recording
        .stored
        .iter()
        .map(|book| (&book.cover.domain, book.cover.root))
        .collect();
    roots.sort();
    roots.dedup();
    assert_eq!((roots.len(), pages), (7, 55));
    assert!(
        recording
            .failed
            .iter()
            .all(|failed| failed.failure.code == Code::FailedPrecondition)
    );
}

#[test]
fn the_failure_log_of_the_demo_is_made_from_its_recording() {
    let (_, tickets) = recorded();
    let lines = tickets.iter().map(|ticket| ticket.to_line() + "\n");
    let log: String = lines.collect();
    assert_published("examples/poker/recorded/failures.jsonl", &log);
}
