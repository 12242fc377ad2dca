//! `drift`: how message types changed since cases were captured, on a scratch git repository.

use serde_json::Value;

use super::Project;
use super::changes::git;

/// A project whose .proto files are its own, and committed.
fn committed() -> Project {
    let project = Project::new();
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/poker/proto");
    super::copy(&demo.join("examples"), &project.path("proto/examples"), "");
    std::fs::write(project.path("replay.toml"), "descriptors = [\"proto\"]\n").unwrap();
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "cases"]);
    project
}

/// Replaces a text in a .proto file.
fn change(project: &Project, file: &str, from: &str, to: &str) {
    let file = project.path(&format!("proto/examples/{file}"));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

fn json(project: &Project, words: &[&str]) -> (Option<i32>, Value) {
    let run = project.run(&[&["drift", "--json"], words].concat());
    assert_eq!(run.err, "");
    (run.code, serde_json::from_str(&run.out).unwrap())
}

#[test]
fn what_did_not_change_has_no_drift() {
    let project = committed();
    let run = project.run(&["drift"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(
        run.out,
        "no drift: 1 descriptor set of 4 cases compared with today's descriptors\n"
    );
    let run = project.run(&["drift", "--against", "git:HEAD"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(
        run.out,
        "no drift: 1 descriptor set of 4 cases compared with the descriptors of HEAD\n"
    );
}

#[test]
fn a_change_names_its_rule_and_the_cases_that_it_concerns() {
    let project = committed();
    change(
        &project,
        "types.proto",
        "int64 amount = 1;",
        "string amount = 1;",
    );
    change(
        &project,
        "player.proto",
        "message FundsReserved {",
        "message FundsReserved {\n  bool added = 99;",
    );
    let run = project.run(&["drift"]);
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""), "{run:?}");
    insta::assert_snapshot!(run.out);
    // Only a wire change that concerns a case is a failure.
    let run = project.run(&["drift", "player::deposit-funds-6513270e-2"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    // The revision still has what was captured.
    let (code, report) = json(&project, &["--against", "git:HEAD"]);
    assert_eq!(
        (code, &report["changes"]),
        (Some(0), &serde_json::json!([]))
    );
    git(
        &project,
        &[
            "commit",
            "--quiet",
            "--all",
            "--message",
            "amounts are texts",
        ],
    );
    let (code, report) = json(&project, &["--against", "git:HEAD"]);
    assert_eq!(code, Some(1));
    assert_eq!(report["version"], 1);
    assert_eq!(report["against"], "the descriptors of HEAD");
    assert_eq!(report["breaking"], true);
    assert_eq!(report["compared_cases"], 4);
    assert_eq!(report["descriptor_sets"][0]["changed"], true);
    let breaking = report["changes"].as_array().unwrap().iter();
    let breaking: Vec<&Value> = breaking.filter(|it| it["breaks"] == "wire").collect();
    assert_eq!(breaking.len(), 1, "{report:#}");
    assert_eq!(breaking[0]["type"], "examples.Currency");
    assert_eq!(breaking[0]["change"], "retyped");
    assert_eq!(breaking[0]["rules"][0], "FIELD_WIRE_COMPATIBLE_TYPE");
    assert_eq!(breaking[0]["cases"].as_array().unwrap().len(), 4);
    let (code, report) = json(&project, &["--against", "git:HEAD~1"]);
    assert_eq!(
        (code, &report["changes"]),
        (Some(0), &serde_json::json!([]))
    );
}

#[test]
fn a_wire_change_that_concerns_no_case_is_no_failure() {
    let project = committed();
    // None of the cases has a withdrawal.
    change(
        &project,
        "player.proto",
        "message FundsWithdrawn {",
        "message FundsTaken {",
    );
    let (code, report) = json(&project, &[]);
    assert_eq!(code, Some(0), "{report:#}");
    let changes = report["changes"].as_array().unwrap();
    let removed = changes
        .iter()
        .find(|it| it["type"] == "examples.FundsWithdrawn")
        .unwrap();
    assert_eq!(removed["rules"], serde_json::json!(["MESSAGE_NO_DELETE"]));
    assert_eq!(removed["cases"], serde_json::json!([]));
    let run = project.run(&["drift"]);
    assert!(run.out.contains("concerns no case"), "{}", run.out);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let project = committed();
    for (words, code, message) in [
        (
            &["--against", "git:no-such-branch"][..],
            1,
            "error: git: Not a valid object name no-such-branch",
        ),
        (
            &["--against", "git:--output=x"],
            1,
            "error: git: \"--output=x\" is no revision\n",
        ),
        (
            &["--against", "main"],
            2,
            "git: and a revision is expected, such as git:main",
        ),
        (
            &["no-such-case"],
            1,
            "error: no-such-case: there is no file",
        ),
    ] {
        let run = project.run(&[&["drift"], words].concat());
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.err.contains(message), "{}", run.err);
    }
    std::fs::write(project.path("replay.toml"), "").unwrap();
    let run = project.run(&["drift"]);
    assert_eq!(
        (run.code, run.err.as_str()),
        (
            Some(1),
            "error: there is nothing to compare with: replay.toml names no descriptors; say in `descriptors` where the \
             .proto files are\n"
        )
    );
}

#[test]
fn a_revision_without_usable_descriptors_is_refused() {
    let project = committed();
    git(&project, &["mv", "proto", "protos"]);
    std::fs::write(project.path("replay.toml"), "descriptors = [\"protos\"]\n").unwrap();
    git(
        &project,
        &["commit", "--quiet", "--all", "--message", "moved"],
    );
    let run = project.run(&["drift", "--against", "git:HEAD"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = project.run(&["drift", "--against", "git:HEAD~1"]);
    assert_eq!(
        (run.code, run.err.as_str()),
        (
            Some(1),
            "error: protos: there are no descriptors at this path in HEAD~1\n"
        )
    );
    let broken = project.path("protos/examples/player.proto");
    std::fs::write(&broken, "syntax = \"proto3\";\nmessage {\n").unwrap();
    git(
        &project,
        &["commit", "--quiet", "--all", "--message", "broken"],
    );
    let run = project.run(&["drift", "--against", "git:HEAD"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let start = "error: the descriptors of HEAD cannot be used: protos/examples/player.proto:2:9: ";
    assert!(run.err.starts_with(start), "{}", run.err);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(
        project.path("replay.toml"),
        format!("descriptors = [\"{}\"]\n", outside.path().display()),
    )
    .unwrap();
    let run = project.run(&["drift", "--against", "git:HEAD"]);
    assert!(
        run.err
            .ends_with("`--against git:HEAD` needs its history\n"),
        "{}",
        run.err
    );
}
