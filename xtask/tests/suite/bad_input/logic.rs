//! Logic that does not start, does not serve, dies, or answers nonsense: no process of it is left.

use insta::assert_snapshot;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Methods, Server, serve_logic};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use bytes::Bytes;

use test_support::processes::{assert_gone, await_that, signal};

use crate::support::{Project, listener, tool};

pub(crate) const CASE: &str = "fixtures/player/case.yaml";

/// A project with a captured case, whose logic is then configured.
pub(crate) fn captured(logic: &str) -> Project {
    let mut project = Project::new("");
    let captured = project.run(&["capture", "6513270e", "--name", "player/case"]);
    assert_eq!(captured.code, 0, "{}", captured.err);
    let toml = project.read("replay.toml");
    project.write("replay.toml", &format!("{toml}\n{logic}"));
    project.forget();
    project
}

fn command(words: &[&str]) -> String {
    format!("[logic.player]\ncommand = {words:?}\nstart_timeout = 1\n")
}

/// Every place that needs logic says the same of it.
fn refused_everywhere(project: &mut Project) {
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_eq!(project.run(&["close", CASE]).code, 1);
}

#[test]
fn a_command_that_cannot_be_run_is_told() {
    let mut project = captured(&command(&["no-such-program", "--port", "{port}"]));
    refused_everywhere(&mut project);
    // A capture is worth having without a replay: it is written and says why it was not checked.
    assert_eq!(
        project
            .run(&["capture", "6513270e", "--name", "player/other"])
            .code,
        0
    );
    let accepted = ["capture", "6513270e", "--name", "player/third", "--accept"];
    assert_eq!(project.run(&accepted).code, 1);
    assert_snapshot!("logic_cannot_run", project.transcript());
}

#[test]
fn a_command_that_ends_at_once_shows_its_last_output() {
    let script = "echo starting >&2; echo no database >&2; exit 3";
    let mut project = captured(&command(&["sh", "-c", script]));
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("logic_ends_at_once", project.transcript());
}

#[test]
fn a_failing_build_shows_its_output() {
    let build = "build = [\"sh\", \"-c\", \"echo error: it does not compile >&2; exit 1\"]\n";
    let mut project = captured(&format!("{}{build}", command(&["true"])));
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("logic_does_not_build", project.transcript());
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let script = "echo $$ > pids; sleep 600 & echo $! >> pids; wait";
    let mut project = captured(&command(&["sh", "-c", script]));
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_eq!(pids(&project).len(), 2);
    assert_gone(&pids(&project));
    std::fs::remove_file(project.path("pids")).unwrap();
    let ran = project.run(&["replay", CASE]);
    assert!(ran.err.contains("did not serve on port"), "{}", ran.err);
    assert_snapshot!("logic_hangs", project.transcript_without_port());
}

/// The processes that logic wrote down.
fn pids(project: &Project) -> Vec<String> {
    let text = std::fs::read_to_string(project.path("pids")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_port_of_somebody_else_is_told() {
    let taken = listener();
    let port = taken.local_addr().unwrap().port();
    let logic = format!("{}port = {port}\n", command(&["sleep", "600"]));
    let mut project = captured(&logic);
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("logic_port_taken", project.transcript_without_port());
}

/// This test is a process of the test below: logic that dies in the middle of a command.
#[test]
fn peer() {
    let Some(port) = std::env::var_os("PORT").filter(|_| std::env::var_os("PEER").is_some()) else {
        return;
    };
    let port: u16 = port.to_str().unwrap().parse().unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    Server::start(listener, Dialect::ANGZARR, Arc::new(Dying), None)
        .unwrap()
        .wait();
}

struct Dying;

impl Methods for Dying {
    fn call(&self, method: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        if method == "CommandHandlerService/Handle" {
            let _ = std::io::stderr().write_all(b"out of memory, good bye\n");
            std::process::exit(3);
        }
        None
    }
}

#[test]
fn logic_that_dies_during_a_case_shows_its_last_output() {
    let own = std::env::current_exe().unwrap();
    let words = [
        own.to_str().unwrap(),
        "--exact",
        "bad_input::logic::peer",
        "--nocapture",
    ];
    let logic = command(&words).replace("start_timeout = 1", "start_timeout = 20")
        + "environment = { PEER = \"1\" }\n";
    let mut project = captured(&logic);
    let ran = project.run(&["replay", CASE]);
    assert_eq!(ran.code, 1);
    let own = own.display().to_string();
    assert_snapshot!("logic_dies", project.transcript().replace(&own, "PEER"));
}

#[test]
fn an_address_where_nothing_listens_is_told() {
    let address = listener().local_addr().unwrap();
    let mut project = captured(&format!("[logic.player]\naddress = \"{address}\"\n"));
    refused_everywhere(&mut project);
    assert_eq!(
        project
            .run(&["replay", CASE, "--logic", &address.to_string()])
            .code,
        1
    );
    assert_eq!(
        project
            .run(&["replay", CASE, "--logic", "somewhere:else"])
            .code,
        1
    );
    assert_eq!(project.run(&["replay", CASE, "--logic", "nobody"]).code, 1);
    assert_snapshot!("logic_unreachable", project.transcript());
}

pub(crate) struct Garbage;

impl Methods for Garbage {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        Some(Ok(vec![Bytes::from_static(b"\x0a\xffsecret")]))
    }
}

#[test]
fn logic_that_answers_garbage_is_told_without_its_bytes() {
    let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Garbage), None).unwrap();
    let mut project = captured(&format!(
        "[logic.player]\naddress = \"{}\"\n",
        server.address()
    ));
    refused_everywhere(&mut project);
    assert_snapshot!("logic_garbage", project.transcript());
}

