//! `find`, `show` and `roots`: from what an alert names to the command that captures it, which is run.

mod aggregates;
mod page;

use insta::assert_snapshot;

use angzarr_replay::internal::model::{CommandBook, Header};
use angzarr_replay::internal::record::RecordedCall;
use angzarr_replay::internal::ticket::Ticket;
use serde_json::{Value, json};

use crate::bad_input::recordings::{keep, noted};
use crate::production::dead_letters;
use crate::production::read_only::demo;
use crate::support::{ALICE, Project, recorded_failures};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const WORKFLOW: &str = "wf-seat";

/// The recorded failure on a line.
fn failure(line: usize) -> Ticket {
    let failures = recorded_failures();
    Ticket::parse_line(failures.lines().nth(line - 1).unwrap(), line).unwrap()
}

/// The recorded `JoinTable`, as a saga sends it in a workflow after Alice's second event.
fn sent_by_saga() -> Ticket {
    let mut ticket = failure(5);
    let mut alice = failure(3).command.cover;
    alice.correlation_id = WORKFLOW.into();
    ticket.command.cover.correlation_id = WORKFLOW.into();
    ticket.command.original = None;
    ticket.command.pages[0].header = Header::AngzarrDeferred {
        source: Some(Box::new(alice)),
        source_sequence: 2,
        source_component: "player-table".into(),
        command_index: 0,
        basis_sequence: None,
    };
    ticket
}

fn log_line(trace: &str, message: &str) -> String {
    json!({
        "time": "2026-11-23T00:01:30Z",
        "traceparent": trace,
        "domain": "player",
        "root": ALICE,
        "error_code": "FAILED_PRECONDITION",
        "error_message": message,
    })
    .to_string()
}

/// The demo behind one address, with a log of tickets and a program's log.
fn production(address: impl std::fmt::Display) -> Project {
    let project = Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{address}\"\n\
         domains = [\"player\", \"hand\", \"table\"]\ntickets = [\"failures.jsonl\"]\nlogs = [\"app.log\"]\n\
         [logic.player]\nin_process = \"player\"\n"
    ));
    let tickets = format!("{}\n{}\n", failure(3).to_line(), sent_by_saga().to_line());
    project.write("failures.jsonl", &tickets);
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let log = format!(
        "started\n{}\n",
        log_line(&traceparent, "Insufficient funds")
    );
    project.write("app.log", &log);
    project
}

/// Runs `find`, and then the command that it prints.
fn find_and_capture(project: &mut Project, arguments: &[&str]) -> String {
    let found = project.run(&[&["find"], arguments].concat());
    assert_eq!(found.code, 0, "{arguments:?}: {}{}", found.out, found.err);
    let printed = found
        .out
        .lines()
        .find_map(|line| line.strip_prefix("capture it: cargo xtask "));
    let printed = printed.unwrap_or_else(|| panic!("{}", found.out));
    let words: Vec<&str> = printed.split(' ').collect();
    let captured = project.run(&words);
    assert_eq!(captured.code, 0, "{printed}: {}", captured.err);
    captured.out
}

#[test]
fn every_id_leads_to_a_command_that_captures() {
    let server = demo();
    let mut project = production(server.address());
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    for id in [TRACE, &traceparent, WORKFLOW, ALICE, "player/6513"] {
        find_and_capture(&mut project, &[id]);
    }
    assert_snapshot!("ids", project.transcript());
}

#[test]
fn what_a_saga_sent_stands_below_its_cause() {
    let server = demo();
    let mut project = production(server.address());
    let found = project.run(&["find", WORKFLOW, "--json"]);
    assert_eq!(found.code, 0, "{}", found.err);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(report["version"], 1);
    let occurrences = report["occurrences"].as_array().unwrap();
    let trees = report["workflows"][0]["trees"].as_array().unwrap();
    let at = |index: &Value| &occurrences[usize::try_from(index.as_u64().unwrap()).unwrap()];
    let parents: Vec<&Value> = trees
        .iter()
        .filter(|tree| !tree["caused"].as_array().unwrap().is_empty())
        .collect();
    assert_eq!(parents.len(), 1, "{}", found.out);
    let cause = at(&parents[0]["occurrence"]);
    assert_eq!(
        (&cause["kind"], &cause["root"]),
        (&json!("events"), &json!(ALICE))
    );
    let effect = at(&parents[0]["caused"][0]["occurrence"]);
    assert_eq!(effect["type"], "examples.JoinTable");
    assert_eq!(effect["cause"]["sequence"], 2);
    assert_eq!(report["capture"][1], "--ticket");
}

