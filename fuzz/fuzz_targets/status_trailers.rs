//! Any headers as the status of a call: no panic, neither here nor in tonic, which reads the same; a failure stays a failure,
//! and a message that is valid text is kept whole.
//!
//! `cargo +nightly fuzz run status_trailers`; each header consists of a choice of name and a value.
#![no_main]

use angzarr_replay::internal::model::{AnsweredBy, Code, Failure, Outcome};
use angzarr_replay::internal::wire::{STATUS_LIMIT, sanitize_status, status_of_trailers};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tonic::Status;

const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const NAMES: [&str; 4] = [STATUS, MESSAGE, "grpc-status-details-bin", "x-other"];
const REVOKED: &str = "Command revoked: ";

fuzz_target!(|data: (Vec<(u8, &[u8])>, &str)| {
    let (headers, text) = data;
    let size: usize = headers.iter().map(|(_, value)| value.len() + 32).sum();
    if size + 3 * text.len() > STATUS_LIMIT {
        return;
    }
    let mut trailers = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_static(NAMES[usize::from(name) % NAMES.len()]);
        // HTTP/2 does not transport other bytes.
        if let Ok(value) = HeaderValue::from_bytes(value) {
            let _ = trailers.try_append(name, value);
        }
    }
    check(&trailers);
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let escaped = HeaderValue::from_str(&escaped).expect("escapes are ASCII");
    trailers.insert(MESSAGE, escaped);
    if let Some(failure) = check(&trailers) {
        assert_eq!(failure.message, text);
    }
});

/// Reads a status, and returns its failure.
fn check(trailers: &HeaderMap) -> Option<Failure> {
    let read = status_of_trailers(trailers);
    let status = trailers.get(STATUS).map(HeaderValue::as_bytes);
    assert_eq!(read.is_some(), status.is_some());
    assert_eq!(read == Some(Ok(())), status == Some(b"0"));

    let mut legible = trailers.clone();
    sanitize_status(&mut legible, STATUS_LIMIT);
    assert_eq!(status_of_trailers(&legible), read);
    // Without a status, tonic only reports the missing header.
    let tonics = Status::from_header_map(&legible);
    assert_eq!(tonics.is_some(), read.is_some());

    let refusal = read?.err()?;
    let failure = refusal.failure;
    assert_ne!(failure.code, Code::Ok);
    let tonics = tonics.expect("there is a status");
    assert_ne!(tonics.code(), tonic::Code::Ok);
    assert_eq!(tonics.message(), failure.message);
    assert_eq!(tonics.details(), refusal.details);
    let plain = trailers.get(MESSAGE).map(HeaderValue::as_bytes);
    let plain = plain.and_then(|value| std::str::from_utf8(value).ok());
    if let Some(plain) = plain.filter(|text| !text.contains('%')) {
        assert_eq!(failure.message, plain);
    }
    // The outcome of the status has the same status.
    if let Ok(outcome) = Outcome::from_failure(failure.clone(), AnsweredBy::Logic) {
        let again = outcome.status().expect("a failure stays one");
        assert_eq!(again.code, failure.code);
        if outcome.failure().is_some() || failure.message.starts_with(REVOKED) {
            assert_eq!(again.message, failure.message);
        }
    }
    Some(failure)
}
