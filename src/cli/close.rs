//! `close`: accepts today's outcome of a case and marks it closed.

use clap::Args;
use serde_json::{Value, json};

use super::{Done, Fixtures, Stop, say};
use crate::harness::Entry;
use crate::model::{Rule, Status};
use crate::project::Project;
use crate::replaying::{CloseRequest, Closed, close};
use crate::terminal::several_errors;

/// Accept today's outcome of cases and mark them closed.
///
/// Replays each case, writes its snapshot, and lists the files to commit.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct CloseArguments {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Close even a case whose bug still reproduces: its behaviour becomes the expectation.
    #[arg(long)]
    force: bool,
    /// The outcome is a rejection that is right, not a bug: it stays guarded and is counted apart.
    #[arg(long, conflicts_with = "force")]
    intended: bool,
    /// Exclude fields that differ from run to run: write a rule for each into the fixture.
    #[arg(long)]
    add_rules: bool,
    /// Print as JSON, one object per case.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &CloseArguments) -> Done {
    let request = CloseRequest {
        is_forced: arguments.force,
        is_intended: arguments.intended,
        adds_rules: arguments.add_rules,
    };
    let mut failures = Vec::new();
    for entry in arguments.fixtures.select(project)? {
        let closed = match &entry.twin {
            None => close(project, &entry.path, request).map_err(Stop::from),
            Some(twin) => Err(Stop::Usage(format!(
                "{}: a snapshot is of the case's own logic, and `{twin}` is held to it; leave out @{twin}",
                entry.name
            ))),
        };
        match closed {
            Ok(closed) if arguments.json => say(json_of(&entry, &closed)),
            Ok(closed) => print(&entry, &closed),
            Err(stop) => {
                if arguments.json {
                    say(json_of_failure(&entry, &stop));
                }
                failures.push(stop.to_string());
            }
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Stop::Failed(several_errors(failures)))
    }
}

fn json_of(entry: &Entry, closed: &Closed) -> Value {
    let rules = closed.added_rules.iter();
    let rules = rules
        .map(|rule| json!({"type": rule.type_pattern, "field": rule.field, "reason": rule.reason}));
    json!({
        "close": 1,
        "trial": *entry.name,
        "fixture": Project::shown(&entry.path),
        "result": "closed",
        "status": closed.status.word(),
        "snapshot": Project::shown(&closed.snapshot),
        "added_rules": rules.collect::<Vec<_>>(),
        "files": closed.files,
    })
}

fn json_of_failure(entry: &Entry, stop: &Stop) -> Value {
    json!({
        "close": 1,
        "trial": *entry.name,
        "fixture": Project::shown(&entry.path),
        "result": "failed",
        "reason": stop.to_string(),
    })
}

fn print(entry: &Entry, closed: &Closed) {
    for Rule {
        type_pattern,
        field,
        ..
    } in &closed.added_rules
    {
        say(format_args!(
            "rule: {field} of {type_pattern} differs from run to run"
        ));
    }
    say(format_args!(
        "closed {}{}; its snapshot is {}",
        Project::shown(&entry.path),
        match closed.status {
            Status::Intended => " as intended",
            Status::Open | Status::Closed => "",
        },
        Project::shown(&closed.snapshot)
    ));
    say(format_args!("commit: {}", closed.files.join(" ")));
}
