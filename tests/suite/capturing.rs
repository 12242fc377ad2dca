//! A capture as a library call, against the embedded demo: a request in, data out, nothing printed.

use std::path::Path;

use angzarr_replay::capturing::{
    CaptureRequest, CaptureVerdict, Captured, FailureOrigin, NumberedFile, OperationError,
    PersistedClaim, Progress, RequestedFailure, RequestedKind, RequestedStart, RequestedTrigger,
    SavedState, capture, capture_each_distinct,
};
use angzarr_replay::internal::capture::{Labels, UpTo};
use angzarr_replay::internal::model::{
    AnsweredBy, CaseStimulus, CommandBook, HeadKnowledge, Observed, Status,
};
use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::snapshot::Verdict;

/// A player of the demo whose withdrawal failed.
const ALICE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

fn request() -> CaptureRequest {
    CaptureRequest {
        aggregate: Some(ALICE.parse().unwrap()),
        ..CaptureRequest::default()
    }
}

fn captured(folder: &Path, request: &CaptureRequest) -> Result<Captured, OperationError> {
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
        kind: RequestedKind::Command(FailureOrigin::Nothing.into()),
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
            trigger: RequestedTrigger::default(),
            destinations: Vec::new(),
        },
        ..request()
    };
    let stop = captured(folder.path(), &request).unwrap_err();
    assert!(stop.to_string().contains("`nobody`"), "{stop}");
}

/// A request for a case of a command, whose failure is described.
fn of_failure(failure: RequestedFailure) -> CaptureRequest {
    CaptureRequest {
        kind: RequestedKind::Command(failure),
        ..request()
    }
}

#[test]
fn a_request_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of_history = |answered_by, persisted| {
        of_failure(RequestedFailure {
            origin: FailureOrigin::Nothing,
            answered_by,
            persisted,
        })
    };
    let persisted = Some(PersistedClaim::Count(1));
    let recording = FailureOrigin::Recording {
        call: NumberedFile::whole("recording.jsonl"),
        component: None,
    };
    for (request, message) in [
        (
            CaptureRequest {
                kind: RequestedKind::Flow {
                    start: RequestedStart::FirstEvent,
                    books: Vec::new(),
                },
                ..request()
            },
            "needs its correlation id",
        ),
        (
            CaptureRequest {
                correlation: Some("wf-1".into()),
                ..request()
            },
            "no log is named",
        ),
        (
            of_history(AnsweredBy::Logic, None),
            "the history alone has no command",
        ),
        (
            of_history(AnsweredBy::NotKnown, persisted),
            "the history alone has no command",
        ),
        (
            of_failure(RequestedFailure {
                origin: FailureOrigin::DeadLetter("1".into()),
                persisted,
                ..RequestedFailure::default()
            }),
            "dead letter",
        ),
        (
            CaptureRequest {
                up_to: UpTo::Before(1),
                ..of_failure(recording.into())
            },
            "a recorded call says itself",
        ),
    ] {
        match captured(folder.path(), &request) {
            Err(OperationError::Usage(said)) => assert!(said.contains(message), "{said}"),
            other => panic!("{message}: {other:?}"),
        }
    }
}

#[test]
fn what_belongs_to_one_case_is_refused_for_each_distinct_failure() {
    let folder = tempfile::tempdir().unwrap();
    let titled = |title: &str| Labels {
        title: Some(title.into()),
        ..Labels::default()
    };
    let requests = [
        CaptureRequest {
            name: Some("one".into()),
            ..CaptureRequest::default()
        },
        CaptureRequest {
            labels: titled("One"),
            ..CaptureRequest::default()
        },
        CaptureRequest {
            up_to: UpTo::Before(1),
            ..CaptureRequest::default()
        },
        of_failure(RequestedFailure {
            persisted: Some(PersistedClaim::Unknown),
            ..RequestedFailure::default()
        }),
        CaptureRequest {
            kind: RequestedKind::Fact { at: None },
            ..CaptureRequest::default()
        },
    ];
    for request in requests {
        let project = Project::open(poker::app(), folder.path()).unwrap();
        let refused = capture_each_distinct(project, &request, &mut |_| {});
        assert!(
            matches!(refused, Err(OperationError::Usage(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn the_correlation_id_selects_among_distinct_failures() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::open(poker::app(), folder.path()).unwrap();
    let request = CaptureRequest {
        correlation: Some("of no workflow".into()),
        ..CaptureRequest::default()
    };
    let nothing = capture_each_distinct(project, &request, &mut |_| {}).unwrap_err();
    assert!(nothing.to_string().contains("among 0"), "{nothing}");
}

#[test]
fn an_upcaster_of_another_domain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let request = CaptureRequest {
        kind: RequestedKind::Upcaster {
            name: Some("nobody".into()),
        },
        ..request()
    };
    let error = captured(folder.path(), &request).unwrap_err();
    assert!(error.to_string().contains("upcast"), "{error}");
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
        kind: RequestedKind::Command(FailureOrigin::Nothing.into()),
        ..CaptureRequest::default()
    };
    let refused = capture_each_distinct(project, &request, &mut |_| {});
    assert!(matches!(refused, Err(OperationError::Usage(_))));
}
