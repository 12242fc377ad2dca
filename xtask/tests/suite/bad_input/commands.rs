//! Commands that somebody wrote, and `command new`.

use crate::support::{ALICE, Project, tool};
use insta::assert_snapshot;

#[test]
fn a_written_command_has_to_be_one() {
    let mut project = Project::new("");
    for (name, text) in [
        ("unknown_type", "type: examples.WithdrawFund\n"),
        ("strange_type", "type: bank.Nothing\n"),
        ("no_type", "payload: {}\n"),
        (
            "wrong_field",
            "type: WithdrawFunds\npayload:\n  amuont: 5\n",
        ),
        (
            "wrong_value",
            "type: WithdrawFunds\npayload:\n  amount:\n    amount: lots\n",
        ),
        ("both", "type: WithdrawFunds\npayload: {}\nbytes: aGk=\n"),
        ("no_base64", "type: WithdrawFunds\nbytes: '!!'\n"),
        ("unknown_key", "type: WithdrawFunds\nsequnce: 3\n"),
        ("wrong_sequence", "type: WithdrawFunds\nsequence: -3\n"),
        ("strategy", "type: WithdrawFunds\nmerge_strategy: careful\n"),
        ("twice", "type: WithdrawFunds\ntype: DepositFunds\n"),
        ("no_yaml", "type: [unclosed\n"),
        ("list", "- type: WithdrawFunds\n"),
        ("empty", ""),
    ] {
        let file = format!("{name}.yaml");
        project.write(&file, text);
        assert_eq!(
            project.run(&["capture", ALICE, "--command", &file]).code,
            1,
            "{name}"
        );
    }
    assert_snapshot!("written_commands", project.transcript());
}

#[test]
fn a_command_file_has_to_be_readable() {
    let mut project = Project::new("");
    assert_eq!(
        project
            .run(&["capture", ALICE, "--command", "nowhere.yaml"])
            .code,
        1
    );
    std::fs::write(project.path("binary.yaml"), b"\xfftype").unwrap();
    assert_eq!(
        project
            .run(&["capture", ALICE, "--command", "binary.yaml"])
            .code,
        1
    );
    assert_eq!(project.run(&["capture", ALICE, "--command", "."]).code, 1);
    assert_snapshot!("unreadable_command", project.transcript());
}

#[test]
fn a_command_is_read_from_standard_input() {
    let mut project = Project::new("");
    let yaml =
        "type: WithdrawFunds\npayload:\n  amount:\n    amount: 10\n    currency_code: CHIPS\n";
    let arguments = ["capture", ALICE, "--command", "-"];
    assert_eq!(project.run_as(&arguments, yaml, &[]).code, 0);
    let json = r#"{"type": "WithdrawFunds", "payload": {"amount": {"amount": 20}}}"#;
    let named = ["capture", ALICE, "--command", "-", "--name", "player/json"];
    assert_eq!(project.run_as(&named, json, &[]).code, 0);
    assert_eq!(project.run_as(&arguments, "nonsense", &[]).code, 1);
    assert_snapshot!("standard_input", project.transcript());
}

#[test]
fn a_command_and_a_ticket_exclude_each_other() {
    let mut project = Project::new("");
    let arguments = [
        "capture",
        ALICE,
        "--command",
        "a.yaml",
        "--ticket",
        "b.jsonl",
    ];
    assert_eq!(project.run(&arguments).code, 2);
    assert_snapshot!("command_and_ticket", project.transcript());
}

#[test]
fn a_skeleton_needs_a_known_type() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["command", "new", "WithdrawFunds"]).code, 0);
    assert_eq!(project.run(&["command", "new", "WithdrawFund"]).code, 1);
    assert_eq!(project.run(&["command", "new", "Xyzzy"]).code, 1);
    assert_eq!(project.run(&["command", "new"]).code, 2);
    assert_eq!(project.run(&["command"]).code, 2);
    let mut bare = Project::bare();
    assert_eq!(bare.run(&["command", "new", "WithdrawFunds"]).code, 1);
    assert_snapshot!("command_new", project.transcript());
    assert_snapshot!("command_new_without_descriptors", bare.transcript());
}

