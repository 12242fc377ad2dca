//! Failures among whatever else a program logs: tickets, and the fields that Angzarr's documentation has clients log.
//!
//! Owns how a log is understood: which lines were one (`lines`), when something happened (`time`), JSON anywhere in a
//! line, also JSON within a text of JSON, `key=value` as logfmt, structlog and tracing write it (`text`), which fields are
//! a failure (`record`), and the ways in which languages print a status (`status`). Knows no files; a reader that fails
//! on nothing, since most lines are not meant for it.

mod lines;
mod record;
mod status;
mod text;
mod time;

use std::collections::BTreeMap;

use serde_json::Value;

use self::lines::{Lines, Piece};
use self::time::Moment;
use crate::grpc::DeadLetter;
use crate::model::{
    AnsweredBy, CommandBook, Cover, Domain, Edition, FailureClass, ReportedFailure, Root, Timestamp,
};
use crate::ticket::Ticket;
use crate::wire::{DecodeError, Dialect};

pub use self::time::{LocalTime, newest};

/// What is looked for in a log, in words.
pub const LOOKED_FOR: &str = "failure tickets (`ticket` and `command`), and lines with `root` or `aggregate_root` and \
                              one of `error_code`, `error_message` and `error`, as JSON or key=value";

/// Texts within texts are followed so far.
const DEPTH: usize = 6;
/// So many times its length is read of a line in which fields belong to many records. A program's own line needs a
/// fraction of that; a hostile one would otherwise take the square of its length.
const EFFORT: usize = 64;
/// Two ways to say the same failure in a line are no further apart than this many failures.
const NEAR: usize = 64;

const TOO_NESTED: &str =
    "the line has so many records within each other that not all of them were looked at";

/// What one record of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a log of failures is mostly of tickets"
)]
pub enum Logged {
    /// A ticket: the command and what production answered.
    Ticket(Ticket),
    /// Fields of a failure, without the command.
    Failure(LoggedFailure),
}

/// A failure of which the status is not known for sure: a log tells of it without the command, or a dead letter without
/// the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedFailure {
    /// Domain of the aggregate, where the log has it.
    pub domain: Option<Domain>,
    /// Its root.
    pub root: Root,
    /// Its timeline.
    pub edition: Edition,
    /// What was logged of the failure.
    pub noted: ReportedFailure,
    /// The command, which a dead letter has and a log has not.
    pub command: Option<LetterCommand>,
}

/// The command of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterCommand {
    /// The command.
    pub book: CommandBook,
    /// Next sequence of the aggregate when it was given up, where the letter tells.
    pub head: Option<u32>,
    /// How the command is encoded.
    pub dialect: Dialect,
}

impl LoggedFailure {
    /// What its status means to its command; none where the log has no code.
    #[must_use]
    pub fn class(&self, by: AnsweredBy) -> Option<FailureClass> {
        let command = self.command.as_ref();
        let sequence = command.and_then(|command| command.book.expected_sequence());
        let failure = self.noted.failure()?;
        Some(failure.class_for(sequence.or(self.noted.sequence), by))
    }

    /// Of a dead letter with a command; none of one with events.
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
            command: Some(LetterCommand {
                book,
                head: letter.head,
                dialect,
            }),
        }))
    }

    /// Whether it may be of this aggregate: the domain may have been left out of the log.
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
    /// When it happened, where the log says so.
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

    /// Domain of the aggregate, where the log has it.
    #[must_use]
    pub const fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Ticket(ticket) => Some(&ticket.command.cover.domain),
            Self::Failure(failure) => failure.domain.as_ref(),
        }
    }

    /// Correlation id of the command; empty where it has none, or the log does not have it.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        match self {
            Self::Ticket(ticket) => &ticket.command.cover.correlation_id,
            Self::Failure(failure) => &failure.noted.correlation_id,
        }
    }

    /// Timeline of the aggregate.
    #[must_use]
    pub const fn edition(&self) -> &Edition {
        match self {
            Self::Ticket(ticket) => &ticket.command.cover.edition,
            Self::Failure(failure) => &failure.edition,
        }
    }
}

/// What a log holds of use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogReading {
    /// What was understood, with its line from 1.
    pub found: Vec<(usize, Logged)>,
    /// Times without a zone, of those that were found without an instant, by their position.
    pub local: BTreeMap<usize, LocalTime>,
    /// Lines that look like a ticket or a failure and are none, with the reason.
    pub unusable: Vec<(usize, String)>,
    /// Lines that were read.
    pub lines: usize,
    joining: Lines,
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

    /// Counts a line that cannot be read.
    pub fn pass_over(&mut self, reason: &str) {
        self.lines += 1;
        self.unusable.push((self.lines, reason.to_owned()));
    }

    /// Reads the next line, given without its end. Of a record over several lines, nothing is found before its last.
    pub fn read_line(&mut self, line: &str) {
        self.lines += 1;
        let mut whole = Vec::new();
        if let Some((line, reason)) = self.joining.take(self.lines, line, &mut whole) {
            self.unusable.push((line, reason.to_owned()));
        }
        for piece in &whole {
            self.understand(piece, false);
        }
    }

    /// Ends the log: what was begun and not ended is looked at as it is.
    pub fn finish(&mut self) {
        let mut rest = Vec::new();
        self.joining.finish(&mut rest);
        for piece in &rest {
            self.understand(piece, true);
        }
    }

    fn understand(&mut self, piece: &Piece, is_rest: bool) {
        // All have a root; nearly every line of a log is passed over here.
        if !may_be_of_use(&piece.text) {
            return;
        }
        let around = Around {
            moment: time::of_record(&piece.around),
            record: piece.around.clone(),
        };
        let mut found = Found {
            left: piece.text.len().saturating_mul(EFFORT),
            ..Found::default()
        };
        found.in_text(&piece.text, &around, 0);
        for (one, moment) in found.all {
            match one {
                Ok(logged) => {
                    if let Some(Moment::Local(local)) = moment {
                        self.local.insert(self.found.len(), local);
                    }
                    self.found.push((piece.line, logged));
                }
                Err(reason) => self.unusable.push((piece.line, reason)),
            }
        }
        if let Some(what) = found.cut {
            let reason = if is_rest {
                format!("{what} that is cut: {}", lines::CUT)
            } else {
                format!("{what} that is cut: the line ends within it")
            };
            self.unusable.push((piece.line, reason));
        }
        if found.is_given_up {
            self.unusable.push((piece.line, TOO_NESTED.to_owned()));
        }
    }
}

