//! A recorded call becomes a case, and its replay sends what was recorded.

use angzarr_replay::internal::capture::Labels;
use angzarr_replay::internal::fixture::Fixture;
use angzarr_replay::internal::model::{CaseStimulus, Redactions, Timestamp};
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::project::{App, Project};
use angzarr_replay::internal::record::{Answer, CaseMetadata, RecordedCall, case_of};
use bytes::Bytes;

use super::expected;
use test_support::peer::Peer;
use test_support::revision::Revision;

pub(crate) const TIME: Timestamp = Timestamp {
    seconds: 1,
    nanos: 0,
};

#[test]
fn a_recorded_call_is_replayed_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replay.toml"), "").unwrap();
    let project = Project::open(App::new(), folder.path()).unwrap();
    for revision in Revision::all() {
        let peer = Peer::start(revision.dialect);
        for (kind, method, message, text) in expected(&revision) {
            if method.ends_with("/Prepare") {
                continue;
            }
            let what = format!("recorded {kind}");
            let note = RecordedCall {
                number: 1,
                time: TIME,
                path: format!("/{}.{method}", revision.dialect.package()),
                dialect: revision.dialect,
                dialect_assumed: false,
                request: revision.encode(message, &text),
                answer: Answer::Reply(Bytes::new()),
                redacted: Redactions::default(),
            };
            let with = CaseMetadata {
                source: "calls.jsonl".into(),
                captured_at: TIME,
                labels: Labels::default(),
            };
            let fixture = Fixture {
                case: case_of(&note, with).unwrap(),
                descriptors: Registry::default(),
                descriptors_hash: None,
            };
            let is_process = matches!(fixture.case.stimulus, CaseStimulus::ProcessManager(_));
            peer.replay(&project, &fixture);
            let mut received = peer.received();
            if is_process && received.len() == 2 {
                received.remove(0);
            }
            let [(asked, bytes)] = received.as_slice() else {
                panic!("{}, {what}: {received:?}", revision.dialect);
            };
            assert_eq!(asked, method, "{}, {what}", revision.dialect);
            revision.assert_is(&what, message, bytes, &text);
        }
    }
}
