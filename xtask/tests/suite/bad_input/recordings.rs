//! `record`, and what `capture` makes of a recording.

use insta::assert_snapshot;
use std::io::{BufRead, BufReader, Read as _};
use std::process::Stdio;

use angzarr_replay::internal::grpc::{Connection, ConnectionOptions};
use angzarr_replay::internal::model::Code;
use angzarr_replay::internal::record::{
    Answer, CallStore, KeepMode, RecordedCall, RecordingFile, Ring, parse_recording,
};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use bytes::Bytes;

use crate::bad_input::logs::gzip;
use test_support::processes::{self, await_that};
use test_support::recorded;
pub(crate) use test_support::recorded::noted;

use crate::support::{ALICE, Project, coordinator, tool};

/// Records calls of the deployment into a file of a project.
fn record(project: &Project, name: &str, calls: &[u64]) {
    keep(project, name, calls.iter().map(|call| noted(*call)));
}

pub(crate) fn keep(project: &Project, name: &str, notes: impl IntoIterator<Item = RecordedCall>) {
    recorded::keep(&project.path(name), notes);
}

#[test]
fn recorded_calls_become_cases() {
    let mut project = Project::new("");
    // Accepted and rejected by the logic; a saga's; a command to a coordinator; a question of a process manager's.
    record(&project, "calls.jsonl", &[108, 109, 34, 16, 116]);
    for arguments in [
        &[
            "capture",
            "--recorded",
            "calls.jsonl:1",
            "--name",
            "player/accepted",
            "--unredacted",
        ][..],
        &["capture", "--recorded", "calls.jsonl:2", "--unredacted"],
        &["capture", "--recorded", "calls.jsonl:2", "--unredacted"],
        &[
            "capture",
            "--recorded",
            "calls.jsonl:3",
            "--saga",
            "hand-player",
            "--unredacted",
        ],
        &["capture", "--recorded", "calls.jsonl:4", "--unredacted"],
        &[
            "capture",
            "--recording",
            "calls.jsonl",
            "--root",
            &ALICE[..8],
            "--unredacted",
            "--dry-run",
            "--json",
        ],
    ] {
        assert_eq!(project.run(arguments).code, 0, "{arguments:?}");
    }
    for arguments in [
        &["capture", "--recorded", "calls.jsonl:3", "--unredacted"][..],
        &[
            "capture",
            "--recorded",
            "calls.jsonl:3",
            "--saga",
            "buy-in",
            "--unredacted",
        ],
    ] {
        assert_eq!(project.run(arguments).code, 2, "{arguments:?}");
    }
    assert_snapshot!("recorded", project.transcript());
}

#[test]
fn recordings_that_do_not_help_are_told() {
    let mut project = Project::new("");
    record(&project, "calls.jsonl", &[108, 116]);
    project.write("empty.jsonl", "");
    project.write("notes.txt", "shopping\n");
    let unredacted = |arguments: &[&'static str]| {
        let mut all = vec!["capture"];
        all.extend(arguments);
        all.push("--unredacted");
        all
    };
    for arguments in [
        unredacted(&["--recorded", "nowhere.jsonl"]),
        unredacted(&["--recorded", "notes.txt"]),
        unredacted(&["--recorded", "empty.jsonl"]),
        unredacted(&["--recorded", "empty.jsonl:1"]),
        unredacted(&["--recorded", "calls.jsonl:9"]),
        unredacted(&["--recorded", "calls.jsonl:2"]),
        unredacted(&["--recording", "calls.jsonl", "--root", "ffff"]),
    ] {
        assert_eq!(project.run(&arguments).code, 1, "{arguments:?}");
    }
    for arguments in [
        &["capture", "--recorded", "calls.jsonl:1"][..],
        &["capture", "--recording", "calls.jsonl", "--unredacted"],
        &[
            "capture",
            "--recorded",
            "calls.jsonl",
            "--history",
            "--unredacted",
        ],
    ] {
        assert_eq!(project.run(arguments).code, 2, "{arguments:?}");
    }
    assert_snapshot!("recordings", project.transcript());
}

