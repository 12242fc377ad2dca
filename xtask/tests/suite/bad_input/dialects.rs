//! Dialects of one package, which a connection does not tell apart: what is assumed is told, and what is known counts.

use angzarr_replay::internal::grpc::Server;
use angzarr_replay::internal::model::{
    AnsweredBy, CommandBook, EventBook, Failure, Header, History, Payload, Redactions,
};
use angzarr_replay::internal::record::{Answer, RecordedCall};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{
    Dialect, FailingStatus, command_book, encode_command_book, encode_event_book,
};
use bytes::Bytes;
use insta::assert_snapshot;
use test_support::books;

use crate::bad_input::recordings::keep;
use crate::support::{Project, ROOT, SEEDED, coordinator, cover, seed, small_pages};

const JUNE: &str = "dialect = \"io.angzarr.v1-2026-06\"\n";

fn june() -> Dialect {
    "io.angzarr.v1-2026-06".parse().unwrap()
}

/// A coordinator of June, whose package the newest dialect has too.
fn server() -> Server {
    coordinator(june(), &[seed(cover(), small_pages(0..2))])
}

/// A command as it was sent in June: to be refused unless the head is 2. The same number is COMMUTATIVE in the newest
/// dialect.
fn sent() -> Bytes {
    let command = CommandBook {
        cover: cover(),
        pages: vec![books::command_page(
            Header::Sequence(2),
            Payload::new("test.Do", vec![1]),
        )],
        original: None,
    };
    encode_command_book(&command, june())
}

/// What a client noted of it that says a dialect, or assumed one.
fn ticket(dialect: Dialect, dialect_assumed: bool) -> Ticket {
    Ticket {
        service_version: None,
        trace_id: None,
        command: command_book(&sent(), dialect).unwrap(),
        failure: Failure::rejected("no"),
        dialect,
        dialect_assumed,
        time: None,
        head: None,
        persisted: None,
        answered_by: AnsweredBy::NotKnown,
        redacted: Redactions::default(),
    }
}

/// One message in each field, by its number.
fn message(fields: &[(u8, Bytes)]) -> Bytes {
    let mut bytes = Vec::new();
    for (number, field) in fields {
        bytes.push(number << 3 | 2);
        // A number of seven bits, or of fourteen.
        let length = u8::try_from(field.len()).unwrap();
        bytes.extend(if length < 0x80 {
            vec![length]
        } else {
            vec![length, 1]
        });
        bytes.extend_from_slice(field);
    }
    bytes.into()
}

/// What a recorder noted of the same command, before a coordinator and before its logic.
fn recorded(dialect: Dialect, dialect_assumed: bool) -> [RecordedCall; 2] {
    let prior = EventBook {
        cover: cover(),
        snapshot: None,
        history: History::new(small_pages(0..2)).unwrap(),
        next_sequence: 2,
    };
    let prior = encode_event_book(&prior, june());
    let calls = [
        (
            "CommandHandlerCoordinatorService",
            "HandleCommand",
            message(&[(1, sent())]),
        ),
        (
            "CommandHandlerService",
            "Handle",
            message(&[(1, prior), (2, sent())]),
        ),
    ];
    calls.map(|(service, method, request)| RecordedCall {
        number: 0,
        time: SEEDED,
        path: june().path(service, method),
        dialect,
        dialect_assumed,
        request,
        answer: Answer::Status(FailingStatus::from(Failure::rejected("no"))),
        redacted: Redactions::default(),
    })
}

/// Writes what was noted in a dialect that was said, and in one that was assumed.
fn noted(project: &Project, dialect: Dialect) {
    for (name, assumed) in [("said", false), ("assumed", true)] {
        project.write(
            &format!("{name}.jsonl"),
            &format!("{}\n", ticket(dialect, assumed).to_line()),
        );
        keep(
            project,
            &format!("{name}-calls.jsonl"),
            recorded(dialect, assumed),
        );
    }
}

fn capture(project: &mut Project, arguments: &[&str], name: &str) -> (i32, String) {
    let arguments = [&["capture"], arguments, &["--unredacted", "--name", name]].concat();
    let code = project.run(&arguments).code;
    let fixture = project.path(&format!("fixtures/{name}.yaml"));
    (code, std::fs::read_to_string(fixture).unwrap_or_default())
}

/// The ways in which a command of elsewhere gets into a case.
fn ways(noted: &str) -> [Vec<String>; 6] {
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (tickets, calls) = (format!("{noted}.jsonl"), format!("{noted}-calls.jsonl"));
    [
        own(&[ROOT, "--ticket", &tickets]),
        own(&["--from-log", &tickets]),
        own(&[ROOT, "--ticket", &format!("{tickets}:1"), "--compensation"]),
        own(&[ROOT, "--ticket", &tickets, "--correlation", "flow"]),
        own(&["--recorded", &format!("{calls}:1")]),
        own(&["--recorded", &format!("{calls}:2")]),
    ]
}

