//! Failure logs and tickets.

use angzarr_replay::internal::ticket::Ticket;
use insta::assert_snapshot;

use crate::support::{
    ALICE, Project, coordinator, cover, listener, player, recorded_failures, seed, small_pages,
};
use angzarr_replay::internal::grpc::serve_logic;
use angzarr_replay::internal::model::{
    Answer, AnsweredBy, Code, CommandBook, Cover, EventBook, Failure, Logic, Root, Timestamp,
};
use angzarr_replay::internal::wire::Dialect;
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
    assert_snapshot!("missing_ticket", project.transcript());
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
    assert_snapshot!("ticket_of_another", project.transcript());
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
    assert_snapshot!("stale_ticket", project.transcript());
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
    assert_snapshot!("damaged_ticket", project.transcript());
}

#[test]
fn a_damaged_or_missing_failure_log_of_a_source_is_told() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..2))]);
    let mut project = Project::of_source(server.address(), "tickets = [\"log/failures.jsonl\"]\n");
    let root = crate::support::ROOT;
    assert_eq!(project.run(&["capture", root, "--unredacted"]).code, 1);
    // It is passed over: the history is captured all the same.
    project.write("log/failures.jsonl", "not json\n");
    let capture = ["capture", root, "--unredacted", "--dry-run"];
    assert_eq!(project.run(&capture).code, 0);
    assert_snapshot!("failure_log", project.transcript());
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
    assert_snapshot!("only_stale", project.transcript());
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
    assert_snapshot!("root_of_a_failure", project.transcript());
}

