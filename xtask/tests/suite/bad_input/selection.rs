//! FIXTURE of the command line: every spelling of it, and those that mean nothing. `help` and the version.

use crate::bad_input::logic::{CASE, captured};
use crate::support::{ALICE, Project};
use insta::assert_snapshot;

/// Two open cases, `player::case` and `player::more::other`.
fn two_cases() -> Project {
    let mut project = captured("");
    let ran = project.run(&["capture", ALICE, "--name", "player/more/other"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    project.forget();
    project
}

/// The fixtures that were replayed.
fn replayed(project: &mut Project, words: &[&str]) -> Vec<String> {
    let ran = project.run(&[&["replay", "--json"], words].concat());
    assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
    let fixture = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        report["fixture"].as_str().unwrap().to_owned()
    };
    ran.out.lines().map(fixture).collect()
}

#[test]
fn a_case_is_found_by_every_name_that_it_has() {
    let mut project = two_cases();
    for word in [
        CASE,
        "./fixtures/player/case.yaml",
        "fixtures/player/more/../case.yaml",
        "player::case",
        "player/case",
        "player/case.yaml",
        "*::case",
        "fixtures/*/case.yaml",
    ] {
        assert_eq!(replayed(&mut project, &[word]).len(), 1, "{word}");
    }
    let other = "fixtures/player/more/other.yaml";
    for word in [
        "fixtures",
        "fixtures/",
        "fixtures/player",
        "player",
        "player::*",
        "player/*",
        "fixtures/*",
        "*.yaml",
        "fixtures/*.yaml",
    ] {
        assert_eq!(replayed(&mut project, &[word]), [CASE, other], "{word}");
    }
    // In the order of the words, each once.
    let words = ["player::more::other", "fixtures", CASE];
    assert_eq!(replayed(&mut project, &words), [other, CASE]);
}

#[test]
fn a_word_that_means_no_case_is_told_before_anything_is_done() {
    let mut project = two_cases();
    project.write("empty/notes.txt", "no fixture");
    for (arguments, code) in [
        (&["replay", "player::cose"][..], 1),
        (&["replay", "fixtures/player/cose.yaml"], 1),
        (&["replay", "fixtures", "other", "x*"], 1),
        (&["close", "--force", CASE, "nothing::like::it"], 1),
        (&["audit", "player::cose"], 1),
        (&["replay", "empty"], 1),
        (&["replay", "player::case@python"], 1),
        (&["replay", "fixtures", "--set", "command.amount=1"], 2),
        (&["replay", "fixtures", "--to-sequence", "1"], 2),
        (&["replay", "fixtures", "--debug"], 2),
        (&["replay", "fixtures", "--mermaid"], 2),
    ] {
        assert_eq!(project.run(arguments).code, code, "{arguments:?}");
    }
    assert!(!project.path("fixtures/player/case.snap").exists());
    assert_snapshot!("selection", project.transcript());
}

#[test]
fn several_cases_get_a_line_each_and_totals() {
    let mut project = two_cases();
    assert_eq!(project.run(&["close", "--force", "player::case"]).code, 0);
    assert_eq!(project.run(&["replay", "fixtures"]).code, 0);
    let snapshot = project.read("fixtures/player/case.snap");
    project.write(
        "fixtures/player/case.snap",
        &snapshot.replace("outcome: rejected", "outcome: accepted"),
    );
    assert_eq!(project.run(&["replay", "fixtures"]).code, 1);
    assert_snapshot!("several", project.transcript());
    let ran = project.run(&["replay", "fixtures", "--json"]);
    let results = ran.out.lines().map(|line| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {}", report["trial"], report["result"])
    });
    assert_eq!(
        results.collect::<Vec<_>>(),
        [
            r#""player::case" "failed""#,
            r#""player::more::other" "open""#
        ]
    );
    // An audit of a case looks at all its files.
    let ran = project.run(&["audit", "player::case"]);
    assert!(ran.out.contains("looked over 3 files"), "{}", ran.out);
}

#[test]
fn what_is_to_be_committed_is_all_that_the_case_has() {
    let mut project = two_cases();
    let ran = project.run(&["close", "--force", CASE]);
    let line = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("commit: "));
    let files: Vec<&str> = line.unwrap().split(' ').collect();
    let hash = project.read(CASE);
    let (_, hash) = hash.split_once("\ndescriptors: ").unwrap();
    let hash = hash.lines().next().unwrap().trim_matches('"');
    assert_eq!(
        files,
        [
            CASE,
            "fixtures/player/case.snap",
            &format!("fixtures/descriptors/{hash}.binpb")
        ]
    );
}

#[test]
fn help_and_the_version_are_there() {
    let mut project = Project::bare();
    let version = format!("angzarr-replay {}\n", env!("CARGO_PKG_VERSION"));
    for word in ["--version", "-V"] {
        let ran = project.run(&[word]);
        assert_eq!((ran.code, ran.out), (0, version.clone()), "{word}");
    }
    let ran = project.run(&["help"]);
    assert_eq!(ran.code, 0);
    for command in ["capture", "replay", "close", "clean"] {
        assert!(ran.out.contains(&format!("\n  {command} ")), "{}", ran.out);
    }
    for command in ["capture", "replay", "check"] {
        let asked = project.run(&["help", command]);
        assert_eq!(asked.code, 0, "{command}");
        assert!(asked.out.contains("Usage: "), "{command}: {}", asked.out);
        assert_eq!(asked.out, project.run(&[command, "--help"]).out);
    }
    assert_eq!(project.run(&["help", "nothing"]).code, 2);
}
