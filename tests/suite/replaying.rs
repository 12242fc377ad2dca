//! Replay and close as library calls, on the committed fixtures: a request in, data out, nothing printed.

use std::path::{Path, PathBuf};

use angzarr_replay::capturing::{CaptureRequest, OperationError, capture};
use angzarr_replay::internal::model::Status;
use angzarr_replay::internal::payload::Edit;
use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::snapshot::Verdict;
use angzarr_replay::replaying::{
    CloseRequest, FieldChange, ReplayReport, ReplayRequest, SnapshotComparison, close, replay,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn replayed(request: &ReplayRequest) -> Result<ReplayReport, OperationError> {
    let project = Project::open(poker::app(), root()).unwrap();
    let fixture = root().join("fixtures/player/withdraw-funds-446f7261-12.yaml");
    replay(&project, &fixture, request)
}

/// Captures an open case of the demo into a folder of its own.
fn captured(folder: &Path) -> PathBuf {
    let request = CaptureRequest {
        aggregate: Some("6513270e".parse().unwrap()),
        ..CaptureRequest::default()
    };
    let project = Project::open(poker::app(), folder).unwrap();
    capture(project, &request, &mut |_| {}).unwrap().path
}

#[test]
fn a_replay_gives_outcome_verdict_states_and_comparison_as_data() {
    let report = replayed(&ReplayRequest::default()).unwrap();
    assert!(report.is_fine() && !report.is_what_if);
    assert!(!matches!(
        report.replayed.verdict,
        Verdict::NotReproduced { .. }
    ));
    assert_eq!(report.snapshot, SnapshotComparison::Same);
    assert_eq!(
        report.replayed.logic.selected().describe(),
        "player (in process)"
    );
    assert!(report.states.before.is_some() && report.states.after.is_some());
    assert!(report.coordinator.is_none() && report.last_output.is_none());
}

#[test]
fn changes_are_made_for_the_replay_only() {
    let path = ["command", "amount", "amount"].map(str::to_owned).to_vec();
    let change = |text: &str| {
        let edit = Edit::Text(text.to_owned());
        let request = ReplayRequest {
            changes: vec![FieldChange::new(path.clone(), edit, "the amount".into())],
            ..ReplayRequest::default()
        };
        replayed(&request)
    };
    let report = change("1").unwrap();
    assert!(report.is_what_if && report.is_fine());
    assert!(matches!(report.snapshot, SnapshotComparison::Differs(_)));
    let unchanged = replayed(&ReplayRequest::default()).unwrap();
    assert!(unchanged.is_fine() && unchanged.states.after != report.states.after);
    let Err(OperationError::Usage(text)) = change("many") else {
        panic!("it is no number");
    };
    assert!(text.starts_with("the amount: "), "{text}");
}

#[test]
fn logic_that_is_not_there_is_an_error() {
    let request = ReplayRequest {
        logic: Some("playr".into()),
        ..ReplayRequest::default()
    };
    let Err(OperationError::Failed(text)) = replayed(&request) else {
        panic!("there is no such logic");
    };
    assert!(text.contains("there is no logic `playr`"), "{text}");
}

#[test]
fn an_open_case_that_reproduces_is_closed_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = captured(folder.path());
    let project = Project::open(poker::app(), folder.path()).unwrap();
    let Err(OperationError::Failed(text)) = close(&project, &fixture, CloseRequest::default())
    else {
        panic!("the bug is still there");
    };
    assert!(text.contains("the bug still reproduces"), "{text}");
    let status = || project.folder().read(&fixture).unwrap().case.status;
    assert_eq!(status(), Status::Open);

    let forced = CloseRequest {
        is_forced: true,
        ..CloseRequest::default()
    };
    let closed = close(&project, &fixture, forced).unwrap();
    assert_eq!(status(), Status::Closed);
    assert!(closed.snapshot.is_file() && closed.added_rules.is_empty());
    let snapshot = Project::shown(&closed.snapshot);
    assert!(closed.files.contains(&snapshot), "{:?}", closed.files);
    let report = replay(&project, &fixture, &ReplayRequest::default()).unwrap();
    assert_eq!(report.snapshot, SnapshotComparison::Same);
}
