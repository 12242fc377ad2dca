//! The report as text.

use std::fmt::Write;

use serde_yaml::Value;

use super::elision::{Part, left_out, parts, without_middles};
use super::plain;
use crate::diagram::terminal;
use crate::model::{
    Body, Case, Cover, EmittedBook, Header, HopOutcome, Observed, ObservedHop, Payload, Reaction,
    Timestamp, short_name,
};
use crate::project::{CaseResult, Project};
use crate::replaying::{CoordinatorReport, ReplayReport};
use crate::terminal::{Role, Text, one_line, paragraph, quoted};
use crate::yaml::to_yaml;

/// How a report is laid out.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ReportLayout {
    /// The width of the output; none if everything is shown in full.
    pub(in crate::cli) room: Option<usize>,
    /// Whether long lists are shown as a whole.
    pub(in crate::cli) shows_all: bool,
}

/// The report of a replay.
pub(in crate::cli) fn text(report: &ReplayReport, layout: ReportLayout) -> Text {
    TextReport { report, layout }.whole().trim_end()
}

/// Formats a report as text.
pub(super) struct TextReport<'a> {
    pub(super) report: &'a ReplayReport,
    pub(super) layout: ReportLayout,
}

impl TextReport<'_> {
    fn whole(&self) -> Text {
        let report = self.report;
        let mut text = Text::new();
        self.opening(&mut text);
        self.books(&mut text);
        section(
            &mut text,
            "state before",
            report.states.before.as_ref().map(to_yaml),
        );
        self.command(&mut text);
        if let CaseResult::Flow(run) = &report.replayed.result {
            let drawn = terminal(run, self.layout.room.map(|room| room.saturating_sub(2)));
            section(&mut text, "who sends whom what", Some(drawn));
        }
        let today = report.replayed.view.as_ref();
        let today = today.map_or_else(
            || "nothing to compare\n".to_owned(),
            |view| {
                let differing = |list: &str| self.differing_elements(list);
                to_yaml(&without_middles(view, self.layout.shows_all, &differing))
            },
        );
        section(
            &mut text,
            &format!("today, on {}", self.described()),
            Some(today),
        );
        let output = report.last_output.as_ref();
        let output = output.map(|output| format!("{output}\n"));
        section(&mut text, "what the logic wrote", output);
        section(
            &mut text,
            "state after",
            report.states.after.as_ref().map(to_yaml),
        );
        heading(&mut text, "production");
        for line in self.production().lines() {
            self.paragraph(&mut text, &Text::plain(format_args!("  {line}")), 4);
        }
        self.notes(&mut text);
        self.conclusion(&mut text);
        text
    }

    /// The lines before the first section.
    fn opening(&self, text: &mut Text) {
        let case = &self.report.fixture.case;
        let title = Text::of(Role::Heading, Project::shown(&self.report.path)).with(
            Role::Plain,
            format_args!(" ({}): {}", case.status.word(), one_line(&case.title)),
        );
        self.paragraph(text, &title, 2);
        self.paragraph(text, &Text::plain(provenance(case)), 2);
        if self.report.is_what_if {
            let words = " the case was changed for this replay; the fixture was not";
            let line = Text::of(Role::Caution, "what if:").with(Role::Plain, words);
            self.paragraph(text, &line, 2);
        }
    }

    pub(super) fn paragraph(&self, text: &mut Text, line: &Text, indent: usize) {
        text.append(&paragraph(line, self.layout.room, indent));
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

    fn command(&self, text: &mut Text) {
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
        let accepted = |names: &[String]| match names {
            [] => "accepted: no events\n".to_owned(),
            names => format!("accepted: {}\n", self.listed(names).join(", ")),
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
            Some(Observed::Flow(hops)) => {
                let hops: Vec<String> = hops.iter().map(hop).collect();
                self.listed(&hops).join("\n") + "\n"
            }
            Some(observed) => match observed.failure() {
                Some(failure) => format!(
                    "{}: {} {}\n",
                    observed.word(),
                    failure.code,
                    quoted(&failure.message)
                ),
                None => format!("{}\n", observed.word()),
            },
        }
    }

    /// Names without the middle of a long list.
    fn listed(&self, names: &[String]) -> Vec<String> {
        let parts = parts(names.len(), self.layout.shows_all, |_| false).into_iter();
        let names = parts.map(|part| match part {
            Part::Shown(at) => names[at].clone(),
            Part::LeftOut(count) => left_out(count, "entries").as_str().to_owned(),
        });
        names.collect()
    }

    pub(super) fn line(&self, payload: &Payload) -> String {
        match self.report.decode(payload) {
            Some(view) => flow(&view),
            None => format!("{} bytes; no descriptor", payload.value.len()),
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
            format!("answered {} {}", failure.code, quoted(&failure.message))
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

pub(in crate::cli) fn instant(time: Timestamp) -> String {
    jiff::Timestamp::new(time.seconds, time.nanos).map_or_else(
        |_| format!("{} s", time.seconds),
        |instant| instant.to_string(),
    )
}

pub(super) fn short(payload: &Payload) -> String {
    one_line(short_name(payload.type_name())).into_owned()
}

/// The title of a section, after an empty line.
pub(super) fn heading(text: &mut Text, title: &str) {
    text.push(Role::Plain, "\n");
    text.push(Role::Heading, title);
    text.push(Role::Plain, "\n");
}

fn section(text: &mut Text, title: &str, body: Option<String>) {
    let Some(body) = body else { return };
    heading(text, title);
    for line in body.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

/// A view on one line with at most `room` characters.
pub(in crate::cli) fn one_line_of(view: &Value, room: usize) -> String {
    let text = flow(view);
    if text.chars().count() <= room {
        return text;
    }
    text.chars().take(room - 1).chain(['…']).collect()
}

/// A view on one line.
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
