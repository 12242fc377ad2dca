//! The recording file: its ring, its lines, its mistakes.

use std::path::Path;
use std::time::Duration;

use angzarr_replay::internal::model::{
    Code, CommandBook, Cover, Failure, Header, Payload, Redactions, Root, SyncMode, Timestamp,
};
use angzarr_replay::internal::record::{
    Answer, CallStore, FailureLogWriter, KeepLimits, KeepMode, RecordedCall, RecordingFile, Ring,
    parse_recording,
};
use angzarr_replay::internal::ticket::Ticket;
use angzarr_replay::internal::wire::{Dialect, FailingStatus, encode_command_request};
use test_support::books;

use super::support::{Client, NOW, Upstream, answering, framed, recorder, request, ring};

fn note(request: &str) -> RecordedCall {
    RecordedCall {
        number: 0,
        time: NOW,
        path: "/angzarr.SagaService/Handle".into(),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: request.to_owned().into(),
        answer: Answer::Reply("reply".into()),
        redacted: Redactions::default(),
    }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp {
        seconds: NOW.seconds + seconds,
        nanos: 0,
    }
}

/// Numbers of the calls in a file, and how they are kept.
fn calls(file: &Path) -> Vec<(u64, KeepMode)> {
    let text = std::fs::read_to_string(file).unwrap();
    let recorded = parse_recording(&text).unwrap();
    recorded
        .into_iter()
        .map(|recorded| (recorded.call.number, recorded.kept))
        .collect()
}

#[test]
fn a_note_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let failure = Failure {
        code: Code::FailedPrecondition,
        message: "Insufficient funds, „no\"\n".into(),
        info: None,
    };
    let notes = [
        note("request"),
        RecordedCall {
            time: later(-1),
            dialect: "io.angzarr.v1-2026-06".parse().unwrap(),
            path: "/io.angzarr.v1.SagaService/Handle".into(),
            answer: Answer::Status(FailingStatus {
                failure,
                details: vec![0, 1, 255].into(),
            }),
            ..note("")
        },
        RecordedCall {
            dialect: Dialect::IO_ANGZARR_V1,
            dialect_assumed: true,
            path: "/io.angzarr.v1.SagaService/Handle".into(),
            ..note("")
        },
    ];
    let mut recording = RecordingFile::open(&file, ring(10)).unwrap();
    for note in &notes {
        recording.keep(note, None, KeepMode::Always).unwrap();
    }
    recording.finish().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let read = parse_recording(&text).unwrap();
    for (number, (read, note)) in (1..).zip(read.iter().zip(&notes)) {
        let numbered = RecordedCall {
            number,
            ..note.clone()
        };
        assert_eq!(read.call, numbered);
        assert_eq!(read.kept, KeepMode::Always);
        assert_eq!(read.line as u64, number);
    }
}

#[cfg(unix)]
#[test]
fn a_new_recording_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(1)).unwrap();
    let mode = || file.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    for request in ["a", "b"] {
        recording
            .keep(&note(request), None, KeepMode::InRing)
            .unwrap();
    }
    recording.expire(NOW).unwrap();
    recording.finish().unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_ring_keeps_the_newest_and_failures_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(2)).unwrap();
    for (request, kept) in [
        ("a", KeepMode::InRing),
        ("b", KeepMode::Always),
        ("c", KeepMode::InRing),
        ("d", KeepMode::InRing),
    ] {
        recording.keep(&note(request), None, kept).unwrap();
        recording.expire(NOW).unwrap();
    }
    recording.finish().unwrap();
    let (always, ring) = (KeepMode::Always, KeepMode::InRing);
    assert_eq!(calls(&file), [(2, always), (3, ring), (4, ring)]);
}

#[test]
fn the_ring_lets_go_of_what_is_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let age = Duration::from_secs(60);
    let mut recording = RecordingFile::open(&file, Ring { count: 10, age }).unwrap();
    recording.keep(&note("a"), None, KeepMode::InRing).unwrap();
    let newer = RecordedCall {
        time: later(30),
        ..note("b")
    };
    recording.keep(&newer, None, KeepMode::InRing).unwrap();
    recording.expire(later(60)).unwrap();
    recording.expire(later(61)).unwrap();
    recording.finish().unwrap();
    assert_eq!(calls(&file), [(2, KeepMode::InRing)]);
}

