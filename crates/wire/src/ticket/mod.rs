//! Failure tickets: failed commands of production, one JSON object per line.
//!
//! Version 1 has these keys:
//!
//! - `ticket` (1), `domain`, `root` (UUID), `edition` (`main` or a name), `correlation_id`, `message`, `dialect`
//! - `sequence` of the command's first page; null if the command is numbered on arrival
//! - `code`: gRPC's name of the status code. `OK` means that the command was accepted; such a ticket may have
//!   `persisted`, the number of events it stored
//! - `command`: base64 of the encoded `CommandBook`
//! - `time` (optional, RFC 3339) and `head` (optional): the next sequence when the command failed
//! - `dialect_assumed`: true if several dialects share the package and none of them was configured
//! - `answered_by` (optional): `logic` means that a code which usually comes from the transport, such as
//!   `RESOURCE_EXHAUSTED`, came from the logic
//! - `service_version` (optional): the build that answered, like the `service.version` of OpenTelemetry
//! - `trace_id` (optional): the trace of the request, 32 hex digits
//! - `redacted`: the redacted fields of the command, as in a fixture; `redacted_by`: fingerprints of the rules, key and
//!   descriptors that redacted them
//!
//! The command is authoritative. The other keys are for people and for searching, and have to agree with it.

mod line;
mod redaction;
#[cfg(feature = "schema")]
mod schema;
mod serde_message;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use crate::model::{
    AnsweredBy, Code, CommandBook, Cover, Edition, Failure, FailureClass, Redactions, Root,
    Timestamp, is_revision, trace_id,
};
use crate::wire::{self, Dialect, SpokenDialect};

use line::{Expected, Line};
pub use redaction::RedactionV1;
#[cfg(feature = "schema")]
pub use schema::ticket_json_schema;
pub use serde_message::without_values;

const VERSION: u64 = 1;
/// The only value of `answered_by`.
const LOGIC: &str = "logic";

/// The keys of version 1, in the order of writing.
pub const KEYS: [&str; 19] = [
    "ticket",
    "domain",
    "root",
    "edition",
    "sequence",
    "correlation_id",
    "code",
    "message",
    "dialect",
    "dialect_assumed",
    "command",
    "time",
    "head",
    "persisted",
    "answered_by",
    "service_version",
    "trace_id",
    "redacted",
    "redacted_by",
];

/// Writes padding, but does not require it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A command that production did not accept, or an accepted command with the code `OK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The command, whose cover is its addressee.
    pub command: CommandBook,
    /// The failing status that production returned.
    pub failure: Failure,
    /// Dialect in which the command is encoded.
    pub dialect: Dialect,
    /// Whether the dialect was assumed because several share its package.
    pub dialect_assumed: bool,
    /// When it failed.
    pub time: Option<Timestamp>,
    /// Next sequence of the aggregate when it failed.
    pub head: Option<u32>,
    /// How many events an accepted command stored.
    pub persisted: Option<u32>,
    /// Where the failing status came from.
    pub answered_by: AnsweredBy,
    /// The build of the service that answered, like the `service.version` of OpenTelemetry.
    pub service_version: Option<String>,
    /// The trace of the request: 32 hex digits in lower case.
    pub trace_id: Option<String>,
    /// What redaction did to the command before the ticket was written.
    pub redacted: Redactions,
}

/// A line that is not a valid ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TicketError {
    line: usize,
    kind: TicketErrorKind,
}

impl TicketError {
    /// The line, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// What is wrong with the line.
    #[doc(hidden)]
    #[must_use]
    pub const fn kind(&self) -> &TicketErrorKind {
        &self.kind
    }
}

impl From<TicketError> for TicketErrorKind {
    fn from(error: TicketError) -> Self {
        error.kind
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketErrorKind {
    /// Not a JSON object, or a key is unknown or has the wrong type.
    #[error("not a failure ticket: {0}")]
    Json(String),
    /// A key is missing.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// An unknown version of the format.
    #[error(
        "ticket version {0} is not known, this version reads {VERSION}; is there a newer angzarr-replay?"
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
    /// A key differs from the command.
    #[error("`{key}` says `{ticket}`, the command says `{command}`; correct the ticket")]
    Disagrees {
        /// The key.
        key: &'static str,
        /// What the key says.
        ticket: String,
        /// What the command says.
        command: String,
    },
}

/// Only the version, which is read first.
#[derive(Deserialize)]
struct VersionOnly {
    ticket: Option<serde_json::Value>,
}

impl Ticket {
    /// Parses one line; `number` is its line number, for messages.
    pub fn parse_line(text: &str, number: usize) -> Result<Self, TicketError> {
        parse(text).map_err(|kind| TicketError { line: number, kind })
    }

    /// Parses the tickets of a file, with their line numbers; blank lines are skipped.
    #[doc(hidden)]
    pub fn parse_lines(text: &str) -> Result<Vec<(usize, Self)>, TicketError> {
        (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| Ok((number, Self::parse_line(line, number)?)))
            .collect()
    }

    /// Parses the valid tickets of a file, with their line numbers, and returns an error for every other line.
    #[must_use]
    #[doc(hidden)]
    pub fn read_lines(text: &str) -> (Vec<(usize, Self)>, Vec<TicketError>) {
        let (mut tickets, mut refused) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            match Self::parse_line(line, number) {
                Ok(ticket) => tickets.push((number, ticket)),
                Err(error) => refused.push(error),
            }
        }
        (tickets, refused)
    }

    /// Whether production accepted the command, so that the ticket only records what was sent.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.failure.code == Code::Ok
    }

