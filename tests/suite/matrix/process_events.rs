//! The own events of a process manager, of one book and of several: where each is stored, and whether a recorded answer is
//! recognised.

use angzarr_replay::internal::capture::Labels;
use angzarr_replay::internal::coordination::Effect;
use angzarr_replay::internal::fixture::Fixture;
use angzarr_replay::internal::model::{Case, Observed, Outcome, Redactions};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::project::{App, Project};
use angzarr_replay::internal::record::{Answer, CaseMetadata, RecordedCall, case_of};
use angzarr_replay::internal::replay::{Isolated, Replay, debug_edition, replay_process};
use angzarr_replay::internal::snapshot::Verdict;
use angzarr_replay::internal::wire::encode_emitted_page;
use bytes::Bytes;

use super::recorded::TIME;
use super::{ALL_NEW, ROOT, book, destinations, event_book};
use test_support::peer::Peer;
use test_support::revision::Revision;

const METHOD: &str = "ProcessManagerService/Handle";
const REPLY: &str = "ProcessManagerHandleResponse";

const FIRST: &str = r#"event { type_url: "/t.P" value: "p" }"#;
const SECOND: &str =
    r#"created_at { seconds: 30 } external { storage_type: STORAGE_GCS uri: "gs://b/k" }"#;
const THIRD: &str = r#"event { type_url: "/t.Q" value: "q" }"#;

/// One book, and several where the dialect has them. Stored are the same pages; the stream has two.
fn answers(revision: &Revision) -> Vec<(usize, String)> {
    let one = format!(
        "process_events {{ pages {{ {FIRST} }} pages {{ header {{ sequence: 3 }} {SECOND} }} pages {{ {THIRD} }} }}"
    );
    let mut answers = vec![(1, one)];
    if revision.is_repeated("ProcessManagerHandleResponse.process_events") {
        let own = format!(r#"cover {{ {ROOT} domain: "player" }}"#);
        let several = format!(
            "process_events {{ pages {{ {FIRST} }} }} process_events {{ {own} pages {{ header {{ sequence: 3 }} {SECOND} }} }}
            process_events {{ pages {{ {THIRD} }} }}"
        );
        answers.push((3, several));
    }
    answers
}

fn assert_stored(revision: &Revision, what: &str, books: usize, replay: &Replay) {
    let Outcome::Reacted(reaction) = &replay.outcome else {
        panic!("{}, {what}: {:?}", revision.dialect, replay.outcome);
    };
    let dialect = revision.dialect;
    assert_eq!(reaction.process_events.len(), books, "{dialect}, {what}");
    let stored = replay.effects.iter().flat_map(|effect| match effect {
        Effect::Stored(pages) => pages.clone(),
        Effect::Refused(failure) => panic!("{dialect}, {what}: {failure:?}"),
    });
    let stored: Vec<_> = stored.collect();
    let answered = reaction.process_events.iter().flat_map(|book| &book.pages);
    assert!(answered.eq(&stored), "{dialect}, {what}");
    let expected = [FIRST, SECOND, THIRD];
    assert_eq!(stored.len(), expected.len(), "{dialect}, {what}");
    for ((place, page), body) in (2..).zip(&stored).zip(expected) {
        let page = encode_emitted_page(page, dialect);
        let expected = format!("header {{ sequence: {place} }} {body}");
        revision.assert_is(what, "EventPage", &page, &expected);
    }
}

#[test]
fn each_book_is_stored_after_the_one_before() {
    for revision in Revision::all() {
        let peer = Peer::start(revision.dialect);
        let edition = debug_edition("x", "me", "1");
        let noted = Box::new(|_: &_, _: &_| Ok(()));
        let isolated = Isolated::in_edition(&peer.connection(), revision.dialect, edition, noted);
        let whole = event_book(&revision, &book(&revision));
        for (books, answer) in answers(&revision) {
            let answer = revision.encode(REPLY, &answer);
            peer.answers(METHOD, answer.clone());
            let told = destinations(&[("table", 4)]);
            let replay = replay_process(&peer.target(), &whole, ALL_NEW, &whole, &told).unwrap();
            assert_stored(&revision, "directly", books, &replay);
            peer.answers("ProcessManagerCoordinatorService/HandleSpeculative", answer);
            let replay = replay_process(&isolated, &whole, ALL_NEW, &whole, &told).unwrap();
            assert_stored(&revision, "through a coordinator", books, &replay);
        }
    }
}

/// The case of a recorded call.
fn recorded(revision: &Revision, answer: Bytes) -> Case {
    let book = book(revision);
    let request = format!("trigger {{ {book} }} process_state {{ {book} }}");
    let note = RecordedCall {
        number: 1,
        time: TIME,
        path: format!("/{}.{METHOD}", revision.dialect.package()),
        dialect: revision.dialect,
        dialect_assumed: false,
        request: revision.encode("ProcessManagerHandleRequest", &request),
        answer: Answer::Reply(answer),
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
fn a_recorded_answer_is_recognised_book_by_book() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replay.toml"), "").unwrap();
    let project = Project::open(App::new(), folder.path()).unwrap();
    for revision in Revision::all() {
        let peer = Peer::start(revision.dialect);
        for (books, answer) in answers(&revision) {
            let answer = revision.encode(REPLY, &answer);
            let case = recorded(&revision, answer.clone());
            let what = format!("{}, {books} books", revision.dialect);
            assert!(
                matches!(&case.observed, Some(Observed::Reacted(reaction)) if reaction.process_events.len() == books),
                "{what}: {:?}",
                case.observed
            );
            let fixture = Fixture {
                case,
                descriptors: Registry::default(),
                descriptors_hash: None,
            };
            peer.answers(METHOD, answer);
            let run = peer.replay(&project, &fixture);
            assert_eq!(run.verdict, Verdict::Reproduced, "{what}");
            // Without an answer it is another one.
            let run = peer.replay(&project, &fixture);
            assert!(
                matches!(run.verdict, Verdict::NotReproduced { .. }),
                "{what}"
            );
        }
    }
}
