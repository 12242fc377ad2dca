//! Failure logs and tickets.

use angzarr_replay::capture::ticket::Ticket;

use crate::support::{
    ALICE, Project, coordinator, cover, listener, player, recorded_failures, seed, small_pages,
};
use angzarr_replay::model::{
    Answer, AnsweredBy, Code, CommandBook, Cover, EventBook, Failure, Logic, Root,
};
use angzarr_replay::wire::{Dialect, serve_logic};
use std::sync::Arc;

/// The recorded tickets of Alice, and the line of the stale one among them.
fn of_alice() -> (Vec<Ticket>, usize) {
    let tickets: Vec<Ticket> = Ticket::parse_lines(&recorded_failures())
        .unwrap()
        .into_iter()
        .map(|(_, ticket)| ticket)
        .filter(|ticket| ticket.command.cover.root.to_string() == ALICE)
        .collect();
    let stale = tickets
        .iter()
        .position(|ticket| ticket.failure.message.contains("mismatch"))
        .unwrap();
    (tickets, stale + 1)
}

fn lines(tickets: &[Ticket]) -> String {
    tickets
        .iter()
        .map(|ticket| ticket.to_line() + "\n")
        .collect()
}

#[test]
fn a_ticket_has_to_be_there() {
    let mut project = Project::new("");
    let (tickets, _) = of_alice();
    project.write("failures.jsonl", &lines(&tickets));
    for ticket in [
        "nowhere.jsonl",
        "nowhere.jsonl:1",
        "failures.jsonl:99",
        "failures.jsonl:0",
        "failures.jsonl:last",
    ] {
        assert_eq!(project.run(&["capture", ALICE, "--ticket", ticket]).code, 1);
    }
    project.said("missing_ticket");
}

#[test]
fn a_ticket_of_another_aggregate_is_refused() {
    let mut project = Project::new("");
    let (tickets, _) = of_alice();
    project.write("failures.jsonl", &lines(&tickets));
    for ticket in ["failures.jsonl", "failures.jsonl:1"] {
        assert_eq!(
            project
                .run(&["capture", "player/d23f0824", "--ticket", ticket])
                .code,
            1
        );
    }
    // The same aggregate, another edition of it.
    let branch = [
        "capture",
        ALICE,
        "--edition",
        "branch",
        "--ticket",
        "failures.jsonl:1",
    ];
    assert_eq!(project.run(&branch).code, 1);
    project.said("ticket_of_another");
}

#[test]
fn a_stale_ticket_is_taken_when_it_is_asked_for() {
    let mut project = Project::new("");
    let (tickets, line) = of_alice();
    project.write("failures.jsonl", &lines(&tickets));
    let ticket = format!("failures.jsonl:{line}");
    assert_eq!(
        project.run(&["capture", ALICE, "--ticket", &ticket]).code,
        0
    );
    project.write("stale.jsonl", &lines(&tickets[line - 1..line]));
    // Not asked for by its line: it is left aside, and the message says how to ask for it.
    assert_eq!(
        project
            .run(&["capture", ALICE, "--ticket", "stale.jsonl"])
            .code,
        1
    );
    project.said("stale_ticket");
}

#[test]
fn a_damaged_ticket_is_told_with_its_line() {
    let mut project = Project::new("");
    let good = lines(&of_alice().0);
    let first = good.lines().next().unwrap();
    for (name, line) in [
        ("no_json", "{\"ticket\": 1,"),
        ("no_object", "[1, 2]"),
        ("other_json", "{\"hello\": 5}"),
        ("version", "{\"ticket\": 2}"),
        (
            "unknown_key",
            &first.replacen("\"domain\"", "\"domian\"", 1),
        ),
        (
            "wrong_root",
            &first.replacen(ALICE, "33333333-3333-3333-3333-333333333333", 1),
        ),
        (
            "wrong_code",
            &first.replacen("FAILED_PRECONDITION", "OOPS", 1),
        ),
        (
            "no_command",
            &first.replacen("\"command\":\"", "\"command\":\"!", 1),
        ),
    ] {
        let file = format!("{name}.jsonl");
        project.write(&file, &format!("\n{line}\n"));
        assert_eq!(
            project.run(&["capture", ALICE, "--ticket", &file]).code,
            1,
            "{name}"
        );
    }
    project.said("damaged_ticket");
}

