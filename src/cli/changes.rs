//! `changes`: prints what a branch changed, for its reviewer.

use clap::Args;
use serde_json::{Value, json};

use super::{Done, Stop, say};
use crate::changes::{BranchChanges, ChangedCase, FileCounts};
use crate::project::Project;

/// Show which cases and accepted outcomes a branch changed, as Markdown.
///
/// Outcomes that changed in the same way share one line. Histories and descriptor sets are only counted. Runs git, and
/// replays nothing.
#[derive(Debug, Args)]
pub(super) struct ChangesArguments {
    /// Revisions in git's syntax, such as `main..` or `main...HEAD`; a single one is compared with the working tree, without files that git does not track yet.
    #[arg(default_value = "HEAD")]
    revisions: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &ChangesArguments) -> Done {
    let changes = BranchChanges::of(project, &arguments.revisions)
        .map_err(|error| Stop::Failed(error.to_string()))?;
    if arguments.json {
        say(json_of(&changes));
    } else {
        say(changes.markdown().trim_end());
    }
    Ok(())
}

fn json_of(changes: &BranchChanges) -> Value {
    let cases = |cases: &[ChangedCase]| -> Vec<Value> { cases.iter().map(case).collect() };
    let outcomes = changes.outcomes.iter();
    let outcomes = outcomes.map(|group| json!({"changes": group.changes, "trials": group.cases}));
    let edited = changes.edited.iter();
    let edited = edited.map(|(edited, keys)| json!({"case": case(edited), "keys": keys}));
    json!({
        "changes": 1,
        "added": cases(&changes.added),
        "removed": cases(&changes.removed),
        "closed": cases(&changes.closed),
        "reopened": cases(&changes.reopened),
        "edited": edited.collect::<Vec<_>>(),
        "outcomes": outcomes.collect::<Vec<_>>(),
        "histories": counts(changes.histories),
        "descriptor_sets": counts(changes.descriptor_sets),
    })
}

fn case(case: &ChangedCase) -> Value {
    json!({"trial": case.name, "title": case.title, "issue": case.issue})
}

fn counts(counts: FileCounts) -> Value {
    json!({"added": counts.added, "removed": counts.removed, "changed": counts.changed})
}
