//! `--json`: standard output is JSON or empty, whatever happens. `docs/json.md` has the shapes.

use serde_json::{Value, json};

use super::{CASES, Project, Run};

/// Every command with `--json`, as it works in a project without sources.
const COMMANDS: [&[&str]; 11] = [
    &["capture", "6513270e", "--json"],
    &["replay", "player", "--json"],
    &["close", "player", "--json"],
    &["review", "--json"],
    &["changes", "--json"],
    &["roots", "--json"],
    &["tickets", "--json"],
    &["doctor", "--json"],
    &["audit", "--json"],
    &["editions", "list", "--json"],
    &["fmt", "--check", "--json"],
];

fn objects(run: &Run) -> Vec<Value> {
    let lines = run.out.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

#[test]
fn an_unusable_configuration_leaves_standard_output_empty() {
    let project = Project::new();
    std::fs::write(project.path("replay.toml"), "descriptor = []\n").unwrap();
    for command in COMMANDS.iter().copied().chain([["test"].as_slice()]) {
        let run = project.run(command);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{command:?}");
        assert!(run.err.contains("did you mean `descriptors`?"), "{run:?}");
    }
}

#[test]
fn a_failing_command_says_so_on_standard_error_only() {
    let project = Project::new();
    std::fs::write(project.path("fixtures/player/broken.yaml"), "fixture: 1\n").unwrap();
    for command in COMMANDS {
        let run = project.run(command);
        let name = command[0];
        for object in objects(&run) {
            assert_eq!(object[name], 1, "{command:?}: {object}");
        }
        let is_error = run.err.lines().any(|line| line.starts_with("error: "));
        let is_failed = run.code != Some(0);
        // A case that differs is no error, and its line says that it differs.
        assert!(
            is_error == is_failed || name == "replay",
            "{command:?}: {run:?}"
        );
    }
}

#[test]
fn a_case_that_cannot_be_closed_has_a_line_beside_those_that_are() {
    let project = Project::new();
    let run = project.run(&["close", CASES[0], CASES[1], "--json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let reason = "fixtures/player/deposit-funds-6513270e-2.yaml: the bug still reproduces; closing now would make it the \
                  expectation. Fix it first, or use --intended if a rejection is right here, or --force if this is how it shall be";
    let objects = objects(&run);
    assert_eq!(
        objects[0],
        json!({
            "close": 1,
            "trial": CASES[0],
            "fixture": "fixtures/player/deposit-funds-6513270e-2.yaml",
            "result": "failed",
            "reason": reason,
        })
    );
    assert_eq!(objects[1]["result"], "closed");
    assert_eq!(run.err, format!("error: {reason}\n"));
}

#[test]
fn one_case_and_several_have_the_same_keys() {
    let project = Project::new();
    let one = objects(&project.run(&["replay", CASES[0], "--json"]));
    let several = objects(&project.run(&["replay", "player", "--json"]));
    assert_eq!(several.len(), CASES.len());
    assert_eq!(one[0], several[0]);
    assert_eq!(one[0]["result"], "open");

    let changed = project.run(&["replay", CASES[0], "--json", "--to-sequence", "0"]);
    let changed = &objects(&changed)[0];
    assert_eq!(changed["what_if"], true);
    for key in ["result", "verdict", "snapshot"] {
        assert_eq!(changed[key], Value::Null, "{key}");
    }

    std::fs::write(project.path("fixtures/player/broken.yaml"), "fixture: 1\n").unwrap();
    let one = project.run(&["replay", "player::broken", "--json"]);
    assert_eq!((one.code, one.out.as_str()), (Some(1), ""), "{one:?}");
    let several = project.run(&["replay", "player", "--json"]);
    assert_eq!(several.code, Some(1));
    let broken = &objects(&several)[0];
    assert_eq!(
        (&broken["trial"], &broken["result"]),
        (&"player::broken".into(), &"failed".into())
    );
    let keys: Vec<&String> = broken.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["fixture", "reason", "replay", "result", "trial"]);
}

#[test]
fn a_decision_is_no_list() {
    let project = Project::new();
    let run = project.run(&["review", "--json", "--accept", "all"]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{run:?}");
}

#[test]
fn files_that_are_not_canonical_are_listed() {
    let project = Project::new();
    let file = "fixtures/player/deposit-funds-6513270e-2.yaml";
    let text = std::fs::read_to_string(project.path(file)).unwrap();
    let text = text.replace("kind: command", "kind:   command");
    std::fs::write(project.path(file), &text).unwrap();
    let line = |result| json!({"fmt": 1, "trial": CASES[0], "fixture": file, "result": result});
    let run = project.run(&["fmt", "--check", "--json"]);
    assert_eq!(
        (run.code, objects(&run)),
        (Some(1), vec![line("would-change")])
    );
    std::fs::write(project.path(file), format!("# mine\n{text}")).unwrap();
    let run = project.run(&["fmt", "--json"]);
    assert_eq!(
        (run.code, objects(&run)),
        (Some(0), vec![line("left-alone")])
    );
    assert!(run.err.starts_with("left alone: "), "{}", run.err);
    std::fs::write(project.path(file), text).unwrap();
    let run = project.run(&["fmt", "--json"]);
    assert_eq!((run.code, objects(&run)), (Some(0), vec![line("changed")]));
}
