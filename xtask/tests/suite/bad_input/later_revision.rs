//! Fields of a later revision: kept where a part keeps its bytes, reported where not. No value of theirs is shown.

use insta::assert_snapshot;
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Methods, Server};
use angzarr_replay::internal::model::{
    AnsweredBy, CommandBook, EventBook, Failure, Header, History, Page, Payload, Redactions,
};
use angzarr_replay::internal::record::Answer;
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{
    Dialect, FailingStatus, encode_command_book, encode_event_book, encode_page,
};
use bytes::Bytes;
use test_support::books;

use crate::bad_input::recordings::{keep, noted};
use crate::support::{Project, ROOT, cover, listener, small_pages};

/// Field 9 with a text, which no message has.
const UNKNOWN: &[u8] = b"\x4a\x06secret";

fn with_unknown(encoded: &[u8]) -> Vec<u8> {
    [encoded, UNKNOWN].concat()
}

/// A message in field 1, with nothing in it but a field that is unknown there. Of two such messages readers make one.
fn nested_unknown() -> Vec<u8> {
    [&[0x0a, u8::try_from(UNKNOWN.len()).unwrap()], UNKNOWN].concat()
}

/// A coordinator that answers every query with one book of two events, with unknown fields in the book, its cover and its
/// last page; and logic that answers every command with a kind of answer that nobody knows yet.
struct Later;

impl Methods for Later {
    fn call(&self, method: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        if method == "CommandHandlerService/Handle" {
            return Some(Ok(vec![UNKNOWN.into()]));
        }
        let is_query = method.starts_with("EventQueryService/");
        is_query.then(|| {
            let mut pages = small_pages(0..2);
            let last: &mut Page = &mut pages[1];
            last.original = Some(Box::new(with_unknown(&encode_page(last))));
            let book = EventBook {
                cover: cover(),
                snapshot: None,
                history: History::new(pages).unwrap(),
                next_sequence: 2,
            };
            let book = encode_event_book(&book, Dialect::ANGZARR);
            let book = [&book[..], &nested_unknown()].concat();
            Ok(vec![with_unknown(&book).into()])
        })
    }
}

fn later() -> Server {
    Server::start(listener(), Dialect::ANGZARR, Arc::new(Later), None).unwrap()
}

/// A refused command with a field that is unknown.
fn ticket() -> Ticket {
    let mut command = CommandBook {
        cover: cover(),
        pages: vec![books::command_page(
            Header::Sequence(2),
            Payload::new("test.Do", vec![1]),
        )],
        original: None,
    };
    let encoded = encode_command_book(&command, Dialect::ANGZARR);
    command.original = Some(with_unknown(&encoded));
    Ticket {
        service_version: None,
        trace_id: None,
        command,
        persisted: None,
        failure: Failure::rejected("no"),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        time: None,
        head: Some(2),
        answered_by: AnsweredBy::NotKnown,
        redacted: Redactions::default(),
    }
}

#[test]
fn what_a_source_answers_is_kept_with_its_page_or_reported() {
    let server = later();
    let mut project = Project::of_source(server.address(), "");
    for more in [&["--name", "case"][..], &["--json", "--dry-run"]] {
        let arguments = [&["capture", ROOT, "--unredacted"], more].concat();
        assert_eq!(project.run(&arguments).code, 0);
    }
    assert!(project.read("fixtures/case.yaml").contains("page: "));
    assert_snapshot!("later_revision", project.transcript());
}

#[test]
fn bytes_that_redaction_leaves_out_take_their_unknown_fields_along() {
    let server = later();
    let rules = "[redaction]\nkey_file = \"key\"\nrequired = false\n[[redaction.rules]]\ntype = \"examples.*\"\n\
                 field = \"email\"\naction = \"drop\"\nreason = \"personal\"\n";
    let mut project = Project::of_source(server.address(), rules);
    project.write_key("the key of these tests, long enough");
    let ran = project.run(&["capture", ROOT, "--name", "case"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!project.read("fixtures/case.yaml").contains("page: "));
    for lost in ["Cover", "EventBook", "EventPage"] {
        let line = format!("unknown      field 9 of {lost} (from a later revision?): not kept\n");
        assert!(ran.out.contains(&line), "{}", ran.out);
    }
    assert!(!ran.out.contains("secret"));
}

#[test]
fn a_command_keeps_its_unknown_fields_until_it_is_encoded_anew() {
    let server = later();
    let logic = format!("[logic.player]\naddress = \"{}\"\n", server.address());
    let mut project = Project::of_source(server.address(), &logic);
    project.write("failures.jsonl", &ticket().to_line());
    let capture = [
        "capture",
        ROOT,
        "--unredacted",
        "--ticket",
        "failures.jsonl:1",
    ];
    for more in [
        &["--name", "as-sent"][..],
        &["--name", "for-another-head", "--to-sequence", "0"],
    ] {
        let arguments = [&capture[..], more].concat();
        assert_eq!(project.run(&arguments).code, 0);
    }
    assert!(project.read("fixtures/as-sent.yaml").contains("book: "));
    assert!(
        !project
            .read("fixtures/for-another-head.yaml")
            .contains("book: ")
    );
    for more in [&[][..], &["--to-sequence", "0"]] {
        project.run(&[&["replay", "fixtures/as-sent.yaml"], more].concat());
    }
    assert_snapshot!("later_revision_command", project.transcript());
}

#[test]
fn what_a_recorder_saw_is_reported_where_it_is_not_kept() {
    let mut project = Project::new("");
    let mut note = noted(108);
    note.request = with_unknown(&note.request).into();
    let Answer::Reply(reply) = &note.answer else {
        panic!("it was accepted")
    };
    // The events of the reply are its field 1.
    let reply = [&reply[..], &nested_unknown()].concat();
    note.answer = Answer::Reply(with_unknown(&reply).into());
    keep(&project, "calls.jsonl", [note]);
    let arguments = ["capture", "--recorded", "calls.jsonl:1", "--unredacted"];
    assert_eq!(project.run(&arguments).code, 0);
    assert_snapshot!("later_revision_recorded", project.transcript());
}
