//! `tickets`: which failures there are, one line a bug.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::capture::described;
use super::{Done, say};
use crate::capture::{Aside, FailureGroup, Logged, LoggedFailure, group_failures};
use crate::capturing::{Messages, demand_some, read_log};
use crate::grpc::StoredLetter;
use crate::model::{Timestamp, counted};
use crate::project::{FailureEntry, Failures, Project};
use crate::wire::Dialect;

/// What stands before the number of a dead letter.
const LETTER: &str = "dead letter";

/// List the failures of a source or of logs, grouped by domain, command, code and message.
///
/// Asks no server but for --dead-letters. Tickets are found among other text, as `capture --from-log` finds them.
#[derive(Debug, Args)]
pub(super) struct TicketsArguments {
    /// Logs, instead of those that the source names; `-` is standard input.
    files: Vec<PathBuf>,
    /// Source in replay.toml; `embedded` is the built-in one.
    #[arg(long, conflicts_with = "files")]
    source: Option<String>,
    /// The dead letters of the source's `DlqAdminService`, instead of its logs.
    #[arg(long, conflicts_with = "files")]
    dead_letters: bool,
    /// Print as JSON, one object a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(project: &Project, arguments: &TicketsArguments) -> Done {
    let failures = if arguments.dead_letters {
        of_letters(project, arguments)?
    } else if arguments.files.is_empty() {
        project.failures(arguments.source.as_deref())?
    } else {
        of_files(arguments)?
    };
    let mut groups = group_failures(failures.entries.iter().map(|entry| &entry.logged));
    let source = project.source_name(arguments.source.as_deref());
    let messages = Messages::of(project, &source.unwrap_or_default());
    for group in &mut groups {
        group.message = messages.of_logged(&failures.entries[group.example].logged);
    }
    for group in &groups {
        let example = &failures.entries[group.example];
        if arguments.json {
            say(json_of(group, example));
        } else {
            print(group, example);
        }
    }
    super::tell_hidden(&messages);
    super::tell_unusable(&failures.unusable);
    if !arguments.json {
        let bugs = groups.iter().filter(|group| group.aside.is_none()).count();
        let count = |is_accepted: bool| {
            let all = groups.iter();
            let such = all.filter(|group| (group.aside == Some(Aside::Accepted)) == is_accepted);
            such.map(|group| group.count).sum::<usize>()
        };
        let accepted = match count(true) {
            0 => String::new(),
            accepted => format!(", {}", counted(accepted, "accepted command")),
        };
        say(format_args!(
            "{}, {}{accepted}",
            counted(count(false), "failure"),
            counted(bugs, "distinct bug")
        ));
        if let Some(next) = next(arguments).filter(|_| bugs > 0) {
            say(format_args!("\nnext: {next}"));
        }
    }
    Ok(())
}

/// Those that the source's service shows. One with events is none of a command.
fn of_letters(project: &Project, arguments: &TicketsArguments) -> Result<Failures, super::Stop> {
    let source = project.source_name(arguments.source.as_deref())?;
    let mut all = Failures::default();
    for StoredLetter { id, letter } in project.dead_letters(&source)?.list()? {
        let reason = match letter.map(|letter| {
            // Which numbers enums have does not matter to a list.
            let failure = LoggedFailure::of_letter(&letter, Dialect::ANGZARR);
            (failure, letter)
        }) {
            Ok((Ok(Some(failure)), _)) => {
                all.entries.push(FailureEntry {
                    file: LETTER.to_owned(),
                    line: usize::try_from(id).unwrap_or_default(),
                    logged: Logged::Failure(failure),
                    local: None,
                });
                continue;
            }
            Ok((Ok(None), letter)) => format!(
                "it holds no command but events of {}/{}",
                letter.cover.domain, letter.cover.root
            ),
            Ok((Err(reason), _)) | Err(reason) => reason.to_string(),
        };
        all.unusable.push(format!("{LETTER} {id}: {reason}"));
    }
    Ok(all)
}

/// All of them, each of which has to hold something.
fn of_files(arguments: &TicketsArguments) -> Result<Failures, super::Stop> {
    let mut all = Failures::default();
    for file in &arguments.files {
        let (read, name) = read_log(file)?;
        demand_some(&read, &name)?;
        all.lines += read.lines;
        all.entries.extend(read.entries);
        all.unusable.extend(read.unusable);
    }
    Ok(all)
}

/// What to do next; a capture reads one log, or one letter.
fn next(arguments: &TicketsArguments) -> Option<String> {
    if arguments.dead_letters {
        let source = arguments.source.as_ref();
        let source = source.map_or_else(String::new, |source| format!(" --source {source}"));
        return Some(format!("cargo xtask capture --dead-letter ID{source}"));
    }
    let line = "cargo xtask capture --each-distinct";
    Some(match (arguments.files.as_slice(), &arguments.source) {
        ([file], _) => format!("{line} --from-log {}", file.display()),
        ([], Some(source)) => format!("{line} --source {source}"),
        ([], None) => line.to_owned(),
        _ => return None,
    })
}

fn instant(time: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::new(time.seconds, time.nanos).ok()?;
    Some(instant.to_string())
}

fn print(group: &FailureGroup, example: &FailureEntry) {
    let aside = group
        .aside
        .map_or_else(String::new, |aside| format!("  ({})", aside.word()));
    let once = FailureGroup {
        count: 1,
        ..group.clone()
    };
    say(format_args!(
        "{:>5}  {}{aside}",
        group.count,
        described(&once)
    ));
    let newest = match group.newest.and_then(instant) {
        Some(time) if group.count == 1 => format!("at {time}"),
        Some(time) if group.without_time == 0 => format!("newest at {time}"),
        Some(time) => format!("latest time {time}, {} without one", group.without_time),
        None if group.count == 1 => "time not known".to_owned(),
        None => "times not known, the last".to_owned(),
    };
    say(format_args!(
        "       {newest}: {}, {}:{}",
        example.logged.root(),
        example.file,
        example.line
    ));
}

fn json_of(group: &FailureGroup, example: &FailureEntry) -> serde_json::Value {
    json!({
        "count": group.count,
        "domain": group.domain,
        "command": group.command,
        "code": group.code.map(crate::model::Code::name),
        "message": group.message,
        "about_the_logic": group.aside.is_none(),
        "aside": group.aside.map(Aside::word),
        "newest": group.newest.and_then(instant),
        "example": {
            "root": example.logged.root().to_string(),
            "edition": example.logged.edition().label(),
            "file": example.file,
            "line": example.line,
            "has_command": example.logged.command().is_some(),
        },
    })
}
