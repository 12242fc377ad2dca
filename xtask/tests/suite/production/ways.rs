//! Commands that open the way to a source: started, awaited, ended with everything that they started.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use test_support::processes::{self, assert_gone, await_that, is_running};
use tonic::{Code, Status};

use crate::production::gate::Gate;
use crate::production::read_only::demo;
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
    // A command that dies at once every time is started as often as a query is asked, and reported once.
    for (more, starts, again) in [
        ("", 4, ", also after it was started again 3 times"),
        ("retries = 1", 2, ", also after it was started again"),
        ("retries = 0", 1, ""),
    ] {
        let script = "echo $$ >> pids; echo no such cluster >&2; exit 7";
        let mut ends = project(script, FREE, more);
        assert_eq!(
            capture(&mut ends, "player"),
            (
                1,
                format!(
                    "error: source `production`, domain `player`: the way in ended: `sh -c '{script}'` ended with exit \
                     status: 7, and 127.0.0.1:PORT cannot be reached{again}; its last output:\n    no such cluster"
                )
            )
        );
        all_gone(&ends, starts);
    }
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

/// Production behind a port forward: the history is too long for one reply, so it is read page by page, and the forward is
/// killed in the middle. Our own recorder forwards the port.
struct Forwarded {
    project: Project,
    gate: Gate,
    _behind: angzarr_replay::internal::grpc::Server,
}

/// Calls before the history is read in windows of one page: one that finds out the dialect, one for the whole history, and
/// eleven windows of 2,048 pages to two.
const BEFORE_PAGES: usize = 13;

impl Forwarded {
    /// The forward is killed when the coordinator receives the call that follows these numbers of answered calls.
    fn new(killed_at: &'static [usize], script: &str, more: &str) -> Self {
        let behind = demo();
        let pids: Arc<OnceLock<PathBuf>> = Arc::default();
        let file = Arc::clone(&pids);
        let (answered, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let gate = Gate::refusing(behind.address(), move |_, seen| {
            if !seen.path.ends_with("EventQueryService/GetEventBook") {
                return None;
            }
            let call = answered.load(Ordering::Relaxed);
            if killed_at.get(killed.load(Ordering::Relaxed)) == Some(&call) {
                killed.fetch_add(1, Ordering::Relaxed);
                kill_last(file.get().unwrap());
                return None;
            }
            answered.fetch_add(1, Ordering::Relaxed);
            (1..BEFORE_PAGES).contains(&call).then(|| {
                Status::new(
                    Code::OutOfRange,
                    "Error, encoded message length too large: found 2 bytes, the limit is: 1 bytes",
                )
            })
        });
        let forward = format!(
            "echo $$ >> pids; exec {} record --unredacted --to /dev/null --listen 127.0.0.1:{{port}} --upstream {}",
            tool_path(),
            gate.address
        );
        let project = project(&script.replace("FORWARD", &forward), FREE, more);
        pids.set(project.path("pids")).unwrap();
        Self {
            project,
            gate,
            _behind: behind,
        }
    }

    /// The captured fixture, without the time of its capture, and how many calls reached the coordinator.
    fn captured(&mut self) -> (String, usize) {
        let arguments = [
            "capture",
            ALICE,
            "--domain",
            "player",
            "--unredacted",
            "--history",
        ];
        let ran = self.project.run(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let files = self.project.files();
        let is_fixture = |name: &str| name.starts_with("fixtures/player/");
        let (_, fixture) = files.iter().find(|(name, _)| is_fixture(name)).unwrap();
        let text = String::from_utf8(fixture.clone()).unwrap();
        let lines = text.lines().filter(|line| !line.contains("captured_at:"));
        (lines.collect::<Vec<_>>().join("\n"), self.gate.seen().len())
    }
}

/// Kills the newest of the noted processes, and waits until it is gone.
fn kill_last(pids: &std::path::Path) {
    let text = std::fs::read_to_string(pids).unwrap();
    let pid = text.lines().last().unwrap();
    assert!(
        Command::new("kill")
            .args(["-KILL", pid])
            .status()
            .unwrap()
            .success()
    );
    await_that("the end of the forward", || !is_running(pid));
}

#[test]
fn a_forward_that_is_killed_while_a_history_is_read_is_opened_again() {
    let (undisturbed, calls) = Forwarded::new(&[], "FORWARD", "").captured();
    assert!(undisturbed.contains("sequence: 2"), "{undisturbed}");
    // Before the pages, at the second page, and at the same page twice.
    for (killed_at, killed) in [(&[3][..], 1), (&[14][..], 1), (&[14, 14, 15][..], 3)] {
        let mut forwarded = Forwarded::new(killed_at, "FORWARD", "");
        // Only the query that was under way is asked again: what was read before is kept.
        assert_eq!(forwarded.captured(), (undisturbed.clone(), calls + killed));
        all_gone(&forwarded.project, killed + 1);
    }
}

#[test]
fn a_forward_that_dies_at_once_every_time_is_reported_with_its_last_words() {
    let script = "if [ -e pids ]; then echo $$ >> pids; echo lost connection to pod >&2; exit 1; fi; FORWARD";
    for (more, starts, again) in [
        ("", 4, ", also after it was started again 3 times"),
        ("retries = 0", 1, ""),
    ] {
        let mut forwarded = Forwarded::new(&[14], script, more);
        let arguments = ["capture", ALICE, "--domain", "player", "--unredacted"];
        let ran = forwarded.project.run(&arguments);
        assert_eq!(ran.code, 1);
        let (start, end) = ran.err.split_once(" ended with ").unwrap();
        assert!(
            start.starts_with("error: the way in ended: `sh -c 'if [ -e pids ]; then"),
            "{}",
            ran.err
        );
        assert!(start.ends_with("…`"), "{}", ran.err);
        let status = if starts == 1 {
            "signal: 9 (SIGKILL)"
        } else {
            "exit status: 1"
        };
        let said = if starts == 1 {
            "; "
        } else {
            "; its last output:\n    lost connection to pod"
        };
        let expected = format!("{status}, and 127.0.0.1:PORT cannot be reached{again}{said}");
        assert!(end.starts_with(&expected), "{}", ran.err);
        all_gone(&forwarded.project, starts);
    }
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
