//! Replays several cases one after the other, as trials of `cargo test`.

use std::collections::HashSet;

use super::{PreparedCase, ReplayReport, ReplayRequest};
use crate::harness::{Ending, Entry, Totals, entries_of};
use crate::project::OperationError;
use crate::project::{Project, ReplayErrorKind};
use crate::terminal::Role;

/// A finished trial, with its report if the case was replayed.
pub(crate) struct EndedTrial {
    pub(crate) entry: Entry,
    pub(crate) ending: Ending,
    pub(crate) report: Option<ReplayReport>,
}

/// Replays the trials that `cargo test` would run for these cases. If the request names logic or a coordinator, replays
/// each case once on it instead. `watch` receives each finished trial.
pub(crate) fn replay_each(
    project: &Project,
    entries: &[Entry],
    request: &ReplayRequest,
    watch: &mut dyn FnMut(&EndedTrial),
) -> Totals {
    let mut totals = Totals::default();
    for entry in trials(project, entries, request) {
        let (ending, report) = match replayed(project, &entry, request) {
            Ok(report) => (ending(&report), Some(report)),
            Err(ending) => (ending, None),
        };
        totals.count(&ending);
        watch(&EndedTrial {
            entry,
            ending,
            report,
        });
    }
    totals
}

fn trials(project: &Project, entries: &[Entry], request: &ReplayRequest) -> Vec<Entry> {
    let is_named = request.logic.is_some() || request.coordinator.is_some();
    let mut trials: Vec<Entry> = Vec::new();
    for entry in entries {
        if is_named || entry.twin.is_some() {
            trials.push(entry.clone());
        } else {
            trials.extend(entries_of(project, &entry.path));
        }
    }
    // The user may have named a twin's trial together with its case.
    let mut known = HashSet::new();
    trials.retain(|trial| known.insert(trial.name.clone()));
    trials
}

/// The report of a trial, or its result if it was not replayed.
fn replayed(
    project: &Project,
    entry: &Entry,
    request: &ReplayRequest,
) -> Result<ReplayReport, Ending> {
    if let Some(reason) = entry.left_out(project, false) {
        return Err(Ending::NotChecked(reason));
    }
    let request = ReplayRequest {
        logic: request
            .logic
            .clone()
            .or_else(|| entry.twin.as_deref().map(str::to_owned)),
        ..request.clone()
    };
    let prepared = PreparedCase::read(project, &entry.path, &request)
        .map_err(|stop: OperationError| Ending::Failed(stop.to_string().into()))?;
    let replayed = request.replayed(project, &prepared);
    replayed.map_err(|error| match error.kind() {
        ReplayErrorKind::NotConfigured(reason) => Ending::NotChecked(reason.clone()),
        _ => Ending::Failed(error.to_string().into()),
    })
}

fn ending(report: &ReplayReport) -> Ending {
    match (report.ending(), &report.last_output) {
        (Ending::Failed(message), Some(output)) => {
            Ending::Failed(message.with(Role::Plain, format_args!("\n{output}")))
        }
        (ending, _) => ending,
    }
}
