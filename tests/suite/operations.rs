//! Lists, recordings, audits and the served coordinator as library calls, against the embedded demo: a request in, data out.

use std::path::Path;
use std::time::Duration;

use angzarr_replay::internal::auditing::{AuditRequest, audit};
use angzarr_replay::internal::finding::{FindRequest, Matched, find};
use angzarr_replay::internal::listing::{
    AggregateList, AggregatesRequest, FailureSource, list_bugs,
};
use angzarr_replay::internal::model::Edition;
use angzarr_replay::internal::project::{OperationError, Project};
use angzarr_replay::internal::record::{Filter, KeepLimits, Ring};
use angzarr_replay::internal::recording::{RecordRequest, RunningRecording};
use angzarr_replay::internal::serving::{
    RequestedComponent, RequestedLogic, RequestedStore, ServeRequest, serve,
};
use angzarr_replay::internal::showing::{ShowRequest, show};
use angzarr_replay::internal::wire::Dialect;

/// A player of the demo whose withdrawal failed.
const ALICE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

fn project(folder: &Path) -> Project {
    Project::open(poker::app(), folder).unwrap()
}

/// With the descriptors of the demo.
fn described_project(folder: &Path) -> Project {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/poker/proto");
    let toml = format!("descriptors = [{:?}]\n", protos.display().to_string());
    std::fs::write(folder.join("replay.toml"), toml).unwrap();
    project(folder)
}

#[test]
fn aggregates_are_listed_one_by_one_with_their_newest_failure() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let mut request = AggregatesRequest {
        filter: "player/".parse().unwrap(),
        ..AggregatesRequest::default()
    };
    for with_counts in [false, true] {
        request.with_counts = with_counts;
        let mut listed = Vec::new();
        let list = AggregateList::open(&project, &request).unwrap();
        let summary = list.each(&mut |it| listed.push(it.clone())).unwrap();
        assert_eq!((summary.listed, summary.unread), (listed.len(), 0));
        assert!(listed.iter().all(|it| it.domain.as_str() == "player"));
        let alice = listed.iter().find(|it| it.root.to_string() == ALICE);
        let alice = alice.unwrap();
        assert_eq!(alice.stored.is_some(), with_counts);
        if let Some(stored) = &alice.stored {
            let stored = stored.as_ref().unwrap();
            assert!(stored.count >= 3 && stored.last_type.starts_with("examples."));
        }
        let failure = alice.newest_failure.as_ref().unwrap();
        assert_eq!(failure.command, "examples.WithdrawFunds");
        assert_eq!(failure.message, "Insufficient funds");
        assert!(summary.suggested.is_some() && list.messages_hidden().is_none());
    }
}

#[test]
fn an_aggregate_is_shown_with_its_state() {
    let folder = tempfile::tempdir().unwrap();
    let request = ShowRequest {
        aggregate: "player/6513".parse().unwrap(),
        source: None,
        domain: None,
        edition: Edition::Main,
        last: Some(1),
    };
    let shown = show(&described_project(folder.path()), &request).unwrap();
    assert_eq!((shown.events.len(), shown.later), (2, 1));
    assert_eq!(shown.events[1].type_name, "examples.FundsDeposited");
    assert_eq!(shown.state.unwrap()["bankroll"]["amount"], 5000);
}

#[test]
fn what_was_found_comes_with_the_words_that_capture_it() {
    let folder = tempfile::tempdir().unwrap();
    let request = FindRequest {
        field: Some("WithdrawFunds.amount.amount=4500".parse().unwrap()),
        ..FindRequest::default()
    };
    let report = find(&described_project(folder.path()), &request).unwrap();
    assert_eq!(report.matching, 1);
    assert_eq!(report.occurrences[0].matched, [Matched::Field]);
    // The other failures of that aggregate.
    assert!(report.occurrences.len() > 1);
    let capture = report.capture.unwrap();
    assert_eq!(capture, ["capture", &format!("player/{ALICE}")]);
}

