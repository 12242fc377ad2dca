//! The recorder as a sidecar: on standard output, with counters and health, ended by SIGTERM.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use angzarr_replay::internal::grpc::{Connection, ConnectionOptions};
use angzarr_replay::internal::record::parse_recording;
use insta::assert_snapshot;
use test_support::processes::{await_that, signal};

use crate::production::read_only::demo;
use crate::support::{Project, listener, tool};

/// Sends a request of HTTP/1, and returns the whole answer without its date.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nHost: recorder\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let lines = answer.lines().filter(|line| !line.starts_with("date:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text between two others.
fn between<'a>(line: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = line.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn a_sidecar_records_to_its_output_shows_its_counters_and_ends_when_it_is_asked_to() {
    let server = demo();
    let project = Project::bare();
    let upstream = server.address().to_string();
    let mut recorder = tool(&project.path(""))
        .args([
            "record",
            "--unredacted",
            "--to",
            "-",
            "--listen",
            "127.0.0.1:0",
        ])
        .args(["--metrics", "127.0.0.1:0", "--upstream", &upstream])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(recorder.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert!(
        first.ends_with("into standard output; end with Ctrl-C"),
        "{first}"
    );
    let address = between(&first, "goes from ", " to ").to_owned();
    let second = said.next().unwrap().unwrap();
    let metrics = between(&second, "metrics: http://", "/metrics").to_owned();

    // The demo's coordinator has no such service, and its answer is a failure like any other.
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let called = connection.call("/angzarr.SagaService/Handle", Vec::new().into());
    assert!(called.unwrap_err().failure().is_some());
    await_that("the call in the recording", || {
        ask(&metrics, "GET /metrics").contains("angzarr_recorder_kept_calls 1")
    });
    let answers = [
        "GET /metrics",
        "HEAD /healthz",
        "GET /healthz",
        "GET /",
        "POST /metrics",
    ];
    let answers = answers.map(|request| format!("{request}\n{}", ask(&metrics, request)));
    assert_snapshot!("recorder_metrics", answers.join("\n\n"));

    signal(&recorder, "-TERM");
    let mut recording = String::new();
    let mut output = recorder.stdout.take().unwrap();
    output.read_to_string(&mut recording).unwrap();
    assert_eq!(recorder.wait().unwrap().code(), Some(0));
    let calls = parse_recording(&recording).unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!((calls[0].call.number, recording.lines().count()), (1, 1));
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    assert_eq!(rest.last().unwrap(), "1 call passed on, 1 kept", "{rest:?}");
}

#[test]
fn limits_and_addresses_that_make_no_sense_are_refused() {
    let taken = listener();
    let taken = taken.local_addr().unwrap().to_string();
    let mut project = Project::bare();
    let arguments = [
        "record",
        "--unredacted",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "127.0.0.1:1",
    ];
    for (more, code) in [
        (["--max-mebibytes", "0"], 2),
        (["--max-age", "soon"], 2),
        (["--metrics", &taken], 1),
        (["--metrics", "nowhere"], 1),
    ] {
        let ran = project.run(&[&arguments[..], &more].concat());
        assert_eq!(ran.code, code, "{more:?}: {}", ran.err);
    }
    assert_snapshot!("recorder_refused", project.transcript());
}