#[test]
fn a_ticket_is_found_by_the_trace_that_it_names() {
    let server = demo();
    let mut project = production(server.address());
    let ticket = Ticket {
        trace_id: Some(TRACE.into()),
        ..failure(3)
    };
    project.write("failures.jsonl", &ticket.to_line());
    // In a program's log, the logger's own trace id is not part of the ticket.
    let mut logged: Value = serde_json::from_str(&failure(3).to_line()).unwrap();
    logged["level"] = json!("error");
    logged["trace_id"] = json!("no trace");
    project.write("app.log", &logged.to_string());
    let out = find_and_capture(&mut project, &[TRACE]);
    assert!(
        out.contains("examples.WithdrawFunds, from failures.jsonl:1"),
        "{out}"
    );
    let found = project.run(&["find", TRACE, "--json"]);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(report["matching"], 1, "{}", found.out);
    assert_eq!(report["occurrences"][0]["trace_id"], TRACE);
}

#[test]
fn what_has_no_workflow_stands_with_what_it_belongs_to() {
    let server = demo();
    let mut project = production(server.address());
    // The log names the workflow, and the ticket of the same failure does not; nor does what a saga sent.
    let mut line: Value = serde_json::from_str(&log_line(TRACE, "Insufficient funds")).unwrap();
    line["correlation_id"] = json!(WORKFLOW);
    project.write("app.log", &line.to_string());
    let mut sent = sent_by_saga();
    sent.command.cover.correlation_id = String::new();
    let lines = |again: &str| format!("{}\n{}\n{again}", failure(3).to_line(), sent.to_line());
    project.write("failures.jsonl", &lines(""));
    let found = project.run(&["find", TRACE]);
    assert_eq!(found.code, 0, "{}", found.err);
    assert_snapshot!("joined", found.out);
    // If two commands failed like that, none of them is known to be the one.
    project.write("failures.jsonl", &lines(&failure(3).to_line()));
    let found = project.run(&["find", TRACE]);
    let (_, others) = found.out.split_once("other failures of the same").unwrap();
    for place in ["[failures.jsonl:1]", "[failures.jsonl:3]"] {
        assert!(others.contains(place), "{}", found.out);
    }
}

#[test]
fn a_dead_letter_is_found_by_its_number_and_by_its_root() {
    let (server, status) = (demo(), dead_letters::service(dead_letters::SERVICE));
    let address = format!("status = \"{}\"", status.address);
    let mut project = dead_letters::project(&server, &address);
    find_and_capture(&mut project, &["7"]);
    assert_eq!(project.run(&["find", "player/6513"]).code, 0);
    assert_eq!(project.run(&["find", "11"]).code, 1);
    assert_snapshot!("dead_letters", project.transcript());
}

#[test]
fn a_recorded_call_is_found_by_a_field_and_by_its_root() {
    let mut project = Project::new("[logic.player]\nin_process = \"player\"\n");
    let calls: [RecordedCall; 3] = [noted(16), noted(108), noted(34)];
    keep(&project, "calls.jsonl", calls);
    let by_field = ["--where", "WithdrawFunds.amount.amount=4500"];
    let recorded = ["--recorded", "calls.jsonl"];
    find_and_capture(&mut project, &[&by_field[..], &recorded].concat());
    assert_eq!(
        project
            .run(&["find", ALICE, "--recorded", "calls.jsonl"])
            .code,
        0
    );
    assert_snapshot!("recordings", project.transcript());
}

#[test]
fn of_many_failures_the_newest_are_kept_and_the_rest_counted() {
    let mut project = Project::new("");
    let lines = (0..250).map(|number| log_line(TRACE, &format!("refused {number}")) + "\n");
    project.write("big.log", &lines.collect::<String>());
    let found = project.run(&["find", TRACE, "--from-log", "big.log"]);
    assert_eq!(found.code, 0, "{}", found.err);
    assert!(found.out.starts_with("230 more match"), "{}", found.out);
    let shows = |number: usize| found.out.contains(&format!("\"refused {number}\""));
    assert!(shows(249) && shows(230) && !shows(229), "{}", found.out);
    let all = project.run(&["find", TRACE, "--from-log", "big.log", "--json"]);
    let report: Value = serde_json::from_str(&all.out).unwrap();
    assert_eq!(
        (&report["matching"], &report["left_out"]),
        (&json!(100), &json!(150))
    );
}

