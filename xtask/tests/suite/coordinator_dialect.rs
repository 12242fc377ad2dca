//! `replay FIXTURE --coordinator NAME` at an address: the dialect in which the coordinator is spoken to, by the bytes that
//! arrive there.
//!
//! A connection tells a package, and three dialects share `io.angzarr.v1`: what is ISOLATED to one of them is DECISION to
//! another, which publishes a history that is loaded. The numbers below are those of the published protocol.

use std::process::Output;

use angzarr_replay::internal::model::Failure;
use tempfile::TempDir;
use test_support::peer::Peer;
use test_support::revision::Revision;

use crate::support::tool;

const QUERIED: &str = "EventQueryService/GetEventBook";
const LOADED: &str = "CommandHandlerCoordinatorService/HandleEvent";
const SPECULATED: &str = "CommandHandlerCoordinatorService/HandleSyncSpeculative";

const JUNE: &str = "io.angzarr.v1-2026-06";
const SEPTEMBER: &str = "io.angzarr.v1-2026-09";
const NEWEST: &str = "io.angzarr.v1";
const MAY: &str = "angzarr_client.proto.angzarr.v1";
const APRIL: &str = "angzarr_client.proto.angzarr";
const RELEASED: &str = "angzarr";

#[test]
fn a_coordinator_gets_the_dialect_of_the_case() {
    for dialect in [JUNE, SEPTEMBER, NEWEST, MAY] {
        assert_spoken(dialect, "", dialect, &[]);
    }
    for dialect in [APRIL, RELEASED] {
        assert_spoken(dialect, "", dialect, &["--force"]);
    }
}

#[test]
fn a_coordinator_of_another_package_gets_the_newest_of_that() {
    for captured in [MAY, APRIL, RELEASED] {
        assert_spoken(captured, "", NEWEST, &[]);
    }
    assert_spoken(JUNE, "", MAY, &[]);
}

#[test]
fn a_configured_dialect_counts_more_than_that_of_the_case() {
    for (captured, configured) in [(NEWEST, JUNE), (JUNE, SEPTEMBER), (JUNE, NEWEST)] {
        let told = format!("dialect = '{configured}'\n");
        assert_spoken(captured, &told, configured, &[]);
    }
}

#[test]
fn a_dialect_without_isolated_gets_nothing_without_force() {
    for dialect in [APRIL, RELEASED] {
        let peer = Peer::start(dialect.parse().unwrap());
        let output = replay(&project(dialect, &peer, ""), &[]);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("has no sync mode ISOLATED"), "{errors}");
        let received = peer.received();
        let methods: Vec<&str> = received.iter().map(|(method, _)| method.as_str()).collect();
        assert_eq!(methods, [QUERIED], "{dialect}");
    }
}

/// What is said in the numbers of a dialect: the sync modes of the load and of the command, STRICT, and the field by which
/// facts go past the logic.
struct Numbers {
    load: i32,
    cascade: Option<i32>,
    strict: i32,
    past_logic: &'static str,
}

fn numbers(dialect: &str) -> Numbers {
    let (load, cascade, strict, past_logic) = match dialect {
        NEWEST => (5, Some(3), 2, "skip_handler: true"),
        SEPTEMBER => (4, Some(2), 1, "skip_handler: true"),
        JUNE | MAY => (4, Some(2), 1, "route_to_handler: false"),
        _ => (0, None, 1, "route_to_handler: false"),
    };
    Numbers {
        load,
        cascade,
        strict,
        past_logic,
    }
}