    /// The ticket as one line, without a line break. The command is written as its original bytes.
    #[must_use]
    pub fn to_line(&self) -> String {
        let cover = &self.command.cover;
        let line = Line {
            ticket: VERSION,
            domain: Some(cover.domain.to_string()),
            root: Some(cover.root.to_string()),
            edition: Some(cover.edition.label().to_owned()),
            sequence: Some(Expected(self.command.expected_sequence())),
            correlation_id: Some(cover.correlation_id.clone()),
            code: Some(self.failure.code.name().to_owned()),
            message: Some(self.failure.message.clone()),
            dialect: Some(self.dialect.name().to_owned()),
            dialect_assumed: self.dialect_assumed,
            command: Some(BASE64.encode(wire::encode_command_book(&self.command, self.dialect))),
            time: self.time.and_then(instant).map(|time| time.to_string()),
            head: self.head,
            persisted: self.persisted,
            answered_by: (self.answered_by == AnsweredBy::Logic).then(|| LOGIC.to_owned()),
            service_version: self.service_version.clone(),
            trace_id: self.trace_id.clone(),
            redacted: self.redacted.fields.iter().map(RedactionV1::of).collect(),
            redacted_by: self.redacted.by.clone(),
        };
        serde_json::to_string(&line).expect("texts and numbers are JSON")
    }
}

/// For the other crates of this project.
#[doc(hidden)]
impl Ticket {
    /// Meaning of the failure for the command. `by` is used if the ticket does not say who answered.
    #[must_use]
    pub fn class(&self, by: AnsweredBy) -> FailureClass {
        let sequence = self.command.expected_sequence();
        self.failure.class_for(sequence, self.answered_by.or(by))
    }

    /// The dialect of the ticket, and whether it was assumed.
    #[must_use]
    pub const fn spoken(&self) -> SpokenDialect {
        SpokenDialect {
            dialect: self.dialect,
            is_assumed: self.dialect_assumed,
        }
    }

    /// The ticket with the bytes of its command decoded in another dialect.
    ///
    /// # Errors
    /// If the original encoding that the command keeps does not decode.
    pub fn read_in(&self, dialect: Dialect) -> Result<Self, wire::DecodeError> {
        Ok(Self {
            command: wire::command_book_in(&self.command, self.dialect, dialect)?,
            dialect,
            ..self.clone()
        })
    }
}

fn instant(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(time.seconds, time.nanos).ok()
}

