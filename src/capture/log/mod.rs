//! Finds failures in program logs: tickets, and the fields that Angzarr's documentation tells clients to log.
//!
//! Owns how a log is parsed: split lines and records (`lines`), times (`time`), JSON anywhere in a line and nested in
//! JSON strings, `key=value` in the style of logfmt, structlog and tracing (`text`), the fields of a failure
//! (`record`), the status formats of many languages (`status`), trace ids (`trace`), and why a line cannot be used (`error`). Reads no files, and never fails, because most lines
//! of a log are something else.

mod error;
mod lines;
mod record;
mod resource;
mod status;
mod text;
mod time;
mod trace;

use std::collections::BTreeMap;

use serde_json::Value;

use self::lines::{LineJoiner, Piece};
use self::time::Moment;
use crate::grpc::DeadLetter;
use crate::model::{
    AnsweredBy, CommandBook, Cover, Domain, Edition, FailureClass, ReportedFailure, Root, Timestamp,
};
use crate::ticket::Ticket;
use crate::wire::{DecodeError, Dialect};

pub use self::error::LineError;
pub use self::time::{LocalTime, newest};

/// Describes what is searched for in a log.
pub const LOOKED_FOR: &str = "failure tickets (`ticket` and `command`), and lines with `root` or `aggregate_root` and \
                              one of `error_code`, `error_message` and `error`, as JSON or key=value";

/// Deepest nesting of text in text.
const DEPTH: usize = 6;
/// Limit for the bytes read of a line whose fields are shared by many records, as a multiple of its length. Ordinary
/// lines need a fraction of it; without a limit, a malicious line would take quadratic time.
const EFFORT: usize = 64;
/// Two descriptions of the same failure in a line have at most this many failures between them.
const NEAR: usize = 64;

/// One failure in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a log of failures is mostly of tickets"
)]
pub enum Logged {
    /// A ticket: the command and production's answer.
    Ticket(Ticket),
    /// The fields of a failure, without the command.
    Failure(LoggedFailure),
}

/// A failure whose status is uncertain: from a log without the command, or from a dead letter, which has no status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedFailure {
    /// Domain of the aggregate, if the log contains it.
    pub domain: Option<Domain>,
    /// Its root.
    pub root: Root,
    /// Its edition.
    pub edition: Edition,
    /// What was logged about the failure.
    pub noted: ReportedFailure,
    /// The build of the service that wrote the log, if the log says it.
    pub service_version: Option<String>,
    /// The command, which only a dead letter has.
    pub command: Option<LetterCommand>,
}

/// The command in a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCommand {
    /// The command.
    pub book: CommandBook,
    /// The next sequence of the aggregate when the command was abandoned, if the dead letter contains it.
    pub head: Option<u32>,
    /// The dialect in which the command is encoded.
    pub dialect: Dialect,
}

impl LoggedFailure {
    /// What its status means for its command; none if the log contains no code.
    #[must_use]
    pub fn class(&self, by: AnsweredBy) -> Option<FailureClass> {
        let command = self.command.as_ref();
        let sequence = command.and_then(|command| command.book.expected_sequence());
        let failure = self.noted.failure()?;
        Some(failure.class_for(sequence.or(self.noted.sequence), by))
    }

    /// From a dead letter with a command; none if it has events.
    pub fn of_letter(letter: &DeadLetter, dialect: Dialect) -> Result<Option<Self>, DecodeError> {
        let Some(book) = letter.command(dialect)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            domain: Some(book.cover.domain.clone()),
            root: book.cover.root,
            edition: book.cover.edition.clone(),
            noted: ReportedFailure {
                code: None,
                message: letter.reason.clone(),
                sequence: book.expected_sequence(),
                correlation_id: book.cover.correlation_id.clone(),
                time: letter.time,
            },
            service_version: None,
            command: Some(LetterCommand {
                book,
                head: letter.head,
                dialect,
            }),
        }))
    }

    /// Whether it may belong to this aggregate: the log may lack the domain.
    #[must_use]
    pub fn fits(&self, cover: &Cover) -> bool {
        self.root == cover.root
            && self.edition.label() == cover.edition.label()
            && self
                .domain
                .as_ref()
                .is_none_or(|domain| *domain == cover.domain)
    }
}