/// Replays a case of `captured` at a coordinator, which should receive messages of `spoken`.
fn assert_spoken(captured: &str, configured: &str, spoken: &str, options: &[&str]) {
    let revision = Revision::of(spoken.parse().unwrap());
    let numbers = numbers(spoken);
    let peer = Peer::start(revision.dialect);
    let (first, second) = (
        r#"event { type_url: "/t.A" value: "a" }"#,
        r#"created_at { seconds: 7 } event { type_url: "/t.B" value: "b" }"#,
    );
    let aggregate = r#"root { value: "0123456789abcdef" } domain: "player""#;
    let place = |sequence: u32| format!("header {{ sequence: {sequence} }}");
    let stored = format!(
        "cover {{ {aggregate} }} pages {{ {} {first} }} pages {{ {} {second} }} next_sequence: 2",
        place(0),
        place(1)
    );
    let is_detected = configured.is_empty();
    let empty = || revision.encode("EventBook", "");
    if is_detected {
        peer.answers(QUERIED, empty());
    }
    peer.answers(QUERIED, empty());
    peer.answers(
        LOADED,
        revision.encode("FactInjectionResponse", &format!("events {{ {stored} }}")),
    );
    peer.answers(QUERIED, revision.encode("EventBook", &stored));
    peer.refuses(SPECULATED, Failure::rejected("no"));

    let project = project(captured, &peer, configured);
    let output = replay(&project, options);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    let what = format!("a case of {captured} {configured}");
    assert_eq!(output.status.code(), Some(0), "{what}: {said}");

    let note = format!("the coordinator is spoken to in `{spoken}`, which is assumed: ");
    let shares_package = [JUNE, SEPTEMBER, NEWEST].contains(&spoken);
    let is_told = said.contains(&note) && said.contains("`dialect` in [coordinators.staging]");
    assert_eq!(is_told, is_detected && shares_package, "{what}: {said}");

    let (edition, noted) = left_behind(&project);
    assert_eq!(noted, spoken, "{what}");
    let edition = format!(r#"edition {{ name: "{edition}" }}"#);
    let name = edition.split('"').nth(1).unwrap();
    let cover = format!("cover {{ {aggregate} {edition} }}");
    // A mode that the case says is said in the numbers of the coordinator.
    let mode = numbers
        .cascade
        .filter(|_| has_modes(captured))
        .map_or_else(String::new, |mode| format!("sync_mode: {mode}"));
    let command = format!(
        r#"cover {{ {aggregate} {edition} correlation_id: "wf" }} pages {{ header {{ sequence: 2 {mode} }}
        merge_strategy: {} command {{ type_url: "/t.Do" value: "d" }} }}"#,
        numbers.strict
    );
    let key = format!(r#"header {{ external_deferred {{ external_id: "{name}/0" }} }}"#);
    let load = format!(
        "events {{ {cover} pages {{ {key} {first} }} pages {{ {} {second} }} }} sync_mode: {} {}",
        place(1),
        numbers.load,
        numbers.past_logic
    );
    let mut expected = Vec::new();
    if is_detected {
        expected.push((QUERIED, "Query", String::new()));
    }
    expected.extend([
        (QUERIED, "Query", cover.clone()),
        (LOADED, "EventRequest", load),
        (
            QUERIED,
            "Query",
            format!("{cover} range {{ lower: 0 upper: 1 }}"),
        ),
        (
            SPECULATED,
            "SpeculateCommandHandlerRequest",
            format!("command {{ {command} }} point_in_time {{ as_of_sequence: 1 }}"),
        ),
    ]);
    let received = peer.received();
    let methods: Vec<&str> = received.iter().map(|(method, _)| method.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|(method, ..)| *method).collect();
    assert_eq!(methods, wanted, "{what}");
    for ((_, bytes), (method, message, text)) in received.iter().zip(&expected) {
        revision.assert_is(&format!("{what}, {method}"), message, bytes, text);
    }
}

/// Whether a command of a dialect says a sync mode of its own.
fn has_modes(dialect: &str) -> bool {
    numbers(dialect).cascade.is_some()
}

/// A project with one case of a dialect, and a coordinator at the peer's address.
fn project(captured: &str, peer: &Peer, configured: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let toml = format!(
        "[logic.player]\naddress = '127.0.0.1:9'\n[coordinators.staging]\naddress = '{}'\n{configured}",
        peer.address()
    );
    let mode = if has_modes(captured) {
        "sync_mode: cascade"
    } else {
        ""
    };
    let case = format!(
        r#"fixture: 1
kind: command
status: open
title: It is refused
source: {{ name: staging, dialect: {captured}, captured_at: "2026-11-23T07:23:47Z", head: checked }}
cover:
  domain: player
  root: "30313233-3435-3637-3839-616263646566"
  edition: main
history:
  - sequence: 0
    type: /t.A
    bytes: YQ==
  - sequence: 1
    created_at: "1970-01-01T00:00:07Z"
    type: /t.B
    bytes: Yg==
command:
  sequence: 2
  correlation_id: wf
  {mode}
  merge_strategy: strict
  type: /t.Do
  bytes: ZA==
observed:
  outcome: rejected
  code: FAILED_PRECONDITION
  message: "no"
"#
    );
    std::fs::write(folder.path().join("replay.toml"), toml).unwrap();
    std::fs::write(folder.path().join("case.yaml"), case).unwrap();
    folder
}

fn replay(project: &TempDir, options: &[&str]) -> Output {
    tool(project.path())
        .args(["replay", "case.yaml", "--coordinator", "staging"])
        .args(options)
        .env("USER", "tester")
        .output()
        .unwrap()
}

/// Edition and dialect of what is noted as left behind.
fn left_behind(project: &TempDir) -> (String, String) {
    let ledger = project.path().join(".angzarr-replay/editions.jsonl");
    let ledger = std::fs::read_to_string(ledger).unwrap();
    let line: serde_json::Value = serde_json::from_str(ledger.trim()).unwrap();
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    (text("edition"), text("dialect"))
}
