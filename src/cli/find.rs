//! `find`: what an alert or a customer names.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::report::instant;
use super::{Done, Stop, say};
use crate::capture::Aside;
use crate::documentation::Page;
use crate::finding::{
    CauseTree, FieldClue, FindReport, FindRequest, Matched, Occurrence, OccurrenceKind, find,
};
use crate::model::{Code, Domain, short_name};
use crate::project::Project;
use crate::terminal::{one_line, program};

/// Find what an alert or a customer names, what failed around it, and the command that captures it.
///
/// Looks in the failure logs, program logs and dead letters of the source, in its aggregates, and in the recordings and logs
/// that you name. Only reads. Exit code 1 means that nothing was found.
#[derive(Debug, Args)]
pub(super) struct FindArguments {
    /// A trace id or `traceparent`, a correlation id, a root or its first digits (four or more), an external id, or the
    /// number of a dead letter.
    #[arg(value_name = "ID", required_unless_present = "field")]
    ids: Vec<String>,
    /// Commands and events with this value in this field, in logs and recordings.
    #[arg(long = "where", id = "field", value_name = "TYPE.FIELD=VALUE")]
    field: Option<FieldClue>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long)]
    source: Option<String>,
    /// Ask only the coordinator of this domain.
    #[arg(long)]
    domain: Option<Domain>,
    /// Look in this log too.
    #[arg(long, value_name = "FILE")]
    from_log: Vec<PathBuf>,
    /// Look in this recording too.
    #[arg(long, value_name = "FILE")]
    recorded: Vec<PathBuf>,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &FindArguments) -> Done {
    let request = FindRequest {
        ids: arguments.ids.clone(),
        field: arguments.field.clone(),
        source: arguments.source.clone(),
        domain: arguments.domain.clone(),
        logs: arguments.from_log.clone(),
        recordings: arguments.recorded.clone(),
    };
    let report = find(project, &request)?;
    super::complain_of_unusable(&report.unusable);
    super::complain_of_hidden(report.messages_hidden.as_deref());
    if arguments.json {
        say(json_of(&report));
    } else {
        print(&report);
    }
    if report.matching == 0 {
        return Err(Stop::Failed(
            "nothing was found; try another id of the same incident, or name a log with --from-log or a recording with \
             --recorded"
                .into(),
        ));
    }
    Ok(())
}

/// Maximum number of matches that are printed.
const MATCHES: usize = 20;

fn print(report: &FindReport) {
    let older = report.matching.saturating_sub(MATCHES);
    if older + report.left_out > 0 {
        say(format_args!(
            "{} more match and are not shown, because they were found first: name something more precise",
            older + report.left_out
        ));
    }
    for occurrence in &report.occurrences[older..report.matching] {
        print_match(occurrence);
    }
    for workflow in &report.workflows {
        say(format_args!(
            "\nworkflow {}: what caused what, otherwise in order of time",
            one_line(&workflow.correlation_id)
        ));
        print_trees(&workflow.trees, "  ", &report.occurrences);
    }
    print_others(report);
    if !report.occurrences.is_empty() {
        say("");
    }
    print_places("looked at", &report.looked);
    print_places("not looked at", &report.not_looked);
    if let Some(capture) = &report.capture {
        say(format_args!("\ncapture it: {}", shell(capture)));
        if let Some(note) = report.capture_note {
            say(format_args!("            ({note})"));
        }
        if capture.iter().any(|word| word == "--unredacted") {
            say(format_args!(
                "            (no redaction is configured; set it up if --unredacted is not acceptable: {})",
                Page::Redaction
            ));
        }
    }
}

/// Maximum number of other failures that are printed.
const OTHERS: usize = 10;

/// Failures of the same aggregates that belong to none of the workflows. The newest are found last.
fn print_others(report: &FindReport) {
    let around = report.occurrences[report.matching..].iter();
    let is_shown = |it: &&Occurrence| {
        let mut workflows = report.workflows.iter();
        workflows.any(|workflow| workflow.correlation_id == it.correlation_id)
    };
    let others: Vec<&Occurrence> = around.filter(|it| !is_shown(it)).collect();
    if others.is_empty() {
        return;
    }
    let left_out = others.len().saturating_sub(OTHERS);
    say("\nother failures of the same aggregates");
    if left_out > 0 {
        say(format_args!("  {left_out} older ones, and"));
    }
    for other in &others[left_out..] {
        let time = other
            .time
            .map_or_else(String::new, |time| format!("{}  ", instant(time)));
        let place = other.place.to_string();
        say(format_args!(
            "  {time}{}  [{}]",
            described(other),
            one_line(&place)
        ));
    }
}

fn print_places(title: &str, places: &[String]) {
    for (index, place) in places.iter().enumerate() {
        let title = if index == 0 { title } else { "" };
        say(format_args!("{title:<13}  {}", one_line(place)));
    }
}

fn print_match(occurrence: &Occurrence) {
    let matched: Vec<&str> = occurrence.matched.iter().map(|it| it.words()).collect();
    say(format_args!(
        "{}: {}, found by its {}",
        one_line(&occurrence.place.to_string()),
        occurrence.kind.words(),
        matched.join(" and ")
    ));
    say(format_args!("  {}", described(occurrence)));
    let mut more = Vec::new();
    match occurrence.time.map(instant) {
        Some(time) => more.push(format!("at {time}")),
        None if occurrence.is_failure_of_logic() => more.push("time not known".to_owned()),
        None => {}
    }
    if !occurrence.correlation_id.is_empty() {
        more.push(format!("workflow {}", one_line(&occurrence.correlation_id)));
    }
    if let Some(trace) = &occurrence.trace_id {
        more.push(format!("trace {trace}"));
    }
    if !more.is_empty() {
        say(format_args!("  {}", more.join(", ")));
    }
}

