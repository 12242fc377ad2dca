//! `replay` and `close` on fixtures and arguments with mistakes.

use insta::assert_snapshot;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use angzarr_replay::internal::grpc::serve_logic;
use angzarr_replay::internal::model::{Answer, CommandBook, EventBook, Failure, Logic};
use angzarr_replay::internal::wire::Dialect;

use crate::bad_input::logic::{CASE, captured};
use crate::bad_input::redaction::serve_as_peer;
use crate::support::{ALICE, Project, listener};

#[test]
fn a_fixture_has_to_be_there_and_right() {
    let mut project = captured("");
    let good = project.read(CASE);
    project.write(
        "unknown.yaml",
        &good.replace("merge_strategy:", "merge_stratgy:"),
    );
    project.write("newer.yaml", &good.replacen("fixture: 1", "fixture: 2", 1));
    project.write("notes.yaml", "just: notes\n");
    std::fs::write(project.path("binary.yaml"), b"\xff\xfe\x00").unwrap();
    for file in [
        "nowhere.yaml",
        "unknown.yaml",
        "newer.yaml",
        "notes.yaml",
        "binary.yaml",
    ] {
        assert_eq!(project.run(&["replay", file]).code, 1, "{file}");
    }
    assert_eq!(
        project.run(&["close", "nowhere.yaml", "unknown.yaml"]).code,
        1
    );
    // The good one among them is replayed.
    let some = project.run(&["replay", "newer.yaml", CASE]);
    assert_eq!(some.code, 1);
    assert!(some.out.contains("1 open"), "{}", some.out);
    assert_snapshot!("fixtures", project.transcript());
}

#[test]
fn a_case_without_logic_is_told() {
    let mut project = Project::new("");
    assert_eq!(
        project
            .run(&["capture", "hand/dbc3da80", "--name", "hand/case"])
            .code,
        0
    );
    assert_eq!(project.run(&["replay", "fixtures/hand/case.yaml"]).code, 1);
    assert_eq!(project.run(&["close", "fixtures/hand/case.yaml"]).code, 1);
    assert_snapshot!("no_logic", project.transcript());
}

/// A committed case of the demo in a project of its own.
fn demo_case(relative: &str) -> Project {
    let project = Project::new("");
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let case = std::fs::read_to_string(from.join(relative)).unwrap();
    let descriptors = case
        .lines()
        .find_map(|line| line.strip_prefix("descriptors: "));
    let descriptors = format!("descriptors/{}.binpb", descriptors.unwrap());
    for file in [relative, &descriptors] {
        let to = project.path("fixtures").join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from.join(file), to).unwrap();
    }
    project
}

