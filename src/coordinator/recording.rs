//! Recorded traffic to seed a store with: the calls of a real deployment, one JSON object per line.
//!
//! Replies to accepted `HandleCommand` calls contain what that deployment stored. Failed `HandleCommand` calls are the
//! failures that its users saw. All other calls in a recording are skipped.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;

use super::SeedBook;
use crate::model::{Code, CommandBook, Failure};
use crate::wire::{self, DecodeError, Dialect};

/// Recordings pad replies, but not trailers.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A recording that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording: {reason}")]
pub struct RecordingError {
    line: usize,
    reason: BadCall,
}

impl RecordingError {
    /// Line of the recording, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// What is wrong with a recorded call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum BadCall {
    /// With the parser's message.
    #[error("{0}")]
    Json(String),
    #[error("{field} is not base64 ({error})")]
    Base64 {
        field: &'static str,
        error: base64::DecodeError,
    },
    #[error("`{0}` is not a gRPC status code")]
    Code(String),
    #[error(transparent)]
    Message(#[from] DecodeError),
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
    /// Next sequence of the aggregate according to the coordinator, if the reply contains it.
    pub head: Option<u32>,
}

/// Contents of a recording.
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

    fn read(&mut self, line: &str, path: &str, dialect: Dialect) -> Result<(), BadCall> {
        let call: Call =
            serde_json::from_str(line).map_err(|error| BadCall::Json(error.to_string()))?;
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

fn stored(call: &Call) -> Result<Option<SeedBook>, BadCall> {
    let reply = bytes_of("response", call.response.as_deref().unwrap_or_default())?;
    let book = wire::event_book_of_response(reply)?;
    let Some(cover) = book.cover else {
        return Ok(None);
    };
    Ok(Some(SeedBook {
        cover,
        pages: book.history.into_pages(),
        snapshot: book.snapshot,
    }))
}

fn failed(call: &Call, dialect: Dialect) -> Result<RecordedFailure, BadCall> {
    let code = Code::from_name(&call.code).ok_or_else(|| BadCall::Code(call.code.clone()))?;
    let request = bytes_of("request", &call.request)?;
    let bytes = wire::command_book_of_request(request)?;
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
            Some(wire::event_book(details)?.next_sequence)
        }
    };
    Ok(RecordedFailure {
        call: call.n,
        command: wire::command_book(&bytes, dialect)?,
        failure,
        head,
    })
}

fn bytes_of(field: &'static str, base64: &str) -> Result<Bytes, BadCall> {
    match BASE64.decode(base64) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) => Err(BadCall::Base64 { field, error }),
    }
}
