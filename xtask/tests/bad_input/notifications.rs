//! A refused command told to the aggregate that caused it: readable, and editable, without descriptors of the user's.

use crate::support::{ALICE, Project, recorded_failures, repository};

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
    project.said("notifications");
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
