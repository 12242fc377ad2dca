//! The mains with started logic: what is said when it fails a case, and what is left when they are interrupted.

use std::process::{Command, ExitCode, Output, Stdio};

use angzarr_replay::App;

use test_support::processes;

use crate::support::{
    CASE, Workspace, assert_gone, await_lines, is_running, lines, this_program, words_of,
};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("logic_that_dies_during_a_case", dies),
    ("logic_that_answers_garbage", garbage),
    ("logic_that_does_not_answer_in_time", stalls),
    (
        "a_trial_shows_the_output_of_logic_that_died",
        dies_in_a_trial,
    ),
    ("a_crash_fails_the_case_that_causes_it", dies_at_one_case),
    (
        "a_crash_that_takes_a_while_fails_the_case_that_causes_it",
        dies_slowly,
    ),
    (
        "several_crashes_fail_the_cases_that_cause_them",
        dies_at_several_cases,
    ),
    (
        "a_crash_beside_a_case_that_stalls",
        dies_beside_a_case_that_stalls,
    ),
    (
        "logic_that_always_dies_is_not_started_without_end",
        dies_at_every_case,
    ),
    ("answers_may_come_in_any_order", answers_out_of_order),
    ("a_passing_run_leaves_nothing_behind", passing_run),
    (
        "logic_in_a_group_of_its_own_is_not_left_behind",
        passing_run_in_another_group,
    ),
    ("an_interrupted_run_leaves_nothing_behind", interrupted),
    ("a_run_interrupted_while_logic_starts", interrupted_at_start),
    ("a_run_interrupted_while_logic_is_built", interrupted_build),
];

/// Variable that makes this program a main.
pub(crate) const CHOICE: &str = "STARTED_LOGIC_MAIN";

/// A main as a user's workspace has it.
pub(crate) fn run(main: &str) -> ExitCode {
    match main {
        "harness" => App::new().harness(),
        "cli" => App::new().cli(),
        "cli-with-player" => App::new().logic("player", poker::Player::default()).cli(),
        other => panic!("no main {other}"),
    }
}

fn replayed(workspace: &Workspace) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = workspace.main("cli", &["replay", CASE]).output().unwrap();
    (status.code(), workspace.clean(&stderr))
}

fn dies() {
    let workspace = Workspace::with_fake(&["dies"]);
    let (code, words) = replayed(&workspace);
    assert_eq!(
        words,
        "error: fixtures/player/deposit-funds-6513270e-2.yaml: the connection to 127.0.0.1:PORT broke during CommandHandlerService/Handle: REASON\nlogic `player` ended with exit status: 7; its last output:\n    handling for player\n    \
         out of luck\n"
    );
    assert_eq!(code, Some(1));
}

fn garbage() {
    let workspace = Workspace::with_fake(&["answers-garbage"]);
    let (code, words) = replayed(&workspace);
    assert_eq!(
        words,
        "error: fixtures/player/deposit-funds-6513270e-2.yaml: 127.0.0.1:PORT answered CommandHandlerService/Handle with bytes that make no sense: business \
         response: the bytes do not decode (failed to decode Protobuf message: BusinessResponse.result: buffer \
         underflow)\nlogic `player` is still running; it printed nothing\n"
    );
    assert_eq!(code, Some(1));
}

fn stalls() {
    let pids = "pids";
    let command = words_of(&["stalls", pids]);
    let workspace = Workspace::new(&format!(
        "[logic.player]\ncommand = {command}\ndeadline = 1\n"
    ));
    let (code, words) = replayed(&workspace);
    assert_eq!(
        words,
        "error: fixtures/player/deposit-funds-6513270e-2.yaml: 127.0.0.1:PORT did not answer CommandHandlerService/Handle within 1 s; is it the right port, and is \
         the server busy? Raise `deadline` in replay.toml to wait longer\nlogic `player` is still \
         running; it printed nothing\n"
    );
    assert_eq!(code, Some(1));
    assert_gone(&lines(&workspace.file(pids)));
}

fn dies_in_a_trial() {
    let workspace = Workspace::with_fake(&["dies"]);
    let Output { status, stdout, .. } = workspace.main("harness", &[]).output().unwrap();
    let words = workspace.clean(&stdout);
    let (_, failures) = words.split_once("failures:\n").unwrap();
    let (failures, _) = failures.split_once("\nfailures:").unwrap();
    assert_eq!(
        failures.trim(),
        "---- player::deposit-funds-6513270e-2 ----\ntitle:   Depositing nothing is refused\nissue:   POKER-8\n\
         command: DepositFunds for player 6513270e, at sequence 2\n\nthe connection to 127.0.0.1:PORT broke during \
         CommandHandlerService/Handle: REASON\nlogic `player` ended with exit \
         status: 7; its last output:\n    handling for player\n    out of luck"
    );
    assert!(!status.success());
}

/// Makes so many cases of the one that a workspace has. Their roots begin with their numbers.
fn fill(workspace: &Workspace, count: usize) {
    let text = std::fs::read_to_string(workspace.file(CASE)).unwrap();
    std::fs::remove_file(workspace.file(CASE)).unwrap();
    for number in 0..count {
        let case = workspace.file(&format!("fixtures/player/case-{number:02}.yaml"));
        std::fs::write(
            case,
            text.replace("6513270e", &format!("000000{number:02}")),
        )
        .unwrap();
    }
}

/// A workspace with so many cases, and what the trials printed, 32 of them at once.
fn with_cases(words: &[&str], count: usize) -> (Workspace, Output) {
    let workspace = Workspace::with_fake(words);
    let output = replayed_cases(&workspace, count);
    (workspace, output)
}

