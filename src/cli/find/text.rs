//! What was found, as text.

use std::collections::BTreeSet;

use crate::capture::Aside;
use crate::cli::report::instant;
use crate::documentation::Page;
use crate::finding::{CauseTree, FindReport, Occurrence, OccurrenceKind};
use crate::model::{Domain, short_name};
use crate::terminal::{
    Column, Role, Table, Text, one_line, paragraph, program, say, show, show_table, stdout_width,
};

/// Maximum number of matches that are printed.
const MATCHES: usize = 20;
/// Maximum number of other failures that are printed.
const OTHERS: usize = 10;

pub(super) fn print(report: &FindReport) {
    let older = report.matching.saturating_sub(MATCHES);
    if older + report.left_out > 0 {
        let left_out = older + report.left_out;
        print_line(
            &Text::plain(format_args!(
                "{left_out} more match and are not shown, because they were found first: name something more precise"
            )),
            2,
        );
    }
    for occurrence in &report.occurrences[older..report.matching] {
        print_match(occurrence);
    }
    for workflow in &report.workflows {
        let title = Text::of(
            Role::Heading,
            format_args!("workflow {}", one_line(&workflow.correlation_id)),
        );
        say("");
        print_line(
            &title.with(
                Role::Plain,
                ": what caused what, otherwise in order of time",
            ),
            2,
        );
        print_trees(&workflow.trees, "  ", &report.occurrences);
    }
    print_others(report);
    if !report.occurrences.is_empty() {
        say("");
    }
    let mut places = Table::new([Column::whole(""), Column::wrapped("")]);
    add_places(&mut places, "looked at", Role::Plain, &report.looked);
    add_places(
        &mut places,
        "not looked at",
        Role::Caution,
        &report.not_looked,
    );
    show_table(&places);
    if let Some(capture) = &report.capture {
        print_capture(capture, report.capture_note);
    }
}

/// The command, which is never broken, so that it can be copied.
fn print_capture(capture: &[String], note: Option<&str>) {
    let command = Text::of(Role::Heading, "\ncapture it:");
    show(&command.with(Role::Plain, format_args!(" {}", shell(capture))));
    let print_note = |note: &dyn std::fmt::Display| {
        print_line(&Text::plain(format_args!("            ({note})")), 13);
    };
    if let Some(note) = note {
        print_note(&note);
    }
    if capture.iter().any(|word| word == "--unredacted") {
        print_note(&format_args!(
            "no redaction is configured; set it up if --unredacted is not acceptable: {}",
            Page::Redaction
        ));
    }
}

/// Prints a line, broken between words where a terminal is too narrow.
fn print_line(line: &Text, indent: usize) {
    show(&paragraph(line, stdout_width(), indent).trim_end());
}

/// Failures of the same aggregates that belong to none of the workflows. The newest are found last.
fn print_others(report: &FindReport) {
    let mut in_workflows = BTreeSet::new();
    for workflow in &report.workflows {
        collect(&workflow.trees, &mut in_workflows);
    }
    let around = report.matching..report.occurrences.len();
    let others = around.filter(|index| !in_workflows.contains(index));
    let others: Vec<&Occurrence> = others.map(|index| &report.occurrences[index]).collect();
    if others.is_empty() {
        return;
    }
    let left_out = others.len().saturating_sub(OTHERS);
    show(&Text::of(
        Role::Heading,
        "\nother failures of the same aggregates",
    ));
    if left_out > 0 {
        say(format_args!("  {left_out} older ones, and"));
    }
    for other in &others[left_out..] {
        let mut line = Text::plain("  ");
        push_time(&mut line, other);
        line.append(&described(other));
        push_place(&mut line, other);
        print_line(&line, 4);
    }
}

/// The occurrences in trees.
fn collect(trees: &[CauseTree], found: &mut BTreeSet<usize>) {
    for tree in trees {
        found.insert(tree.occurrence);
        collect(&tree.caused, found);
    }
}

fn add_places(table: &mut Table, title: &str, role: Role, places: &[String]) {
    for (index, place) in places.iter().enumerate() {
        let title = if index == 0 { title } else { "" };
        let place = Text::plain(one_line(place));
        table.row([Text::of(role, title), place]);
    }
}

