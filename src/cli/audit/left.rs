//! Files of this tool, held against today's redaction rules: a rule may have been written after a capture.

use std::collections::{BTreeSet, HashSet};

use crate::audit::{Audited, Finding, LARGEST, Spot};
use crate::capture::{LogReading, Logged};
use crate::project::Project;
use crate::record::{parse_recording, whole_lines};
use crate::redact::{Leftover, LeftoverRules, Leftovers, MessageRole};
use crate::{files, plain};

/// The finding that says that a rule of today would have taken something out.
const NOT_REDACTED: &str = "not redacted";
/// How a line of a recording begins.
const RECORDING: &str = "{\"recording\"";

/// Adds to what was found in a file what today's rules would take out of it, where it is a fixture, a recording, or a log with
/// failure tickets.
pub(super) fn add(project: &Project, rules: &LeftoverRules, audited: &mut Audited) {
    let Ok(bytes) = files::read(&audited.file, LARGEST) else {
        // That was said already.
        return;
    };
    let is_yaml = audited
        .file
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml {
        return packed_lines(rules, bytes, audited);
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            of_fixture(project, rules, text, audited);
        }
        Err(error) => {
            // A fixture is UTF-8; as a text it was looked over in any encoding.
            let letters = String::from_utf8_lossy(error.as_bytes()).replace('\0', "");
            if letters.contains("fixture:") {
                audited.unread.push(
                    "it is not UTF-8, so the redaction rules were not tried on it".to_owned(),
                );
            }
        }
    }
}

/// A recording or a log as `tickets` and `capture` read it: packed, and with bytes of other encodings.
fn packed_lines(rules: &LeftoverRules, bytes: Vec<u8>, audited: &mut Audited) {
    // A flaw was said already.
    let plain = plain::of(&bytes[..]).and_then(|source| files::read_from(source, LARGEST));
    let bytes = plain.unwrap_or(bytes);
    let (whole, unfinished) = whole_lines(&bytes);
    let lines = match unfinished {
        Some(line) if bytes.starts_with(RECORDING.as_bytes()) => {
            audited.unread.push(format!(
                "line {line} has no end, so the redaction rules were not tried on it"
            ));
            whole
        }
        _ => &bytes[..],
    };
    of_lines(rules, &String::from_utf8_lossy(lines), audited);
}

fn of_fixture(project: &Project, rules: &LeftoverRules, text: &str, audited: &mut Audited) {
    let begins = |line: &str| {
        let key = line.trim_start_matches(['"', '\'']);
        key.strip_prefix("fixture")
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
    };
    let is_fixture = text.lines().any(begins);
    if !is_fixture {
        return;
    }
    // Errors show lines of the file, which is what must not be shown here.
    let Ok(fixture) = project.folder().read(&audited.file) else {
        audited.unread.push(
            "it cannot be read as a fixture, so the redaction rules were not tried on it; `cargo xtask replay` says why"
                .to_owned(),
        );
        return;
    };
    let found = rules.in_case(&fixture.case, &fixture.descriptors);
    let mut lines = Lines::new(text);
    let mut said = HashSet::new();
    for left in &found.left {
        let spot = lines.spot(left);
        // In a history file, or in bytes: once is enough.
        if spot != Spot::File || said.insert(left.to_string()) {
            audited.findings.push(finding(left, spot));
        }
    }
    unread(&found.unread, audited);
}

fn of_lines(rules: &LeftoverRules, text: &str, audited: &mut Audited) {
    let add = |line: usize, found: &Leftovers, audited: &mut Audited| {
        let mut said = HashSet::new();
        for left in &found.left {
            if said.insert(left.to_string()) {
                audited.findings.push(finding(left, Spot::Line(line, 1)));
            }
        }
        unread(&found.unread, audited);
    };
    if is_recording(text) {
        let Ok(calls) = parse_recording(text) else {
            audited.unread.push(
                "it cannot be read as a recording, so the redaction rules were not tried on it"
                    .to_owned(),
            );
            return;
        };
        for recorded in calls {
            let messages = recorded.call.as_payloads();
            let listed = &recorded.call.redacted.fields;
            let found = rules.in_payloads(&messages, MessageRole::Envelope, listed, None);
            let texts = recorded.call.texts();
            let found = found.with_texts(&texts);
            add(recorded.line, &found, audited);
        }
        return;
    }
    let reading = LogReading::of(text);
    let lines: Vec<&str> = text.lines().collect();
    for (line, _) in &reading.unusable {
        let is_ticket = |text: &&str| text.contains("\"ticket\"");
        if lines.get(line.saturating_sub(1)).is_some_and(is_ticket) {
            audited.unread.push(format!(
                "line {line} cannot be read as a ticket, so the redaction rules were not tried on it"
            ));
        }
    }
    for (line, logged) in reading.found {
        if let Logged::Ticket(ticket) = logged {
            let found = rules.in_command(&ticket.command, &ticket.failure, &ticket.redacted.fields);
            add(line, &found, audited);
        }
    }
}

fn is_recording(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| line.starts_with(RECORDING))
}

fn finding(left: &Leftover, spot: Spot) -> Finding {
    Finding::about(
        NOT_REDACTED,
        left.to_string(),
        spot,
        left.value().to_owned(),
    )
}

fn unread(reasons: &BTreeSet<String>, audited: &mut Audited) {
    for reason in reasons {
        let reason = format!("the redaction rules could not be tried on all of it: {reason}");
        if !audited.unread.contains(&reason) {
            audited.unread.push(reason);
        }
    }
}

/// The lines of a fixture, in which values are looked for in order.
struct Lines<'a> {
    lines: Vec<&'a str>,
    /// Lines where something was found already, with its field and its value.
    taken: HashSet<(usize, String, String)>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            taken: HashSet::new(),
        }
    }

    /// The first line with the field and its value that is not taken yet.
    fn spot(&mut self, left: &Leftover) -> Spot {
        let name = left
            .field
            .rsplit('.')
            .find(|it| !it.starts_with(['*', '$']));
        let name = name.unwrap_or_default();
        // The rest may be on further lines, or have escapes.
        let begin: String = left
            .value()
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '@' | '.'))
            .take(40)
            .collect();
        if left.is_in_text {
            return self.spot_of_text(left, name, begin.trim_end());
        }
        let lines = self.lines.iter().enumerate();
        let fitting = lines.filter_map(|(at, line)| {
            let value = line
                .find(&format!("{name}:"))
                .map(|at| at + name.len() + 1)?;
            let start = value + line[value..].find(begin.trim_end())?;
            Some((at, line[..start].chars().count()))
        });
        self.first_not_taken(left, &fitting.collect::<Vec<_>>())
    }

    /// The first line that has a value elsewhere than in its field, and that is not taken yet.
    fn spot_of_text(&mut self, left: &Leftover, name: &str, begin: &str) -> Spot {
        let field = format!("{name}:");
        let lines = self.lines.iter().enumerate();
        let fitting = lines
            .filter(|(_, line)| !line.contains(&field))
            .filter_map(|(at, line)| Some((at, line[..line.find(begin)?].chars().count())));
        self.first_not_taken(left, &fitting.collect::<Vec<_>>())
    }

    /// Of lines and columns from 0 the first that is not taken yet, which it is from now on.
    fn first_not_taken(&mut self, left: &Leftover, places: &[(usize, usize)]) -> Spot {
        let key = |at| (at, left.field.clone(), left.value().to_owned());
        let found = places.iter().find(|(at, _)| self.taken.insert(key(*at)));
        found.map_or(Spot::File, |(at, column)| Spot::Line(at + 1, column + 1))
    }
}