#[test]
fn bugs_are_grouped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let listed = list_bugs(&project, &FailureSource::Source(None)).unwrap();
    assert!(listed.count_of_logic() > 1 && listed.count_failed() >= listed.count_of_logic());
    let counted: usize = listed.bugs.iter().map(|bug| bug.group.count).sum();
    assert_eq!(counted, listed.count_failed() + listed.count_accepted());

    let log = folder.path().join("app.log");
    std::fs::write(&log, "nothing happened\n").unwrap();
    let nothing = list_bugs(&project, &FailureSource::Files(vec![log])).unwrap_err();
    assert!(
        nothing.to_string().contains("no failure in 1 lines"),
        "{nothing}"
    );
}

fn record_request(folder: &Path) -> RecordRequest {
    RecordRequest {
        listen: "127.0.0.1:0".into(),
        upstream: "127.0.0.1:1".into(),
        file: folder.join("recording.jsonl"),
        metrics: None,
        tickets: None,
        limits: KeepLimits::NONE,
        ring: Ring {
            count: 10,
            age: Duration::from_secs(60),
        },
        keep: Filter::default(),
        dialect: None,
        is_unredacted: true,
    }
}

#[test]
fn a_recording_runs_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let request = record_request(folder.path());
    let recording = RunningRecording::start(&project, &request, &mut |_| {}).unwrap();
    assert_ne!(recording.address().port(), 0);
    let handle = recording.stop_handle();
    let stopping = std::thread::spawn(move || handle.stop());
    let result = recording.wait(&mut |_| {}).unwrap();
    stopping.join().unwrap();
    assert_eq!((result.counts.passed, result.counts.kept), (0, 0));
    assert!(result.losses.is_empty());
    assert!(request.file.exists());
}

#[test]
fn a_recording_needs_redaction_and_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let redacted = RecordRequest {
        is_unredacted: false,
        ..record_request(folder.path())
    };
    let encrypted = RecordRequest {
        upstream: "https://coordinator:1310".into(),
        ..record_request(folder.path())
    };
    for (request, said) in [(redacted, "[redaction]"), (encrypted, "--upstream")] {
        match RunningRecording::start(&project, &request, &mut |_| {}) {
            Err(OperationError::Usage(message)) => assert!(message.contains(said), "{message}"),
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("{said}: it records"),
        }
        assert!(!request.file.exists());
    }
}

#[test]
fn an_audit_counts_files_and_findings() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let path = |name: &str| folder.path().join(name);
    let harmless = path("a.txt");
    std::fs::write(&harmless, "a line\n").unwrap();
    let request = |paths| AuditRequest { paths };
    let clean = audit(&project, &request(vec![harmless.clone()])).unwrap();
    assert!(clean.is_clean() && clean.files == 1);

    let key = path("b.txt");
    std::fs::write(&key, "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n").unwrap();
    let found = audit(&project, &request(vec![harmless, key.clone()])).unwrap();
    assert_eq!((found.files, found.count_files_with_findings()), (2, 1));
    assert_eq!(found.unclean[0].file, key);
    assert_eq!(found.count_unread_files(), 0);

    let missing = audit(&project, &request(vec![path("missing")])).unwrap_err();
    assert!(matches!(missing, OperationError::Failed(_)), "{missing:?}");
}

fn serve_request() -> ServeRequest {
    ServeRequest {
        port: 0,
        store: RequestedStore::Demo,
        dialect: Dialect::ANGZARR,
        logic: Vec::new(),
        components: Vec::new(),
    }
}

#[test]
fn the_demo_is_served_with_everything_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let served = serve(&project, &serve_request()).unwrap();
    assert_eq!(served.contents, "the embedded demo, in memory,");
    let is_player = |line: &String| line.starts_with("player: ");
    assert!(served.behind.iter().any(is_player), "{:?}", served.behind);
    std::net::TcpStream::connect(served.address()).unwrap();
}

#[test]
fn what_cannot_stand_behind_the_coordinator_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let of_logic = ServeRequest {
        logic: vec![RequestedLogic::Named("player-table".into())],
        ..serve_request()
    };
    let of_component = ServeRequest {
        components: vec![RequestedComponent::Named("player".into())],
        store: RequestedStore::File(folder.path().join("store.db")),
        ..serve_request()
    };
    for request in [of_logic, of_component] {
        assert!(serve(&project, &request).is_err());
    }
    assert!(!folder.path().join("store.db").exists());
}
