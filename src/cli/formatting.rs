//! `fmt`: rewrites fixtures in the form that `capture` writes.

use clap::Args;
use serde_json::json;
use std::path::PathBuf;

use super::{Done, Stop, complain, say, selected};
use crate::fixture::{render, write_atomically};
use crate::harness::{Entry, discover};
use crate::project::Project;
use crate::terminal::words;

/// Rewrite fixtures in the form that `capture` writes: order of keys, indentation, quotes.
///
/// The case stays the same. A file with comments is left alone, because they would be lost.
#[derive(Debug, Args)]
pub(super) struct FmtArguments {
    /// Cases as for `replay`; all by default.
    #[arg(value_name = "FIXTURE")]
    fixtures: Vec<PathBuf>,
    /// Write nothing; list the files that would change, and end with 1 if there are any.
    #[arg(long)]
    check: bool,
    /// Print as JSON, one object for each file that is not in that form.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &FmtArguments) -> Done {
    let entries = if arguments.fixtures.is_empty() {
        discover(project).map_err(|error| Stop::Failed(error.to_string()))?
    } else {
        selected(project, &arguments.fixtures)?
    };
    let mut unformatted = 0;
    for entry in entries.iter().filter(|entry| entry.twin.is_none()) {
        let shown = Project::shown(&entry.path);
        match formatted(project, entry)? {
            Formatted::AsItIs => {}
            Formatted::HasComments => {
                if arguments.json {
                    say(json_of(entry, "left-alone"));
                }
                complain(format_args!(
                    "left alone: {shown}: it may have comments, which would be lost"
                ));
            }
            Formatted::Text(_) if arguments.check => {
                unformatted += 1;
                if arguments.json {
                    say(json_of(entry, "would-change"));
                } else {
                    say(format_args!("would change {shown}"));
                }
            }
            Formatted::Text(text) => {
                write_atomically(&entry.path, text.as_bytes(), true)
                    .map_err(|error| Stop::Failed(format!("{shown}: {}", words(&error))))?;
                if arguments.json {
                    say(json_of(entry, "changed"));
                } else {
                    say(format_args!("changed {shown}"));
                }
            }
        }
    }
    match unformatted {
        0 => Ok(()),
        _ => Err(Stop::Differs),
    }
}

fn json_of(entry: &Entry, result: &str) -> serde_json::Value {
    json!({
        "fmt": 1,
        "trial": *entry.name,
        "fixture": Project::shown(&entry.path),
        "result": result,
    })
}

enum Formatted {
    AsItIs,
    /// The file is in another form, and rewriting it would lose its comments.
    HasComments,
    Text(String),
}

fn formatted(project: &Project, entry: &Entry) -> Result<Formatted, Stop> {
    let shown = Project::shown(&entry.path);
    let failed = |reason: &dyn std::fmt::Display| Stop::Failed(format!("{shown}: {reason}"));
    let fixture = project.folder().read(&entry.path)?;
    let text = crate::files::read_to_string(&entry.path, crate::files::MADE)
        .map_err(|error| failed(&words(&error)))?;
    // Uses the captured descriptors, because today's may have changed.
    let rendered = render(&fixture.case, &fixture.descriptors).map_err(|error| failed(&error))?;
    if rendered.text == text {
        return Ok(Formatted::AsItIs);
    }
    if text.lines().any(may_have_comment) {
        return Ok(Formatted::HasComments);
    }
    let read = project.folder().read_text(&rendered.text, &entry.path)?;
    if read.case != fixture.case {
        return Err(failed(
            &"its canonical form would be another case; this is a bug of this tool",
        ));
    }
    Ok(Formatted::Text(rendered.text))
}

/// Whether a line may contain a comment. A `#` in a text counts too: such a file is left alone to be safe.
fn may_have_comment(line: &str) -> bool {
    line.trim_start().starts_with('#') || line.contains(" #")
}
