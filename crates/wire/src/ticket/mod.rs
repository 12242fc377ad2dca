//! Failure tickets: what went wrong in production, one JSON object a line.
//!
//! Version 1 has the keys `ticket` (1), `domain`, `root` (UUID), `edition` (`main` or a name), `sequence` (of the
//! command's first page; null where it is stamped on arrival), `correlation_id`, `code` (gRPC's name), `message`,
//! `dialect`, `command` (base64 of the encoded `CommandBook`), and optionally `time` (RFC 3339) and `head` (what
//! the next sequence was when the command failed). A ticket with the code `OK` notes a command that was accepted, and
//! may have `persisted`: how many events it stored. `dialect_assumed` is true where several dialects share the package
//! that was spoken and nobody said which it was. `answered_by` may be `logic`: codes that are the transport's as a
//! rule, such as `RESOURCE_EXHAUSTED`, are then the logic's own. `redacted` lists the fields of the command that were redacted, as
//! in a fixture, and `redacted_by` the fingerprints of what did it. The command is the truth; the keys beside it are for
//! people and for searching, and have to agree with it.

mod quoted;
mod redaction;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::model::{
    AnsweredBy, Code, CommandBook, Cover, Edition, Failure, FailureClass, Fingerprints, Redactions,
    Root, Timestamp,
};
use crate::wire::{self, Dialect, SpokenDialect};

pub use quoted::without_values;
pub use redaction::RedactionV1;

const VERSION: u64 = 1;
/// What `answered_by` says.
const LOGIC: &str = "logic";

/// The keys of version 1, in the order in which they are written.
pub const KEYS: [&str; 17] = [
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
    "redacted",
    "redacted_by",
];

/// Written with padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A command that production did not accept; or that it did accept, of which `OK` is the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The command, with the cover that says whom it was for.
    pub command: CommandBook,
    /// What production answered.
    pub failure: Failure,
    /// How the command is encoded.
    pub dialect: Dialect,
    /// Whether nobody said which of the dialects of its package that is.
    pub dialect_assumed: bool,
    /// When it failed.
    pub time: Option<Timestamp>,
    /// Next sequence of the aggregate when it failed.
    pub head: Option<u32>,
    /// How many events an accepted command stored.
    pub persisted: Option<u32>,
    /// Who gave the failing answer.
    pub answered_by: AnsweredBy,
    /// What of the command was redacted before the ticket was written.
    pub redacted: Redactions,
}

/// A line that is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TicketError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: TicketErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketErrorKind {
    /// It is no JSON object, or has a key that is unknown or of the wrong type.
    #[error("no failure ticket: {0}")]
    Json(String),
    /// A key is missing.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// Another version of the format.
    #[error(
        "ticket version {0} is not known, this version reads {VERSION}; is there a newer angzarr-replay?"
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
    /// The command is for somebody else than the keys say.
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

/// All that is known before the version is.
#[derive(Deserialize)]
struct Header {
    ticket: Option<serde_json::Value>,
}

/// The keys of version 1 in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ticket: u64,
    domain: Option<String>,
    root: Option<String>,
    edition: Option<String>,
    #[serde(default, deserialize_with = "present")]
    sequence: Option<Expected>,
    correlation_id: Option<String>,
    code: Option<String>,
    message: Option<String>,
    dialect: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    dialect_assumed: bool,
    command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    persisted: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    redacted: Vec<RedactionV1>,
    #[serde(default, skip_serializing_if = "Fingerprints::is_empty")]
    redacted_by: Fingerprints,
}

/// A sequence that may be null: stamped on arrival.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Expected(Option<u32>);

/// Tells a null from a missing key.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Expected>, D::Error> {
    Expected::deserialize(reader).map(Some)
}

impl Ticket {
    /// What its failure means to its command. Who answered is what the ticket says, else what the caller knows.
    #[must_use]
    pub fn class(&self, by: AnsweredBy) -> FailureClass {
        let sequence = self.command.expected_sequence();
        self.failure.class_for(sequence, self.answered_by.or(by))
    }