const COMPONENTS: &str = "
[logic.player-table]
kind = \"saga\"
in_process = \"player-table\"
subscriptions = { player = [\"examples.*\"] }
[logic.seats]
kind = \"projector\"
in_process = \"seats\"
subscriptions = { player = [\"examples.*\"] }
";

#[test]
fn the_configuration_knows_the_kind_of_a_component() {
    let mut project = Project::new(COMPONENTS);
    let mut capture = |more: &[&str]| {
        let ran = project.run(&[&["capture", ALICE, "--dry-run"], more].concat());
        (ran.code, ran.out + &ran.err)
    };
    for (name, flag) in [("player-table", "--saga"), ("seats", "--projector")] {
        let captured = capture(&["--component", name]);
        assert_eq!(captured.0, 0, "{}", captured.1);
        let kind = flag.trim_start_matches("--");
        assert!(
            captured.1.contains(&format!("kind: {kind}")),
            "{}",
            captured.1
        );
    }
    for (more, code, said) in [
        (
            &["--component", "player"][..],
            2,
            "of kind aggregate; a saga, process",
        ),
        (&["--component", "player-tabel"], 1, "player-tabel"),
        (
            &["--component", "seats", "--fact"],
            2,
            "cannot be used with",
        ),
        (
            &["--component", "seats", "--saga", "player-table"],
            2,
            "cannot be used with",
        ),
        (
            &["--component", "player-table", "--harmless"],
            2,
            "--harmless goes with a case of a projector",
        ),
        (
            &[
                "--component",
                "seats",
                "--book",
                "table/00000000-0000-0000-0000-000000000001",
            ],
            2,
            "--book goes with",
        ),
        (
            &["--component", "seats", "--ticket", "x.jsonl"],
            2,
            "--ticket goes with a case of a command, compensation",
        ),
        (
            &["--component", "seats", "--compensation"],
            2,
            "--compensation and the projector `seats`",
        ),
        (
            &["--component", "seats", "--command", "x.yaml"],
            2,
            "--command goes with a case of a command or workflow",
        ),
        (
            &["--history", "--recorded", "x.jsonl"],
            2,
            "cannot be used with",
        ),
        (
            &["--fact", "--ticket", "x.jsonl"],
            2,
            "--ticket goes with a case of a command, compensation",
        ),
        (&["--at", "2"], 2, "--at goes with"),
    ] {
        let (ended, text) = capture(more);
        assert!(
            ended == code && text.contains(said),
            "{more:?}: {ended} {text}"
        );
    }
    let all = project.run(&["capture", "--each-distinct", "--with-history"]);
    assert!(
        all.code == 2 && all.err.contains("--with-history goes with"),
        "{}",
        all.err
    );
}

#[test]
fn flags_of_another_kind_of_case_are_refused() {
    let mut project = Project::new(&format!("{COMPONENTS}{UPCASTER}"));
    for (more, said) in [
        (
            &["--component", "seats", "--upcaster"][..],
            "cannot be used with",
        ),
        (
            &["--recorded", "x.jsonl", "--fact"],
            "--fact and a recording",
        ),
        (
            &["--recorded", "x.jsonl", "--compensation"],
            "--compensation and a recording",
        ),
        (
            &["--correlation", "wf-1", "--command", "x.yaml", "--at", "2"],
            "--at goes with",
        ),
        (
            &["--correlation", "wf-1", "--persisted", "1"],
            "--persisted goes with a case of a command",
        ),
        (
            &["--correlation", "wf-1", "--dead-letter", "1"],
            "--dead-letter goes with a case of a command",
        ),
        (
            &["--correlation", "wf-1", "--recorded", "x.jsonl"],
            "--correlation goes with a log",
        ),
        (
            &["--component", "player-upcaster", "--at", "2"],
            "--at goes with",
        ),
    ] {
        let ran = project.run(&[&["capture", ALICE, "--dry-run"], more].concat());
        assert!(
            ran.code == 2 && ran.err.contains(said),
            "{more:?}: {} {}",
            ran.code,
            ran.err
        );
    }
    let upcaster = [
        "capture",
        ALICE,
        "--dry-run",
        "--component",
        "player-upcaster",
    ];
    let captured = project.run(&upcaster);
    assert!(
        captured.code == 0 && captured.out.contains("kind: upcaster"),
        "{}{}",
        captured.out,
        captured.err
    );
}

pub(crate) const UPCASTER: &str = "
[logic.player-upcaster]
kind = \"upcaster\"
in_process = \"player-upcaster\"
domain = \"player\"
";

#[test]
fn the_short_help_of_capture_fits_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let help = |flag: &str| {
        let mut tool = tool(folder.path());
        let output = tool.args(["capture", flag]).env("COLUMNS", "80").output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let (short, long) = (help("-h"), help("--help"));
    assert!(short.lines().count() <= 24, "{short}");
    assert!(
        short.lines().all(|line| line.chars().count() <= 80),
        "{short}"
    );
    for shown in ["[ROOT]", "--ticket", "--component", "--dry-run", "'--help'"] {
        assert!(short.contains(shown), "{shown}: {short}");
    }
    for heading in [
        "Which aggregate:",
        "Which failure:",
        "Which kind of case:",
        "How much history:",
        "How it is written:",
        "Redaction:",
    ] {
        assert!(long.contains(heading), "{heading}: {long}");
    }
    assert!(!long.contains("--saga"), "{long}");
}

#[test]
fn a_command_is_guessed_from_an_event_and_captured() {
    let mut project = Project::new("");
    let event = |sequence: &str| format!("player/6513270e@{sequence}");
    let guessed = project.run(&["command", "new", "--from-event", &event("2")]);
    assert_eq!(guessed.code, 0);
    project.write("command.yaml", &guessed.out);
    let capture = [
        "capture",
        "player/6513270e",
        "--command",
        "command.yaml",
        "--to-sequence",
        "1",
        "--dry-run",
    ];
    let captured = project.run(&capture);
    assert!(
        captured.out.contains("verdict      reproduced"),
        "{}",
        captured.out
    );
    project.forget();
    let mut new = |more: &[&str]| project.run(&[&["command", "new"], more].concat()).code;
    assert_eq!(new(&["--from-event", &event("2")]), 0);
    // The type is known; the amount has the same name and type.
    assert_eq!(new(&["WithdrawFunds", "--from-event", &event("1")]), 0);
    // A field that the event does not have is an example.
    assert_eq!(new(&["JoinTable", "--from-event", "table/36f675cc@1"]), 0);
    assert_eq!(new(&["--from-event", &event("99")]), 1);
    assert_eq!(new(&["--from-event", &event("last")]), 2);
    assert_eq!(new(&["--from-event", "player/6513270e"]), 2);
    assert_eq!(new(&["Nothing", "--from-event", &event("1")]), 1);
    // Its command is not described.
    assert_eq!(new(&["--from-event", "hand/0acf420f@3"]), 1);
    assert_snapshot!("from_event", project.transcript());
}