/// Makes so many cases, and replays 32 of them at once.
fn replayed_cases(workspace: &Workspace, count: usize) -> Output {
    fill(workspace, count);
    let output = workspace.main("harness", &["--test-threads=32"]).output();
    output.unwrap()
}

fn dies_at_one_case() {
    let (workspace, output) = with_cases(&["dies-at", "00000007"], 40);
    let out = workspace.clean(&output.stdout);
    assert!(
        out.contains("test result: FAILED. 40 passed; 1 failed;"),
        "{out}"
    );
    let (_, failures) = out.split_once("failures:\n").unwrap();
    assert!(failures.contains("---- player::case-07 ----"), "{out}");
    assert!(
        failures.contains("logic `player` ended with exit status: 7; its last output:\n    out of luck at 00000007"),
        "{out}"
    );
}

/// The started shell keeps running for a second after its server has died.
fn dies_slowly() {
    let program = this_program();
    let script = format!("{program:?} fake-logic dies-at 00000007; sleep 1; exit 7");
    let workspace = Workspace::with_command(&["sh", "-c", &script]);
    let out = workspace.clean(&replayed_cases(&workspace, 8).stdout);
    assert!(
        out.contains("test result: FAILED. 8 passed; 1 failed;"),
        "{out}"
    );
    assert!(out.contains("---- player::case-07 ----"), "{out}");
}

fn dies_at_several_cases() {
    let program = this_program();
    let script = format!("echo started >> starts; exec {program:?} fake-logic dies-at 0000000");
    let workspace = Workspace::with_command(&["sh", "-c", &script]);
    // The roots of the first ten begin like that.
    let out = workspace.clean(&replayed_cases(&workspace, 40).stdout);
    assert!(
        out.contains("test result: FAILED. 31 passed; 10 failed;"),
        "{out}"
    );
    // Each of the ten ends logic that others use, and logic that was started for it.
    let starts = lines(&workspace.file("starts")).len();
    assert!((11..=21).contains(&starts), "{starts}");
}

fn dies_beside_a_case_that_stalls() {
    let command = words_of(&["dies-at", "00000007,00000008"]);
    let workspace = Workspace::new(&format!(
        "case_deadline = 1\n[logic.player]\ncommand = {command}\n"
    ));
    let out = workspace.clean(&replayed_cases(&workspace, 12).stdout);
    assert!(
        out.contains("test result: FAILED. 11 passed; 2 failed;"),
        "{out}"
    );
    assert!(
        out.contains("case-08.yaml: it took longer than 1 s"),
        "{out}"
    );
    assert!(out.contains("out of luck at 00000007"), "{out}");
}

fn dies_at_every_case() {
    let (workspace, output) = with_cases(&["dies", "starts"], 40);
    let out = workspace.clean(&output.stdout);
    assert!(
        out.contains("test result: FAILED. 1 passed; 40 failed;"),
        "{out}"
    );
    assert_eq!(
        out.matches("logic `player` ended with exit status: 7")
            .count(),
        40,
        "{out}"
    );
    assert!(
        out.contains(
            "the logic was restarted 32 times in this run, and will not be restarted again"
        ),
        "{out}"
    );
    assert_eq!(lines(&workspace.file("starts")).len(), 33);
}

fn answers_out_of_order() {
    let (workspace, output) = with_cases(&["answers-out-of-order"], 64);
    let out = workspace.clean(&output.stdout);
    assert!(
        out.contains("test result: ok. 65 passed; 0 failed;"),
        "{out}"
    );
    let said = out
        .lines()
        .filter(|line| line.starts_with("test player::"))
        .count();
    assert_eq!(said, 64, "{out}");
}

fn passing_run() {
    let workspace = Workspace::with_fake(&["starts-others", "pids"]);
    let status = workspace.main("harness", &[]).output().unwrap().status;
    assert!(status.success());
    assert_gone(&lines(&workspace.file("pids")));
}

/// `timeout` and `setsid` leave the group that they are started in.
fn passing_run_in_another_group() {
    let program = this_program();
    for leaves in [&["timeout", "600"][..], &["setsid"]] {
        let logic = [program.as_str(), "fake-logic", "starts-others", "pids"];
        let workspace = Workspace::with_command(&[leaves, &logic].concat());
        let status = workspace.main("harness", &[]).output().unwrap().status;
        assert!(status.success());
        assert_gone(&lines(&workspace.file("pids")));
    }
}

/// Interrupts a main once its logic has written down what it started.
fn interrupt_with(workspace: &Workspace, mut main: Command, signal: &str, code: i32) {
    let mut main = main
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = await_lines(&workspace.file("pids"), 2);
    assert!(is_running(&pids[0]));
    processes::signal(&main, signal);
    assert_eq!(main.wait().unwrap().code(), Some(code));
    assert_gone(&pids);
}

fn interrupted() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let workspace = Workspace::with_fake(&["stalls", "pids"]);
        let main = workspace.main("harness", &[]);
        interrupt_with(&workspace, main, signal, code);
    }
    let workspace = Workspace::with_fake(&["stalls", "pids"]);
    let main = workspace.main("cli", &["replay", CASE]);
    interrupt_with(&workspace, main, "-INT", 130);
}

fn interrupted_at_start() {
    let workspace = Workspace::with_fake(&["starts-others-and-hangs", "pids"]);
    let main = workspace.main("harness", &[]);
    interrupt_with(&workspace, main, "-TERM", 143);
}

fn interrupted_build() {
    let (command, build) = (
        words_of(&["serves"]),
        words_of(&["starts-others-and-hangs", "pids"]),
    );
    let workspace = Workspace::new(&format!(
        "[logic.player]\ncommand = {command}\nbuild = {build}\n"
    ));
    let main = workspace.main("cli", &["replay", CASE]);
    interrupt_with(&workspace, main, "-TERM", 143);
}
