//! `replay --debug`: one `Handle` a round and nothing else, over again on Enter.

use std::io::Write;
use std::process::{Child, Output, Stdio};

use crate::support::{
    CASE, Workspace, assert_gone, await_lines, is_running, lines, signal, words_of,
};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_debugging_replay_sends_one_handle_a_round", rounds),
    ("a_debugger_that_ends_the_logic_is_no_end", dies),
    ("an_interrupted_debugging_replay", interrupted),
    ("logic_without_a_debug_command", no_recipe),
    ("one_fixture_is_debugged_at_a_time", two_fixtures),
    ("logic_in_process_names_its_process", in_process),
];

/// The logic itself stands for a debugger that continues at once.
fn under_fake_debugger(words: &[&str]) -> Workspace {
    let debug = words_of(&[words, &["{port}", "{debug_port}"]].concat());
    Workspace::new(&format!(
        "[logic.player]\ncommand = [\"not-this-one\"]\n\n[logic.player.debug]\ncommand = {debug}\nattach = \"attach to \
         127.0.0.1:{{debug_port}} for 127.0.0.1:{{port}}\"\n"
    ))
}

fn debugging(workspace: &Workspace) -> Child {
    let mut main = workspace.main("cli", &["replay", CASE, "--debug"]);
    main.spawn().unwrap()
}

fn started(tally: &[String]) -> Vec<String> {
    tally
        .iter()
        .filter_map(|line| line.strip_prefix("started "))
        .map(str::to_owned)
        .collect()
}

fn kinds(tally: &[String]) -> Vec<&str> {
    tally
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect()
}

fn rounds() {
    let workspace = under_fake_debugger(&["counts", "tally"]);
    let tally = workspace.file("tally");
    let mut main = debugging(&workspace);
    let mut input = main.stdin.take().unwrap();
    let first = await_lines(&tally, 2);
    input.write_all(b"\n").unwrap();
    let second = await_lines(&tally, 4);
    assert_gone(&started(&first));
    drop(input);
    let Output {
        status,
        stdout,
        stderr,
    } = main.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(lines(&tally), second);
    assert_eq!(kinds(&second), ["started", "Handle", "started", "Handle"]);
    assert_gone(&started(&second));
    let said = workspace.clean(&stdout);
    let begins = "attach to 127.0.0.1:PORT for 127.0.0.1:PORT\nwaiting until it serves on 127.0.0.1:PORT …\nit serves; \
                  sending one command\nfixtures/player/deposit-funds-6513270e-2.yaml (open): Depositing nothing is \
                  refused\n";
    let ends = "\nEnter: once more from the start; end of input (Ctrl-D): done\n";
    assert!(said.starts_with(begins), "{said}");
    assert!(said.ends_with(ends), "{said}");
    assert_eq!(said.matches(begins).count(), 2, "{said}");
    assert_eq!(said.matches(ends).count(), 2, "{said}");
    let line = "player | a print in the handler's file\n";
    assert_eq!(workspace.clean(&stderr), line.repeat(2));
}

fn dies() {
    let workspace = under_fake_debugger(&["dies"]);
    let mut main = debugging(&workspace);
    main.stdin.take().unwrap().write_all(b"\n").unwrap();
    let Output { status, stderr, .. } = main.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1));
    let round = "player | handling for player\nplayer | out of luck\nerror: the connection to 127.0.0.1:PORT broke during \
                 CommandHandlerService/Handle: REASON\nthe logic ended with exit \
                 status: 7\n";
    assert_eq!(workspace.clean(&stderr), round.repeat(2));
}

fn interrupted() {
    let workspace = under_fake_debugger(&["stalls", "pids"]);
    let mut main = debugging(&workspace);
    let pids = await_lines(&workspace.file("pids"), 2);
    assert!(is_running(&pids[0]));
    signal(&main, "-INT");
    assert_eq!(main.wait().unwrap().code(), Some(130));
    assert_gone(&pids);
}

fn no_recipe() {
    let workspace = Workspace::with_fake(&["serves"]);
    let Output { status, stderr, .. } = debugging(&workspace).wait_with_output().unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(
        workspace.clean(&stderr),
        "error: logic `player` has no debug command; add one to replay.toml (recipes: docs/debugging.md of angzarr-replay):\n\n  \
         [logic.player.debug]\n  command = [\"…\", \"{debug_port}\", …]\n  attach = \"what to attach, and where: \
         {debug_port}\"\n"
    );
}

fn two_fixtures() {
    let workspace = Workspace::with_fake(&["serves"]);
    let other = "fixtures/player/other.yaml";
    std::fs::copy(workspace.file(CASE), workspace.file(other)).unwrap();
    let mut main = workspace.main("cli", &["replay", CASE, other, "--debug"]);
    let Output { status, stderr, .. } = main.output().unwrap();
    assert_eq!(status.code(), Some(2));
    assert_eq!(
        workspace.clean(&stderr),
        "error: --debug takes one case, and 2 are named: player::deposit-funds-6513270e-2, player::other\n"
    );
}

fn in_process() {
    let workspace = Workspace::new("");
    let mut main = workspace.main("cli-with-player", &["replay", CASE, "--debug"]);
    let main = main.stdin(Stdio::null()).spawn().unwrap();
    let pid = main.id();
    let Output { status, stdout, .. } = main.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(0));
    let said = workspace.clean(&stdout);
    let begins = format!(
        "logic `player` runs in this process; attach to it: rust-lldb -p {pid}, or rust-gdb -p {pid}\nthen press Enter \
         to send one command\n"
    );
    assert!(said.starts_with(&begins), "{said}");
}
