//! A notification that was captured in one dialect, delivered to logic of another: the command inside keeps its words, so
//! its enums have other numbers, and the message has the names of the other package.

use angzarr_replay::internal::capture::Labels;
use angzarr_replay::internal::fixture::Fixture;
use angzarr_replay::internal::model::{Case, CaseStimulus, Domain, Redactions, Stimulus};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::project::{App, CaseResult, Project};
use angzarr_replay::internal::record::{Answer, CaseMetadata, RecordedCall, case_of};
use angzarr_replay::internal::wire::reply_of_outcome;
use bytes::Bytes;

use super::recorded::TIME;
use super::{ROOT, book, prefix};
use test_support::peer::Peer;
use test_support::revision::Revision;

const AGGREGATE: (&str, &str) = ("CommandHandlerService/Handle", "ContextualCommand");
const PROCESS: (&str, &str) = (
    "ProcessManagerService/Handle",
    "ProcessManagerHandleRequest",
);

/// The command that was refused, with every strategy, and with a mode where that is shared.
fn refused(has_modes: bool) -> String {
    let mode = |name: &str| {
        if has_modes {
            format!("sync_mode: SYNC_MODE_{name}")
        } else {
            String::new()
        }
    };
    let pages = [
        ("COMMUTATIVE", "ASYNC"),
        ("STRICT", "SIMPLE"),
        ("AGGREGATE_HANDLES", "CASCADE"),
        ("MANUAL", "DECISION"),
    ]
    .map(|(strategy, name)| {
        let mode = mode(name);
        format!(
            r#"pages {{ header {{ sequence: 2 {mode} }} merge_strategy: MERGE_{strategy}
            command {{ type_url: "/t.Do" value: "d" }} }} "#
        )
    });
    format!(r#"cover {{ {ROOT} domain: "table" }} {}"#, pages.concat())
}

/// The text of an `Any` with the rejection, and that of one with the notification.
fn told(revision: &Revision, has_modes: bool) -> (String, String) {
    let rejection = format!(
        r#"rejected_command {{ {} }} rejection_reason: "no""#,
        refused(has_modes)
    );
    let rejection = revision.any(prefix(revision), "RejectionNotification", &rejection);
    let sent = format!(
        r#"cover {{ {ROOT} domain: "player" }} payload {{ {rejection} }} sent_at {{ seconds: 5 }}"#
    );
    let notification = revision.any(prefix(revision), "Notification", &sent);
    (rejection, notification)
}

/// What an aggregate is sent, and what a process manager is.
fn requests(revision: &Revision, has_modes: bool) -> [String; 2] {
    let book = book(revision);
    let (_, notification) = told(revision, has_modes);
    let command = format!(
        r#"cover {{ {ROOT} domain: "player" }} pages {{ header {{ sequence: 2 }} merge_strategy: MERGE_STRICT
        command {{ {notification} }} }}"#
    );
    let page = format!("header {{ sequence: 2 }} event {{ {notification} }}");
    let trigger = format!("{book} pages {{ {page} }}").replace("next_sequence: 2", "");
    [
        format!("events {{ {book} }} command {{ {command} }}"),
        format!("trigger {{ {trigger} next_sequence: 3 }} process_state {{ {book} }}"),
    ]
}

fn captured(revision: &Revision, (method, message): (&str, &str), request: &str) -> Case {
    let note = RecordedCall {
        number: 1,
        time: TIME,
        path: format!("/{}.{method}", revision.dialect.package()),
        dialect: revision.dialect,
        dialect_assumed: false,
        request: revision.encode(message, request),
        answer: Answer::Reply(Bytes::new()),
        redacted: Redactions::default(),
    };
    let with = CaseMetadata {
        source: "calls.jsonl".into(),
        captured_at: TIME,
        labels: Labels::default(),
    };
    case_of(&note, with).unwrap()
}

#[test]
fn a_notification_is_delivered_in_the_dialect_of_its_logic() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replay.toml"), "").unwrap();
    let project = Project::open(App::new(), folder.path()).unwrap();
    let revisions = Revision::all();
    // Which call a notification answers makes no difference.
    let anything = Stimulus::Upcast {
        domain: Domain::new("player").unwrap(),
        pages: Vec::new().into(),
    };
    for (from, to) in revisions
        .iter()
        .flat_map(|from| revisions.iter().map(move |to| (from, to)))
    {
        let has_modes = [from, to].iter().all(|it| it.has("PageHeader.sync_mode"));
        let (own, asked) = (requests(from, has_modes), requests(to, has_modes));
        for (kind, (own, asked)) in [AGGREGATE, PROCESS].into_iter().zip(own.iter().zip(&asked)) {
            let fixture = Fixture {
                case: captured(from, kind, own),
                descriptors: Registry::default(),
                descriptors_hash: None,
            };
            let stimulus = &fixture.case.stimulus;
            assert!(matches!(
                stimulus,
                CaseStimulus::Compensation(_) | CaseStimulus::ProcessCompensation(_)
            ));
            let peer = Peer::start(to.dialect);
            // The aggregate answers with what it was told.
            let (_, notification) = told(to, has_modes);
            let (_, before) = told(from, has_modes);
            if kind == AGGREGATE {
                let answer = format!("notification {{ payload {{ {notification} }} }}");
                peer.answers(kind.0, to.encode("BusinessResponse", &answer));
            }
            let run = peer.replay(&project, &fixture);
            let what = format!("{} of {}", kind.0, from.dialect);
            let mut received = peer.received();
            let (method, bytes) = received.pop().unwrap();
            assert_eq!(method, kind.0, "{what}");
            to.assert_is(&what, kind.1, &bytes, asked);
            let CaseResult::Step(replay) = run.result else {
                panic!("{what}");
            };
            if kind == AGGREGATE {
                // Told in the dialect of the case again.
                let answer = reply_of_outcome(&replay.outcome, &anything, from.dialect).unwrap();
                let expected = format!("notification {{ payload {{ {before} }} }}");
                from.assert_is(&what, "BusinessResponse", &answer, &expected);
            }
        }
    }
}
