//! `changes`: what a branch changed, in words.

use std::process::Command;

use super::Project;

pub(super) fn git(project: &Project, words: &[&str]) {
    let own = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t.test",
        "-c",
        "commit.gpgsign=false",
    ];
    let output = Command::new("git")
        .current_dir(project.folder.path())
        .args(own)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn committed() -> Project {
    let project = Project::new();
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "cases"]);
    project
}

#[test]
fn nothing_changed_is_said() {
    let project = committed();
    let run = project.run(&["changes"]);
    assert_eq!(
        run.out, "## Replayed cases\n\nNo case and no accepted outcome changed.\n",
        "{run:?}"
    );
}

#[test]
fn cases_and_outcomes_are_told_in_words() {
    let project = committed();
    project.accept_wrong_balances();
    let open = project.path("fixtures/player/deposit-funds-6513270e-2.yaml");
    let text = std::fs::read_to_string(&open).unwrap();
    std::fs::write(&open, text.replace("status: open", "status: closed")).unwrap();
    let reserved = project.path("fixtures/player/fact-funds-reserved-6513270e-2.yaml");
    let text = std::fs::read_to_string(&reserved).unwrap();
    std::fs::write(project.path("fixtures/player/another.yaml"), &text).unwrap();
    std::fs::remove_file(&reserved).unwrap();
    std::fs::write(project.path("fixtures/descriptors/0.binpb"), [0, 1]).unwrap();
    git(&project, &["add", "."]);
    let run = project.run(&["changes", "HEAD"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in [
        "### New cases\n\n- `player::another` ",
        "### Closed\n\n- `player::deposit-funds-6513270e-2` ",
        "### Removed cases\n\n- `player::fact-funds-reserved-6513270e-2` ",
        "- field `new_balance.amount` of FundsDeposited changed, in 2 cases\n",
        "  - `player::fact-funds-deposited-6513270e-1`\n",
        "\ndescriptor sets: 1 added.\n",
    ] {
        assert!(run.out.contains(part), "{part}\n{}", run.out);
    }
    git(&project, &["commit", "--quiet", "--message", "changed"]);
    let same = project.run(&["changes", "HEAD~1.."]);
    assert_eq!(same.out, run.out);
    let json = project.run(&["changes", "HEAD~1..", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        json["closed"][0]["trial"],
        "player::deposit-funds-6513270e-2"
    );
    assert_eq!(json["outcomes"][0]["trials"].as_array().unwrap().len(), 2);
}

#[test]
fn what_git_refuses_is_told() {
    let project = committed();
    let run = project.run(&["changes", "no-such-branch.."]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.err.starts_with("error: git: ") && run.err.contains("no-such-branch"),
        "{}",
        run.err
    );
    let run = project.run(&["changes", "--", "--output=x"]);
    assert_eq!(run.err, "error: git: \"--output=x\" is no revision\n");
    assert!(!project.path("x").exists());
}