#[test]
fn nothing_stays_beyond_the_greatest_age_not_even_failures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let limits = KeepLimits {
        age: Some(Duration::from_secs(60)),
        ..KeepLimits::NONE
    };
    let open = || {
        RecordingFile::open(&file, ring(10))
            .unwrap()
            .with_limits(limits)
    };
    let mut recording = open();
    let (always, in_ring) = (KeepMode::Always, KeepMode::InRing);
    for (at, kept) in [(0, always), (0, in_ring), (30, always), (30, in_ring)] {
        let call = RecordedCall {
            time: later(at),
            ..note("a")
        };
        recording.keep(&call, None, kept).unwrap();
    }
    recording.expire(later(60)).unwrap();
    recording.finish().unwrap();
    assert_eq!(calls(&file).len(), 4);
    drop(recording);
    // Those of an earlier recorder count too.
    let mut recording = open();
    recording.expire(later(61)).unwrap();
    recording.finish().unwrap();
    assert_eq!(calls(&file), [(3, always), (4, in_ring)]);
    assert_eq!(recording.left_out(), 0);
}

#[test]
fn a_recording_never_outgrows_its_limit_and_failures_stay_longest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(1_000)).unwrap();
    let size = || std::fs::metadata(&file).unwrap().len();
    recording.keep(&note("a"), None, KeepMode::Always).unwrap();
    let line = size();
    let bytes = line * 20;
    let mut recording = recording.with_limits(KeepLimits {
        bytes,
        ..KeepLimits::NONE
    });
    for number in 0..200 {
        let kept = if number % 40 == 0 {
            KeepMode::Always
        } else {
            KeepMode::InRing
        };
        recording.keep(&note("a"), None, kept).unwrap();
        recording.expire(NOW).unwrap();
        assert!(size() <= bytes, "{} of {bytes}", size());
    }
    recording.finish().unwrap();
    let kept = calls(&file);
    let always = kept.iter().filter(|(_, kept)| *kept == KeepMode::Always);
    // All failures, and the newest of the others.
    assert_eq!(always.count(), 6);
    assert!(kept.contains(&(201, KeepMode::InRing)));
    assert_eq!(recording.left_out(), 201 - kept.len() as u64);
    for _ in 0..100 {
        recording.keep(&note("a"), None, KeepMode::Always).unwrap();
        recording.expire(NOW).unwrap();
        assert!(size() <= bytes, "{} of {bytes}", size());
    }
    recording.finish().unwrap();
    let kept = calls(&file);
    assert!(kept.iter().all(|(_, kept)| *kept == KeepMode::Always));
    assert_eq!(kept.last(), Some(&(301, KeepMode::Always)));
}

/// A command that its coordinator refused.
fn refused(at: i64) -> RecordedCall {
    let book = CommandBook {
        cover: Cover::main(books::player(), Root::new([7; 16])),
        pages: vec![books::command_page(
            Header::Sequence(0),
            Payload::new("test.Add", vec![1; 100]),
        )],
        original: None,
    };
    let failure = Failure {
        code: Code::FailedPrecondition,
        message: "no".into(),
        info: None,
    };
    RecordedCall {
        time: later(at),
        path: "/angzarr.CommandHandlerCoordinatorService/HandleCommand".into(),
        request: encode_command_request(&book, SyncMode::Async, Dialect::ANGZARR),
        answer: Answer::Status(FailingStatus::from(failure)),
        ..note("")
    }
}

#[test]
fn a_failure_log_begins_anew_when_half_of_it_is_too_large_or_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let tickets = |name: &str| {
        let text = std::fs::read_to_string(path(name)).unwrap_or_default();
        Ticket::parse_lines(&text).unwrap().len()
    };
    let log = || FailureLogWriter::open(&path("failures.jsonl")).unwrap();
    let mut plain = log();
    assert!(plain.add(&refused(0)).unwrap());
    let line = std::fs::metadata(path("failures.jsonl")).unwrap().len();
    let mut limited = log().with_limits(KeepLimits {
        bytes: line * 8,
        ..KeepLimits::NONE
    });
    for number in 1..20 {
        assert!(limited.add(&refused(0)).unwrap());
        let (newer, older) = (tickets("failures.jsonl"), tickets("failures.jsonl.1"));
        assert!(newer > 0 && newer + older <= 8, "{newer} and {older}");
        assert!(newer + older == number + 1 || older > 0);
    }
    std::fs::remove_file(path("failures.jsonl.1")).unwrap();
    std::fs::remove_file(path("failures.jsonl")).unwrap();
    let mut limited = log().with_limits(KeepLimits {
        age: Some(Duration::from_secs(60)),
        ..KeepLimits::NONE
    });
    for (at, newer, older) in [(0, 1, 0), (30, 2, 0), (31, 1, 2), (62, 1, 1)] {
        assert!(limited.add(&refused(at)).unwrap());
        let found = (tickets("failures.jsonl"), tickets("failures.jsonl.1"));
        assert_eq!(found, (newer, older), "{at}");
    }
}

