//! `doctor`: checks that everything the project names exists and works.

use clap::Args;
use serde_json::json;

use super::{Done, Stop, say};
use crate::doctor::{CheckedPart, State, examine};
use crate::project::Project;
use crate::terminal::{Column, Role, Table, Text, one_line, show_table};

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
            show_table(&line(&finding));
        }
    });
    match wrong {
        0 => Ok(()),
        1 => Err(Stop::Failed("one thing has to be done".into())),
        _ => Err(Stop::Failed(format!("{wrong} things have to be done"))),
    }
}

/// A finding as a row of its own, because the next one may take long.
fn line(finding: &CheckedPart) -> Table {
    let role = match finding.state {
        State::Fine(_) => Role::Good,
        State::Notice(_) => Role::Caution,
        State::Wrong(_) => Role::Bad,
    };
    let subject = Text::of(role, finding.word())
        .with(Role::Plain, " ".repeat(6 - finding.word().len()))
        .with(Role::Plain, one_line(&finding.subject));
    // Rows are laid out one by one, and shall all be alike.
    let mut table = Table::new([
        Column::whole("").at_least(35),
        Column::wrapped("").at_least(24),
    ]);
    table.row([subject, Text::plain(finding.text())]);
    table
}

fn json_of(finding: &CheckedPart) -> serde_json::Value {
    json!({"doctor": 1, "subject": finding.subject, "state": finding.word(), "text": finding.text()})
}
