//! The report as text.

use std::fmt::Write;

use serde_yaml::Value;

use super::plain;
use crate::diagram::terminal;
use crate::harness::Ending;
use crate::model::{
    Body, Case, Cover, EmittedBook, Header, HopOutcome, Observed, ObservedHop, Payload, Reaction,
    Timestamp, short_name,
};
use crate::payload::to_yaml;
use crate::project::{CaseResult, Project};
use crate::replaying::{CoordinatorReport, ReplayReport, SnapshotComparison};
use crate::snapshot::{Difference, Renderer, Verdict, WITHOUT_SNAPSHOT, shown};
use crate::terminal::one_line;

/// The report in full.
pub(in crate::cli) fn text(report: &ReplayReport) -> String {
    Text { report }.whole()
}

/// Formats a report as text.
pub(super) struct Text<'a> {
    pub(super) report: &'a ReplayReport,
}

impl Text<'_> {
    fn whole(&self) -> String {
        let case = &self.report.fixture.case;
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} ({}): {}",
            Project::shown(&self.report.path),
            case.status.word(),
            one_line(&case.title)
        );
        let _ = writeln!(text, "{}", provenance(case));
        if self.report.is_what_if {
            let _ = writeln!(
                text,
                "what if: the case was changed for this replay; the fixture was not"
            );
        }
        self.books(&mut text);
        section(
            &mut text,
            "state before",
            self.report.states.before.as_ref().map(to_yaml),
        );
        self.command(&mut text);
        if let CaseResult::Flow(run) = &self.report.replayed.result {
            section(&mut text, "who sends whom what", Some(terminal(run)));
        }
        let today = self
            .report
            .replayed
            .view
            .as_ref()
            .map_or_else(|| "nothing to compare\n".to_owned(), to_yaml);
        section(
            &mut text,
            &format!("today, on {}", self.described()),
            Some(today),
        );
        section(
            &mut text,
            "what the logic wrote",
            self.report
                .last_output
                .as_ref()
                .map(|output| format!("{output}\n")),
        );
        section(
            &mut text,
            "state after",
            self.report.states.after.as_ref().map(to_yaml),
        );
        section(&mut text, "production", Some(self.production()));
        self.notes(&mut text);
        self.conclusion(&mut text);
        text
    }

    /// The logic or coordinator that the case was replayed on.
    fn described(&self) -> String {
        let logic = self.report.replayed.logic.selected().describe();
        match &self.report.coordinator {
            Some(CoordinatorReport {
                description,
                has_chosen_logic: true,
                ..
            }) => format!("{logic}, through the coordinator {description}"),
            Some(CoordinatorReport { description, .. }) => {
                format!("the logic behind the coordinator {description}")
            }
            None => logic,
        }
    }

    fn command(&self, text: &mut String) {
        let Some(command) = self.report.fixture.case.stimulus.command() else {
            return;
        };
        for page in &command.pages {
            let sequence = match &page.header {
                Header::Sequence(sequence) => format!("for sequence {sequence}"),
                Header::Absent => "without a sequence".to_owned(),
                Header::ExternalDeferred { .. } | Header::AngzarrDeferred { .. } => {
                    "deferred".to_owned()
                }
            };
            let payload = page.command.as_ref();
            let name = payload.map_or_else(|| "nothing".to_owned(), short);
            let view = payload.map(|payload| match self.report.decode(payload) {
                Some(view) => to_yaml(&view),
                None => format!(
                    "{} bytes; no descriptor of {}\n",
                    payload.value.len(),
                    one_line(payload.type_name())
                ),
            });
            section(
                text,
                &format!("command: {name}, {sequence}"),
                view.or_else(|| Some(String::new())),
            );
        }
    }

    fn production(&self) -> String {
        let accepted = |parts: &[String]| match parts {
            [] => "accepted: no events\n".to_owned(),
            parts => format!("accepted: {}\n", parts.join(", ")),
        };
        let names = |bodies: &mut dyn Iterator<Item = &Body>| -> Vec<String> {
            bodies.filter_map(Body::event).map(short).collect()
        };
        match &self.report.fixture.case.observed {
            None => match &self.report.fixture.case.noted {
                Some(noted) if self.report.fixture.case.stimulus.command().is_some() => {
                    format!("{}; its status is not known\n", noted.described())
                }
                Some(noted) => format!("{}; its command is not known\n", noted.described()),
                None => "not known\n".to_owned(),
            },
            Some(Observed::Accepted(events)) => {
                accepted(&names(&mut events.iter().map(|event| &event.body)))
            }
            Some(Observed::Upcast(pages)) => {
                accepted(&names(&mut pages.iter().map(|page| &page.body)))
            }
            Some(Observed::Projected(projection)) => {
                accepted(&projection.payload.iter().map(short).collect::<Vec<_>>())
            }
            Some(Observed::Reacted(reaction)) => accepted(&reacted(reaction)),
            Some(Observed::Flow(hops)) => hops.iter().map(hop).collect(),
            Some(observed) => match observed.failure() {
                Some(failure) => format!(
                    "{}: {} {:?}\n",
                    observed.word(),
                    failure.code,
                    failure.message
                ),
                None => format!("{}\n", observed.word()),
            },
        }
    }

    fn notes(&self, text: &mut String) {
        for note in &self.report.notes {
            let _ = writeln!(text, "\nnote: {note}");
        }
        for rule in &self.report.replayed.unused_rules {
            let _ = writeln!(
                text,
                "\nnote: the case's own rule for `{}` of `{}` never fired",
                rule.field, rule.type_pattern
            );
        }
        let has_other = self
            .report
            .replayed
            .view
            .as_ref()
            .is_some_and(|view| view.get(WITHOUT_SNAPSHOT).is_some());
        if has_other {
            let _ = writeln!(
                text,
                "\nnote: with the full history instead of the stored snapshot the outcome is another"
            );
        }
    }

    fn conclusion(&self, text: &mut String) {
        if self.report.is_what_if {
            return;
        }
        let _ = writeln!(text, "\nverdict    {}", self.report.replayed.verdict);
        if let Verdict::NotReproduced { differences, .. } = &self.report.replayed.verdict {
            push_differences(differences, text);
        }
        match &self.report.snapshot {
            SnapshotComparison::NoSnapshot => {
                let _ = writeln!(text, "snapshot   none");
            }
            SnapshotComparison::Same => {
                let _ = writeln!(text, "snapshot   the same");
                if let Ending::Failed(reason) = self.report.ending() {
                    let _ = writeln!(text, "           {reason}");
                }
            }
            SnapshotComparison::NotChecked(reason) => {
                let _ = writeln!(text, "snapshot   not checked: {reason}");
            }
            SnapshotComparison::Differs(differences) => {
                let _ = writeln!(text, "snapshot   differs");
                push_differences(differences, text);
            }
        }
    }

    pub(super) fn line(&self, payload: &Payload) -> String {
        match self.report.decode(payload) {
            Some(view) => in_one_line(&view),
            None => format!("{} bytes; no descriptor", payload.value.len()),
        }
    }
}