#[test]
fn a_failure_of_the_transport_is_no_case() {
    let mut project = Project::new("");
    let (tickets, _) = of_alice();
    let mut ticket = tickets[0].clone();
    ticket.failure = Failure {
        code: angzarr_replay::internal::model::Code::Unavailable,
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
    assert_snapshot!("failure_of_the_transport", project.transcript());
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
        "error: the failure came from the transport (RESOURCE_EXHAUSTED), not from the logic, so there is nothing to reproduce; \
         choose another, or --history; if the logic itself gave this answer, say so with --answered-by logic (for every code \
         but UNAVAILABLE and DEADLINE_EXCEEDED)\n"
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
    // The source's own log has it: the line is passed over, and the history is captured alone.
    assert!(
        project
            .run(&capture)
            .out
            .contains("not usable: failures.jsonl:1: `answered_by`: only `logic` is known"),
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
    assert_snapshot!("ticket_of_another_dialect", project.transcript());
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
    assert_snapshot!("refused_command", project.transcript());
}

#[test]
fn a_failure_of_the_transport_is_passed_over() {
    let mut project = Project::new("");
    let (mut tickets, stale) = of_alice();
    tickets.remove(stale - 1);
    let mut last = tickets[0].clone();
    last.failure.code = angzarr_replay::internal::model::Code::Unavailable;
    tickets.push(last);
    project.write("failures.jsonl", &lines(&tickets));
    let arguments = ["capture", ALICE, "--ticket", "failures.jsonl", "--dry-run"];
    assert_eq!(project.run(&arguments).code, 0);
    assert_snapshot!("transport_passed_over", project.transcript());
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

/// A ticket of a command that the coordinator itself refused: its edition is none.
fn refused_edition() -> String {
    let mut ticket: serde_json::Value =
        serde_json::from_str(recorded_failures().lines().nth(2).unwrap()).unwrap();
    ticket["edition"] = "Bad Name".into();
    ticket["code"] = "INVALID_ARGUMENT".into();
    ticket["command"] =
        "CiUKEgoQJi8rmSoMRK+pWaGDFgFqBxIDb2RkIgoKCEJhZCBOYW1lEjsKAggEGjUKKXR5cGUuZ29vZ2xlYXBpcy5jb20vZXhhbXBsZXMuRGVwb3NpdEZ1bmRzEggKBggBEgJvaw=="
            .into();
    ticket.to_string() + "\n"
}

#[test]
fn one_unusual_line_never_disables_the_tickets_beside_it() {
    let server = coordinator(Dialect::ANGZARR, &[seed(alice(), small_pages(0..3))]);
    let mut project = Project::of_source(server.address(), "tickets = [\"failures.jsonl\"]\n");
    let (tickets, stale) = of_alice();
    let good = tickets[usize::from(stale == 1)].to_line();
    project.write(
        "failures.jsonl",
        &format!("{}{good}\n\nnot json\n", refused_edition()),
    );
    let capture = ["capture", "--unredacted", "--dry-run"];
    for more in [
        [ALICE].as_slice(),
        &[ALICE, "--ticket", "failures.jsonl"],
        &[ALICE, "--ticket", "failures.jsonl:2"],
        // The ticket says which aggregate it is.
        &["--ticket", "failures.jsonl"],
        &["--ticket", "failures.jsonl:2"],
    ] {
        let ran = project.run(&[&capture[..], more].concat());
        assert_eq!(ran.code, 0, "{more:?}: {}", ran.err);
        assert!(ran.out.contains("command      examples."), "{}", ran.out);
    }
    assert_eq!(project.run(&["tickets"]).code, 0);
    assert_eq!(project.run(&["roots"]).code, 0);
    let each = ["capture", "--each-distinct", "--unredacted"];
    assert_eq!(project.run(&each).code, 0);
    for more in [
        ["--ticket", "failures.jsonl:1"].as_slice(),
        &["--ticket", "failures.jsonl:4", ALICE],
        &["--ticket", "failures.jsonl:3"],
        &["--ticket", "failures.jsonl:2", "--domain", "table"],
        // The aggregate of a compensation is another one than the ticket's.
        &["--ticket", "failures.jsonl:2", "--compensation"],
    ] {
        assert_ne!(project.run(&[&capture[..], more].concat()).code, 0);
    }
    assert_snapshot!("unusual_ticket", project.transcript());
}

#[test]
fn an_edition_spelled_main_is_a_branch_to_the_coordinator() {
    let mut project = Project::new("");
    let mut ticket = of_alice().0.swap_remove(0);
    ticket.command.cover.edition =
        angzarr_replay::internal::model::Edition::from_name("main").unwrap();
    ticket.command.original = None;
    let line = ticket.to_line();
    assert!(line.contains("\"edition\":\"branch:main\""), "{line}");
    // As a client writes it that copies the name.
    let copied = line.replace("branch:main", "main");
    for line in [line, copied] {
        assert_eq!(Ticket::parse_line(&line, 1).unwrap(), ticket);
    }
    // The ways to write the main timeline.
    let main = of_alice().0.swap_remove(0).to_line();
    for name in ["", "angzarr"] {
        let line = main.replace("\"edition\":\"main\"", &format!("\"edition\":\"{name}\""));
        assert_eq!(Ticket::parse_line(&line, 1), Ticket::parse_line(&main, 1));
    }
    project.write("failures.jsonl", &(ticket.to_line() + "\n"));
    let capture = ["capture", "--ticket", "failures.jsonl", "--dry-run"];
    let ran = project.run(&capture);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("edition: branch:main"), "{}", ran.out);
}

#[test]
fn a_programs_log_under_tickets_is_told_with_the_key_it_belongs_under() {
    let server = coordinator(Dialect::ANGZARR, &[seed(alice(), small_pages(0..3))]);
    let mut project = Project::of_source(server.address(), "tickets = [\"app.log\"]\n");
    let line = of_alice().0[0].to_line();
    project.write(
        "app.log",
        &format!("starting\nINFO ready\nWARN refused {line}\n"),
    );
    assert_eq!(project.run(&["tickets"]).code, 0);
    let capture = ["capture", ALICE, "--unredacted", "--dry-run"];
    assert_eq!(project.run(&capture).code, 0);
    let named = [&capture[..], &["--ticket", "app.log"]].concat();
    assert_eq!(project.run(&named).code, 1);
    // One short line of a log is enough where it holds a failure.
    project.write("app.log", &format!("WARN refused {line}\n"));
    assert_eq!(project.run(&["tickets"]).code, 0);
    assert_snapshot!("log_under_tickets", project.transcript());
}

#[test]
fn messages_that_differ_in_their_values_are_one_bug_and_one_case() {
    let mut project = Project::new("");
    let (tickets, _) = of_alice();
    let refused = tickets
        .into_iter()
        .find(|ticket| ticket.failure.message == "Insufficient funds")
        .unwrap();
    let tickets: Vec<Ticket> = (1003..1006)
        .map(|balance| {
            let mut ticket = refused.clone();
            ticket.failure.message = format!("balance is {balance}");
            ticket.time = Some(Timestamp {
                seconds: 1_760_000_000 + balance,
                nanos: 0,
            });
            ticket
        })
        .collect();
    project.write("failures.jsonl", &lines(&tickets));
    let capture = [
        "capture",
        "--each-distinct",
        "--from-log",
        "failures.jsonl",
        "--unredacted",
    ];
    let list = ["tickets", "failures.jsonl"];
    assert_eq!(project.run(&list).code, 0);
    assert_eq!(project.run(&capture).code, 0);
    // Nothing is new now.
    assert_eq!(project.run(&capture).code, 0);
    assert_eq!(project.run(&list).code, 0);
    assert_snapshot!("one_shape", project.transcript());
}