impl Logged {
    /// When it happened, if the log says so.
    #[must_use]
    pub const fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Ticket(ticket) => ticket.time,
            Self::Failure(failure) => failure.noted.time,
        }
    }

    /// Root of the aggregate.
    #[must_use]
    pub const fn root(&self) -> Root {
        match self {
            Self::Ticket(ticket) => ticket.command.cover.root,
            Self::Failure(failure) => failure.root,
        }
    }

    /// Domain of the aggregate, if the log contains it.
    #[must_use]
    pub const fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Ticket(ticket) => Some(&ticket.command.cover.domain),
            Self::Failure(failure) => failure.domain.as_ref(),
        }
    }

    /// Correlation id of the command; empty if it has none or the log lacks it.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        match self {
            Self::Ticket(ticket) => &ticket.command.cover.correlation_id,
            Self::Failure(failure) => &failure.noted.correlation_id,
        }
    }

    /// The build of the service, if the log says it.
    #[must_use]
    pub fn service_version(&self) -> Option<&str> {
        match self {
            Self::Ticket(ticket) => ticket.service_version.as_deref(),
            Self::Failure(failure) => failure.service_version.as_deref(),
        }
    }

    /// Edition of the aggregate.
    #[must_use]
    pub const fn edition(&self) -> &Edition {
        match self {
            Self::Ticket(ticket) => &ticket.command.cover.edition,
            Self::Failure(failure) => &failure.edition,
        }
    }
}

/// The result of reading a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogReading {
    /// Failures, each with its line from 1.
    pub found: Vec<(usize, Logged)>,
    /// Times without a time zone, by the index of their failure.
    pub local: BTreeMap<usize, LocalTime>,
    /// Trace ids as 32 hex digits, by the index of their failure.
    pub traces: BTreeMap<usize, String>,
    /// Lines that look like a ticket or a failure but cannot be used, with the reason.
    pub unusable: Vec<(usize, LineError)>,
    /// Number of lines read.
    pub lines: usize,
    joining: LineJoiner,
}

impl LogReading {
    /// Reads a whole text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut reading = Self::default();
        for line in text.lines() {
            reading.read_line(line);
        }
        reading.finish();
        reading
    }

    /// Counts a line that was not read.
    pub fn pass_over(&mut self, reason: LineError) {
        self.lines += 1;
        self.unusable.push((self.lines, reason));
    }

    /// Reads the next line, without its line ending. A record that spans several lines is found at its last line.
    pub fn read_line(&mut self, line: &str) {
        self.lines += 1;
        let mut whole = Vec::new();
        let discarded = self.joining.add_line(self.lines, line, &mut whole);
        self.unusable.extend(discarded);
        for piece in &whole {
            self.understand(piece, false);
        }
    }

    /// Ends the log, and parses records that were not completed.
    pub fn finish(&mut self) {
        let mut rest = Vec::new();
        self.joining.finish(&mut rest);
        for piece in &rest {
            self.understand(piece, true);
        }
    }

    fn understand(&mut self, piece: &Piece, is_rest: bool) {
        // Every failure has a root, so nearly every line of a log is skipped here.
        if !may_contain_failure(&piece.text) {
            return;
        }
        let surrounding = SurroundingFields {
            moment: time::of_record(&piece.surrounding),
            record: piece.surrounding.clone(),
        };
        let mut found = LineFindings {
            left: piece.text.len().saturating_mul(EFFORT),
            ..LineFindings::default()
        };
        found.in_text(&piece.text, &surrounding, 0);
        for (one, moment, trace) in found.all {
            match one {
                Ok(logged) => {
                    if let Some(trace) = trace {
                        self.traces.insert(self.found.len(), trace);
                    }
                    if let Some(Moment::Local(local)) = moment {
                        self.local.insert(self.found.len(), local);
                    }
                    self.found.push((piece.line, logged));
                }
                Err(reason) => self.unusable.push((piece.line, reason)),
            }
        }
        if let Some(what) = found.cut {
            let by_runtime = is_rest;
            let reason = LineError::CutRecord { what, by_runtime };
            self.unusable.push((piece.line, reason));
        }
        if found.exceeded_limit {
            self.unusable.push((piece.line, LineError::TooNested));
        }
    }
}

