//! `doctor`: checks that everything the project names exists and works.

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::doctor::{CheckedPart, examine};
use crate::project::Project;

/// Check configuration, sources, descriptors, redaction key, logic, fixtures and snapshots.
///
/// Starts the logic and asks each source for its dialect. Replays nothing and writes nothing. Ends with 1 if something
/// needs attention.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Print as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &DoctorArguments) -> Done {
    let mut wrong = 0;
    examine(project, &mut |finding| {
        wrong += usize::from(finding.is_wrong());
        if arguments.json {
            say(json_of(&finding));
        } else {
            say(line(&finding));
        }
    });
    match wrong {
        0 => Ok(()),
        1 => Err(Stop::Failed("one thing has to be done".into())),
        _ => Err(Stop::Failed(format!("{wrong} things have to be done"))),
    }
}

fn line(finding: &CheckedPart) -> String {
    let text = finding
        .text()
        .replace('\n', "\n                                     ");
    format!("{:<6}{:<30} {text}", finding.word(), finding.subject)
}

fn json_of(finding: &CheckedPart) -> serde_json::Value {
    json!({"subject": finding.subject, "state": finding.word(), "text": finding.text()})
}
