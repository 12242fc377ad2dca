//! Values in this tool's files that today's redaction rules would remove, because a rule is newer than the capture.

use std::collections::{BTreeSet, HashSet};

use crate::audit::{Audited, Finding, LARGEST, Spot};
use crate::capture::{LogReading, Logged};
use crate::project::Project;
use crate::record::{parse_recording, whole_lines};
use crate::redact::{Leftover, LeftoverRules, Leftovers, MessageRole};
use crate::terminal::program;
use crate::{files, plain};

/// The kind of finding for a value that one of today's rules would remove.
const NOT_REDACTED: &str = "not redacted";
/// How a line of a recording begins.
const RECORDING: &str = "{\"recording\"";

/// Adds the values that today's rules would remove from a file, if it is a fixture, a recording, or a log with failure tickets.
pub(super) fn add(project: &Project, rules: &LeftoverRules, audited: &mut Audited) {
    let Ok(bytes) = files::read(&audited.file, LARGEST) else {
        // The audit of the file has reported that already.
        return;
    };
    let is_yaml = audited
        .file
        .extension()
        .is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_yaml {
        return search_log(rules, bytes, audited);
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            search_fixture(project, rules, text, audited);
        }
        Err(error) => {
            // A fixture is UTF-8. The audit has already searched the text in any encoding.
            let letters = String::from_utf8_lossy(error.as_bytes()).replace('\0', "");
            if letters.contains("fixture:") {
                audited.unread.push(
                    "it is not UTF-8, so the redaction rules were not tried on it".to_owned(),
                );
            }
        }
    }
}

/// Searches a recording or a log as `tickets` and `capture` read it: compressed, and with bytes of other encodings.
fn search_log(rules: &LeftoverRules, bytes: Vec<u8>, audited: &mut Audited) {
    // The audit has reported a flaw already.
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
    search_lines(rules, &String::from_utf8_lossy(lines), audited);
}

fn search_fixture(project: &Project, rules: &LeftoverRules, text: &str, audited: &mut Audited) {
    let begins = |line: &str| {
        let key = line.trim_start_matches(['"', '\'']);
        key.strip_prefix("fixture")
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
    };
    let is_fixture = text.lines().any(begins);
    if !is_fixture {
        return;
    }
    // Errors quote lines of the file, which must not be shown here.
    let Ok(fixture) = project.folder().read(&audited.file) else {
        audited.unread.push(
            format!(
                "it cannot be read as a fixture, so the redaction rules were not tried on it; `{} replay` says why",
                program()
            ),
        );
        return;
    };
    let found = rules.in_case(&fixture.case, &fixture.descriptors);
    let mut lines = Lines::new(text);
    let mut reported = HashSet::new();
    for left in &found.left {
        let spot = lines.spot(left);
        // In a history file, or in bytes, one report is enough.
        if spot != Spot::File || reported.insert(left.to_string()) {
            audited.findings.push(finding(left, spot));
        }
    }
    add_unread(&found.unread, audited);
}

fn search_lines(rules: &LeftoverRules, text: &str, audited: &mut Audited) {
    let add = |line: usize, found: &Leftovers, audited: &mut Audited| {
        let mut reported = HashSet::new();
        for left in &found.left {
            if reported.insert(left.to_string()) {
                audited.findings.push(finding(left, Spot::Line(line, 1)));
            }
        }
        add_unread(&found.unread, audited);
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

fn add_unread(reasons: &BTreeSet<String>, audited: &mut Audited) {
    for reason in reasons {
        let reason = format!("the redaction rules could not be tried on all of it: {reason}");
        if !audited.unread.contains(&reason) {
            audited.unread.push(reason);
        }
    }
}

/// The lines of a fixture, in which values are searched for in order.
struct Lines<'a> {
    lines: Vec<&'a str>,
    /// Lines in which a value was found, with its field and value.
    found: HashSet<(usize, String, String)>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            found: HashSet::new(),
        }
    }

    /// The next line with the field and its value.
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
        self.next_of(left, &fitting.collect::<Vec<_>>())
    }

    /// The next line that has the value elsewhere than in its field.
    fn spot_of_text(&mut self, left: &Leftover, name: &str, begin: &str) -> Spot {
        let field = format!("{name}:");
        let lines = self.lines.iter().enumerate();
        let fitting = lines
            .filter(|(_, line)| !line.contains(&field))
            .filter_map(|(at, line)| Some((at, line[..line.find(begin)?].chars().count())));
        self.next_of(left, &fitting.collect::<Vec<_>>())
    }

    /// The first of these lines and columns, counted from 0, in which the value has not been found yet.
    fn next_of(&mut self, left: &Leftover, places: &[(usize, usize)]) -> Spot {
        let key = |at| (at, left.field.clone(), left.value().to_owned());
        let found = places.iter().find(|(at, _)| self.found.insert(key(*at)));
        found.map_or(Spot::File, |(at, column)| Spot::Line(at + 1, column + 1))
    }
}
