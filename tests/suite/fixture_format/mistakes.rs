//! Every mistake with its whole message, in one snapshot.

use std::fmt::Write as _;
use std::path::Path;

use angzarr_replay::internal::fixture::{FixtureError, FixtureErrorKind, Folder, Location, render};
use angzarr_replay::internal::model::{CaseStimulus, PayloadReference, Storage};

use insta::assert_snapshot;

use crate::fixture_format::kind_mistakes::mistakes_of_kinds;
use crate::fixture_format::support::{file, refused_withdrawal, registry};

/// A good fixture to be spoilt.
fn good() -> String {
    std::fs::read_to_string(file("format-1/rejected.yaml")).unwrap()
}

fn refusal(text: &str) -> FixtureError {
    Folder::open(file("format-1"))
        .read_text(text, Path::new("fixtures/player/case.yaml"))
        .unwrap_err()
}

/// The good fixture with one text for another.
fn with(from: &str, to: &str) -> String {
    let text = good();
    assert!(text.contains(from), "the good fixture has no {from:?}");
    text.replacen(from, to, 1)
}

/// The good fixture with other keys for the event of page 0.
fn page(keys: &str) -> String {
    let text = good();
    let (before, rest) = text.split_once("  - sequence: 0\n").unwrap();
    let (_, after) = rest.split_once("  - sequence: 1\n").unwrap();
    format!("{before}  - sequence: 0\n{keys}\n  - sequence: 1\n{after}")
}

fn event(view: &str) -> String {
    page(&format!(
        "    type: type.googleapis.com/examples.Everything\n    event:\n{view}"
    ))
}

fn snapshot(keys: &str) -> String {
    with(
        "history:\n",
        &format!("snapshot:\n  sequence: 1\n{keys}\nhistory:\n"),
    )
}

fn outside_the_text() -> Vec<(&'static str, String)> {
    vec![
        ("an empty file", String::new()),
        ("nothing but comments", "# later\n\n".to_owned()),
        (
            "a syntax error",
            with("  name: embedded", "  name: 'embedded"),
        ),
        (
            "a tab for indentation",
            with("  domain: player", "\tdomain: player"),
        ),
        ("a list", "- fixture: 1\n".to_owned()),
        ("another file", "name: CI\non: push\n".to_owned()),
        ("two documents", good() + "---\n" + &good()),
        ("a newer version", with("fixture: 1", "fixture: 2")),
        (
            "a version that never was",
            with("fixture: 1", "fixture: one"),
        ),
        ("a key of another kind", with("kind: command", "kind: saga")),
        ("an unknown kind", with("kind: command", "kind: comand")),
    ]
}

fn shapes() -> Vec<(&'static str, String)> {
    vec![
        (
            "an unknown action of redaction",
            good() + "redacted:\n  - {type: '*', field: id, action: keep}\n",
        ),
        ("an unknown field", with("history:", "histroy:")),
        (
            "an unknown field in a page",
            with("    created_at:", "    create_at:"),
        ),
        (
            "an unknown field unlike any",
            with("    created_at:", "    zzz:"),
        ),
        ("an unknown word", with("status: open", "status: opne")),
        ("a missing field", with("status: open\n", "")),
        (
            "a missing field in a page",
            with("  - sequence: 1\n    created_at:", "  - created_at:"),
        ),
        ("a text for a number", with("sequence: 2", "sequence: two")),
        (
            "a number that is too large",
            with("sequence: 2", "sequence: 4294967296"),
        ),
        (
            "a mapping for a text",
            with("title: Withdrawal", "title:\n  a: Withdrawal"),
        ),
        ("a text for a mapping", page("    external: s3")),
        (
            "a mapping for a list",
            with(
                "history:\n  - sequence: 0",
                "history:\n  a:\n    sequence: 0",
            )
            .replace("  - sequence: 1", "  b:\n    sequence: 1"),
        ),
        (
            "nothing for a text",
            with("dialect: angzarr", "dialect: []"),
        ),
        (
            "a duplicate key",
            with("status: open", "status: open\nstatus: closed"),
        ),
        (
            "a duplicate key in a page",
            with(
                "    created_at:",
                "    created_at: '2026-11-23T06:12:00Z'\n    created_at:",
            ),
        ),
        (
            "a duplicate key deep in an event",
            event("      inner:\n        inner:\n          text: a\n          text: b"),
        ),
        (
            "a duplicate key in a map of an event",
            event("      counts:\n        a: 1\n        \"a\": 2"),
        ),
        (
            "a duplicate key in the metadata",
            with(
                "  message:",
                "  info:\n    metadata:\n      a: b\n      a: c\n  message:",
            ),
        ),
    ]
}

