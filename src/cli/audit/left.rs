//! Files of this tool, held against today's redaction rules: a rule may have been written after a capture.

use std::collections::{BTreeSet, HashSet};
use std::io::Read as _;

use crate::audit::{Audited, Finding, LARGEST, Spot};
use crate::capture::{LogReading, Logged};
use crate::project::Project;
use crate::record::parse_recording;
use crate::redact::{Is, Left, LeftoverRules, Leftovers};
use crate::{files, plain};

/// The finding that says that a rule of today would have taken something out.
const NOT_REDACTED: &str = "not redacted";

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
        // As `tickets` and `capture` read a log: packed, and with bytes of other encodings. A flaw was said already.
        let mut plain = Vec::new();
        let _ = plain::of(bytes.as_slice()).and_then(|mut text| text.read_to_end(&mut plain));
        of_lines(rules, &String::from_utf8_lossy(&plain), audited);
        return;
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
            let messages = recorded.note.as_payloads();
            let listed = &recorded.note.redacted.fields;
            let found = rules.in_payloads(&messages, Is::Envelope, listed, None);
            add(recorded.line, &found, audited);
        }
        return;
    }
    for (line, logged) in LogReading::of(text).found {
        if let Logged::Ticket(ticket) = logged {
            let found = rules.in_command(&ticket.command, &ticket.redacted.fields);
            add(line, &found, audited);
        }
    }
}

fn is_recording(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| line.starts_with("{\"recording\""))
}

fn finding(left: &Left, spot: Spot) -> Finding {
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
    /// Where values were found already.
    taken: HashSet<(usize, String)>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            taken: HashSet::new(),
        }
    }

    /// The first line with the field and its value that is not taken yet.
    fn spot(&mut self, left: &Left) -> Spot {
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
        let lines = self.lines.iter().enumerate();
        let mut fitting = lines.filter_map(|(at, line)| {
            let value = line
                .find(&format!("{name}:"))
                .map(|at| at + name.len() + 1)?;
            let start = value + line[value..].find(begin.trim_end())?;
            Some((at, line[..start].chars().count()))
        });
        let found = fitting.find(|(at, _)| !self.taken.contains(&(*at, left.field.clone())));
        match found {
            Some((at, column)) => {
                self.taken.insert((at, left.field.clone()));
                Spot::Line(at + 1, column + 1)
            }
            None => Spot::File,
        }
    }
}