#[test]
fn a_long_run_keeps_the_file_near_its_ring() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(10)).unwrap();
    for _ in 0..2_000 {
        recording.keep(&note("a"), None, KeepMode::InRing).unwrap();
        recording.expire(NOW).unwrap();
    }
    let there = calls(&file);
    assert!(there.len() < 300, "{}", there.len());
    assert_eq!(there.last(), Some(&(2_000, KeepMode::InRing)));
    drop(recording);
    let mut recording = RecordingFile::open(&file, ring(10)).unwrap();
    recording.expire(NOW).unwrap();
    recording.finish().unwrap();
    let numbers: Vec<u64> = calls(&file).iter().map(|(call, _)| *call).collect();
    assert_eq!(numbers, (1_991..=2_000).collect::<Vec<_>>());
}

#[test]
fn a_trimmed_recording_keeps_whole_lines_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(3)).unwrap();
    let (always, in_ring) = (KeepMode::Always, KeepMode::InRing);
    for round in 0..3 {
        for number in 0..400 {
            // Lines of different lengths.
            let request = note(&"x".repeat(number % 7));
            let kept = if number % 100 == 0 { always } else { in_ring };
            recording.keep(&request, None, kept).unwrap();
            recording.expire(NOW).unwrap();
        }
        recording.finish().unwrap();
        let first = round * 400 + 1;
        let failures = (0..=round).flat_map(|round| [1, 101, 201, 301].map(|at| round * 400 + at));
        let newest = (first + 397)..=(first + 399);
        let expected: Vec<_> = failures
            .map(|number| (number, always))
            .chain(newest.map(|number| (number, in_ring)))
            .collect();
        assert_eq!(calls(&file), expected);
        let text = std::fs::read_to_string(&file).unwrap();
        for line in parse_recording(&text).unwrap() {
            let number = usize::try_from(line.call.number - 1).unwrap();
            assert_eq!(line.call.request.len(), number % 400 % 7);
        }
    }
}

#[test]
fn a_recording_that_another_program_shortened_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(2)).unwrap();
    let mut keep = |request: &str| {
        let call = note(request);
        recording.keep(&call, None, KeepMode::InRing).unwrap();
        recording.expire(NOW).unwrap();
    };
    keep("a");
    keep("b");
    // As `copytruncate` of logrotate does.
    std::fs::write(&file, "").unwrap();
    keep("a longer request");
    keep("d");
    keep("e");
    recording.finish().unwrap();
    assert_eq!(calls(&file), [(4, KeepMode::InRing), (5, KeepMode::InRing)]);
}

#[test]
fn a_recording_is_continued_and_a_half_line_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let mut recording = RecordingFile::open(&file, ring(10)).unwrap();
    recording.keep(&note("a"), None, KeepMode::InRing).unwrap();
    drop(recording);
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{\"recording\":1,\"call\":2,\"ti");
    std::fs::write(&file, &text).unwrap();
    // Whoever reads while it is written passes over what is not finished.
    assert_eq!(parse_recording(&text).unwrap().len(), 1);
    let mut recording = RecordingFile::open(&file, ring(10)).unwrap();
    recording.keep(&note("b"), None, KeepMode::InRing).unwrap();
    assert_eq!(calls(&file), [(1, KeepMode::InRing), (2, KeepMode::InRing)]);
}

#[test]
fn a_file_that_cannot_be_recorded_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let name = file.display();
    std::fs::write(&file, "shopping\n").unwrap();
    let refused = |file: &Path| RecordingFile::open(file, ring(1)).unwrap_err().to_string();
    assert_eq!(
        refused(&file),
        format!(
            "{name} is not a recording, line 1: not a recorded call: expected value at column 1; name another file, or \
             move this one away"
        )
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "shopping\n");
    assert_eq!(
        refused(folder.path()),
        format!(
            "cannot record to {}: Is a directory (os error 21)",
            folder.path().display()
        )
    );
    std::fs::remove_file(&file).unwrap();
    let _first = RecordingFile::open(&file, ring(1)).unwrap();
    assert_eq!(
        refused(&file),
        format!("{name} is written by another recorder; give each a file of its own")
    );
}

