//! `review`: the same change in several cases is one question.

use super::Project;

fn pending(project: &Project) -> Vec<String> {
    let folder = std::fs::read_dir(project.path("fixtures/player")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".snap.new")).collect();
    names.sort();
    names
}

/// A project in which two cases changed the same way.
fn changed() -> Project {
    let project = Project::new();
    project.accept_wrong_balances();
    assert_eq!(project.run(&["test"]).code, Some(101));
    assert_eq!(pending(&project).len(), 2);
    project
}

#[test]
fn cases_of_one_change_are_one_group_and_are_accepted_together() {
    let project = changed();
    let run = project.run(&["review"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.out);
    assert!(
        lines[0].ends_with("field `new_balance.amount` of FundsDeposited changed, in 2 cases"),
        "{}",
        run.out
    );
    assert_eq!(lines[1].trim(), "player::deposit-funds-d23f0824-3");
    let group = lines[0].split_whitespace().next().unwrap();

    let json = project.run(&["review", "--json"]);
    let json: serde_json::Value = serde_json::from_str(json.out.trim_end()).unwrap();
    assert_eq!(
        (&json["review"], &json["group"]),
        (&1.into(), &group.into())
    );
    assert_eq!(
        json["cases"][1]["fixture"],
        "fixtures/player/fact-funds-deposited-6513270e-1.yaml"
    );

    let accepted = project.run(&["review", "--accept", group]);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(
        accepted
            .out
            .starts_with("accepted fixtures/player/deposit-funds-d23f0824-3.yaml\n"),
        "{}",
        accepted.out
    );
    assert!(pending(&project).is_empty());
    assert_eq!(project.run(&["test"]).code, Some(0));
    assert_eq!(
        project.run(&["review"]).out,
        "no outcome waits to be reviewed; `angzarr-replay test` leaves one for each case that changed\n"
    );
}

#[test]
fn a_case_is_rejected_by_its_name_and_the_other_one_waits() {
    let project = changed();
    let run = project.run(&["review", "--reject", "player::deposit-funds-d23f0824-3"]);
    assert_eq!(
        run.out, "rejected fixtures/player/deposit-funds-d23f0824-3.yaml\n",
        "{run:?}"
    );
    assert_eq!(
        pending(&project),
        ["fact-funds-deposited-6513270e-1.snap.new"]
    );
    assert_eq!(project.run(&["test"]).code, Some(101));
}

#[test]
fn what_names_nothing_changes_nothing() {
    let project = changed();
    let run = project.run(&[
        "review",
        "--accept",
        "player::fact-funds-reserved-6513270e-2",
    ]);
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.err,
        "error: player::fact-funds-reserved-6513270e-2: no outcome waits to be reviewed there\n"
    );
    let run = project.run(&["review", "--accept", "all", "--reject", "nothing-like-it"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.err
            .starts_with("error: nothing-like-it: there is no file, folder or case with that name"),
        "{}",
        run.err
    );
    assert_eq!(pending(&project).len(), 2);
}

#[test]
fn a_case_without_an_accepted_outcome_is_shown_with_that_of_today() {
    let project = Project::new();
    std::fs::remove_file(project.path("fixtures/player/deposit-funds-d23f0824-3.snap")).unwrap();
    assert_eq!(project.run(&["test"]).code, Some(101));
    let run = project.run(&["review", "--list"]);
    assert!(
        run.out.contains(
            "no accepted outcome yet; today it is: accepted, in player::deposit-funds-d23f0824-3\n"
        ),
        "{}",
        run.out
    );
}
