//! `replay` of several cases: prints a line for each, and the totals.

use serde_json::json;

use super::{Done, Stop, report, say};
use crate::harness::{Ending, Entry};
use crate::project::Project;
use crate::replaying::{EndedTrial, ReplayRequest, replay_each};
use crate::terminal::{Role, Text, paragraph, program, show, stdout_width, width};

pub(super) fn run(
    project: &Project,
    entries: &[Entry],
    request: &ReplayRequest,
    wants_json: bool,
) -> Done {
    let totals = replay_each(project, entries, request, &mut |trial| {
        if wants_json {
            say(json(trial));
        } else {
            print(trial);
        }
    });
    if !wants_json {
        let role = if totals.failed == 0 {
            Role::Good
        } else {
            Role::Bad
        };
        let text = Text::plain(format_args!("{totals}, "));
        let text = text.with(role, format_args!("{} failed", totals.failed));
        say("");
        show(&paragraph(&text, stdout_width(), 2).trim_end());
    }
    if totals.failed == 0 {
        Ok(())
    } else {
        Err(Stop::Differs)
    }
}

const fn word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Closed => "closed",
        Ending::Intended => "intended",
        Ending::Open => "open",
        Ending::NotChecked(_) => "not checked",
        Ending::Failed(_) => "failed",
    }
}

/// Where the text of a case begins.
const INDENT: usize = 13;

fn print(trial: &EndedTrial) {
    let entry = &trial.entry;
    let role = match &trial.ending {
        Ending::Closed | Ending::Intended | Ending::Open => Role::Good,
        Ending::NotChecked(_) => Role::Caution,
        Ending::Failed(_) => Role::Bad,
    };
    let blanks = " ".repeat(INDENT - word(&trial.ending).len());
    let mut line = Text::of(role, word(&trial.ending)).with(Role::Plain, blanks);
    line.push(Role::Plain, &entry.name);
    let room = stdout_width();
    match &trial.ending {
        Ending::Closed | Ending::Intended | Ending::Open => show(&line),
        Ending::NotChecked(reason) => show(&with_reason(line, reason, room)),
        Ending::Failed(message) => {
            show(&line);
            for words in message.lines() {
                let mut line = Text::plain(" ".repeat(INDENT));
                line.append(&words);
                show(&paragraph(&line, room, INDENT + 4).trim_end());
            }
            let twin = entry.twin.as_ref();
            let logic = twin.map_or_else(String::new, |twin| format!(" --logic {twin}"));
            let fixture = Project::shown(&entry.path);
            say(format_args!(
                "{:<INDENT$}look into it: {} replay {fixture}{logic}",
                "",
                program()
            ));
        }
    }
}

/// The line of a case and a reason: beside its name if there is room, which can then be copied as a whole.
fn with_reason(line: Text, reason: &str, room: Option<usize>) -> Text {
    let whole = line.clone().with(Role::Plain, format_args!(": {reason}"));
    match room {
        Some(room) if width(whole.as_str()) > room => {
            let blanks = " ".repeat(INDENT);
            let reason = Text::plain(format_args!("{blanks}{reason}"));
            let mut text = line.with(Role::Plain, ":\n");
            text.append(&paragraph(&reason, Some(room), INDENT));
            text.trim_end()
        }
        _ => whole,
    }
}

/// The report and the result of a case; for a case that was not replayed, only the result.
fn json(trial: &EndedTrial) -> serde_json::Value {
    let mut object = match &trial.report {
        Some(report) => report::json(report),
        None => json!({"replay": 1, "fixture": Project::shown(&trial.entry.path)}),
    };
    add_result(&mut object, &trial.entry, Some(&trial.ending));
    object
}

/// Adds the trial and how it ended. A modified case has no result, because there is nothing to compare it with.
pub(super) fn add_result(object: &mut serde_json::Value, entry: &Entry, ending: Option<&Ending>) {
    object["trial"] = (*entry.name).into();
    object["result"] = ending.map(word).into();
    match ending {
        Some(Ending::NotChecked(reason)) => object["reason"] = reason.as_str().into(),
        Some(Ending::Failed(message)) => object["reason"] = message.as_str().into(),
        Some(Ending::Closed | Ending::Intended | Ending::Open) | None => {}
    }
}
