//! `tickets`: lists the known bugs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::capture::described;
use super::{Done, say};
use crate::capture::{Aside, FailureGroup};
use crate::listing::{FailureSource, ListedBug, list_bugs};
use crate::model::{Code, Timestamp, counted};
use crate::project::Project;
use crate::shape::shape;
use crate::terminal::{Column, Role, Table, Text, one_line, program, show_table};

/// List the failures of a source or of logs, grouped by bug.
///
/// Failures belong to the same bug if their domain, command and code are equal, and their messages are equal without numbers,
/// identifiers, and quoted or redacted values, which are shown as `…`.
///
/// Contacts a server only with --dead-letters. Tickets are found among other text, as with `capture --from-log`.
#[derive(Debug, Args)]
pub(super) struct TicketsArguments {
    /// Logs, instead of those of the source; `-` is standard input.
    files: Vec<PathBuf>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long, conflicts_with = "files")]
    source: Option<String>,
    /// The dead letters of the source's `DlqAdminService`, instead of its logs.
    #[arg(long, conflicts_with = "files")]
    dead_letters: bool,
    /// Print as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

impl TicketsArguments {
    fn failure_source(&self) -> FailureSource {
        if self.dead_letters {
            FailureSource::DeadLetters(self.source.clone())
        } else if self.files.is_empty() {
            FailureSource::Source(self.source.clone())
        } else {
            FailureSource::Files(self.files.clone())
        }
    }
}

pub(super) fn run(project: &Project, arguments: &TicketsArguments) -> Done {
    let listed = list_bugs(project, &arguments.failure_source())?;
    if arguments.json {
        for bug in &listed.bugs {
            say(json_of(bug));
        }
    } else if !listed.bugs.is_empty() {
        print(&listed.bugs);
    }
    super::complain_of_hidden(listed.messages_hidden.as_deref());
    super::complain_of_unusable(&listed.unusable);
    if arguments.json {
        return Ok(());
    }
    let bugs = listed.count_of_logic();
    let accepted = match listed.count_accepted() {
        0 => String::new(),
        accepted => format!(", {}", counted(accepted, "accepted command")),
    };
    let covered = match bugs - listed.count_uncovered() {
        0 => String::new(),
        covered => format!(" ({covered} captured)"),
    };
    say(format_args!(
        "{}, {}{covered}{accepted}",
        counted(listed.count_failed(), "failure"),
        counted(bugs, "distinct bug")
    ));
    if let Some(next) = next(arguments).filter(|_| listed.count_uncovered() > 0) {
        say(format_args!("\nnext: {next}"));
    }
    Ok(())
}

/// The next command to run, if the failures are from one log or from dead letters.
fn next(arguments: &TicketsArguments) -> Option<String> {
    if arguments.dead_letters {
        let source = arguments.source.as_ref();
        let source = source.map_or_else(String::new, |source| format!(" --source {source}"));
        return Some(format!("{} capture --dead-letter ID{source}", program()));
    }
    let line = format!("{} capture --each-distinct", program());
    Some(match (arguments.files.as_slice(), &arguments.source) {
        ([file], _) => format!("{line} --from-log {}", file.display()),
        ([], Some(source)) => format!("{line} --source {source}"),
        ([], None) => line,
        _ => return None,
    })
}

fn instant(time: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::new(time.seconds, time.nanos).ok()?;
    Some(instant.to_string())
}

fn print(bugs: &[ListedBug]) {
    let mut table = Table::new([Column::whole("").right().at_least(5), Column::wrapped("")]);
    for bug in bugs {
        let mut text = Text::plain(one_line(&words(&bug.group)));
        if let Some(aside) = bug.group.aside {
            text.push(Role::Caution, format_args!("  ({})", aside.word()));
        }
        text.push(Role::Plain, "\n");
        text.push(Role::Faint, one_line(&place(bug)));
        if let Some(fixture) = &bug.covered_by {
            text.push(Role::Plain, "\n");
            text.push(
                Role::Faint,
                format_args!("captured as {}", one_line(fixture)),
            );
        }
        table.row([Text::plain(bug.group.count), text]);
    }
    show_table(&table);
}

/// A bug without the number of its failures.
fn words(group: &FailureGroup) -> String {
    let once = FailureGroup {
        count: 1,
        ..group.clone()
    };
    described(&once)
}

/// When and where the newest failure of a bug is.
fn place(ListedBug { group, example, .. }: &ListedBug) -> String {
    let newest = match group.newest.and_then(instant) {
        Some(time) if group.count == 1 => format!("at {time}"),
        Some(time) if group.without_time == 0 && group.oldest < group.newest => {
            let oldest = group.oldest.and_then(instant).unwrap_or_default();
            format!("first at {oldest}, newest at {time}")
        }
        Some(time) if group.without_time == 0 => format!("newest at {time}"),
        Some(time) => format!("latest time {time}, {} without one", group.without_time),
        None if group.count == 1 => "time not known".to_owned(),
        None => "times not known, the last".to_owned(),
    };
    let root = example.logged.root();
    format!("{newest}: {root}, {}:{}", example.file, example.line)
}

fn json_of(
    ListedBug {
        group,
        example,
        covered_by,
    }: &ListedBug,
) -> serde_json::Value {
    json!({
        "tickets": 1,
        "count": group.count,
        "domain": group.domain,
        "command": group.command,
        "code": group.code.map(Code::name),
        "message": group.message,
        "shape": shape(&group.message),
        "about_the_logic": group.aside.is_none(),
        "aside": group.aside.map(Aside::word),
        "oldest": group.oldest.and_then(instant),
        "newest": group.newest.and_then(instant),
        "covered_by": covered_by,
        "example": {
            "root": example.logged.root().to_string(),
            "edition": example.logged.edition().label(),
            "file": example.file,
            "line": example.line,
            "has_command": example.logged.command().is_some(),
        },
    })
}
