//! Version 1 of the recording: one call per line, see `docs/recording.md`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::call::{Answer, RecordedCall, Subject};
use super::keep::KeepMode;
use crate::model::{Code, Fingerprints, Redactions, Timestamp};
use crate::ticket::RedactionV1;
use crate::ticket::without_values;
use crate::ticket::{no_status_code, version_word};
use crate::wire::{Dialect, FailingStatus, UnknownDialect};

const VERSION: u64 = 1;

/// Writes padding, but does not require it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A line that is not a valid recorded call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct RecordingLineError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: LineErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineErrorKind {
    /// Not a JSON object, or a key is unknown or has the wrong type.
    #[error("not a recorded call: {0}")]
    Json(String),
    /// A key is missing.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// An unknown version of the format.
    #[error(
        "recording version {0} is not known, this version reads {VERSION}; is there a newer angzarr-replay?"
    )]
    Version(String),
    /// A value that is not valid for its key.
    #[error("`{key}`: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A key differs from the request.
    #[error("`{key}` says `{line}`, the request says `{request}`; correct the line")]
    Disagrees {
        /// The key.
        key: &'static str,
        /// What the key says.
        line: String,
        /// What the request says.
        request: String,
    },
}

/// One call of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedLine {
    /// Its line, from 1.
    pub line: usize,
    /// The call.
    pub call: RecordedCall,
    /// How it is kept.
    pub kept: KeepMode,
}

/// Only the version, which is read first.
#[derive(Deserialize)]
struct Header {
    recording: Option<serde_json::Value>,
}

/// The keys of version 1, in the order of writing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineV1 {
    recording: u64,
    call: Option<u64>,
    time: Option<String>,
    path: Option<String>,
    dialect: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dialect_assumed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    kept: Option<String>,
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<String>,
    request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redacted: Vec<RedactionV1>,
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    redacted_by: Fingerprints,
}

