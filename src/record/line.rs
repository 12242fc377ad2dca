//! Version 1 of the recording: one call a line, `docs/recording.md`.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::keep::Kept;
use super::note::{Answer, Note, Subject};
use crate::model::{Code, Fingerprints, Redactions, Timestamp};
use crate::ticket::RedactionV1;
use crate::ticket::without_values;
use crate::ticket::{no_status_code, version_word};
use crate::wire::{Dialect, FailingStatus, UnknownDialect};

const VERSION: u64 = 1;

/// Written with padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A line that is no recorded call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct LineError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: LineErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineErrorKind {
    /// It is no JSON object, or has a key that is unknown or of the wrong type.
    #[error("no recorded call: {0}")]
    Json(String),
    /// A key is missing.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// Another version of the format.
    #[error(
        "recording version {0} is not known, this version reads {VERSION}; is there a newer angzarr-replay?"
    )]
    Version(String),
    /// A value that its key does not take.
    #[error("`{key}`: {reason}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The request is about something else than the keys say.
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
pub struct Recorded {
    /// Its line, from 1.
    pub line: usize,
    /// The call.
    pub note: Note,
    /// How it is kept.
    pub kept: Kept,
}

/// All that is known before the version is.
#[derive(Deserialize)]
struct Header {
    recording: Option<serde_json::Value>,
}

/// The keys of version 1 in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
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

/// What the keys beside the request say.
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

/// Writes a call as one line, without the line's end.
pub(super) fn to_line(note: &Note, subject: Option<&Subject>, kept: Kept) -> String {
    let [domain, root, edition, r#type] = about(subject).map(|(_, value)| value);
    let (code, message, details, reply) = match &note.answer {
        Answer::Reply(reply) => (Code::Ok, None, None, Some(BASE64.encode(reply))),
        Answer::Status(FailingStatus { failure, details }) => (
            failure.code,
            Some(failure.message.clone()),
            (!details.is_empty()).then(|| BASE64.encode(details)),
            None,
        ),
    };
    let time = jiff::Timestamp::new(note.time.seconds, note.time.nanos);
    let line = Line {
        recording: VERSION,
        call: Some(note.call),
        time: Some(time.unwrap_or_default().to_string()),
        path: Some(note.path.clone()),
        dialect: Some(note.dialect.name().to_owned()),
        dialect_assumed: note.dialect_assumed,
        domain,
        root,
        edition,
        r#type,
        kept: Some(kept.word().to_owned()),
        code: Some(code.name().to_owned()),
        message,
        details,
        request: Some(BASE64.encode(&note.request)),
        reply,
        redacted: note.redacted.fields.iter().map(RedactionV1::of).collect(),
        redacted_by: note.redacted.by.clone(),
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}

/// The lines of a recording that are whole, and the number of a last line without an end, which may be half written: a
/// recorder is at it, or was killed while it was.
pub(crate) fn whole_lines(bytes: &[u8]) -> (&[u8], Option<usize>) {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let (whole, rest) = bytes.split_at(end.map_or(0, |end| end + 1));
    let last = whole.split(|byte| *byte == b'\n').count();
    (whole, (!rest.trim_ascii().is_empty()).then_some(last))
}

/// Reads the calls of a recording in the order of the file. A last line without an end may be half written: the
/// recorder may still be at it, so it is passed over.
pub fn parse_recording(text: &str) -> Result<Vec<Recorded>, LineError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    (1..)
        .zip(whole.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(line, text)| {
            let (note, kept) = parse_line(text).map_err(|kind| LineError { line, kind })?;
            Ok(Recorded { line, note, kept })
        })
        .collect()
}

pub(super) fn parse_line(text: &str) -> Result<(Note, Kept), LineErrorKind> {
    // The line is the file's to count: within it there is only one.
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
    let line: Line = serde_json::from_str(text).map_err(json)?;
    let kept = required("kept", line.kept.clone())?;
    let kept = Kept::from_word(&kept).ok_or_else(|| value("kept", &"it is `always` or `ring`"))?;
    let dialect = dialect(&line)?;
    let note = Note {
        call: required("call", line.call)?,
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
    if note.between().is_none() {
        return Err(value("path", &"calls of this method are not recorded"));
    }
    let subject = note.subject().ok();
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
    Ok((note, kept))
}

fn dialect(line: &Line) -> Result<Dialect, LineErrorKind> {
    let dialect: Dialect = required("dialect", line.dialect.clone())?
        .parse()
        .map_err(|error: UnknownDialect| value("dialect", &error))?;
    let path = required("path", line.path.as_ref())?;
    match Dialect::of_path(path) {
        Some((of_path, _)) if of_path.package() == dialect.package() => Ok(dialect),
        _ => Err(value("path", &format!("it is none of {dialect}"))),
    }
}

fn answer(line: &Line) -> Result<Answer, LineErrorKind> {
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
