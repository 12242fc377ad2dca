//! Any bytes as request and reply of a recorded call, and any text as a recording: no panic, and redaction without a matching
//! rule changes no byte.
//!
//! `cargo +nightly fuzz run recorded_call`
#![no_main]

use std::sync::LazyLock;

use angzarr_replay::internal::capture::Labels;
use angzarr_replay::internal::model::Timestamp;
use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::record::{
    Answer, CaseMetadata, RecordedCall, case_of, parse_recording, redacted, ticket_of,
};
use angzarr_replay::internal::redact::{Action, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::wire::{Dialect, call_descriptors};
use libfuzzer_sys::fuzz_target;

const TIME: Timestamp = Timestamp {
    seconds: 0,
    nanos: 0,
};
const METHODS: [&str; 4] = [
    "CommandHandlerCoordinatorService/HandleCommand",
    "CommandHandlerService/Handle",
    "SagaService/Handle",
    "ProcessManagerService/Handle",
];

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| {
    let policy = Policy {
        rules: vec![RedactionRule::new("nobody.Has", "this", Action::Drop).expect("a rule")],
        key: None,
        debug_redact: None,
        roots: false,
        is_strict: false,
    };
    let set = call_descriptors(Dialect::ANGZARR);
    let registry = Registry::from_descriptor_set(&set).expect("our own descriptors");
    Redactor::new(registry, policy).expect("no key is needed")
});

fuzz_target!(|data: (u8, &[u8], &[u8], &str)| {
    let (method, request, reply, text) = data;
    let _ = parse_recording(text);
    let note = RecordedCall {
        number: 1,
        time: TIME,
        path: format!("/angzarr.{}", METHODS[usize::from(method) % METHODS.len()]),
        dialect: Dialect::ANGZARR,
        dialect_assumed: false,
        request: request.to_vec().into(),
        answer: Answer::Reply(reply.to_vec().into()),
        redacted: angzarr_replay::internal::model::Redactions::default(),
    };
    let _ = (note.is_accepted(), note.subject(), ticket_of(&note));
    let with = CaseMetadata {
        source: String::new(),
        captured_at: TIME,
        labels: Labels::default(),
    };
    let _ = case_of(&note, with);
    if let Ok((written, report)) = redacted(&note, &REDACTOR)
        && report.touched.is_empty()
    {
        assert_eq!(written, note);
    }
});
