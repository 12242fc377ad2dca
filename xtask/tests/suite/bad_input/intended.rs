//! Rejections that are right: `status: intended`.

use insta::assert_snapshot;

use crate::support::{ALICE, Project};

const CASE: &str = "fixtures/player/case.yaml";
const SNAPSHOT: &str = "fixtures/player/case.snap";

fn capture<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["capture", ALICE, "--name", "player/case"], more].concat()
}

#[test]
fn a_rejection_that_is_right_is_guarded_and_counted_apart() {
    let mut project = Project::new("");
    assert_eq!(project.run(&capture(&["--intended"])).code, 0);
    assert!(project.read(CASE).contains("\nstatus: intended\n"));
    let accepted = ["capture", "d23f0824", "--accept", "--name", "player/other"];
    assert_eq!(project.run(&accepted).code, 0);
    project.forget();
    assert_eq!(project.run(&["replay", "fixtures"]).code, 0);
    // Another rejection is still a rejection: accepting it changes nothing about the case.
    let snapshot = project.read(SNAPSHOT);
    let other = snapshot.replace("Insufficient funds", "Not enough");
    assert_ne!(snapshot, other);
    project.write(SNAPSHOT, &other);
    assert_eq!(project.run(&["replay", "fixtures"]).code, 1);
    assert_eq!(project.run(&["close", CASE]).code, 0);
    assert!(project.read(CASE).contains("\nstatus: intended\n"));
    assert_eq!(project.read(SNAPSHOT), snapshot);
    // It cannot do without its snapshot.
    std::fs::remove_file(project.path(SNAPSHOT)).unwrap();
    assert_eq!(project.run(&["replay", "fixtures"]).code, 1);
    assert_snapshot!("intended", project.transcript());
}

#[test]
fn an_open_case_becomes_intended_without_force() {
    let mut project = Project::new("");
    assert_eq!(project.run(&capture(&[])).code, 0);
    project.forget();
    assert_eq!(project.run(&["close", CASE]).code, 1);
    assert_eq!(project.run(&["close", "--intended", CASE]).code, 0);
    assert_eq!(project.run(&capture(&["--intended"])).code, 0);
    assert_snapshot!("intended_later", project.transcript());
}

#[test]
fn what_is_accepted_is_no_rejection() {
    let mut project = Project::new("");
    let deposit =
        "type: examples.DepositFunds\npayload:\n  amount: {amount: 5, currency_code: CHIPS}\n";
    project.write("deposit.yaml", deposit);
    let deposited = ["--command", "deposit.yaml"];
    assert_eq!(
        project
            .run(&capture(&[&deposited[..], &["--intended"]].concat()))
            .code,
        1
    );
    assert_eq!(
        project
            .run(&capture(&[&deposited[..], &["--accept"]].concat()))
            .code,
        0
    );
    assert_eq!(project.run(&["close", "--intended", CASE]).code, 1);
    assert_snapshot!("not_a_rejection", project.transcript());
    // Somebody sets the word by hand.
    let case = project.read(CASE);
    project.write(CASE, &case.replace("status: closed", "status: intended"));
    let replay = ["replay", CASE];
    let replayed = project.run(&replay);
    assert_eq!(replayed.code, 1);
    assert!(
        replayed.out.ends_with(
            "\nsnapshot   the same\n           fixtures/player/case.yaml: `status: intended` stands for a rejection, and the \
             accepted outcome is not one. If the outcome is right, `cargo xtask close fixtures/player/case.yaml` marks the case \
             closed\n"
        ),
        "{}",
        replayed.out
    );
    assert_eq!(project.run(&["close", CASE]).code, 0);
    assert!(project.read(CASE).contains("\nstatus: closed\n"));
}