#[test]
fn what_was_noted_in_an_assumed_dialect_is_read_in_that_of_its_source() {
    let server = server();
    let mut project = Project::of_source(server.address(), JUNE);
    noted(&project, Dialect::IO_ANGZARR_V1);
    for (at, way) in ways("assumed").iter().enumerate() {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        let (code, text) = capture(&mut project, &words, &format!("case-{at}"));
        assert_eq!(code, 0, "{words:?}");
        assert!(
            text.contains("  dialect: io.angzarr.v1-2026-06\n"),
            "{text}"
        );
        // Number 1, which is COMMUTATIVE in the dialect that was assumed and left out there.
        let strict = ["merge_strategy: strict", "merge_strategy: STRICT"];
        assert!(
            strict.iter().any(|it| text.contains(it)),
            "{words:?}\n{text}"
        );
        assert!(!text.contains("\n  book: "), "{text}");
    }
    assert_snapshot!("assumed_elsewhere", project.transcript());
}

#[test]
fn what_says_another_dialect_than_its_source_is_refused() {
    let server = server();
    let mut project = Project::of_source(server.address(), JUNE);
    noted(&project, Dialect::IO_ANGZARR_V1);
    for way in ways("said") {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        let (code, text) = capture(&mut project, &words, "case");
        assert_eq!((code, text.as_str()), (1, ""), "{words:?}");
    }
    assert_snapshot!("said_otherwise", project.transcript());
    let mut project = Project::of_source(server.address(), JUNE);
    noted(&project, june());
    for (at, way) in ways("said").iter().enumerate() {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        let (code, _) = capture(&mut project, &words, &format!("case-{at}"));
        assert_eq!(code, 0, "{words:?}");
    }
}

#[test]
fn what_nobody_knows_is_told() {
    let server = server();
    let mut project = Project::of_source(server.address(), "");
    noted(&project, Dialect::IO_ANGZARR_V1);
    for (at, way) in ways("assumed").iter().enumerate() {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        let (code, text) = capture(&mut project, &words, &format!("case-{at}"));
        assert_eq!(code, 0, "{words:?}");
        assert!(text.contains("  dialect: io.angzarr.v1\n"), "{text}");
    }
    for arguments in [
        &[
            "capture",
            "--each-distinct",
            "--from-log",
            "assumed.jsonl",
            "--unredacted",
        ][..],
        &[
            "capture",
            ROOT,
            "--ticket",
            "assumed.jsonl",
            "--unredacted",
            "--dry-run",
            "--json",
        ],
        &["roots"],
        &["roots", "--json"],
    ] {
        assert_eq!(project.run(arguments).code, 0, "{arguments:?}");
    }
    assert_snapshot!("assumed_by_all", project.transcript());
}

#[test]
fn what_was_noted_settles_what_its_source_does_not_say() {
    let server = server();
    let mut project = Project::of_source(server.address(), "");
    noted(&project, june());
    for (at, way) in ways("said").iter().enumerate() {
        let words: Vec<&str> = way.iter().map(String::as_str).collect();
        let (code, text) = capture(&mut project, &words, &format!("case-{at}"));
        assert_eq!(code, 0, "{words:?}");
        assert!(
            text.contains("  dialect: io.angzarr.v1-2026-06\n"),
            "{text}"
        );
    }
    assert_snapshot!("settled_by_what_was_noted", project.transcript());
}

/// A call to logic says nothing of its source: it is the one that is named, or the only one.
#[test]
fn the_source_of_a_recorded_call_is_the_one_that_a_capture_would_ask() {
    let sources = "[sources.first]\naddresses = { player = \"127.0.0.1:1\" }\n\
                   dialect = \"io.angzarr.v1-2026-09\"\n[sources.second]\n\
                   addresses = { player = \"127.0.0.1:1\" }\ndialect = \"io.angzarr.v1-2026-06\"\n";
    let mut project = Project::new(sources);
    noted(&project, Dialect::IO_ANGZARR_V1);
    let mut dialect = |more: &[&str], name: &str| {
        let call = ["--recorded", "assumed-calls.jsonl:2"];
        let (code, text) = capture(&mut project, &[&call[..], more].concat(), name);
        let line = text.lines().find(|line| line.starts_with("  dialect: "));
        (
            code,
            line.map(|line| line["  dialect: ".len()..].to_owned()),
        )
    };
    let known = |dialect: &str| (0, Some(dialect.to_owned()));
    // Nobody knows which of the two it is.
    assert_eq!(dialect(&[], "none"), known("io.angzarr.v1"));
    for (name, expected) in [
        ("first", "io.angzarr.v1-2026-09"),
        ("second", "io.angzarr.v1-2026-06"),
    ] {
        assert_eq!(dialect(&["--source", name], name), known(expected));
    }
    assert_eq!(dialect(&["--source", "third"], "third"), (1, None));
}