/// The keys that repeat a part of the request.
fn about(subject: Option<&Subject>) -> [(&'static str, Option<String>); 4] {
    let cover = subject.and_then(|subject| subject.cover.as_ref());
    [
        ("domain", subject.map(|subject| subject.domain.to_string())),
        ("root", cover.map(|cover| cover.root.to_string())),
        (
            "edition",
            cover.map(|cover| cover.edition.label().to_owned()),
        ),
        ("type", subject.map(|subject| subject.type_name.clone())),
    ]
}

/// The call as one line with its number in the recording, without a line break.
pub(super) fn to_line(
    call: &RecordedCall,
    number: u64,
    subject: Option<&Subject>,
    kept: KeepMode,
) -> String {
    let [domain, root, edition, r#type] = about(subject).map(|(_, value)| value);
    let (code, message, details, reply) = match &call.answer {
        Answer::Reply(reply) => (Code::Ok, None, None, Some(BASE64.encode(reply))),
        Answer::Status(FailingStatus { failure, details }) => (
            failure.code,
            Some(failure.message.clone()),
            (!details.is_empty()).then(|| BASE64.encode(details)),
            None,
        ),
    };
    let time = jiff::Timestamp::new(call.time.seconds, call.time.nanos);
    let line = LineV1 {
        recording: VERSION,
        call: Some(number),
        time: Some(time.unwrap_or_default().to_string()),
        path: Some(call.path.clone()),
        dialect: Some(call.dialect.name().to_owned()),
        dialect_assumed: call.dialect_assumed,
        domain,
        root,
        edition,
        r#type,
        kept: Some(kept.word().to_owned()),
        code: Some(code.name().to_owned()),
        message,
        details,
        request: Some(BASE64.encode(&call.request)),
        reply,
        redacted: call.redacted.fields.iter().map(RedactionV1::of).collect(),
        redacted_by: call.redacted.by.clone(),
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}

/// The complete lines of a recording, and the number of an incomplete last line. A recorder may be writing that line, or was
/// killed while it did.
pub(crate) fn whole_lines(bytes: &[u8]) -> (&[u8], Option<usize>) {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let (whole, rest) = bytes.split_at(end.map_or(0, |end| end + 1));
    let last = whole.split(|byte| *byte == b'\n').count();
    (whole, (!rest.trim_ascii().is_empty()).then_some(last))
}

/// Reads the calls of a recording in the order of the file. An incomplete last line is ignored, because a recorder may still
/// be writing it.
pub fn parse_recording(text: &str) -> Result<Vec<RecordedLine>, RecordingLineError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    (1..)
        .zip(whole.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(line, text)| {
            let (call, kept) =
                parse_line(text).map_err(|kind| RecordingLineError { line, kind })?;
            Ok(RecordedLine { line, call, kept })
        })
        .collect()
}

pub(super) fn parse_line(text: &str) -> Result<(RecordedCall, KeepMode), LineErrorKind> {
    // serde counts from line 1 of this text; the caller adds the line of the file.
    let json = |error: serde_json::Error| {
        let words = without_values(&error.to_string());
        LineErrorKind::Json(words.replace(" at line 1 column ", " at column "))
    };
    let header: Header = serde_json::from_str(text).map_err(json)?;
    match header.recording {
        None => return Err(LineErrorKind::Missing("recording")),
        Some(version) if version.as_u64() != Some(VERSION) => {
            return Err(LineErrorKind::Version(version_word(&version)));
        }
        Some(_) => {}
    }
    let line: LineV1 = serde_json::from_str(text).map_err(json)?;
    let kept = required("kept", line.kept.clone())?;
    let kept =
        KeepMode::from_word(&kept).ok_or_else(|| value("kept", &"it is `always` or `ring`"))?;
    let dialect = dialect(&line)?;
    let call = RecordedCall {
        number: required("call", line.call)?,
        time: instant(&required("time", line.time.clone())?)?,
        path: required("path", line.path.clone())?,
        dialect,
        dialect_assumed: line.dialect_assumed && dialect.is_ambiguous(),
        request: base64("request", &required("request", line.request.clone())?)?,
        answer: answer(&line)?,
        redacted: Redactions {
            fields: line
                .redacted
                .iter()
                .cloned()
                .map(RedactionV1::lower)
                .collect(),
            by: line.redacted_by.clone(),
        },
    };
    if call.link().is_none() {
        return Err(value("path", &"calls of this method are not recorded"));
    }
    let subject = call.subject().ok();
    let said = [&line.domain, &line.root, &line.edition, &line.r#type];
    for ((key, request), said) in about(subject.as_ref()).into_iter().zip(said) {
        if said.is_some() && *said != request {
            return Err(LineErrorKind::Disagrees {
                key,
                line: said.clone().unwrap_or_default(),
                request: request.unwrap_or_default(),
            });
        }
    }
    Ok((call, kept))
}

fn dialect(line: &LineV1) -> Result<Dialect, LineErrorKind> {
    let dialect: Dialect = required("dialect", line.dialect.clone())?
        .parse()
        .map_err(|error: UnknownDialect| value("dialect", &error))?;
    let path = required("path", line.path.as_ref())?;
    match Dialect::of_path(path) {
        Some((of_path, _)) if of_path.package() == dialect.package() => Ok(dialect),
        _ => Err(value(
            "path",
            &format!("the dialect {dialect} has no such path"),
        )),
    }
}

fn answer(line: &LineV1) -> Result<Answer, LineErrorKind> {
    let name = required("code", line.code.clone())?;
    let code = Code::from_name(&name).ok_or_else(|| value("code", &no_status_code(&name)))?;
    if code == Code::Ok {
        let reply = required("reply", line.reply.as_ref())?;
        return base64("reply", reply).map(Answer::Reply);
    }
    if line.reply.is_some() {
        return Err(value(
            "reply",
            &format!("a call that failed ({code}) has none"),
        ));
    }
    let details = line.details.as_deref().unwrap_or_default();
    Ok(Answer::Status(FailingStatus::from_details(
        code,
        required("message", line.message.clone())?,
        base64("details", details)?,
    )))
}

fn instant(text: &str) -> Result<Timestamp, LineErrorKind> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|error| value("time", &format!("not an RFC 3339 timestamp ({error})")))?;
    Ok(Timestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
    })
}

fn base64(key: &'static str, text: &str) -> Result<Bytes, LineErrorKind> {
    let bytes = BASE64
        .decode(text)
        .map_err(|error| value(key, &format!("not base64 ({error})")))?;
    Ok(bytes.into())
}

fn required<T>(key: &'static str, found: Option<T>) -> Result<T, LineErrorKind> {
    found.ok_or(LineErrorKind::Missing(key))
}

fn value(key: &'static str, reason: &impl ToString) -> LineErrorKind {
    LineErrorKind::Value {
        key,
        reason: reason.to_string(),
    }
}