#[test]
fn logic_of_another_dialect_is_told() {
    let logic = Arc::new(poker::Player::default());
    let server = serve_logic(listener(), Dialect::IO_ANGZARR_V1, logic).unwrap();
    let mut project = captured(&format!(
        "[logic.player]\naddress = \"{}\"\n",
        server.address()
    ));
    refused_everywhere(&mut project);
    assert_snapshot!("logic_wrong_dialect", project.transcript());
}

#[test]
fn logic_that_never_answers_meets_its_deadline() {
    let quiet = listener();
    let address = quiet.local_addr().unwrap();
    let mut project = captured(&format!(
        "[logic.player]\naddress = \"{address}\"\ndeadline = 1\n"
    ));
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("logic_never_answers", project.transcript());
}

#[test]
fn logic_in_process_has_to_be_registered() {
    let mut project = captured("[logic.player]\nin_process = \"nobody\"\n");
    assert_eq!(project.run(&["replay", CASE]).code, 1);
    assert_snapshot!("logic_not_registered", project.transcript());
}

struct Silent;

impl Methods for Silent {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        None
    }
}

#[test]
fn logic_that_offers_nothing_for_a_history_is_no_success() {
    let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Silent), None).unwrap();
    let mut project = captured(&format!(
        "[logic.player]\naddress = \"{}\"\n",
        server.address()
    ));
    let history = [
        "capture",
        "6513270e",
        "--history",
        "--name",
        "player/history",
    ];
    assert_eq!(project.run(&history).code, 0);
    let accepted = ["capture", "9531985d", "--accept", "--name", "player/other"];
    assert_eq!(project.run(&accepted).code, 1);
    refused_history(&mut project);
    assert_snapshot!("logic_without_replay", project.transcript());
}

fn refused_history(project: &mut Project) {
    let case = "fixtures/player/history.yaml";
    assert_eq!(project.run(&["close", case]).code, 1);
    assert_eq!(project.run(&["close", case, "--force"]).code, 1);
}

/// Starts another process, writes down both numbers, and waits.
const STARTS_ANOTHER: &str = "echo $$ > pids; sleep 600 & echo $! >> pids; wait";

/// A project whose logic is given time to start, although it never serves.
fn with_patience(words: &[&str]) -> Project {
    captured(&command(words).replace("start_timeout = 1", "start_timeout = 60"))
}

/// A killed tool can do nothing any more.
fn assert_gone_with_a_killed_tool(words: &[&str]) {
    let project = with_patience(words);
    let mut child = tool(&project.path(""))
        .args(["replay", CASE])
        .spawn()
        .unwrap();
    await_that("the logic", || pids(&project).len() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_gone(&pids(&project));
}

#[test]
#[cfg(unix)]
fn logic_does_not_outlive_a_tool_that_was_killed() {
    assert_gone_with_a_killed_tool(&["sh", "-c", STARTS_ANOTHER]);
}

/// `timeout` and `setsid` leave the group that they are started in.
#[test]
fn logic_in_a_group_of_its_own_does_not_outlive_a_tool_that_was_killed() {
    for leaves in [&["timeout", "600"][..], &["setsid"]] {
        assert_gone_with_a_killed_tool(&[leaves, &["sh", "-c", STARTS_ANOTHER]].concat());
    }
}

/// The logic kills the tool as its first action: the earliest possible moment.
#[test]
fn logic_does_not_outlive_a_tool_that_it_kills_as_it_starts() {
    let script = "echo $$ > pids; sleep 600 & echo $! >> pids; kill -KILL $PPID; wait";
    let project = captured(&command(&["sh", "-c", script]));
    let status = tool(&project.path("")).args(["replay", CASE]).status();
    assert_eq!(status.unwrap().code(), None);
    assert_gone(&pids(&project));
}

#[test]
fn an_interrupted_replay_ends_its_logic() {
    let project = with_patience(&["sh", "-c", STARTS_ANOTHER]);
    let mut child = tool(&project.path(""))
        .args(["replay", CASE])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_that("the logic", || pids(&project).len() == 2);
    signal(&child, "-INT");
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), said.as_str()),
        (Some(130), "")
    );
    assert_gone(&pids(&project));
}