/// What the transport said may repeat what it carried, and nobody redacted it.
#[test]
fn a_failure_of_the_transport_is_told_without_its_message() {
    let mut project = Project::new("");
    let note = RecordedCall {
        answer: Answer::Status(FailingStatus::from_details(
            Code::Unavailable,
            "cannot deliver `s3cret`".into(),
            Bytes::new(),
        )),
        ..noted(108)
    };
    let ring = Ring {
        count: 100,
        age: std::time::Duration::MAX,
    };
    let mut file = RecordingFile::open(&project.path("calls.jsonl"), ring).unwrap();
    let subject = note.subject().ok();
    file.keep(&note, subject.as_ref(), KeepMode::Always)
        .unwrap();
    let ran = project.run(&["capture", "--recorded", "calls.jsonl:1", "--unredacted"]);
    assert_eq!(
        ran.err,
        "error: calls.jsonl, call 1: the failure came from the transport (UNAVAILABLE), not from the logic, so there is nothing \
         to reproduce; choose another call\n"
    );
}

#[test]
fn a_recorder_that_cannot_start_says_why() {
    let mut project = Project::new("");
    project.write("notes.txt", "shopping\n");
    let listen = [
        "record",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "127.0.0.1:1",
    ];
    let with = |more: &[&'static str]| [&listen[..], more].concat();
    for (arguments, code) in [
        (with(&[]), 2),
        (with(&["--unredacted", "--to", "notes.txt"]), 1),
        (with(&["--unredacted", "--ring-age", "soon"]), 2),
        (
            vec![
                "record",
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                "nowhere",
                "--unredacted",
            ],
            2,
        ),
        (
            vec![
                "record",
                "--listen",
                "nowhere",
                "--upstream",
                "127.0.0.1:1",
                "--unredacted",
            ],
            1,
        ),
        (vec!["record", "--unredacted"], 2),
    ] {
        assert_eq!(project.run(&arguments).code, code, "{arguments:?}");
    }
    let toml = project.read("replay.toml");
    for redaction in [
        "required = false",
        "required = false\nroots = \"pseudonym\"\nkey_file = \"key\"",
    ] {
        project.write_key("a key that only this test has");
        project.write(
            "replay.toml",
            &format!("{toml}\n[redaction]\n{redaction}\n"),
        );
        assert_eq!(project.run(&with(&[])).code, 2, "{redaction}");
    }
    // How the system words a name that is none differs from machine to machine.
    let lines = project.transcript().lines();
    let said: String = lines
        .map(|line| match line.split_once("cannot listen on nowhere: ") {
            Some((start, _)) => format!("{start}cannot listen on nowhere: REASON\n"),
            None => format!("{line}\n"),
        })
        .collect();
    assert_snapshot!("record", said);
}

/// Records calls that all fail, and ends the recorder with a signal; gives what it said, after where it listens.
#[cfg(unix)]
pub(crate) fn record_failing(
    project: &Project,
    arguments: &[&str],
    calls: &[(&str, Bytes)],
    signal: &str,
) -> String {
    let mut child = tool(&project.path(""))
        .args(["record", "--listen", "127.0.0.1:0"])
        .args(["--tickets", "recorded.jsonl"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    out.read_line(&mut said).unwrap();
    let address = said.split(' ').find(|word| word.starts_with("127.0.0.1:"));
    let options = ConnectionOptions::default();
    let connection = Connection::new(address.unwrap(), options).unwrap();
    for (path, request) in calls {
        connection.call(path, request.clone()).unwrap_err();
    }
    processes::signal(&child, signal);
    said.clear();
    out.read_to_string(&mut said).unwrap();
    let mut err = child.stderr.take().unwrap();
    err.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    said
}

#[cfg(unix)]
#[test]
fn an_interrupted_recorder_leaves_its_file_whole() {
    for signal in ["-INT", "-TERM"] {
        let server = coordinator(Dialect::ANGZARR, &[]);
        let project = Project::new("");
        let command = noted(16);
        let said = record_failing(
            &project,
            &["--unredacted", "--upstream", &server.address().to_string()],
            &[(&command.path, command.request.clone())],
            signal,
        );
        assert_eq!(said, "1 call passed on, 1 kept, 1 ticket written\n");
        let recorded = parse_recording(&project.read("recording.jsonl")).unwrap();
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0].call.request, command.request);
        let tickets = project.read("recorded.jsonl");
        assert!(
            tickets.starts_with("{\"ticket\":1,") && tickets.ends_with("}\n"),
            "{tickets}"
        );
    }
}

#[cfg(unix)]
#[test]
fn an_assumed_dialect_is_said_once_and_noted() {
    let newest = Dialect::IO_ANGZARR_V1;
    let server = coordinator(newest, &[]);
    let address = server.address().to_string();
    let command = noted(16);
    let path = newest.path("CommandHandlerCoordinatorService", "HandleCommand");
    let calls = [
        (&*path, command.request.clone()),
        (&*path, command.request.clone()),
    ];
    let arguments = ["--unredacted", "--upstream", &address];
    let project = Project::new("");
    let said = record_failing(&project, &arguments, &calls, "-INT");
    assert_eq!(
        said,
        "2 calls passed on, 2 kept, 2 tickets written\nthe dialect io.angzarr.v1 is assumed, and what is recorded says \
         so: io.angzarr.v1-2026-09 and io.angzarr.v1-2026-06 have the same package; --dialect says which is spoken\n"
    );
    for file in ["recording.jsonl", "recorded.jsonl"] {
        let text = project.read(file);
        assert_eq!(
            text.matches("\"dialect_assumed\":true").count(),
            2,
            "{text}"
        );
    }
    let project = Project::new("");
    let arguments = [&arguments[..], &["--dialect", "io.angzarr.v1-2026-06"]].concat();
    let said = record_failing(&project, &arguments, &calls, "-INT");
    assert_eq!(said, "2 calls passed on, 2 kept, 2 tickets written\n");
    for file in ["recording.jsonl", "recorded.jsonl"] {
        let text = project.read(file);
        assert!(!text.contains("assumed"), "{text}");
        assert_eq!(
            text.matches("\"io.angzarr.v1-2026-06\"").count(),
            2,
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_failed_command_that_makes_no_ticket_is_counted() {
    let server = coordinator(Dialect::ANGZARR, &[]);
    let project = Project::new("");
    let command = noted(16);
    // No message at all, and the coordinator refuses it.
    let garbage = Bytes::from_static(b"\xff\xff");
    let said = record_failing(
        &project,
        &["--unredacted", "--upstream", &server.address().to_string()],
        &[
            (&command.path, command.request.clone()),
            (&command.path, garbage),
        ],
        "-INT",
    );
    assert_eq!(
        said,
        "2 calls passed on, 2 kept, 1 ticket written\nno ticket for 1 failed command: its command does not decode\n"
    );
    assert_eq!(project.read("recorded.jsonl").lines().count(), 1);
}

#[test]
fn a_recording_is_read_packed_and_in_utf_16_as_it_was_written() {
    let mut project = Project::new("");
    record(&project, "plain.jsonl", &[108, 109]);
    let text = project.read("plain.jsonl");
    let utf16: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let captured = |project: &mut Project, name: &str| {
        let call = format!("{name}:2");
        let ran = project.run(&["capture", "--recorded", &call, "--unredacted", "--dry-run"]);
        (ran.code, ran.out.replace(name, "FILE"), ran.err)
    };
    let (code, expected, err) = captured(&mut project, "plain.jsonl");
    assert_eq!((code, err.as_str()), (0, ""));
    let marked = [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat();
    for bytes in [gzip(text.as_bytes()), gzip(&utf16), utf16, marked] {
        std::fs::write(project.path("other.jsonl"), &bytes).unwrap();
        let (code, out, err) = captured(&mut project, "other.jsonl");
        assert_eq!((code, err.as_str()), (0, ""));
        let untimed = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("captured_at"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(untimed(&out), untimed(&expected));
    }
    std::fs::write(project.path("other.jsonl"), b"\xfd7zXZ\0 and more").unwrap();
    assert_eq!(
        captured(&mut project, "other.jsonl").2,
        "error: cannot read the recording other.jsonl: it is compressed with xz, which is not supported; convert it to text \
         first\n"
    );
}

/// The end of a recording that was cut within a character.
#[test]
fn a_torn_last_line_of_a_recording_is_told_and_passed_over() {
    let mut project = Project::new("[redaction]\nrequired = false\n");
    let torn = RecordedCall {
        answer: Answer::Status(FailingStatus::from_details(
            Code::FailedPrecondition,
            "zu wenig f\u{fc}r Alice".into(),
            Bytes::new(),
        )),
        ..noted(109)
    };
    keep(&project, "calls.jsonl", [noted(108), torn]);
    let bytes = std::fs::read(project.path("calls.jsonl")).unwrap();
    let within = bytes.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
    std::fs::write(project.path("calls.jsonl"), &bytes[..within]).unwrap();
    let ran = project.run(&[
        "capture",
        "--recorded",
        "calls.jsonl",
        "--unredacted",
        "--dry-run",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told = "calls.jsonl:2: this line has no end and is passed over: a recorder is writing it, or was killed while it \
                was\n";
    assert_eq!(ran.err, told);
    let ran = project.run(&["audit", "calls.jsonl"]);
    let told =
        "calls.jsonl: not read: line 2 has no end, so the redaction rules were not tried on it\n";
    assert!(ran.out.contains(told), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn what_a_killed_recorder_leaves_is_read_and_continued() {
    let server = coordinator(Dialect::ANGZARR, &[]);
    let mut project = Project::new("");
    let upstream = server.address().to_string();
    let command = noted(16);
    let call = [(&*command.path, command.request.clone())];
    kill_recorder(&project, &upstream, &call[0]);
    // As it stands there when the kill comes within a write, and while the ring is cut.
    for file in ["recording.jsonl", "recorded.jsonl"] {
        let whole = project.read(file);
        let torn = format!("{whole}{}", &whole[..whole.len() / 2]);
        project.write(file, &torn);
    }
    project.write(".recording.jsonl.a1b2c3.part", "half");
    project.write(".other.jsonl.a1b2c3.part", "of another");
    let read = [
        "capture",
        "--recorded",
        "recording.jsonl:1",
        "--unredacted",
        "--dry-run",
    ];
    assert!(
        project
            .run(&read)
            .err
            .contains("recording.jsonl:2: this line has no end"),
    );
    assert_eq!(project.run(&["tickets", "recorded.jsonl"]).code, 0);
    let said = record_failing(
        &project,
        &["--unredacted", "--upstream", &upstream],
        &call,
        "-INT",
    );
    assert_eq!(
        said,
        "1 call passed on, 1 kept, 1 ticket written\nrecording.jsonl:2: an earlier recorder did not finish this line; it \
         is cut off\nrecorded.jsonl: its last line was not finished; it is left there, and tickets go to lines of their \
         own\n"
    );
    let recorded = parse_recording(&project.read("recording.jsonl")).unwrap();
    let calls: Vec<u64> = recorded
        .iter()
        .map(|recorded| recorded.call.number)
        .collect();
    assert_eq!(calls, [1, 2]);
    let tickets = project.run(&["tickets", "recorded.jsonl"]);
    assert!(
        tickets.out.contains("2 failures, 0 distinct bugs"),
        "{}",
        tickets.out
    );
    assert!(
        tickets.err.contains("recorded.jsonl:2: "),
        "{}",
        tickets.err
    );
    assert!(!project.path(".recording.jsonl.a1b2c3.part").exists());
    assert!(project.path(".other.jsonl.a1b2c3.part").exists());
}

/// Records a call that fails, and kills the recorder when both files have it.
#[cfg(unix)]
fn kill_recorder(project: &Project, upstream: &str, (path, request): &(&str, Bytes)) {
    let mut child = tool(&project.path(""))
        .args(["record", "--listen", "127.0.0.1:0", "--upstream", upstream])
        .args(["--tickets", "recorded.jsonl", "--unredacted"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut said).unwrap();
    let address = said.split(' ').find(|word| word.starts_with("127.0.0.1:"));
    let connection = Connection::new(address.unwrap(), ConnectionOptions::default()).unwrap();
    connection.call(path, request.clone()).unwrap_err();
    let is_written =
        |file: &str| std::fs::read(project.path(file)).is_ok_and(|bytes| bytes.ends_with(b"\n"));
    await_that("both files", || {
        is_written("recording.jsonl") && is_written("recorded.jsonl")
    });
    child.kill().unwrap();
    child.wait().unwrap();
}