fn values() -> Vec<(&'static str, String)> {
    vec![
        ("no root", with("6513270e-", "6513270-")),
        ("no domain", with("domain: player", "domain: Player One")),
        ("no edition", with("edition: main", "edition: 2nd")),
        (
            "divergences of main",
            with(
                "edition: main",
                "edition: main\n  divergences:\n    - {domain: a, sequence: 1}",
            ),
        ),
        (
            "divergences without an edition",
            with(
                "  sequence: 2",
                "  divergences:\n    - {domain: a, sequence: 1}",
            ),
        ),
        (
            "no time",
            with(
                "    created_at: \"2026-11-23T",
                "    created_at: \"2026-13-23T",
            ),
        ),
        (
            "no base64",
            page("    type: examples.Everything\n    bytes: AB!="),
        ),
        (
            "sequences that do not rise",
            with("  - sequence: 1", "  - sequence: 0"),
        ),
        (
            "an unknown code",
            with("FAILED_PRECONDITION", "FAILED_PRECONDITON"),
        ),
        (
            "a code of an accepted command",
            with("outcome: rejected", "outcome: accepted"),
        ),
        (
            "no code of a rejected command",
            with("  code: FAILED_PRECONDITION\n", ""),
        ),
        (
            "events of a rejected command",
            with("  message:", "  events:\n    - external: {}\n  message:"),
        ),
        (
            "an unknown merge strategy",
            with("strategy: strict", "strategy: stricht"),
        ),
        ("an unknown retention", snapshot("  retention: forever")),
        (
            "two headers",
            with(
                "  sequence: 2",
                "  sequence: 2\n  external_deferred: {external_id: a}",
            ),
        ),
        (
            "no command",
            good().split("command:\n  corr").next().unwrap().to_owned(),
        ),
        (
            "a logged failure beside a command",
            good() + "noted:\n  message: no\n",
        ),
        (
            "a logged failure with an unknown code",
            with("kind: command", "kind: history")
                .split("command:\n  corr")
                .next()
                .unwrap()
                .to_owned()
                + "noted:\n  code: FALED_PRECONDITION\n",
        ),
        (
            "a command of a history",
            with("kind: command", "kind: history"),
        ),
        (
            "a rule without a reason",
            good() + "rules:\n  - {type: '*', field: id, reason: ''}\n",
        ),
        (
            "two places of a history",
            with(
                "history:",
                "history_file: histories/9da68d9046ec8a64.jsonl.gz\nhistory:",
            ),
        ),
        (
            "a command book with and without a command",
            with("  sequence: 2", "  no_pages: true\n  sequence: 2"),
        ),
    ]
}

fn payloads() -> Vec<(&'static str, String)> {
    let typed = |rest: &str| {
        page(&format!(
            "    type: type.googleapis.com/examples.WithdrawFunds\n{rest}"
        ))
    };
    vec![
        (
            "a view with an unknown field",
            event("      inner:\n        texte: a"),
        ),
        (
            "a view with a wrong value",
            event("      texts:\n        - a\n        - 5"),
        ),
        ("a view with a wrong enum", event("      mood: MOOD_GOD")),
        ("an event without a type", page("    event: {}")),
        (
            "a type without an event",
            typed("    created_at: \"2026-11-23T06:12:00Z\""),
        ),
        ("an event and bytes", typed("    event: {}\n    bytes: ''")),
        ("an event and a view", typed("    event: {}\n    view: {}")),
        ("a view without bytes", typed("    view: {}")),
        (
            "an event in two places",
            typed("    event: {}\n    external: {}"),
        ),
        (
            "an event that nothing describes",
            page("    type: examples.Missing\n    event: {}"),
        ),
        (
            "a fixture without descriptors",
            good()
                .split_inclusive('\n')
                .filter(|line| !line.starts_with("descr"))
                .collect(),
        ),
        (
            "a view that disagrees",
            typed("    bytes: CgIIBagfAQ==\n    view: {amount: {amount: 6}}"),
        ),
        (
            "a state that disagrees",
            snapshot(
                "  type: examples.PlayerState\n  bytes: CgNCb2I=\n  view: {display_name: Rob}",
            ),
        ),
        (
            "a view of bytes that nothing describes",
            page("    type: examples.Missing\n    bytes: ''\n    view: {}"),
        ),
        (
            "a view of bytes that do not decode",
            typed("    bytes: /w==\n    view: {}"),
        ),
        ("a page that disagrees", page("    page: CgIIC5gGAQ==")),
        ("a page that is none", page("    page: /w==")),
        ("a snapshot that disagrees", snapshot("  snapshot: EAo=")),
        (
            "a command book that disagrees",
            with(
                "\nobserved:",
                "\n  book: CiUKEgoQZRMnDiaeTTeyp03kUua0OBIGcGxheWVyGgdjb3JyLTE2\nobserved:",
            ),
        ),
        (
            "a payload of no command",
            with("  sequence: 2", "  no_pages: true")
                .replace("  type: type.googleapis.com/examples.WithdrawFunds\n", ""),
        ),
    ]
}