/// Whether a text may contain a ticket or a failure: both have a root, possibly in a list of bytes.
fn may_contain_failure(text: &str) -> bool {
    [
        "root",
        "Root",
        "ROOT",
        "114,111,111,116",
        "114, 111, 111, 116",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// Fields of a record by key.
type Record = BTreeMap<String, Value>;

/// Fields that surround a text or a value and belong to it.
#[derive(Debug, Clone, Default)]
struct SurroundingFields {
    record: Record,
    moment: Option<Moment>,
}

impl SurroundingFields {
    fn with(&self, record: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut own: Record = record.into_iter().collect();
        if let Some(version) = resource::service_version(&own) {
            own.insert(resource::SERVICE_VERSION.to_owned(), version.into());
        }
        let moment = Moment::nearer(time::of_record(&own), self.moment);
        let mut record = self.record.clone();
        record.extend(own);
        Self { record, moment }
    }

    /// Approximate size in bytes.
    fn size(&self) -> usize {
        let fields = self.record.iter();
        let sizes = fields.map(|(key, value)| key.len() + value.as_str().map_or(8, str::len));
        sizes.sum()
    }
}

/// A failure in a line, when it happened, and its trace id.
type Finding = (Result<Logged, LineError>, Option<Moment>, Option<String>);

/// Failures found in a line.
#[derive(Default)]
struct LineFindings {
    all: Vec<Finding>,
    /// Why the line ends too early.
    cut: Option<&'static str>,
    /// Bytes of surrounding fields that may still be copied into records.
    left: usize,
    /// Whether the limit was exceeded.
    exceeded_limit: bool,
}

impl LineFindings {
    /// Whether the surrounding fields may be copied into another record or text.
    fn may_copy(&mut self, surrounding: &SurroundingFields) -> bool {
        if self.exceeded_limit {
            return false;
        }
        let size = surrounding.size();
        self.exceeded_limit = size > self.left;
        self.left = self.left.saturating_sub(size);
        !self.exceeded_limit
    }

    /// Searches a text. Returns whether anything was found.
    fn in_text(&mut self, text: &str, surrounding: &SurroundingFields, depth: usize) -> bool {
        if depth > DEPTH || !may_contain_failure(text) || !self.may_copy(surrounding) {
            return false;
        }
        let text = &text::without_colours(text);
        let mut surrounding = surrounding.clone();
        // Fields may precede the record too.
        let before_records = text.find('{').unwrap_or(text.len());
        let fields = text::Pairs::of(&text[..before_records]).record;
        for moment in [time::leading(text), time::of_record(&fields)] {
            surrounding.moment = Moment::nearer(moment, surrounding.moment);
        }
        let before = self.all.len();
        let (objects, unended) = text::json_objects(text);
        for value in objects {
            self.in_value(&value, &surrounding, depth);
        }
        if self.all.len() > before {
            return true;
        }
        let pairs = text::Pairs::of(text);
        let record = surrounding.with(pairs.record.clone());
        if self.in_record(&record, pairs.is_cut, pairs.refusal_reason) {
            return true;
        }
        let texts = pairs.record.values().filter_map(Value::as_str);
        let is_found = texts.fold(false, |found, inner| {
            found | self.in_text(inner, &surrounding, depth + 1)
        });
        if !is_found {
            self.cut = self.cut.or_else(|| unended.and_then(what_is_cut));
        }
        is_found
    }

    fn in_value(&mut self, value: &Value, surrounding: &SurroundingFields, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match value {
            Value::Object(_) if !self.may_copy(surrounding) => false,
            Value::Object(fields) => {
                let fields = fields.iter();
                let mut surrounding = surrounding.with(
                    fields
                        .clone()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
                if self.in_record(&surrounding, false, None) {
                    return true;
                }
                // Surrounding fields belong to the record: time, correlation id.
                surrounding
                    .record
                    .retain(|_, value| !value.is_object() && !value.is_array());
                fields.fold(false, |found, (_, inner)| {
                    found | self.in_value(inner, &surrounding, depth + 1)
                })
            }
            Value::Array(items) => match text_of_bytes(items) {
                Some(text) => self.in_text(&text, surrounding, depth + 1),
                None => items.iter().fold(false, |found, inner| {
                    found | self.in_value(inner, surrounding, depth + 1)
                }),
            },
            Value::String(text) => self.in_text(text, surrounding, depth + 1),
            _ => false,
        }
    }

    fn in_record(
        &mut self,
        surrounding: &SurroundingFields,
        is_cut: bool,
        refusal_reason: Option<&str>,
    ) -> bool {
        let Some(read) = record::read(
            &surrounding.record,
            surrounding.moment,
            is_cut,
            refusal_reason,
        ) else {
            return false;
        };
        // A line may describe a failure twice, as text and as fields.
        let mut near = self.all.iter().rev().take(NEAR);
        if !near.any(|(known, ..)| *known == read) {
            let trace = trace::of_record(&surrounding.record);
            self.all.push((read, surrounding.moment, trace));
        }
        true
    }
}

/// Text in a list of bytes, which journald uses for a message with terminal colours.
fn text_of_bytes(items: &[Value]) -> Option<String> {
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok()))
        .collect();
    let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Describes an unterminated JSON object; none if it contained nothing of interest.
fn what_is_cut(text: &str) -> Option<&'static str> {
    let has = |key: &str| {
        text.contains(&format!("\"{key}\"")) || text.contains(&format!("\\\"{key}\\\""))
    };
    if has("ticket") {
        Some("a ticket")
    } else if has("error") || has("error_message") || has("error_code") || has("err") {
        Some("a failure")
    } else {
        None
    }
}