#[test]
fn a_damaged_or_missing_failure_log_of_a_source_is_told() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..2))]);
    let mut project = Project::of_source(server.address(), "tickets = [\"log/failures.jsonl\"]\n");
    let root = crate::support::ROOT;
    assert_eq!(project.run(&["capture", root, "--unredacted"]).code, 1);
    project.write("log/failures.jsonl", "not json\n");
    assert_eq!(project.run(&["capture", root, "--unredacted"]).code, 1);
    project.said("failure_log");
}

#[test]
fn only_stale_failures_are_told_as_such() {
    let server = coordinator(Dialect::ANGZARR, &[seed(alice(), small_pages(0..3))]);
    let (tickets, line) = of_alice();
    let mut project = Project::of_source(server.address(), "tickets = [\"failures.jsonl\"]\n");
    project.write("failures.jsonl", &lines(&tickets[line - 1..line]));
    assert_eq!(
        project
            .run(&["capture", ALICE, "--unredacted", "--dry-run"])
            .code,
        0
    );
    project.said("only_stale");
}

fn alice() -> Cover {
    Cover::main(player(), ALICE.parse().unwrap())
}

#[test]
fn a_root_without_events_is_found_by_its_failure() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..2))]);
    let (tickets, line) = of_alice();
    let mut ticket = tickets.into_iter().nth(usize::from(line == 1)).unwrap();
    ticket.command.cover.root = Root::new([0x22; 16]);
    ticket.command.original = None;
    let address = server.address();
    let mut project = Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{address}\"\n\
         domains = [\"player\", \"table\"]\ntickets = [\"failures.jsonl\"]\n"
    ));
    project.write("failures.jsonl", &lines(&[ticket]));
    let root = "22222222-2222-2222-2222-222222222222";
    let arguments = ["capture", root, "--unredacted", "--to-sequence", "-1"];
    assert_eq!(project.run(&arguments).code, 0);
    project.said("root_of_a_failure");
}

#[test]
fn a_failure_of_the_transport_is_no_case() {
    let mut project = Project::new("");
    let (tickets, _) = of_alice();
    let mut ticket = tickets[0].clone();
    ticket.failure = Failure {
        code: angzarr_replay::model::Code::Unavailable,
        message: "connection refused".into(),
        info: None,
    };
    project.write("failures.jsonl", &lines(&[ticket]));
    assert_eq!(
        project
            .run(&["capture", ALICE, "--ticket", "failures.jsonl:1"])
            .code,
        1
    );
    project.said("failure_of_the_transport");
}

/// Logic with a limit of its own.
struct Limit;

impl Logic for Limit {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        Err(limit())
    }
}

fn limit() -> Failure {
    Failure {
        code: Code::ResourceExhausted,
        message: "no more today".into(),
        info: None,
    }
}