/// Aggregate, type and answer.
fn described(occurrence: &Occurrence) -> String {
    let mut words = vec![aggregate(occurrence)];
    let stored = occurrence.sequences.map(|(first, last)| match first {
        first if first == last => format!("event {first}"),
        first => format!("events {first} to {last}"),
    });
    let is_events = occurrence.kind == OccurrenceKind::Events;
    match &stored {
        Some(stored) if is_events && stored.starts_with("events") => {
            words.push(format!("{stored}, the last is"));
        }
        Some(stored) if is_events => words.push(format!("{stored}:")),
        _ => {}
    }
    if !occurrence.type_name.is_empty() {
        words.push(one_line(short_name(&occurrence.type_name)).into_owned());
    }
    if let Some(stored) = stored.filter(|_| !is_events) {
        words.push(format!("stored {stored}"));
    }
    if let Some(code) = occurrence.code {
        words.push(code.name().to_owned());
    }
    if !occurrence.message.is_empty() {
        words.push(format!("\"{}\"", one_line(&occurrence.message)));
    }
    if let Some(aside) = occurrence.aside.filter(|aside| *aside != Aside::Accepted) {
        words.push(format!("({})", aside.word()));
    }
    words.join(" ")
}

fn aggregate(occurrence: &Occurrence) -> String {
    let domain = occurrence.domain.as_ref().map_or("?", Domain::as_str);
    let edition = if occurrence.edition.is_main() {
        String::new()
    } else {
        format!(" (edition {})", occurrence.edition.label())
    };
    match occurrence.root {
        Some(root) => format!("{domain}/{root}{edition}"),
        None => format!("{domain}{edition}"),
    }
}

fn print_trees(trees: &[CauseTree], indent: &str, all: &[Occurrence]) {
    for (index, tree) in trees.iter().enumerate() {
        let is_last = index + 1 == trees.len();
        let (branch, below) = if is_last {
            ("└─", "   ")
        } else {
            ("├─", "│  ")
        };
        let occurrence = &all[tree.occurrence];
        let time = occurrence
            .time
            .map_or_else(String::new, |time| format!("{}  ", instant(time)));
        let mark = if occurrence.is_failure_of_logic() {
            "✗ "
        } else {
            ""
        };
        say(format_args!(
            "{indent}{branch} {time}{mark}{}  [{}]{}",
            described(occurrence),
            one_line(&occurrence.place.to_string()),
            cause(occurrence)
        ));
        print_trees(&tree.caused, &format!("{indent}{below}"), all);
    }
}

fn cause(occurrence: &Occurrence) -> String {
    let Some(cause) = &occurrence.cause else {
        return String::new();
    };
    let by = if cause.component.is_empty() {
        String::new()
    } else {
        format!(" by {}", one_line(&cause.component))
    };
    let root = &cause.root.to_string()[..8];
    format!(
        "  sent{by} after {}/{root} event {}",
        cause.domain, cause.sequence
    )
}

/// A command as a shell reads it.
fn shell(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    let words: Vec<String> = quoted.collect();
    format!("{} {}", program(), words.join(" "))
}

fn json_of(report: &FindReport) -> serde_json::Value {
    let occurrences = report.occurrences.iter().map(of_occurrence);
    let workflows = report.workflows.iter().map(|workflow| {
        json!({
            "correlation_id": workflow.correlation_id,
            "trees": workflow.trees.iter().map(of_tree).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": 1,
        "matching": report.matching,
        "left_out": report.left_out,
        "occurrences": occurrences.collect::<Vec<_>>(),
        "workflows": workflows.collect::<Vec<_>>(),
        "looked_at": report.looked,
        "not_looked_at": report.not_looked,
        "capture": report.capture,
        "capture_note": report.capture_note,
    })
}

fn of_tree(tree: &CauseTree) -> serde_json::Value {
    json!({
        "occurrence": tree.occurrence,
        "caused": tree.caused.iter().map(of_tree).collect::<Vec<_>>(),
    })
}

fn of_occurrence(occurrence: &Occurrence) -> serde_json::Value {
    let matched = occurrence.matched.iter().copied();
    json!({
        "kind": word_of(occurrence.kind),
        "place": occurrence.place.to_string(),
        "matched": matched.map(Matched::words).collect::<Vec<_>>(),
        "time": occurrence.time.map(instant),
        "domain": occurrence.domain.as_ref().map(Domain::as_str),
        "root": occurrence.root.map(|root| root.to_string()),
        "edition": occurrence.edition.label(),
        "correlation_id": occurrence.correlation_id,
        "trace_id": occurrence.trace_id,
        "type": occurrence.type_name,
        "code": occurrence.code.map(Code::name),
        "message": occurrence.message,
        "about_the_logic": occurrence.is_failure_of_logic(),
        "aside": occurrence.aside.map(Aside::word),
        "cause": occurrence.cause.as_ref().map(|cause| json!({
            "domain": cause.domain.as_str(),
            "root": cause.root.to_string(),
            "sequence": cause.sequence,
            "component": cause.component,
        })),
        "sequences": occurrence.sequences.map(|(first, last)| [first, last]),
    })
}

const fn word_of(kind: OccurrenceKind) -> &'static str {
    match kind {
        OccurrenceKind::FailedCommand => "failed_command",
        OccurrenceKind::LoggedFailure => "logged_failure",
        OccurrenceKind::AcceptedCommand => "accepted_command",
        OccurrenceKind::RecordedCall => "recorded_call",
        OccurrenceKind::DeadLetter => "dead_letter",
        OccurrenceKind::Events => "events",
        OccurrenceKind::Aggregate => "aggregate",
    }
}
