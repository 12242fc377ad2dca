//! A refused command told to the aggregate that caused it: readable, and editable, without descriptors of the user's.

use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::ticket::Ticket;
use insta::assert_snapshot;

use crate::support::{ALICE, Project, recorded_failures, repository};

const KEY: &str = "a key that only these tests have";

fn capture(project: &mut Project) -> String {
    let recorded = recorded_failures();
    let refused = recorded.lines().nth(4).unwrap();
    project.write("refused.jsonl", &format!("{refused}\n"));
    let arguments = [
        "capture",
        ALICE,
        "--compensation",
        "--ticket",
        "refused.jsonl:1",
        "--name",
        "told",
    ];
    let ran = project.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.err);
    project.read("fixtures/told.yaml")
}

#[test]
fn a_notification_is_shown_and_edited_with_the_command_inside() {
    let mut project = Project::new("");
    let text = capture(&mut project);
    assert!(text.contains("merge_strategy: STRICT"), "{text}");
    for edit in [
        "command.payload.value.rejection_reason=no seat left",
        "command.payload.value.rejected_command.pages.0.command.value.buy_in_amount=7",
        "command.payload.value.rejected_command.pages.0.merge_strategy=STRICTLY",
    ] {
        project.run(&["replay", "fixtures/told.yaml", "--set", edit]);
    }
    for name in [
        "Notification",
        "RejectionNotification",
        "io.angzarr.v1.NoOp",
    ] {
        assert_eq!(project.run(&["command", "new", name]).code, 0);
    }
    assert_snapshot!("notifications", project.transcript());
}

#[test]
fn what_the_user_makes_of_the_names_comes_first() {
    let mut project = Project::new("");
    project.write(
        "protos/own.proto",
        "syntax = \"proto3\";\npackage angzarr;\nenum Cover {\n  NONE = 0;\n}\n",
    );
    let poker = repository().join("examples/poker/proto");
    project.write(
        "replay.toml",
        &format!("descriptors = [\"{}\", \"protos\"]\n", poker.display()),
    );
    let text = capture(&mut project);
    assert!(text.contains("\n  bytes: "), "{text}");
}

/// What the client's layer or the recorder would have written.
fn redacted(line: &str) -> String {
    let rule = RedactionRule::new("examples.*", "buy_in_amount", Action::Pseudonym).unwrap();
    let policy = Policy {
        rules: vec![rule],
        key: Some(Key::new(KEY).unwrap()),
        debug_redact: None,
        roots: false,
        is_strict: true,
    };
    let redactor = Redactor::new(test_support::demo::registry(), policy).unwrap();
    let ticket = Ticket::parse_line(line, 1).unwrap();
    redactor.ticket(&ticket).unwrap().to_line()
}

#[test]
fn a_redacted_ticket_is_told_like_one_that_capture_redacts() {
    let mut project = Project::new(
        "[redaction]\nkey_file = \"key\"\n[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"buy_in_amount\"\n\
         action = \"pseudonym\"\nreason = \"personal\"\n",
    );
    project.write_key(KEY);
    let recorded = recorded_failures();
    let refused = recorded.lines().nth(4).unwrap();
    let told = |project: &mut Project, line: &str| {
        project.write("refused.jsonl", &format!("{line}\n"));
        let arguments = ["--compensation", "--ticket", "refused.jsonl:1", "--dry-run"];
        let ran = project.run(&[&["capture", ALICE][..], &arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let command = ran.out.find("\ncommand:").unwrap();
        ran.out[command..].to_owned()
    };
    let plain = told(&mut project, refused);
    assert!(plain.contains("field: buy_in_amount"), "{plain}");
    assert_eq!(told(&mut project, &redacted(refused)), plain);
}
