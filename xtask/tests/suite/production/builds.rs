//! Which build production ran: from the ticket, from the log, or as the user says, so that "not reproduced" can be told from
//! "fixed already".

use angzarr_replay::internal::ticket::Ticket;
use insta::assert_snapshot;

use crate::production::read_only::demo;
use crate::support::{ALICE, Project, recorded_failures};

const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";

/// The recorded refusal of Alice's withdrawal, from a service of this version.
fn ticket(version: Option<&str>) -> Ticket {
    let (_, ticket) = Ticket::parse_lines(&recorded_failures()).unwrap().remove(2);
    Ticket {
        service_version: version.map(str::to_owned),
        ..ticket
    }
}

/// The build in the fixture.
fn revision(project: &Project) -> Option<String> {
    let text = project.read(FIXTURE);
    let line = text.lines().find(|line| line.starts_with("  revision:"))?;
    Some(line.trim().to_owned())
}

#[test]
fn a_case_names_the_build_of_its_ticket() {
    let mut project = Project::bare();
    project.write("failures.jsonl", &ticket(Some("1.4.2")).to_line());
    let arguments = ["capture", "--ticket", "failures.jsonl:1"];
    assert_eq!(project.run(&arguments).code, 0);
    assert_eq!(revision(&project).unwrap(), "revision: \"1.4.2\"");
    assert_eq!(project.run(&["replay", FIXTURE]).code, 0);
    // Today's logic would do something else: the note is there to say that production ran another build.
    let changed = project
        .read(FIXTURE)
        .replace("Insufficient funds", "Not enough chips");
    project.write(FIXTURE, &changed);
    assert_eq!(project.run(&["replay", FIXTURE]).code, 1);
    assert_eq!(project.run(&["test"]).code, 101);
    let about_builds = |line: &&str| {
        line.contains("verdict")
            || line.contains("production ran")
            || line.contains("against production")
    };
    let lines: Vec<&str> = project.transcript().lines().filter(about_builds).collect();
    assert_snapshot!("builds", lines.join("\n"));
}

#[test]
fn the_user_knows_the_build_better_than_the_ticket() {
    let mut project = Project::bare();
    project.write("failures.jsonl", &ticket(Some("1.4.2")).to_line());
    let arguments = [
        "capture",
        "--ticket",
        "failures.jsonl:1",
        "--revision",
        "v1.4.3-2-gabcdef0",
    ];
    assert_eq!(project.run(&arguments).code, 0);
    assert_eq!(revision(&project).unwrap(), "revision: v1.4.3-2-gabcdef0");
    // Every other kind of case takes it too.
    let saga = [
        "capture",
        ALICE,
        "--saga",
        "player-table",
        "--revision",
        "7",
        "--name",
        "saga",
    ];
    assert_eq!(project.run(&saga).code, 0);
    assert!(
        project
            .read("fixtures/saga.yaml")
            .contains("  revision: \"7\"\n")
    );
    for no_revision in ["", "  ", "a\tb", &"x".repeat(201)] {
        let ran = project.run(&["capture", ALICE, "--revision", no_revision]);
        assert_eq!(
            (ran.code, ran.err.trim_end()),
            (
                2,
                "error: --revision: a version, tag or commit of at most 200 visible characters is expected"
            )
        );
    }
}

#[test]
fn a_case_of_a_ticket_without_a_build_says_nothing_of_it() {
    let mut project = Project::bare();
    project.write("failures.jsonl", &ticket(None).to_line());
    let ran = project.run(&["capture", "--ticket", "failures.jsonl:1"]);
    assert_eq!(ran.code, 0);
    assert_eq!(revision(&project), None);
    assert!(!ran.out.contains("production ran"), "{}", ran.out);
}

#[test]
fn the_build_in_a_log_is_that_of_its_resource() {
    let resource = serde_json::json!({"service.name": "player", "service.version": "2.0.1"});
    let mut project = Project::bare();
    let fields = serde_json::json!({
        "resource": resource, "level": "error", "domain": "player", "root": ALICE, "error_code": "FAILED_PRECONDITION",
        "error_message": "Insufficient funds", "sequence": 3,
    });
    project.write("app.log", &fields.to_string());
    assert_eq!(
        project
            .run(&["capture", "--from-log", "app.log", "--name", "history"])
            .code,
        0
    );
    assert!(
        project
            .read("fixtures/history.yaml")
            .contains("  revision: \"2.0.1\"\n")
    );
    let ticket = serde_json::json!({"resource": resource, "body": ticket(None).to_line()});
    project.write("app.log", &ticket.to_string());
    assert_eq!(project.run(&["capture", "--from-log", "app.log"]).code, 0);
    assert_eq!(revision(&project).unwrap(), "revision: \"2.0.1\"");
}

/// The recorded refusal of a table to seat Alice twice, in a workflow, from a service of this version.
fn refused_seat(version: &str) -> String {
    let (_, mut ticket) = Ticket::parse_lines(&recorded_failures()).unwrap().remove(4);
    ticket.command.cover.correlation_id = "wf-seat".into();
    ticket.command.original = None;
    ticket.service_version = Some(version.to_owned());
    ticket.to_line()
}

#[test]
fn a_compensation_names_the_build_that_refused_the_command() {
    let mut project = Project::bare();
    project.write("failures.jsonl", &refused_seat("2.0.1"));
    let arguments = [
        "capture",
        ALICE,
        "--compensation",
        "--ticket",
        "failures.jsonl:1",
        "--name",
        "told",
    ];
    let ran = project.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let case = project.read("fixtures/told.yaml");
    assert!(case.contains("  revision: \"2.0.1\"\n"), "{case}");
}

#[test]
fn a_workflow_names_the_build_of_its_command_or_that_of_all_its_failures() {
    let server = demo();
    let capture = |lines: &[String], more: &[&str]| {
        let mut project = Project::new(&format!(
            "source = \"production\"\n[sources.production]\naddress = \"{}\"\ndomains = [\"player\", \"table\"]\n\
             tickets = [\"failures.jsonl\"]\n",
            server.address()
        ));
        project.write("failures.jsonl", &lines.join("\n"));
        let arguments = [
            "capture",
            ALICE,
            "--correlation",
            "wf-seat",
            "--unredacted",
            "--name",
            "flow",
        ];
        let ran = project.run(&[&arguments, more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let case = project.read("fixtures/flow.yaml");
        let line = case.lines().find(|line| line.starts_with("  revision:"))?;
        Some(line.trim().to_owned())
    };
    let of = |version| refused_seat(version).trim_end().to_owned();
    let same = [of("2.0.1"), of("2.0.1")];
    assert_eq!(capture(&same, &[]).unwrap(), "revision: \"2.0.1\"");
    // Production was deployed between them.
    assert_eq!(capture(&[of("2.0.1"), of("2.0.2")], &[]), None);
    let begun = ticket(Some("1.4.2")).to_line().trim_end().to_owned();
    let begins = [same[0].clone(), begun];
    let by_command = capture(&begins, &["--ticket", "failures.jsonl:2"]);
    assert_eq!(by_command.unwrap(), "revision: \"1.4.2\"");
}