/// Whether a text can hold a ticket or a failure: both have a root, perhaps in a list of bytes.
fn may_be_of_use(text: &str) -> bool {
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

/// What is around a text or a value, and belongs to it.
#[derive(Debug, Clone, Default)]
struct Around {
    record: Record,
    moment: Option<Moment>,
}

impl Around {
    fn with(&self, record: impl IntoIterator<Item = (String, Value)>) -> Self {
        let own: Record = record.into_iter().collect();
        let moment = Moment::nearer(time::of_record(&own), self.moment);
        let mut record = self.record.clone();
        record.extend(own);
        Self { record, moment }
    }

    /// Bytes that are copied with it, about.
    fn size(&self) -> usize {
        let fields = self.record.iter();
        let sizes = fields.map(|(key, value)| key.len() + value.as_str().map_or(8, str::len));
        sizes.sum()
    }
}

/// What is found in a line.
#[derive(Default)]
struct Found {
    all: Vec<(Result<Logged, String>, Option<Moment>)>,
    /// What ends too early, in words.
    cut: Option<&'static str>,
    /// Bytes of fields that may still be handed on to records.
    left: usize,
    /// Whether there were more.
    is_given_up: bool,
}

impl Found {
    /// Whether the fields around a record or a text may be handed on to it.
    fn may(&mut self, around: &Around) -> bool {
        if self.is_given_up {
            return false;
        }
        let size = around.size();
        self.is_given_up = size > self.left;
        self.left = self.left.saturating_sub(size);
        !self.is_given_up
    }

    /// Whether the text holds anything.
    fn in_text(&mut self, text: &str, around: &Around, depth: usize) -> bool {
        if depth > DEPTH || !may_be_of_use(text) || !self.may(around) {
            return false;
        }
        let text = &text::without_colours(text);
        let mut around = around.clone();
        // Fields may stand before the record too.
        let before_records = text.find('{').unwrap_or(text.len());
        let fields = text::Pairs::of(&text[..before_records]).record;
        for moment in [time::leading(text), time::of_record(&fields)] {
            around.moment = Moment::nearer(moment, around.moment);
        }
        let before = self.all.len();
        let (objects, unended) = text::json_objects(text);
        for value in objects {
            self.in_value(&value, &around, depth);
        }
        if self.all.len() > before {
            return true;
        }
        let pairs = text::Pairs::of(text);
        let record = around.with(pairs.record.clone());
        if self.in_record(&record, pairs.is_cut, pairs.told) {
            return true;
        }
        let texts = pairs.record.values().filter_map(Value::as_str);
        let is_found = texts.fold(false, |found, inner| {
            found | self.in_text(inner, &around, depth + 1)
        });
        if !is_found {
            self.cut = self.cut.or_else(|| unended.and_then(what_is_cut));
        }
        is_found
    }

    fn in_value(&mut self, value: &Value, around: &Around, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match value {
            Value::Object(_) if !self.may(around) => false,
            Value::Object(fields) => {
                let fields = fields.iter();
                let mut around = around.with(
                    fields
                        .clone()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
                if self.in_record(&around, false, None) {
                    return true;
                }
                // What is around a record belongs to it: time, correlation id.
                around
                    .record
                    .retain(|_, value| !value.is_object() && !value.is_array());
                fields.fold(false, |found, (_, inner)| {
                    found | self.in_value(inner, &around, depth + 1)
                })
            }
            Value::Array(items) => match text_of_bytes(items) {
                Some(text) => self.in_text(&text, around, depth + 1),
                None => items.iter().fold(false, |found, inner| {
                    found | self.in_value(inner, around, depth + 1)
                }),
            },
            Value::String(text) => self.in_text(text, around, depth + 1),
            _ => false,
        }
    }

    fn in_record(&mut self, around: &Around, is_cut: bool, told: Option<&str>) -> bool {
        let Some(read) = record::read(&around.record, around.moment, is_cut, told) else {
            return false;
        };
        // The same may be said twice in a line, as a text and as fields.
        let mut near = self.all.iter().rev().take(NEAR);
        if !near.any(|(known, _)| *known == read) {
            self.all.push((read, around.moment));
        }
        true
    }
}

/// A text as a list of its bytes, in which journald writes one with colours.
fn text_of_bytes(items: &[Value]) -> Option<String> {
    let bytes: Option<Vec<u8>> = items
        .iter()
        .map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok()))
        .collect();
    let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a JSON object was that does not end; none where nothing is lost.
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