fn parse(text: &str) -> Result<Ticket, TicketErrorKind> {
    // serde counts from line 1 of this text; the caller adds the line of the file.
    let json = |error: serde_json::Error| {
        let message = without_values(&error.to_string());
        TicketErrorKind::Json(message.replace(" at line 1 column ", " at column "))
    };
    let version: VersionOnly = serde_json::from_str(text).map_err(json)?;
    match version.ticket {
        None => return Err(TicketErrorKind::Missing("ticket")),
        Some(version) if version.as_u64() != Some(VERSION) => {
            return Err(TicketErrorKind::Version(version_word(&version)));
        }
        Some(_) => {}
    }
    let line: Line = serde_json::from_str(text).map_err(json)?;
    let dialect: Dialect = required("dialect", line.dialect.clone())?
        .parse()
        .map_err(|error: wire::UnknownDialect| value("dialect", &error))?;
    let code = required("code", line.code.clone())?;
    let failure = Failure {
        code: Code::from_name(&code).ok_or_else(|| value("code", &no_status_code(&code)))?,
        message: required("message", line.message.clone())?,
        info: None,
    };
    let bytes = BASE64
        .decode(required("command", line.command.clone())?)
        .map_err(|error| value("command", &format!("not base64 ({error})")))?;
    let command =
        wire::command_book(&bytes.into(), dialect).map_err(|error| value("command", &error))?;
    check_agreement(&line, &command)?;
    if line.persisted.is_some() && failure.code != Code::Ok {
        return Err(value(
            "persisted",
            &format!("only a command that was accepted (`OK`) stores events, this one is `{code}`"),
        ));
    }
    let answered_by = match line.answered_by.as_deref() {
        None => AnsweredBy::NotKnown,
        Some(LOGIC) => AnsweredBy::Logic,
        Some(_) => return Err(value("answered_by", &"only `logic` is known")),
    };
    if line
        .service_version
        .as_deref()
        .is_some_and(|it| !is_revision(it))
    {
        return Err(value(
            "service_version",
            &"a version of at most 200 visible characters is expected",
        ));
    }
    let trace_id = line.trace_id.map(|text| {
        let is_bare = text.len() == 32;
        let bare = trace_id(&text).filter(|_| is_bare);
        bare.ok_or_else(|| {
            value(
                "trace_id",
                &"32 hex digits are expected, not all of them zero",
            )
        })
    });
    let trace_id = trace_id.transpose()?;
    let time = line
        .time
        .map(|text| {
            text.parse::<jiff::Timestamp>()
                .map_err(|error| value("time", &format!("not an RFC 3339 timestamp ({error})")))
        })
        .transpose()?;
    Ok(Ticket {
        command,
        failure,
        dialect,
        // If the package has only one dialect, it was not assumed.
        dialect_assumed: line.dialect_assumed && dialect.is_ambiguous(),
        time: time.map(|time| Timestamp {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }),
        head: line.head,
        persisted: line.persisted,
        answered_by,
        service_version: line.service_version,
        trace_id,
        redacted: Redactions {
            fields: line.redacted.into_iter().map(RedactionV1::lower).collect(),
            by: line.redacted_by,
        },
    })
}

fn check_agreement(line: &Line, command: &CommandBook) -> Result<(), TicketErrorKind> {
    let cover = &command.cover;
    let sequence_text =
        |sequence: Option<u32>| sequence.map_or_else(|| "null".to_owned(), |s| s.to_string());
    let root = required("root", line.root.clone())?;
    let root: Root = root
        .parse()
        .map_err(|_| value("root", &"a UUID with or without dashes is expected"))?;
    let Some(Expected(sequence)) = line.sequence else {
        return Err(TicketErrorKind::Missing("sequence"));
    };
    let pairs = [
        (
            "domain",
            required("domain", line.domain.clone())?,
            cover.domain.to_string(),
        ),
        ("root", root.to_string(), cover.root.to_string()),
        (
            "edition",
            edition_as_the_command_has_it(required("edition", line.edition.clone())?, cover),
            cover.edition.label().to_owned(),
        ),
        (
            "sequence",
            sequence_text(sequence),
            sequence_text(command.expected_sequence()),
        ),
    ];
    for (key, ticket, command) in pairs {
        if ticket != command {
            return Err(TicketErrorKind::Disagrees {
                key,
                ticket,
                command,
            });
        }
    }
    // A correlation id may be personal data, which redaction replaces, so the message does not repeat it.
    if required("correlation_id", line.correlation_id.as_ref())? != &cover.correlation_id {
        let reason = "the command has another; correct the ticket";
        return Err(value("correlation_id", &reason));
    }
    Ok(())
}

/// Label of a ticket's edition. The ticket may have the name as the command has it: `angzarr` or empty for the main
/// timeline, `main` for a branch of that name.
fn edition_as_the_command_has_it(written: String, cover: &Cover) -> String {
    let is_of_command = match &cover.edition {
        Edition::Main => Edition::from_label(&written).is_ok_and(|edition| edition.is_main()),
        Edition::Named { name, .. } => written == name.as_str(),
    };
    if is_of_command {
        cover.edition.label().to_owned()
    } else {
        written
    }
}

/// A version for a message. Its text is not repeated unless it is a number, since it could be anything.
#[must_use]
pub fn version_word(version: &serde_json::Value) -> String {
    match version.as_number() {
        Some(number) => number.to_string(),
        None => "that is not a number".to_owned(),
    }
}

/// Message for an unknown status code. The text is repeated only if it looks like the name of a code.
#[must_use]
pub fn no_status_code(text: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let shown = if text.len() <= 24 && text.chars().all(is_name) {
        format!("`{text}`")
    } else {
        "it".to_owned()
    };
    format!("{shown} is not a gRPC status code such as NOT_FOUND")
}

fn required<T>(key: &'static str, found: Option<T>) -> Result<T, TicketErrorKind> {
    found.ok_or(TicketErrorKind::Missing(key))
}

fn value(key: &'static str, reason: &impl ToString) -> TicketErrorKind {
    TicketErrorKind::Value {
        key,
        reason: reason.to_string(),
    }
}
