//! Calls of the recorded deployment, as recordings.

use std::path::Path;

use angzarr_replay::internal::model::{Code, Redactions};
use angzarr_replay::internal::record::{
    Answer, CallStore, KeepMode, RecordedCall, RecordingFile, Ring,
};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::coordinators::SEEDED;
use crate::programs::repository;

/// A call of the recorded deployment.
#[must_use]
pub fn noted(number: u64) -> RecordedCall {
    let file = repository().join("examples/poker/recorded/calls.jsonl");
    let calls = std::fs::read_to_string(file).unwrap();
    let calls = calls
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let call: Value = calls
        .into_iter()
        .find(|call: &Value| call["n"] == number)
        .unwrap();
    let bytes = |key: &str| STANDARD.decode(call[key].as_str().unwrap()).unwrap();
    RecordedCall {
        number: 0,
        time: SEEDED,
        path: call["path"].as_str().unwrap().into(),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: bytes("request").into(),
        answer: match call.get("response") {
            Some(_) => Answer::Reply(bytes("response").into()),
            None => Answer::Status(FailingStatus::from_details(
                Code::from_name(call["code"].as_str().unwrap()).unwrap(),
                call["message"].as_str().unwrap().into(),
                Bytes::new(),
            )),
        },
        redacted: Redactions::default(),
    }
}

/// Keeps calls in a recording.
pub fn keep(file: &Path, notes: impl IntoIterator<Item = RecordedCall>) {
    let ring = Ring {
        count: 100,
        age: std::time::Duration::MAX,
    };
    let mut file = RecordingFile::open(file, ring).unwrap();
    for note in notes {
        let subject = note.subject().ok();
        file.keep(&note, subject.as_ref(), KeepMode::Always)
            .unwrap();
    }
}
