//! `replay` of several cases: a line for each, and how many ended how.

use std::collections::HashSet;

use serde_json::json;

use super::replay::{self, ReplayArguments};
use super::{Done, Stop, say};
use crate::harness::{Ending, Entry, Totals, entries_of, missing_requirement};
use crate::project::Project;

/// A case that ended, and its report as JSON where it was replayed.
struct Ended {
    ending: Ending,
    json: Option<serde_json::Value>,
}

impl From<Ending> for Ended {
    fn from(ending: Ending) -> Self {
        Self { ending, json: None }
    }
}

/// Replays the trials that `cargo test` makes of these cases, or each once on the logic or through the coordinator that is
/// named.
pub(super) fn run(project: &Project, arguments: &ReplayArguments, entries: &[Entry]) -> Done {
    let mut totals = Totals::default();
    let mut failed = 0;
    for entry in trials(project, arguments, entries) {
        let ended = of_trial(project, arguments, &entry);
        match &ended.ending {
            Ending::Closed => totals.closed += 1,
            Ending::Open => totals.open += 1,
            Ending::NotChecked(_) => totals.not_checked += 1,
            Ending::Failed(_) => failed += 1,
        }
        if arguments.json {
            say(as_json(&entry, ended));
        } else {
            tell(&entry, &ended.ending);
        }
    }
    if !arguments.json {
        say(format_args!("\n{totals}, {failed} failed"));
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(Stop::Differs)
    }
}

fn trials(project: &Project, arguments: &ReplayArguments, entries: &[Entry]) -> Vec<Entry> {
    let is_named = arguments.logic.is_some() || arguments.coordinator.is_some();
    let mut trials: Vec<Entry> = Vec::new();
    for entry in entries {
        if is_named || entry.twin.is_some() {
            trials.push(entry.clone());
        } else {
            trials.extend(entries_of(project, &entry.path));
        }
    }
    // A twin's trial may be named beside its case.
    let mut known = HashSet::new();
    trials.retain(|trial| known.insert(trial.name.clone()));
    trials
}

fn of_trial(project: &Project, arguments: &ReplayArguments, entry: &Entry) -> Ended {
    replayed(project, arguments, entry)
        .unwrap_or_else(|stop| Ending::Failed(stop.to_string()).into())
}

fn replayed(project: &Project, arguments: &ReplayArguments, entry: &Entry) -> Result<Ended, Stop> {
    if let Some(reason) = entry.left_out(project, false) {
        return Ok(Ending::NotChecked(reason).into());
    }
    let fixture = project.folder().read(&entry.path)?;
    let Some(logic) = replay::choose(project, arguments, entry, &fixture)? else {
        let domain = fixture.case.cover.domain.as_str();
        let reason = project.logics().none_for(domain);
        return Ok(Ending::NotChecked(reason).into());
    };
    if let Some(missing) = missing_requirement(&logic.config) {
        return Ok(Ending::Failed(missing).into());
    }
    let case = (entry.path.as_path(), &fixture, &logic);
    replay::report(project, arguments, case, None, |report| Ended {
        ending: match (report.ending(), &report.last_words) {
            (Ending::Failed(message), Some(words)) => Ending::Failed(format!("{message}\n{words}")),
            (ending, _) => ending,
        },
        json: arguments.json.then(|| report.json()),
    })
}

const fn word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Closed => "closed",
        Ending::Open => "open",
        Ending::NotChecked(_) => "not checked",
        Ending::Failed(_) => "failed",
    }
}

fn tell(entry: &Entry, ending: &Ending) {
    let line = format!("{:<13}{}", word(ending), entry.name);
    match ending {
        Ending::Closed | Ending::Open => say(line),
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
                "{:<13}look into it: cargo xtask replay {fixture}{logic}",
                ""
            ));
        }
    }
}

/// The report with how the case ended; of a case that was not replayed, only that.
fn as_json(entry: &Entry, ended: Ended) -> serde_json::Value {
    let mut object = ended
        .json
        .unwrap_or_else(|| json!({"fixture": Project::shown(&entry.path)}));
    object["trial"] = entry.name.as_str().into();
    object["result"] = word(&ended.ending).into();
    if let Ending::NotChecked(reason) | Ending::Failed(reason) = ended.ending {
        object["reason"] = reason.into();
    }
    object
}