fn print_match(occurrence: &Occurrence) {
    let matched: Vec<&str> = occurrence.matched.iter().map(|it| it.words()).collect();
    let place = one_line(&occurrence.place.to_string()).into_owned();
    let title = Text::of(Role::Heading, place).with(
        Role::Plain,
        format_args!(
            ": {}, found by its {}",
            occurrence.kind.words(),
            matched.join(" and ")
        ),
    );
    print_line(&title, 2);
    let mut line = Text::plain("  ");
    line.append(&described(occurrence));
    print_line(&line, 4);
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
        let line = Text::plain("  ").with(Role::Faint, more.join(", "));
        print_line(&line, 4);
    }
}

/// Aggregate, type and answer.
fn described(occurrence: &Occurrence) -> Text {
    let mut words = vec![Text::plain(aggregate(occurrence))];
    let stored = occurrence.sequences.map(|(first, last)| match first {
        first if first == last => format!("event {first}"),
        first => format!("events {first} to {last}"),
    });
    let is_events = occurrence.kind == OccurrenceKind::Events;
    match &stored {
        Some(stored) if is_events && stored.starts_with("events") => {
            words.push(Text::plain(format_args!("{stored}, the last is")));
        }
        Some(stored) if is_events => words.push(Text::plain(format_args!("{stored}:"))),
        _ => {}
    }
    if !occurrence.type_name.is_empty() {
        words.push(Text::plain(one_line(short_name(&occurrence.type_name))));
    }
    if let Some(stored) = stored.filter(|_| !is_events) {
        words.push(Text::plain(format_args!("stored {stored}")));
    }
    if let Some(code) = occurrence.code {
        let role = if occurrence.is_failure_of_logic() {
            Role::Bad
        } else {
            Role::Plain
        };
        words.push(Text::of(role, code.name()));
    }
    if !occurrence.message.is_empty() {
        let message = one_line(&occurrence.message);
        words.push(Text::plain(format_args!("\"{message}\"")));
    }
    if let Some(aside) = occurrence.aside.filter(|aside| *aside != Aside::Accepted) {
        words.push(Text::of(Role::Caution, format_args!("({})", aside.word())));
    }
    let mut text = Text::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(Role::Plain, " ");
        }
        text.append(word);
    }
    text
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

fn push_time(line: &mut Text, occurrence: &Occurrence) {
    if let Some(time) = occurrence.time {
        line.push(Role::Faint, instant(time));
        line.push(Role::Plain, "  ");
    }
}

fn push_place(line: &mut Text, occurrence: &Occurrence) {
    let place = occurrence.place.to_string();
    line.push(Role::Plain, "  ");
    line.push(Role::Faint, format_args!("[{}]", one_line(&place)));
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
        let mut line = Text::of(Role::Faint, format_args!("{indent}{branch}"));
        line.push(Role::Plain, " ");
        push_time(&mut line, occurrence);
        if occurrence.is_failure_of_logic() {
            line.push(Role::Bad, "✗ ");
        }
        line.append(&described(occurrence));
        push_place(&mut line, occurrence);
        line.push(Role::Plain, cause(occurrence));
        line.push(Role::Plain, command_of(occurrence, all));
        let below = format!("{indent}{below}");
        print_line(&line, below.chars().count() + 2);
        print_trees(&tree.caused, &below, all);
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
    let event = format!("{}/{root} event {}", cause.domain, cause.sequence);
    if occurrence.kind == OccurrenceKind::Events {
        format!("  caused by {event}")
    } else {
        format!("  sent{by} after {event}")
    }
}

/// Which failure this is the command of, if it stands in a workflow for that reason.
fn command_of(occurrence: &Occurrence, all: &[Occurrence]) -> String {
    let has_reason = !occurrence.correlation_id.is_empty() || occurrence.cause.is_some();
    let mut logged = all.iter().filter(|_| !has_reason);
    match logged.find(|logged| occurrence.is_command_of(logged)) {
        Some(logged) => format!("  the command of {}", one_line(&logged.place.to_string())),
        None => String::new(),
    }
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
