//! Disks that are slow or full: calls go on, and what is lost is counted.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use angzarr_replay::internal::model::Timestamp;
use angzarr_replay::internal::record::{
    CallStore, KeepMode, RecordedCall, Recorder, RecordingFile, Subject, parse_recording,
};

use super::support::{
    Client, Upstream, answering, failing, framed, recorder, request, ring, settings,
};

/// Takes a note only when it is told to.
struct Slow {
    reached: Sender<()>,
    go_on: Receiver<()>,
}

impl CallStore for Slow {
    fn keep(&mut self, _: &RecordedCall, _: Option<&Subject>, _: KeepMode) -> io::Result<()> {
        let _ = self.reached.send(());
        let _ = self.go_on.recv();
        Ok(())
    }

    fn expire(&mut self, _: Timestamp) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn ask(client: &Client) {
    let request = request("/angzarr.SagaService/Handle").body(()).unwrap();
    let half = client.call(request, framed(b"")).await;
    assert_eq!(half.body, framed(b"done"));
    assert_eq!(half.status(), Some("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_delays_no_call_and_what_is_lost_is_counted() {
    let (reached, at_the_disk) = channel();
    let (let_go, go_on) = channel();
    let upstream = Upstream::start(answering(b"done"));
    let mut settings = settings(upstream.address, vec![Box::new(Slow { reached, go_on })]);
    settings.waiting = 2;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    ask(&client).await;
    // One note is at the disk for as long as this test likes.
    tokio::task::spawn_blocking(move || at_the_disk.recv().unwrap())
        .await
        .unwrap();
    for _ in 0..10 {
        ask(&client).await;
    }
    let counts = recorder.counts();
    assert_eq!((counts.passed, counts.kept), (11, 0));
    // Two wait; the last of the ten may still be on its way.
    assert!((7..=8).contains(&counts.lost), "{counts:?}");
    drop(client);
    drop(let_go);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.kept, counts.lost), (3, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_takes_nothing_does_not_hold_up_the_end_for_ever() {
    let (reached, at_the_disk) = channel();
    let (_let_go, go_on) = channel();
    let upstream = Upstream::start(answering(b"done"));
    let mut settings = settings(upstream.address, vec![Box::new(Slow { reached, go_on })]);
    settings.writes_within = std::time::Duration::ZERO;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    ask(&client).await;
    tokio::task::spawn_blocking(move || at_the_disk.recv().unwrap())
        .await
        .unwrap();
    drop(client);
    assert_eq!(
        recorder.end().unwrap_err().to_string(),
        "what was waiting could not be written within 0 s"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_that_are_larger_than_memory_may_be_are_given_up() {
    let upstream = Upstream::start(answering(b"done"));
    let mut settings = settings(upstream.address, Vec::new());
    settings.waiting_bytes = 1_000;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    let large = request("/angzarr.SagaService/Handle").body(()).unwrap();
    let half = client.call(large, framed(&[0; 5_000])).await;
    assert_eq!(half.body, framed(b"done"));
    ask(&client).await;
    drop(client);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.passed, counts.kept, counts.lost), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_larger_than_memory_may_be_is_given_up() {
    let message: &'static str = "x".repeat(2_000).leak();
    let upstream = Upstream::start(failing("9", message));
    for (waiting_bytes, expected) in [(1_000, (0, 1)), (3_000, (1, 0))] {
        let mut settings = settings(upstream.address, Vec::new());
        settings.waiting_bytes = waiting_bytes;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let recorder = Recorder::start(listener, settings).unwrap();
        let client = Client::connect(recorder.address()).await;
        let request = request("/angzarr.SagaService/Handle").body(()).unwrap();
        let half = client.call(request, framed(b"")).await;
        assert_eq!(half.message(), message);
        drop(client);
        let counts = recorder.end().unwrap();
        assert_eq!((counts.kept, counts.lost), expected);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_no_call() {
    let upstream = Upstream::start(answering(b"done"));
    let full = RecordingFile::open(Path::new("/dev/full"), ring(10)).unwrap();
    let recorder = recorder(upstream.address, vec![Box::new(full)]);
    let client = Client::connect(recorder.address()).await;
    for _ in 0..3 {
        ask(&client).await;
    }
    drop(client);
    let trouble = loop {
        match recorder.last_errors().unwritten {
            Some(trouble) => break trouble,
            None => tokio::task::yield_now().await,
        }
    };
    assert!(trouble.starts_with("No space left on device"), "{trouble}");
    let counts = recorder.end().unwrap();
    assert_eq!((counts.passed, counts.kept, counts.unwritten), (3, 0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redaction_refuses_is_not_written_and_what_it_changes_is_written_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let upstream = Upstream::start(answering(b"done"));
    let store = RecordingFile::open(&file, ring(10)).unwrap();
    let mut settings = settings(upstream.address, vec![Box::new(store)]);
    settings.redact = Some(Box::new(|note: RecordedCall| {
        if note.request.is_empty() {
            return Err("there is nothing to look at".into());
        }
        Ok(RecordedCall {
            request: "changed".into(),
            ..note
        })
    }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    for message in ["secret", ""] {
        let request = request("/angzarr.SagaService/Handle").body(()).unwrap();
        let half = client.call(request, framed(message.as_bytes())).await;
        assert_eq!(half.body, framed(b"done"));
    }
    drop(client);
    while recorder.last_errors().refused.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        recorder.last_errors().refused.unwrap(),
        "there is nothing to look at"
    );
    let counts = recorder.end().unwrap();
    assert_eq!((counts.kept, counts.refused), (1, 1));
    let text = std::fs::read_to_string(&file).unwrap();
    let noted = parse_recording(&text).unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].call.request, "changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redaction_that_fails_ends_nothing_and_one_that_changes_the_subject_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.jsonl");
    let upstream = Upstream::start(answering(b""));
    let store = RecordingFile::open(&file, ring(10)).unwrap();
    let mut settings = settings(upstream.address, vec![Box::new(store)]);
    let mut turn = 0;
    settings.redact = Some(Box::new(move |note: RecordedCall| {
        turn += 1;
        match turn {
            1 => panic!("a bug"),
            2 => Ok(RecordedCall {
                request: bytes::Bytes::new(),
                ..note
            }),
            _ => Ok(note),
        }
    }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(listener, settings).unwrap();
    let client = Client::connect(recorder.address()).await;
    // An upcaster's request for the domain `d`.
    let asked = [0x0a, 1, b'd'];
    let mut reasons = Vec::new();
    for refused in 1..=3 {
        let request = request("/angzarr.UpcasterService/Upcast").body(()).unwrap();
        client.call(request, framed(&asked)).await;
        while recorder.counts().refused < refused && recorder.counts().kept == 0 {
            tokio::task::yield_now().await;
        }
        reasons.extend(recorder.last_errors().refused);
    }
    drop(client);
    let counts = recorder.end().unwrap();
    assert_eq!((counts.kept, counts.refused), (1, 2), "{counts:?}");
    assert_eq!(
        reasons[..2],
        [
            "redaction of a call of UpcasterService/Upcast panicked",
            "redaction left a call of UpcasterService/Upcast that is about something else"
        ]
    );
}