#[test]
fn a_field_at_zero_is_told_as_zero() {
    let case = "player/deposit-funds-d23f0824-3.yaml";
    let mut project = demo_case(case);
    let case = format!("fixtures/{case}");
    // The new balance was zero.
    project.write(
        "fixtures/player/deposit-funds-d23f0824-3.snap",
        "---\nsource: a test\n---\noutcome: accepted\nevents:\n  - type: examples.FundsDeposited\n    event:\n      \
         new_balance: {}\n",
    );
    let told = "events[0].event.new_balance.amount: 0 became 5250";
    for arguments in [&["replay", &case][..], &["replay", &case, "--json"]] {
        let ran = project.run(arguments);
        assert!(ran.out.contains(told), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn what_if_changes_the_new_event_of_a_component_and_a_fact() {
    let saga = "player-table/funds-reserved-6513270e-2.yaml";
    let mut project = demo_case(saga);
    let mut set = |path: &str, assignment: &str| {
        let ran = project.run(&["replay", &format!("fixtures/{path}"), "--set", assignment]);
        ran.out + &ran.err
    };
    for assignment in ["trigger.amount.amount=777", "trigger.2.amount.amount=777"] {
        let said = set(saga, assignment);
        assert!(said.contains("        buy_in_amount: 777\n"), "{said}");
    }
    for (assignment, refusal) in [
        (
            "trigger.7.amount.amount=1",
            "no new event has that sequence",
        ),
        (
            "trigger.nope=1",
            "no field `nope` in examples.FundsReserved",
        ),
        (
            "command.amount.amount=1",
            "the case has no command, but new events: trigger.FIELD=VALUE sets a field of theirs",
        ),
        ("fact.amount.amount=1", "the case has no fact"),
    ] {
        assert_eq!(
            set(saga, assignment),
            format!("error: --set {assignment}: {refusal}\n")
        );
    }
    let fact = "player/fact-funds-deposited-6513270e-1.yaml";
    let mut project = demo_case(fact);
    let mut set = |assignment: &str| {
        let ran = project.run(&["replay", &format!("fixtures/{fact}"), "--set", assignment]);
        ran.out + &ran.err
    };
    let said = set("fact.amount.amount=777");
    let today = said.split("\ntoday, on ").nth(1).unwrap();
    assert!(today.contains("        amount: 777\n"), "{said}");
    assert_eq!(
        set("trigger.amount.amount=1"),
        "error: --set trigger.amount.amount=1: the case has no new events\n"
    );
}

/// The command that today's report shows, after changes.
fn what_if(project: &mut Project, changes: &[&str]) -> String {
    let ran = project.run(&[&["replay", CASE], changes].concat());
    assert!(ran.code < 2, "{changes:?}: {}", ran.err);
    let (_, command) = ran.out.split_once("\ncommand").unwrap();
    let (command, _) = command.split_once("\n\n").unwrap();
    format!("{command}\n")
}

#[test]
fn what_if_sets_a_field_as_its_type_says() {
    let mut project = captured("");
    for (text, shown) in [
        ("Table #4", "\"Table #4\""),
        (" x ", "\" x \""),
        ("true", "\"true\""),
        ("20161216", "\"20161216\""),
        ("@alice", "\"@alice\""),
        ("a: b", "\"a: b\""),
        ("null", "\"null\""),
        ("\"q\"", "\"\\\"q\\\"\""),
        ("a=b", "a=b"),
    ] {
        let set = format!("command.amount.currency_code={text}");
        let command = what_if(&mut project, &["--set", &set]);
        assert!(
            command.contains(&format!("currency_code: {shown}\n")),
            "{text}: {command}"
        );
    }
    // In the order that they are given in.
    let command = what_if(
        &mut project,
        &[
            "--set-yaml",
            "command.amount={amount: 5, currency_code: a}",
            "--set",
            "command.amount.amount=6",
            "--unset",
            "command.amount.currency_code",
        ],
    );
    assert!(command.contains("amount: 6"), "{command}");
    assert!(!command.contains("currency_code"), "{command}");
    let command = what_if(
        &mut project,
        &[
            "--unset",
            "command.amount",
            "--set",
            "command.amount.currency_code=\tb\n",
        ],
    );
    assert!(
        command.contains("currency_code: \"\\tb\\n\"") && !command.contains("amount: 4"),
        "{command}"
    );
}

#[test]
fn what_if_arguments_have_to_fit_the_command() {
    let mut project = captured("");
    for assignment in [
        "command.amount.amount",
        "amount=5",
        "history.0=5",
        "command.nope=5",
        "command.amount.nope=5",
        "command.amount.amount=lots",
        "command.amount.amount.deep=5",
        "command.amount=5",
        "command.=5",
        "command.amount.amount=[1",
        "command.amount.amount=",
        "command.amount.amount=1000000000000000000000",
        "command.amuont.amount=5",
        "command.amount.currency_code.\"x=5",
        "command=5",
    ] {
        assert_eq!(
            project.run(&["replay", CASE, "--set", assignment]).code,
            2,
            "{assignment}"
        );
    }
    for assignment in [
        "command.amount",
        "command.amount=",
        "command.amount=[1",
        "command.amount={amount: lots}",
        "command.amount={nope: 1}",
        "command={nope: 1}",
    ] {
        let ran = project.run(&["replay", CASE, "--set-yaml", assignment]);
        assert_eq!(ran.code, 2, "{assignment}");
    }
    for path in ["command", "command.nope", "command.amount=", "history.0"] {
        let ran = project.run(&["replay", CASE, "--unset", path]);
        assert_eq!(ran.code, 2, "{path}");
    }
    for sequence in ["3", "-2", "99999999999", "x"] {
        assert_eq!(
            project
                .run(&["replay", CASE, "--to-sequence", sequence])
                .code,
            2
        );
    }
    assert_eq!(
        project
            .run(&[
                "capture",
                "6513270e",
                "--history",
                "--name",
                "player/history"
            ])
            .code,
        0
    );
    let history = "fixtures/player/history.yaml";
    assert_eq!(
        project
            .run(&["replay", history, "--set", "command.amount.amount=5"])
            .code,
        2
    );
    assert_snapshot!("what_if", project.transcript());
}

#[test]
fn debugging_takes_one_fixture_and_a_debug_command() {
    let mut project = captured("[logic.player]\ncommand = [\"true\"]\n");
    assert_eq!(project.run(&["replay", CASE, CASE, "--debug"]).code, 2);
    assert_eq!(project.run(&["replay", CASE, "--debug", "--json"]).code, 2);
    assert_eq!(project.run(&["replay", CASE, "--debug"]).code, 2);
    assert_snapshot!("debug", project.transcript());
}

#[test]
fn a_bug_that_still_reproduces_is_not_closed_unasked() {
    let mut project = captured("");
    assert_eq!(project.run(&["close", CASE]).code, 1);
    assert_eq!(project.run(&["close", CASE, "--force"]).code, 0);
    // What another writer left when it was killed goes with the next.
    project.write("fixtures/player/.writing-left", "half");
    assert_eq!(project.run(&["close", CASE]).code, 0);
    assert!(!project.path("fixtures/player/.writing-left").exists());
    // Closing again changes nothing.
    let before = project.files();
    assert_eq!(project.run(&["close", CASE]).code, 0);
    assert!(project.files() == before);
    assert_snapshot!("close", project.transcript());
}

/// What was refused is accepted now, and the event has the time of today.
#[test]
fn a_clock_is_not_closed_into_the_snapshot() {
    let mut project = captured("");
    let case = project.read(CASE);
    let affordable = case.replace("amount: 4500\n", "amount: 1\n");
    let rules = format!("{affordable}# looked at\n");
    project.write(CASE, &rules);
    assert_eq!(project.run(&["close", CASE]).code, 1);
    assert_eq!(project.read(CASE), rules);
    assert!(!project.path("fixtures/player/case.snap").exists());
    project.write(CASE, &format!("{rules}rules: []\n"));
    assert_eq!(project.run(&["close", CASE, "--add-rules"]).code, 1);
    project.write(CASE, &rules);
    assert_eq!(project.run(&["close", CASE, "--add-rules"]).code, 0);
    assert_eq!(project.run(&["close", CASE]).code, 0);
    assert_eq!(
        project.read(CASE),
        format!(
            "{}rules:\n  - type: examples.FundsWithdrawn\n    field: withdrawn_at\n    reason: differs from run to run\n",
            rules.replace("status: open", "status: closed")
        )
    );
    let snapshot = project.read("fixtures/player/case.snap");
    assert!(
        snapshot.contains("withdrawn_at: \"[differs from run to run]\""),
        "{snapshot}"
    );
    // The two times.
    let lines = project.transcript().lines();
    let timeless = lines.map(|line| match line.split_once("withdrawn_at: ") {
        Some((path, _)) => format!("{path}withdrawn_at: TIMES"),
        None => line.to_owned(),
    });
    assert_snapshot!("close_clock", timeless.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_the_case_open() {
    let mut project = captured("");
    project.write("fixtures/player/case.snap/file", "in a folder");
    assert_eq!(project.run(&["close", CASE, "--force"]).code, 1);
    assert_snapshot!("close_unwritable", project.transcript());
}

#[test]
fn a_damaged_snapshot_is_told() {
    let mut project = captured("");
    assert_eq!(project.run(&["close", CASE, "--force"]).code, 0);
    project.forget();
    project.write("fixtures/player/case.snap", "---\nnot: [a snapshot\n");
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("damaged_snapshot", project.transcript());
}

#[test]
fn components_without_subscriptions_are_named_as_left_out_of_a_flow() {
    let mut project = Project::new("");
    let ran = project.run(&[
        "capture",
        ALICE,
        "--domain",
        "player",
        "--correlation",
        "wf-1",
        "--at",
        "0",
        "--name",
        "flow/alice",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let said = "saga `player-table` is sent nothing in this flow: it has no `subscriptions` in replay.toml (section \
                [logic.player-table])";
    assert!(
        ran.out.contains(&format!("left out     {said}")),
        "{}",
        ran.out
    );
    let ran = project.run(&["replay", "fixtures/flow/alice.yaml"]);
    assert!(ran.out.contains(&format!("note: {said}")), "{}", ran.out);
}

/// Refuses everything, and counts how often it was asked.
struct Counting(Arc<AtomicUsize>);

impl Logic for Counting {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(Failure::rejected("no"))
    }
}

/// Also while it looks for the books that the flow comes to.
#[test]
fn a_flow_that_must_not_be_probed_is_replayed_once_when_it_is_captured() {
    let asked = Arc::new(AtomicUsize::new(0));
    let logic = Counting(Arc::clone(&asked));
    let logic = serve_logic(listener(), Dialect::ANGZARR, Arc::new(logic)).unwrap();
    let mut project = Project::new(&format!(
        "[logic.player]\naddress = \"{}\"\n",
        logic.address()
    ));
    let command =
        "type: examples.DepositFunds\npayload: {amount: {amount: 5}}\ncorrelation_id: wf-1\n";
    project.write("deposit.yaml", command);
    let ran = project.run(&[
        "capture",
        ALICE,
        "--domain",
        "player",
        "--correlation",
        "wf-1",
        "--command",
        "deposit.yaml",
        "--probe",
        "never",
        "--name",
        "flow/deposit",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "{}", ran.out);
    let said = "  reached      not looked for, as `probe` forbids a second replay: --book names the books that are missing\n";
    assert!(ran.out.contains(said), "{}", ran.out);
}

/// Logic with a defect.
struct Crashing;

impl Logic for Crashing {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        eprintln!("Traceback: the defect is in line 7");
        panic!("no such field")
    }
}

/// This test is a process of the next one.
#[test]
fn crashing_peer() {
    serve_as_peer(Crashing);
}

#[test]
fn a_crash_shows_what_the_logic_wrote_last() {
    let own = std::env::current_exe().unwrap().display().to_string();
    let mut project = captured(&format!(
        "[logic.crashing]\ndomain = \"player\"\ntwin = true\n\
         command = [{own:?}, \"--exact\", \"bad_input::replays::crashing_peer\", \"--nocapture\"]\n\
         environment = {{ PEER = \"1\", RUST_BACKTRACE = \"0\" }}\nstart_timeout = 20\n"
    ));
    let ran = project.run(&["replay", CASE, "--logic", "crashing"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let (_, wrote) = ran.out.split_once("\nwhat the logic wrote\n").unwrap();
    assert!(
        wrote.contains("logic `crashing` is still running"),
        "{wrote}"
    );
    assert!(
        wrote.contains("Traceback: the defect is in line 7"),
        "{wrote}"
    );
    let ran = project.run(&["replay", CASE, "--logic", "crashing", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let wrote = report["last_output"].as_str().unwrap();
    assert!(
        wrote.contains("Traceback: the defect is in line 7"),
        "{wrote}"
    );
}
