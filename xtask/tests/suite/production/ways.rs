//! Commands that open the way to a source: started, awaited, ended with everything that they started.

use std::process::Stdio;

use test_support::processes::{self, assert_gone, await_that};

use crate::support::{ALICE, Project, recorded_failures, tool};

fn tool_path() -> &'static str {
    env!("CARGO_BIN_EXE_xtask")
}

/// A source reached by a command of the shell. `SERVE` in it is a coordinator of the demo.
fn project(script: &str, address: &str, more: &str) -> Project {
    let script = script.replace("SERVE", &format!("{} serve --port", tool_path()));
    Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{address}\"\ndomains = [\"player\", \"table\"]\n\
         dialect = \"angzarr\"\nconnect = [\"sh\", \"-c\", '{script}']\n{more}"
    ))
}

/// Notes the processes of a way: the shell's own, one that it leaves behind, and whatever it becomes.
const NOTED: &str = "echo $$ >> pids; sleep 1000 & echo $! >> pids; ";

fn pids(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("pids")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn all_gone(project: &Project, count: usize) {
    let pids = pids(project);
    assert_eq!(pids.len(), count, "{pids:?}");
    assert_gone(&pids);
}

const FREE: &str = "127.0.0.1:{port}";

fn capture(project: &mut Project, domain: &str) -> (i32, String) {
    let arguments = [
        "capture",
        ALICE,
        "--domain",
        domain,
        "--unredacted",
        "--dry-run",
    ];
    let ran = project.run(&arguments);
    (ran.code, ran.err.trim_end().to_owned())
}

#[test]
fn a_way_is_opened_and_ended_with_the_run() {
    let mut project = project(&format!("{NOTED} exec SERVE {{port}}"), FREE, "");
    assert_eq!(capture(&mut project, "player"), (0, String::new()));
    all_gone(&project, 2);
}

#[test]
fn each_way_is_opened_once() {
    // One for all domains, and one for each.
    for (script, count) in [
        ("exec SERVE {port}", 2),
        (": {domain}; exec SERVE {port}", 4),
    ] {
        let mut project = project(&format!("{NOTED} {script}"), FREE, "");
        let ran = project.run(&["roots"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("table"), "{}", ran.out);
        all_gone(&project, count);
    }
}

#[test]
fn a_way_serves_the_whole_run_however_often_its_source_is_opened() {
    let port = free_port();
    let script = format!("{NOTED} exec SERVE {port}");
    let mut project = project(&script, &format!("127.0.0.1:{port}"), "");
    project.write("failures.jsonl", &recorded_failures());
    let arguments = [
        "capture",
        "--each-distinct",
        "--from-log",
        "failures.jsonl",
        "--unredacted",
        "--dry-run",
    ];
    let ran = project.run(&arguments);
    assert!(
        ran.out.contains("player") && ran.out.contains("table"),
        "{}",
        ran.out
    );
    assert!(!ran.err.contains("connect"), "{}", ran.err);
    all_gone(&project, 2);
}

/// A port that is free now, and not one of those that the system gives out by itself.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (first..u16::MAX)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap()
}

#[test]
fn a_way_that_does_not_open_is_told_with_its_output() {
    let mut ends = project("echo no such cluster >&2; exit 7", FREE, "");
    assert_eq!(
        capture(&mut ends, "player"),
        (
            1,
            "error: source `production`, domain `player`: `connect` ended with exit status: 7 before 127.0.0.1:PORT could \
             be reached; its last output:\n    no such cluster"
                .into()
        )
    );
    let mut hangs = project(
        &format!("{NOTED} echo waiting; exec sleep 1000"),
        FREE,
        "start_timeout = 1",
    );
    assert_eq!(
        capture(&mut hangs, "player"),
        (
            1,
            "error: source `production`, domain `player`: `connect` runs, but 127.0.0.1:PORT could not be reached within \
             1 s; its last output:\n    waiting"
                .into()
        )
    );
    all_gone(&hangs, 2);
    let mut missing = Project::new(
        "[sources.production]\naddress = \"127.0.0.1:{port}\"\ndomains = [\"player\"]\nconnect = [\"no-such-program\"]\n",
    );
    let ran = missing.run(&["capture", ALICE, "--source", "production", "--unredacted"]);
    assert_eq!(
        ran.err.trim_end(),
        "error: source `production`, domain `player`: `connect` cannot run `no-such-program`: No such file or directory \
         (os error 2)"
    );
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_runs() {
    let listener = crate::support::listener();
    let address = listener.local_addr().unwrap().to_string();
    let mut project = project(NOTED, &address, "");
    assert_eq!(
        capture(&mut project, "player"),
        (
            1,
            "error: source `production`, domain `player`: something is already listening on 127.0.0.1:PORT, so `connect` was \
             not run; end it, or write {port} in the address and in `connect` so that a free one is taken"
                .into()
        )
    );
    assert!(pids(&project).is_empty());
}

#[test]
fn an_interrupted_run_leaves_no_way_behind() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let project = project(&format!("{NOTED} exec sleep 1000"), FREE, "");
        let folder = project.path("");
        let mut child = tool(&folder)
            .args(["capture", ALICE, "--domain", "player", "--unredacted"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_that("the way", || pids(&project).len() == 2);
        processes::signal(&child, signal);
        assert!(!child.wait().unwrap().success());
        all_gone(&project, 2);
    }
}

#[test]
fn ways_that_cannot_be_meant_are_refused() {
    for (more, said) in [
        (
            "address = \"127.0.0.1:{port}\"",
            "127.0.0.1:{port}: {port} goes with `connect`",
        ),
        (
            "address = \"127.0.0.1:1\"\nconnect = [\"a\", \"{port}\"]",
            "`connect` opens the way on {port}; write {port} in the address too, as in 127.0.0.1:{port}",
        ),
        (
            "address = \"127.0.0.1:1\"\nconnect = []",
            "`connect` is empty; a program and its arguments are expected",
        ),
        (
            "address = \"127.0.0.1:1\"\nstart_timeout = 3",
            "`start_timeout` goes with `connect`",
        ),
    ] {
        let mut project = Project::new(&format!(
            "[sources.production]\ndomains = [\"player\"]\n{more}\n"
        ));
        let ran = project.run(&["roots", "--source", "production"]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        let error = ran.err.trim_end().replace("127.0.0.1:PORT", "127.0.0.1:1");
        assert!(
            error.ends_with(&format!("source `production`: {said}")),
            "{error}"
        );
    }
}