#[test]
fn a_key_of_a_fact_and_the_extension_of_a_cover_are_external_ids() {
    let mut ticket = failure(3);
    let command: &mut CommandBook = &mut ticket.command;
    command.original = None;
    command.pages[0].header = Header::ExternalDeferred {
        external_id: "payment-4711".into(),
        description: String::new(),
    };
    let mut project = Project::new("");
    project.write("failures.jsonl", &ticket.to_line());
    let found = project.run(&["find", "payment-4711", "--from-log", "failures.jsonl"]);
    assert_eq!(found.code, 0, "{}", found.err);
    assert!(
        found.out.contains("found by its external id"),
        "{}",
        found.out
    );
}

#[test]
fn what_is_not_found_or_cannot_be_read_is_said() {
    let mut project = Project::new(
        "source = \"production\"\n[sources.production]\naddress = \"127.0.0.1:9\"\n\
         domains = [\"player\", \"table\"]\nlogs = [\"nowhere.log\"]\nretries = 0\n",
    );
    assert_eq!(project.run(&["find", "no-such-workflow"]).code, 1);
    assert_eq!(
        project.run(&["find", "6513", "--recorded", "nowhere"]).code,
        1
    );
    project.write("damaged.jsonl", "{\"recording\":1}\n");
    assert_eq!(
        project
            .run(&["find", "x", "--recorded", "damaged.jsonl", "--json"])
            .code,
        1
    );
    assert_snapshot!("nothing", project.transcript());
}

#[test]
fn a_search_that_makes_no_sense_is_wrong_usage() {
    let mut project = Project::new("");
    for arguments in [
        &["find"][..],
        &["find", ""],
        &["find", "--where", "WithdrawFunds"],
        &["find", "--where", "Nope.amount=1"],
        &["find", "x", "--source", "nope"],
        &["roots", "zzz"],
        &["roots", "player/zzz"],
        &["roots", "player/", "--domain", "table"],
        &["show", "zzz"],
        &["show", "player/6513", "--edition", "a b"],
    ] {
        let code = if arguments.contains(&"nope") { 1 } else { 2 };
        assert_eq!(project.run(arguments).code, code, "{arguments:?}");
    }
    assert_snapshot!("wrong_usage", project.transcript());
}

#[test]
fn nothing_that_was_found_can_act_on_a_terminal() {
    let mut project = Project::new("");
    let line = log_line(TRACE, "\u{1b}[2Jgone\n::error::injected");
    project.write("hostile.log", &(line + "\n"));
    let found = project.run(&["find", TRACE, "--from-log", "hostile.log"]);
    assert_eq!(found.code, 0, "{}", found.err);
    assert!(!found.out.contains('\u{1b}') && !found.out.contains("\n::error"));
}

#[test]
fn a_log_from_standard_input_is_searched() {
    let mut ticket = failure(3);
    ticket.command.cover.correlation_id = "wf-piped".into();
    ticket.command.original = None;
    let log = format!("started\n{}\nended\n", ticket.to_line());
    let mut project = Project::new("[logic.player]\nin_process = \"player\"\n");
    let found = project.run_as(&["find", "wf-piped", "--from-log", "-"], &log, &[]);
    assert_eq!(found.code, 0, "{}", found.err);
    for expected in [
        "standard input:2: failed command, found by its correlation id",
        "standard input (3 lines)",
        "(this reads the log from standard input once more)",
    ] {
        assert!(found.out.contains(expected), "{expected}: {}", found.out);
    }
    let printed = found
        .out
        .lines()
        .find_map(|line| line.strip_prefix("capture it: cargo xtask "));
    let words: Vec<&str> = printed.unwrap().split(' ').collect();
    assert!(words.contains(&"-"), "{words:?}");
    let captured = project.run_as(&words, &log, &[]);
    assert_eq!(captured.code, 0, "{}", captured.err);
}
