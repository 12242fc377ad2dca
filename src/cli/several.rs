//! `replay` of several cases: prints a line for each, and the totals.

use serde_json::json;

use super::{Done, Stop, report, say};
use crate::harness::{Ending, Entry};
use crate::project::Project;
use crate::replaying::{EndedTrial, ReplayRequest, replay_each};
use crate::terminal::program;

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
        say(format_args!("\n{totals}, {} failed", totals.failed));
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

fn print(trial: &EndedTrial) {
    let entry = &trial.entry;
    let line = format!("{:<13}{}", word(&trial.ending), entry.name);
    match &trial.ending {
        Ending::Closed | Ending::Intended | Ending::Open => say(line),
        Ending::NotChecked(reason) => say(format_args!("{line}: {reason}")),
        Ending::Failed(message) => {
            say(line);
            for line in message.lines() {
                say(format_args!("{:<13}{line}", ""));
            }
            let twin = entry.twin.as_ref();
            let logic = twin.map_or_else(String::new, |twin| format!(" --logic {twin}"));
            let fixture = Project::shown(&entry.path);
            say(format_args!(
                "{:<13}look into it: {} replay {fixture}{logic}",
                "",
                program()
            ));
        }
    }
}

/// The report and the result of a case; for a case that was not replayed, only the result.
fn json(trial: &EndedTrial) -> serde_json::Value {
    let mut object = match &trial.report {
        Some(report) => report::json(report),
        None => json!({"fixture": Project::shown(&trial.entry.path)}),
    };
    object["trial"] = trial.entry.name.as_str().into();
    object["result"] = word(&trial.ending).into();
    if let Ending::NotChecked(reason) | Ending::Failed(reason) = &trial.ending {
        object["reason"] = reason.as_str().into();
    }
    object
}