#[test]
fn a_code_of_the_transport_is_the_logics_where_somebody_says_so() {
    let server = coordinator(Dialect::ANGZARR, &[seed(alice(), small_pages(0..3))]);
    let logic = serve_logic(listener(), Dialect::ANGZARR, Arc::new(Limit)).unwrap();
    let mut project = Project::of_source(
        server.address(),
        &format!(
            "tickets = [\"failures.jsonl\"]\n[logic.player]\naddress = \"{}\"\n",
            logic.address()
        ),
    );
    let (tickets, line) = of_alice();
    let mut ticket = tickets[usize::from(line == 1)].clone();
    ticket.failure = limit();
    project.write("failures.jsonl", &lines(std::slice::from_ref(&ticket)));
    let capture = ["capture", ALICE, "--unredacted", "--name", "limit"];
    let passed_over = project.run(&[&capture[..], &["--dry-run"]].concat());
    assert!(
        passed_over.out.contains(
            "command      1 of the transport left aside (--answered-by logic takes one that the logic gave), of 1 failure no \
             other is of this aggregate: this is a case of the history alone\n"
        ),
        "{}",
        passed_over.out
    );
    let named = [&capture[..], &["--ticket", "failures.jsonl:1"]].concat();
    assert_eq!(
        project.run(&named).err,
        "error: the failure is of the transport (RESOURCE_EXHAUSTED), not of the logic: there is nothing to reproduce; take \
         another, or --history; where the logic itself answered so, --answered-by logic says it of every code but UNAVAILABLE \
         and DEADLINE_EXCEEDED\n"
    );
    for said in [&["--answered-by", "logic"][..], &[]] {
        let captured = project.run(&[&capture[..], said].concat());
        assert!(
            captured
                .out
                .contains("production   RESOURCE_EXHAUSTED \"no more today\"\n"),
            "{}{}",
            captured.out,
            captured.err
        );
        assert!(
            captured.out.contains("verdict      reproduced"),
            "{}",
            captured.out
        );
        std::fs::remove_file(project.path("fixtures/limit.yaml")).unwrap();
        // The next one says it itself.
        ticket.answered_by = AnsweredBy::Logic;
        project.write("failures.jsonl", &lines(std::slice::from_ref(&ticket)));
        assert!(
            project
                .read("failures.jsonl")
                .contains(r#""answered_by":"logic""#)
        );
    }
    project.write(
        "failures.jsonl",
        &lines(&[ticket]).replace(r#":"logic""#, r#":"nobody""#),
    );
    assert!(
        project
            .run(&capture)
            .err
            .contains("`answered_by`: only `logic` is known"),
    );
}

#[test]
fn a_ticket_of_another_dialect_than_the_source_is_refused() {
    let mut project = Project::new("");
    let (mut tickets, _) = of_alice();
    tickets[0].dialect = Dialect::IO_ANGZARR_V1;
    project.write("failures.jsonl", &lines(&tickets));
    let arguments = ["capture", ALICE, "--ticket", "failures.jsonl:1"];
    assert_eq!(project.run(&arguments).code, 1);
    project.said("ticket_of_another_dialect");
}

#[test]
fn what_the_validation_refused_was_not_held_against_the_head() {
    let mut project = Project::new("");
    let (mut tickets, _) = of_alice();
    tickets[0].failure = Failure::refused("invalid correlation id");
    tickets[0].command.cover.correlation_id = "for Alice".into();
    tickets[0].command.original = None;
    project.write("failures.jsonl", &lines(&tickets[..1]));
    let capture = [
        "capture",
        ALICE,
        "--ticket",
        "failures.jsonl:1",
        "--name",
        "refused",
    ];
    let ran = project.run(&capture);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.out.contains(
            "head         3, assumed: the head that the command saw is not known, this is today's"
        ),
        "{}",
        ran.out
    );
    let said = project.run(&["replay", "fixtures/refused.yaml"]).out;
    assert!(
        said.contains("the coordinator's validation refuses this command before the logic sees it"),
        "{said}"
    );
}

#[test]
fn a_refused_command_was_sent_for_the_head_in_its_header() {
    let mut project = Project::new("");
    let (mut tickets, _) = of_alice();
    // Made for sequence 2, where the aggregate is at 3 now.
    tickets[0].failure = Failure::refused("what is this?");
    project.write("failures.jsonl", &lines(&tickets[..1]));
    let arguments = [
        "capture",
        ALICE,
        "--ticket",
        "failures.jsonl:1",
        "--dry-run",
    ];
    let ran = project.run(&arguments);
    assert_eq!(ran.code, 0);
    project.said("refused_command");
}

#[test]
fn a_failure_of_the_transport_is_passed_over() {
    let mut project = Project::new("");
    let (mut tickets, stale) = of_alice();
    tickets.remove(stale - 1);
    let mut last = tickets[0].clone();
    last.failure.code = angzarr_replay::model::Code::Unavailable;
    tickets.push(last);
    project.write("failures.jsonl", &lines(&tickets));
    let arguments = ["capture", ALICE, "--ticket", "failures.jsonl", "--dry-run"];
    assert_eq!(project.run(&arguments).code, 0);
    project.said("transport_passed_over");
}

#[test]
fn a_case_that_replaces_a_closed_one_does_not_keep_its_snapshot() {
    let mut project = Project::new("");
    let named = ["capture", ALICE, "--name", "player/case"];
    let capture = |more: &[&'static str]| [&named[..], more].concat();
    assert_eq!(project.run(&capture(&["--accept"])).code, 0);
    assert!(project.path("fixtures/player/case.snap").exists());
    assert_eq!(project.run(&capture(&["--history", "--force"])).code, 0);
    assert!(!project.path("fixtures/player/case.snap").exists());
    assert!(
        project
            .read("fixtures/player/case.yaml")
            .contains("kind: history")
    );
}