#[test]
fn a_dialect_is_assumed_where_the_line_says_so_and_others_share_the_package() {
    let line = |package: &str, dialect: &str, more: &str| {
        let text = format!(
            "{{\"recording\":1,\"call\":7,\"time\":\"2026-11-23T00:03:10Z\",\"path\":\"/{package}.SagaService/Handle\",\
             \"dialect\":\"{dialect}\",{more}\"kept\":\"ring\",\"code\":\"OK\",\"request\":\"\",\"reply\":\"\"}}\n"
        );
        let read = parse_recording(&text).unwrap();
        read[0].call.dialect_assumed
    };
    let (shared, september) = ("io.angzarr.v1", "io.angzarr.v1-2026-09");
    assert!(line(shared, shared, "\"dialect_assumed\":true,"));
    assert!(line(shared, september, "\"dialect_assumed\":true,"));
    assert!(!line(shared, shared, "\"dialect_assumed\":false,"));
    // As recorders wrote it before they told an assumption.
    assert!(!line(shared, shared, ""));
    assert!(!line("angzarr", "angzarr", "\"dialect_assumed\":true,"));
}

#[test]
fn mistakes_in_a_line_are_told() {
    let good = "{\"recording\":1,\"call\":7,\"time\":\"2026-11-23T00:03:10Z\",\
                \"path\":\"/angzarr.SagaService/Handle\",\"dialect\":\"angzarr\",\"kept\":\"ring\",\"code\":\"OK\",\
                \"request\":\"\",\"reply\":\"\"}\n";
    assert_eq!(parse_recording(good).unwrap().len(), 1);
    let told = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        parse_recording(&text).unwrap_err().to_string()
    };
    assert_eq!(
        told("{\"rec", "[\"rec"),
        "line 1: not a recorded call: trailing characters at column 13"
    );
    assert_eq!(
        told("\"recording\":1,", ""),
        "line 1: the key `recording` is missing"
    );
    assert_eq!(
        told("\"recording\":1", "\"recording\":2"),
        "line 1: recording version 2 is not known, this version reads 1; is there a newer angzarr-replay?"
    );
    assert_eq!(
        told("\"code\":\"OK\",", ""),
        "line 1: the key `code` is missing"
    );
    assert_eq!(
        told("\"OK\"", "\"FINE\""),
        "line 1: `code`: `FINE` is not a gRPC status code such as NOT_FOUND"
    );
    assert_eq!(
        told("\"OK\"", "\"ABORTED\""),
        "line 1: `reply`: a call that failed (ABORTED) has none"
    );
    assert_eq!(
        told("\"ring\"", "\"here\""),
        "line 1: `kept`: it is `always` or `ring`"
    );
    assert_eq!(
        told("SagaService/Handle", "EventQueryService/GetEvents"),
        "line 1: `path`: calls of this method are not recorded"
    );
    assert_eq!(
        told("/angzarr.", "/io.angzarr.v1."),
        "line 1: `path`: the dialect angzarr has no such path"
    );
    assert_eq!(
        told("\"time\":\"2026-11-23T00", "\"time\":\"noon"),
        "line 1: `time`: not an RFC 3339 timestamp (failed to parse four digit integer as year: invalid digit, expected \
         0-9 but got n)"
    );
    assert_eq!(
        told("\"request\":\"\"", "\"request\":\"%\""),
        "line 1: `request`: not base64 (Invalid symbol 37, offset 0.)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ring_lets_go_is_not_counted_as_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    // What an earlier recorder kept is not this one's to count.
    let mut earlier = RecordingFile::open(&file, ring(10)).unwrap();
    for _ in 0..3 {
        earlier
            .keep(&note("request"), None, KeepMode::InRing)
            .unwrap();
    }
    earlier.finish().unwrap();
    drop(earlier);
    let upstream = Upstream::start(answering(b""));
    let recording = RecordingFile::open(&file, ring(2)).unwrap();
    let recorder = recorder(upstream.address, vec![Box::new(recording)]);
    let client = Client::connect(recorder.address()).await;
    for _ in 0..5 {
        let request = request("/angzarr.SagaService/Handle").body(()).unwrap();
        client.call(request, framed(b"")).await;
    }
    drop(client);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.passed, counts.kept), (5, 2), "{counts:?}");
    assert_eq!(calls(&file), [(7, KeepMode::InRing), (8, KeepMode::InRing)]);
}
