//! The output of `capture --each-distinct`: a line for each bug, and a summary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::captured_text;
use crate::capture::FailureGroup;
use crate::capturing::{
    Captured, CapturedBug, CapturedBugs, SavedState, assumed_dialect, left_aside, not_kept,
};
use crate::cli::{Done, Stop, say};
use crate::model::counted;
use crate::project::Project;
use crate::terminal::{Role, Text, paragraph, quoted, show, stdout_width};

/// A bug as a line.
pub(in crate::cli) fn described(bug: &FailureGroup) -> String {
    in_words(bug, Some(&bug.message))
}

pub(super) fn in_words(bug: &FailureGroup, message: Option<&str>) -> String {
    let mut text = bug.domain.clone().unwrap_or_else(|| "?".to_owned());
    let command = bug.command.as_deref().unwrap_or_default();
    let command = command.rsplit('.').next().filter(|name| !name.is_empty());
    let _ = write!(text, " {}", command.unwrap_or("(command not known)"));
    if let Some(code) = bug.code {
        let _ = write!(text, " {code}");
    }
    if let Some(message) = message {
        let _ = write!(text, " {}", quoted(&bug.for_all(message)));
    }
    if bug.count > 1 {
        let _ = write!(text, ", {} times", bug.count);
    }
    text
}

/// Prints a line for a bug whose capture has ended.
pub(super) fn print(done: &CapturedBug, wants_json: bool) {
    let bug = in_words(&done.bug, done.message.as_deref());
    match &done.result {
        Ok(captured) if wants_json => say(captured_text::json(captured)),
        Ok(captured) => print_captured(captured, &bug),
        Err(stop) if wants_json => {
            say(json!({"capture": 1, "result": "failed", "bug": bug, "reason": stop.to_string()}));
        }
        Err(stop) => {
            let line = Text::of(Role::Bad, format_args!("{:<10}", "failed"));
            show(&line.with(Role::Plain, format_args!("{bug}: {stop}")));
        }
    }
}

fn print_captured(captured: &Captured, bug: &str) {
    let fixture = Project::shown(&captured.path);
    let saved = captured.saved.word();
    let mut line = Text::plain(format_args!("{saved:<10}{fixture}  {bug}"));
    if captured.saved != SavedState::Unchanged {
        let role = captured_text::role(&captured.verdict, captured.case.status);
        line.push(Role::Plain, ": ");
        line = line.with_result(role, &captured.verdict.to_string());
    }
    show(&paragraph(&line, stdout_width(), 10).trim_end());
    for warning in &captured.warnings {
        say(format_args!("{:<10}{warning}", ""));
    }
    for field in &captured.unknown {
        say(format_args!("{:<10}{}", "", not_kept(*field)));
    }
}

/// Prints how many captures ended in which way, and the files to commit.
pub(super) fn print_summary(all: &CapturedBugs) {
    let captured = || all.bugs.iter().filter_map(|bug| bug.result.as_ref().ok());
    if let Some(dialect) = captured().find_map(Captured::assumed_dialect) {
        let text = assumed_dialect(dialect);
        say(format_args!("{:<10}{text}", "dialect"));
    }
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    let mut files = BTreeSet::new();
    for captured in captured() {
        *results.entry(captured.saved.word()).or_default() += 1;
        if captured.saved != SavedState::Unchanged {
            files.extend(captured.files.iter().map(String::as_str));
        }
    }
    let results = results.iter();
    let mut parts: Vec<String> = results
        .map(|(result, count)| format!("{count} {result}"))
        .collect();
    let failed = count_failed(all);
    parts.extend((failed > 0).then(|| format!("{failed} failed")));
    say(format_args!(
        "\n{}: {}{}",
        counted(all.bugs.len(), "distinct bug"),
        parts.join(", "),
        left_aside(&all.aside)
    ));
    if !files.is_empty() {
        let files: Vec<&str> = files.into_iter().collect();
        say(format_args!("commit: {}", files.join(" ")));
    }
}

fn count_failed(all: &CapturedBugs) -> usize {
    all.bugs.iter().filter(|bug| bug.result.is_err()).count()
}

/// Fails if any bug could not be captured.
pub(super) fn all_captured(all: &CapturedBugs) -> Done {
    match count_failed(all) {
        0 => Ok(()),
        failed => Err(Stop::Failed(format!(
            "{failed} of {} bugs could not be captured; their lines say why",
            all.bugs.len()
        ))),
    }
}
