//! Recorded traffic to seed a store with: the calls of a real deployment, one JSON object per line.
//!
//! The accepted `HandleCommand` replies contain what that deployment stored; the failed `HandleCommand` calls are the
//! failures that its users saw. All other calls in a recording are ignored.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;

use super::SeedBook;
use crate::model::{Code, CommandBook, Failure};
use crate::wire::{self, DecodeError, Dialect};

/// In recordings, replies have padding and trailers do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A recording that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording: {reason}")]
pub struct RecordingError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A failed command and its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFailure {
    /// Number of the call in the recording.
    pub call: u32,
    /// The command.
    pub command: CommandBook,
    /// The status.
    pub failure: Failure,
    /// The head, if the coordinator stated it.
    pub head: Option<u32>,
}

/// The useful content of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// What accepted commands stored, in order.
    pub stored: Vec<SeedBook>,
    /// Commands that failed, in order.
    pub failed: Vec<RecordedFailure>,
}

#[derive(Deserialize)]
struct Call {
    n: u32,
    path: String,
    request: String,
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    trailers: Option<std::collections::BTreeMap<String, String>>,
    #[serde(default)]
    response: Option<String>,
}

impl Recording {
    /// Reads the text of a recording in a dialect.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, RecordingError> {
        let path = dialect.path("CommandHandlerCoordinatorService", "HandleCommand");
        let mut recording = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            recording
                .read(line, &path, dialect)
                .map_err(|reason| RecordingError {
                    line: index + 1,
                    reason,
                })?;
        }
        Ok(recording)
    }

    fn read(&mut self, line: &str, path: &str, dialect: Dialect) -> Result<(), String> {
        let call: Call = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if call.path != path {
            return Ok(());
        }
        if call.code == "OK" {
            self.stored.extend(stored(&call)?);
        } else {
            self.failed.push(failed(&call, dialect)?);
        }
        Ok(())
    }
}

fn stored(call: &Call) -> Result<Option<SeedBook>, String> {
    let reply = bytes_of("response", call.response.as_deref().unwrap_or_default())?;
    let book = wire::event_book_of_response(reply).map_err(text)?;
    let Some(cover) = book.cover else {
        return Ok(None);
    };
    Ok(Some(SeedBook {
        cover,
        pages: book.history.into_pages(),
        snapshot: book.snapshot,
    }))
}

fn failed(call: &Call, dialect: Dialect) -> Result<RecordedFailure, String> {
    let code = Code::from_name(&call.code)
        .ok_or_else(|| format!("`{}` is not a gRPC status code", call.code))?;
    let request = bytes_of("request", &call.request)?;
    let bytes = wire::command_book_of_request(request).map_err(text)?;
    let details = call
        .trailers
        .as_ref()
        .and_then(|trailers| trailers.get("grpc-status-details-bin"));
    let failure = Failure {
        code,
        message: call.message.clone().unwrap_or_default(),
        info: None,
    };
    // Only the details of a stale command are an event book.
    let stale = failure.class(crate::model::AnsweredBy::NotKnown)
        == crate::model::FailureClass::StaleSequence;
    let head = match details.filter(|_| stale) {
        None => None,
        Some(details) => {
            let details = bytes_of("trailer grpc-status-details-bin", details)?;
            Some(wire::event_book(details).map_err(text)?.next_sequence)
        }
    };
    Ok(RecordedFailure {
        call: call.n,
        command: wire::command_book(&bytes, dialect).map_err(text)?,
        failure,
        head,
    })
}

fn bytes_of(what: &str, base64: &str) -> Result<Bytes, String> {
    let decoded = BASE64
        .decode(base64)
        .map_err(|error| format!("{what} is not base64 ({error})"))?;
    Ok(decoded.into())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn text(error: DecodeError) -> String {
    error.to_string()
}