/// Maximum length of a difference on one line.
const WIDE: usize = 120;

fn push_differences(differences: &[Difference], text: &mut String) {
    let (some, more) = shown(differences);
    for difference in some {
        push_difference(difference, text);
    }
    if let Some(more) = more {
        let _ = writeln!(text, "           {more}");
    }
}

/// A difference on one line, or if that is too long, as removed and added lines.
fn push_difference(difference: &Difference, text: &mut String) {
    let line = difference.to_string();
    if line.chars().count() <= WIDE {
        let _ = writeln!(text, "           {line}");
        return;
    }
    let _ = writeln!(text, "           {}", difference.place());
    for (sign, value) in [('-', &difference.expected), ('+', &difference.actual)] {
        let value_text = value.as_ref().map(Renderer::text);
        for line in value_text.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(text, "           {sign} {line}");
        }
    }
}

/// The messages that a component emitted, one line each.
fn reacted(reaction: &Reaction) -> Vec<String> {
    let events = |books: &[EmittedBook], what: &str| -> Vec<String> {
        let pages = books.iter().flat_map(|book| &book.pages);
        let events = pages.filter_map(|page| page.body.event());
        events
            .map(|event| format!("{what} {}", short(event)))
            .collect()
    };
    let mut parts = events(&reaction.process_events, "its own event");
    parts.extend(reaction.commands.iter().map(|command| {
        let name = short_name(command.type_name());
        let to = command.cover.as_ref();
        let to = to.map_or("nobody", |cover| cover.domain.as_str());
        format!("command {name} to {to}")
    }));
    parts.extend(events(&reaction.facts, "fact"));
    if reaction.notification.is_some() {
        parts.push("a notification".to_owned());
    }
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    parts
}

/// An observed hop on one line.
fn hop(hop: &ObservedHop) -> String {
    let did = match &hop.outcome {
        HopOutcome::Events(events) => {
            let names: Vec<String> = events.iter().filter_map(Body::event).map(short).collect();
            format!("stored {}", names.join(", "))
        }
        HopOutcome::Failed(failure) => {
            format!("answered {} {:?}", failure.code, failure.message)
        }
    };
    format!("{}/{} {did}\n", hop.domain, hop.root.short())
}

fn provenance(case: &Case) -> String {
    let Cover {
        domain,
        root,
        edition,
        ..
    } = &case.cover;
    let issue = case
        .issue
        .as_ref()
        .map(|issue| format!("; issue {}", one_line(issue)))
        .unwrap_or_default();
    format!(
        "{domain} {root}, edition {}; captured from {} ({}) at {}{issue}",
        edition.label(),
        one_line(&case.source.name),
        case.source.dialect,
        instant(case.source.captured_at)
    )
}

pub(super) fn instant(time: Timestamp) -> String {
    jiff::Timestamp::new(time.seconds, time.nanos).map_or_else(
        |_| format!("{} s", time.seconds),
        |instant| instant.to_string(),
    )
}

pub(super) fn short(payload: &Payload) -> String {
    one_line(short_name(payload.type_name())).into_owned()
}

fn section(text: &mut String, title: &str, body: Option<String>) {
    let Some(body) = body else { return };
    let _ = writeln!(text, "\n{title}");
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

/// A view on one line, cut if it is too long.
fn in_one_line(view: &Value) -> String {
    const ROOM: usize = 100;
    let text = flow(view);
    if text.chars().count() <= ROOM {
        return text;
    }
    text.chars().take(ROOM - 1).chain(['…']).collect()
}

fn flow(view: &Value) -> String {
    match view {
        Value::Mapping(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| match value {
                    Value::Mapping(_) => format!("{}: {{{}}}", plain(key), flow(value)),
                    value => format!("{}: {}", plain(key), flow(value)),
                })
                .collect();
            fields.join(", ")
        }
        Value::Sequence(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    if item.is_mapping() {
                        format!("{{{}}}", flow(item))
                    } else {
                        flow(item)
                    }
                })
                .collect();
            format!("[{}]", items.join(", "))
        }
        other => plain(other),
    }
}
