//! `init`: sets up a project before its first capture.

use std::path::Path;

use clap::Args;
use similar::TextDiff;

use super::{Done, Stop, complain, say};
use crate::setup::{Ci, Editor, FileChange, Plan, SetupRequest, ask};
use crate::terminal::{Program, program};

/// Set up a project: write replay.toml and the other files it needs.
///
/// In a Rust workspace, also writes a package `replay` with the two mains and the alias `cargo replay`; in a repository
/// of another language, only configuration. Asks nothing, overwrites nothing, and shows its changes to existing files.
#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// Ask the coordinator at this address for its dialect and domains, and write them as `sources.production`.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<String>,
    /// Write settings for an editor: the schemas of fixtures and of replay.toml, and a configuration that attaches its debugger.
    #[arg(long, value_enum)]
    editor: Option<Editor>,
    /// Write a CI workflow that replays every case.
    #[arg(long, value_enum)]
    ci: Option<Ci>,
    /// Write nothing; show what would be written.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &InitArguments, folder: &Path) -> Done {
    let failed = |error: &dyn std::error::Error| Stop::Failed(error.to_string());
    let source = arguments.source.as_deref().map(ask).transpose();
    let source = source.map_err(|error| failed(&error))?;
    let request = SetupRequest {
        folder: folder.to_owned(),
        editor: arguments.editor,
        ci: arguments.ci,
        source,
    };
    let plan = Plan::of(&request).map_err(|error| failed(&error))?;
    if !arguments.dry_run {
        plan.apply(folder).map_err(|error| failed(&error))?;
    }
    for change in &plan.changes {
        say(shown(change, arguments.dry_run));
    }
    for note in &plan.notes {
        complain(format_args!("note: {note}"));
    }
    if plan.changes.is_empty() {
        say("nothing to do: everything is there");
    } else if !arguments.dry_run && writes(&plan, "replay.toml") {
        say(next_steps(&plan, request.source.is_some()));
    }
    Ok(())
}

fn writes(plan: &Plan, file: &str) -> bool {
    plan.changes.iter().any(|change| change.file == file)
}

/// A new file by its name, an edited one with the lines that change.
fn shown(change: &FileChange, is_dry: bool) -> String {
    let Some(before) = &change.before else {
        let verb = if is_dry { "would write" } else { "wrote" };
        return format!("{verb} {}", change.file);
    };
    let verb = if is_dry { "would change" } else { "changed" };
    let diff = TextDiff::from_lines(before, &change.after);
    let diff = diff.unified_diff().context_radius(2).to_string();
    let lines = diff.lines().filter(|line| !line.starts_with("@@"));
    let lines: String = lines.flat_map(|line| ["  ", line, "\n"]).collect();
    format!("{verb} {}\n{}", change.file, lines.trim_end())
}

fn next_steps(plan: &Plan, has_source: bool) -> String {
    let program = match (program(), plan.language.name()) {
        (Program::Standalone, Some("Rust")) => "cargo replay",
        (program, _) => program.name(),
    };
    let what = if has_source {
        "where your logic is"
    } else {
        "where production and your logic are"
    };
    format!(
        "\nnext:\n  say in replay.toml {what}, and what to redact\n  {program} doctor           # what is still missing\n  {program} roots            # what can be \
         captured\n  {program} capture ROOT     # the aggregate that misbehaved"
    )
}