fn files() -> Vec<(&'static str, String)> {
    let hash = |hash: &str| {
        let text = good();
        let line = text
            .lines()
            .find(|line| line.starts_with("descriptors:"))
            .unwrap();
        text.replace(line, &format!("descriptors: \"{hash}\""))
    };
    let history = |name: &str| {
        let text = good();
        let (before, rest) = text.split_once("history:\n").unwrap();
        let (_, after) = rest.split_once("command:\n").unwrap();
        format!("{before}history_file: {name}\ncommand:\n{after}")
    };
    vec![
        ("a missing descriptor set", hash("0123456789abcdef")),
        ("descriptors outside the folder", hash("../../secret")),
        (
            "a missing history file",
            history("histories/0123456789abcdef.jsonl.gz"),
        ),
        ("a history outside the folder", history("../../secret.gz")),
    ]
}

#[test]
fn every_mistake_says_what_where_why_and_what_to_do() {
    let mut all = String::new();
    let all_mistakes = [
        outside_the_text(),
        shapes(),
        values(),
        payloads(),
        files(),
        mistakes_of_kinds(),
    ];
    for (name, text) in all_mistakes.concat() {
        let error = refusal(&text);
        if let Some(Location { line, column }) = error.location() {
            let place = format!("--> fixtures/player/case.yaml:{line}:{column}\n");
            assert!(
                error.report().contains(&place),
                "{name}: {}",
                error.report()
            );
        }
        write!(all, "## {name}\n{error}\n\n{}\n\n\n", error.report()).unwrap();
    }
    assert_snapshot!("mistakes", all);
}

#[test]
fn a_wrong_key_deep_in_an_event_is_found_at_its_line_and_column() {
    let error = refusal(&event("      inner:\n        texte: a"));
    assert_eq!(
        error.location(),
        Some(Location {
            line: 21,
            column: 9
        })
    );
    assert!(
        matches!(error.kind(), FixtureErrorKind::View { type_name, .. } if type_name == "examples.Everything")
    );
}

#[test]
fn an_excerpt_of_a_long_line_is_short() {
    let error = refusal(&page(&format!(
        "    type: a\n    bytes: {}!",
        "A".repeat(100_000)
    )));
    assert!(error.report().len() < 1_000, "{}", error.report().len());
}

#[test]
fn places_count_characters_not_bytes() {
    let error = refusal(&with("title: Withdrawal refused", "title: \"ÅÅÅ\" : x"));
    assert_eq!(error.location().map(|place| place.line), Some(4));
    let error = refusal(&with(
        "event:\n      display_name: Ålice",
        "event: {display_name: ÅÅÅ, emial: a}\n    evnt:\n      display_name: x",
    ));
    assert_eq!(error.location().unwrap().column, 5);
}

#[test]
fn text_that_is_not_utf8_names_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, b"fixture: 1\n\xff").unwrap();
    let error = Folder::open(folder.path()).read(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: not UTF-8 text, from byte 11 on", path.display())
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Folder::open("nowhere")
        .read(Path::new("nowhere/a.yaml"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "nowhere/a.yaml: cannot be read: no such file or directory"
    );
    assert_eq!(
        error.report(),
        "error: nowhere/a.yaml: cannot be read: no such file or directory"
    );
}

#[test]
fn a_command_for_another_aggregate_is_not_written() {
    let mut case = refused_withdrawal();
    case.cover.root = angzarr_replay::internal::model::Root::new([7; 16]);
    assert_eq!(
        render(&case, &registry()).unwrap_err().to_string(),
        "the command is for player/6513270e-269e-4d37-b2a7-4de452e6b438, but the case is for \
         player/07070707-0707-0707-0707-070707070707: a case begins with one aggregate"
    );
}

#[test]
fn a_command_in_two_places_is_not_written() {
    let mut case = refused_withdrawal();
    let CaseStimulus::Command(book) = &mut case.stimulus else {
        unreachable!()
    };
    book.pages[0].external = Some(PayloadReference {
        storage: Storage::S3,
        uri: String::new(),
        content_hash: Vec::new(),
        original_size: 0,
        stored_at: None,
    });
    let error = render(&case, &registry()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "command 0 is both in the book and external"
    );
}

#[test]
fn a_kept_command_book_needs_a_known_dialect() {
    let text = std::fs::read_to_string(file("format-1/kept-encodings.yaml")).unwrap();
    let error = refusal(&text.replace("dialect: angzarr", "dialect: klingon"));
    assert!(
        error.kind().to_string().starts_with(
            "`book` cannot be read without the dialect of the source: unknown dialect `klingon`"
        ),
        "{error}"
    );
}

#[test]
fn problems_are_told_apart_without_reading_words() {
    assert_eq!(
        *refusal("fixture: 7").kind(),
        FixtureErrorKind::Newer("7".to_owned())
    );
    assert_eq!(*refusal("").kind(), FixtureErrorKind::Empty);
    let error = refusal(&with("history:", "histroy:"));
    assert!(
        matches!(error.kind(), FixtureErrorKind::UnknownField { near: Some(near), .. } if near == "history")
    );
    assert_eq!(error.file(), Path::new("fixtures/player/case.yaml"));
}