    /// The dialect that it is written in, and whether that was assumed.
    #[must_use]
    pub const fn spoken(&self) -> SpokenDialect {
        SpokenDialect {
            dialect: self.dialect,
            is_assumed: self.dialect_assumed,
        }
    }

    /// The same bytes of its command, read in another dialect.
    ///
    /// # Errors
    /// Where what the command keeps as its own encoding is none.
    pub fn read_in(&self, dialect: Dialect) -> Result<Self, wire::DecodeError> {
        Ok(Self {
            command: wire::command_book_in(&self.command, self.dialect, dialect)?,
            dialect,
            ..self.clone()
        })
    }

    /// Reads one line; `number` is its place in the file, for messages.
    pub fn parse_line(text: &str, number: usize) -> Result<Self, TicketError> {
        parse(text).map_err(|kind| TicketError { line: number, kind })
    }

    /// Reads a file's tickets with their line numbers; blank lines are passed over.
    pub fn parse_lines(text: &str) -> Result<Vec<(usize, Self)>, TicketError> {
        (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| Ok((number, Self::parse_line(line, number)?)))
            .collect()
    }

    /// Reads the tickets among the lines of a file, and says of every other line what is wrong with it.
    #[must_use]
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

    /// Whether it is of a command that production accepted: no failure, but a note of what was sent.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.failure.code == Code::Ok
    }

    /// Writes it as one line, without the line's end. The command is written by its own bytes.
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
            redacted: self.redacted.fields.iter().map(RedactionV1::of).collect(),
            redacted_by: self.redacted.by.clone(),
        };
        serde_json::to_string(&line).expect("texts and numbers are JSON")
    }
}

fn instant(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(time.seconds, time.nanos).ok()
}

fn parse(text: &str) -> Result<Ticket, TicketErrorKind> {
    // The line is the file's to count: within it there is only one.
    let json = |error: serde_json::Error| {
        let message = without_values(&error.to_string());
        TicketErrorKind::Json(message.replace(" at line 1 column ", " at column "))
    };
    let header: Header = serde_json::from_str(text).map_err(json)?;
    match header.ticket {
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
        .map_err(|error| value("command", &format!("no base64 ({error})")))?;
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
    let time = line
        .time
        .map(|text| {
            text.parse::<jiff::Timestamp>()
                .map_err(|error| value("time", &format!("no RFC 3339 instant ({error})")))
        })
        .transpose()?;
    Ok(Ticket {
        command,
        failure,
        dialect,
        // Of a package with one dialect there is nothing to assume.
        dialect_assumed: line.dialect_assumed && dialect.is_ambiguous(),
        time: time.map(|time| Timestamp {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }),
        head: line.head,
        persisted: line.persisted,
        answered_by,
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
    // A text that redaction looks through: it is not repeated.
    if required("correlation_id", line.correlation_id.as_ref())? != &cover.correlation_id {
        let reason = "the command has another; correct the ticket";
        return Err(value("correlation_id", &reason));
    }
    Ok(())
}

/// The label of a ticket's edition. A writer of tickets may have copied the name as the command has it: `angzarr` or
/// nothing for the main timeline, `main` for a branch of that name.
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

/// A version as an error names it: what is no number may be anything.
#[must_use]
pub fn version_word(version: &serde_json::Value) -> String {
    match version.as_number() {
        Some(number) => number.to_string(),
        None => "that is no number".to_owned(),
    }
}

/// What is wrong with a code; it is repeated where it can be nothing else.
#[must_use]
pub fn no_status_code(text: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let shown = if text.len() <= 24 && text.chars().all(is_name) {
        format!("`{text}`")
    } else {
        "it".to_owned()
    };
    format!("{shown} is no status code of gRPC, such as NOT_FOUND")
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
