//! A capture as a library call, against the embedded demo: a request in, data out, nothing printed.

use std::path::Path;

use angzarr_replay::capture::{Labels, UpTo};
use angzarr_replay::capturing::{
    CaptureRequest, CaptureVerdict, Captured, FailureOrigin, Progress, Reacting, RequestedKind,
    SavedState, Stop, capture, capture_each_distinct,
};
use angzarr_replay::model::{CaseStimulus, CommandBook, HeadKnowledge, Observed, Status};
use angzarr_replay::project::Project;
use angzarr_replay::snapshot::Verdict;

/// A player of the demo whose withdrawal failed.
const ALICE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

fn request() -> CaptureRequest {
    CaptureRequest {
        aggregate: Some(ALICE.parse().unwrap()),
        ..CaptureRequest::default()
    }
}

fn captured(folder: &Path, request: &CaptureRequest) -> Result<Captured, Stop> {
    let project = Project::open(poker::app(), folder).unwrap();
    capture(project, request, &mut |_| {})
}

fn line<'a>(captured: &'a Captured, key: &str) -> Option<&'a str> {
    let line = captured.report.iter().find(|line| line.key == key)?;
    Some(&line.own)
}

#[test]
fn a_failure_becomes_a_fixture_and_what_was_found_is_data() {
    let folder = tempfile::tempdir().unwrap();
    let captured_case = captured(folder.path(), &request()).unwrap();
    let case = &captured_case.case;
    assert_eq!(case.cover.domain.as_str(), "player");
    assert_eq!(case.cover.root.to_string(), ALICE);
    assert_eq!((case.history.pages().len(), case.status), (3, Status::Open));
    assert_eq!(case.source.head, HeadKnowledge::Checked);
    let command = case.stimulus.command().map(CommandBook::type_name);
    assert_eq!(command, Some("examples.WithdrawFunds"));
    let failure = case.observed.as_ref().and_then(Observed::failure).unwrap();
    assert_eq!(failure.message, "Insufficient funds");

    assert_eq!(captured_case.source, "embedded");
    assert!(captured_case.is_embedded);
    assert_eq!(captured_case.saved, SavedState::Written);
    assert_eq!(
        captured_case.verdict,
        CaptureVerdict::Judged(Verdict::Reproduced)
    );
    assert_eq!(
        line(&captured_case, "replayed on"),
        Some("player (in process)")
    );
    assert_eq!(captured_case.dialect.dialect.name(), "angzarr");
    assert!(captured_case.suspects.is_empty() && captured_case.unknown.is_empty());
    assert!(!captured_case.files.is_empty());
    let text = std::fs::read_to_string(&captured_case.path).unwrap();
    assert_eq!(text, captured_case.text);

    let again = captured(folder.path(), &request()).unwrap();
    assert_eq!(again.saved, SavedState::Unchanged);
    assert_eq!(again.verdict, CaptureVerdict::CapturedBefore);
    assert_eq!(again.path, captured_case.path);
}

#[test]
fn a_dry_run_gives_the_text_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let request = CaptureRequest {
        failure: FailureOrigin::Nothing,
        up_to: UpTo::Before(2),
        labels: Labels {
            title: Some("What came first".into()),
            ..Labels::default()
        },
        is_dry_run: true,
        ..request()
    };
    let captured = captured(folder.path(), &request).unwrap();
    assert_eq!(captured.saved, SavedState::DryRun);
    assert_eq!(captured.case.stimulus, CaseStimulus::History);
    assert_eq!(captured.case.history.next_sequence(), 2);
    assert!(
        captured.text.contains("title: What came first"),
        "{}",
        captured.text
    );
    assert_eq!(captured.files, Vec::<String>::new());
    assert!(!captured.path.exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_component_that_is_not_configured_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let request = CaptureRequest {
        kind: RequestedKind::Saga {
            name: "nobody".into(),
            reacting: Reacting::default(),
            destinations: Vec::new(),
        },
        ..request()
    };
    let stop = captured(folder.path(), &request).unwrap_err();
    assert!(stop.to_string().contains("`nobody`"), "{stop}");
}

#[test]
fn each_distinct_failure_is_reported_as_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::open(poker::app(), folder.path()).unwrap();
    let request = CaptureRequest {
        domain: Some("player".parse().unwrap()),
        ..CaptureRequest::default()
    };
    let mut seen = Vec::new();
    let all = capture_each_distinct(project, &request, &mut |progress| {
        if let Progress::BugDone(done) = progress {
            seen.push(done.result.as_ref().unwrap().path.clone());
        }
    });
    let all = all.unwrap();
    let paths = all
        .bugs
        .iter()
        .map(|bug| &bug.result.as_ref().unwrap().path);
    assert!(seen.len() > 1 && paths.eq(&seen), "{seen:?}");
    assert!(seen.iter().all(|path| path.exists()));
}

#[test]
fn each_distinct_failure_is_of_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::open(poker::app(), folder.path()).unwrap();
    let request = CaptureRequest {
        failure: FailureOrigin::Nothing,
        ..CaptureRequest::default()
    };
    let refused = capture_each_distinct(project, &request, &mut |_| {});
    assert!(matches!(refused, Err(Stop::Usage(_))));
}
