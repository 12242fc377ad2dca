//! Failures among whatever else a program logs: tickets, and the fields that Angzarr's documentation has clients log.
//!
//! Owns how a line of a log is understood: JSON anywhere in it, also JSON within a text of JSON, and `key=value` as
//! logfmt, structlog and tracing write it. Knows no files; a reader that fails on nothing, since most lines are not
//! meant for it.

mod record;
mod text;

use std::collections::BTreeMap;

use serde_json::Value;

use super::ticket::Ticket;
use crate::fixture::Noted;
use crate::model::{
    AnsweredBy, CommandBook, Cover, Domain, Edition, FailureClass, Root, Timestamp,
};
use crate::wire::{DeadLetter, DecodeError, Dialect};

/// What is looked for in a log, in words.
pub const LOOKED_FOR: &str = "failure tickets (`ticket` and `command`), and lines with `root` or `aggregate_root` and \
                              one of `error_code`, `error_message` and `error`, as JSON or key=value";

/// Texts within texts are followed so far.
const DEPTH: usize = 6;

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
    pub noted: Noted,
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
            noted: Noted {
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
    /// Lines that look like a ticket or a failure and are none, with the reason.
    pub unusable: Vec<(usize, String)>,
    /// Lines that were read.
    pub lines: usize,
}

impl LogReading {
    /// Reads a whole text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut reading = Self::default();
        for line in text.lines() {
            reading.read_line(line);
        }
        reading
    }

    /// Counts a line that cannot be read.
    pub fn pass_over(&mut self, reason: &str) {
        self.lines += 1;
        self.unusable.push((self.lines, reason.to_owned()));
    }

    /// Reads the next line.
    pub fn read_line(&mut self, line: &str) {
        self.lines += 1;
        // Both have a root; nearly every line of a log is passed over here.
        if !line.contains("root") {
            return;
        }
        let line = text::without_colours(line);
        let mut found = Found::default();
        found.in_text(&line, &Record::new(), 0);
        for one in found.0 {
            match one {
                Ok(logged) => self.found.push((self.lines, logged)),
                Err(reason) => self.unusable.push((self.lines, reason)),
            }
        }
    }
}

/// Scalars of a record by key.
type Record = BTreeMap<String, Value>;

#[derive(Default)]
struct Found(Vec<Result<Logged, String>>);

impl Found {
    /// Whether the text holds anything.
    fn in_text(&mut self, text: &str, around: &Record, depth: usize) -> bool {
        if depth > DEPTH || !text.contains("root") {
            return false;
        }
        let mut around = around.clone();
        if let Some(time) = text::leading_time(text) {
            around.entry("time".into()).or_insert(time);
        }
        let before = self.0.len();
        for value in text::json_objects(text) {
            self.in_value(&value, &around, depth);
        }
        if self.0.len() > before {
            return true;
        }
        let pairs = text::pairs(text);
        let mut record = around.clone();
        record.extend(pairs.clone());
        if self.in_record(&record) {
            return true;
        }
        let texts = pairs.values().filter_map(Value::as_str);
        texts.fold(false, |found, inner| {
            found | self.in_text(inner, &around, depth + 1)
        })
    }

    fn in_value(&mut self, value: &Value, around: &Record, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        match value {
            Value::Object(fields) => {
                let mut record = around.clone();
                record.extend(
                    fields
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
                if self.in_record(&record) {
                    return true;
                }
                // What is around a record belongs to it: time, correlation id.
                record.retain(|_, value| !value.is_object() && !value.is_array());
                fields.values().fold(false, |found, inner| {
                    found | self.in_value(inner, &record, depth + 1)
                })
            }
            Value::Array(items) => items.iter().fold(false, |found, inner| {
                found | self.in_value(inner, around, depth + 1)
            }),
            Value::String(text) => self.in_text(text, around, depth + 1),
            _ => false,
        }
    }

    fn in_record(&mut self, record: &Record) -> bool {
        let Some(read) = record::read(record) else {
            return false;
        };
        // The same may be said twice in a line, as a text and as fields.
        if !self.0.contains(&read) {
            self.0.push(read);
        }
        true
    }
}
