//! Pending outcomes: found beside their fixtures, compared with the accepted outcomes, and grouped by what changed, so
//! that one answer settles all cases with the same change.
//!
//! The files are in insta's format: `x.snap.new` beside `x.snap`. cargo-insta can review them too.

mod group;

use std::path::PathBuf;

use serde_yaml::Value;

pub(crate) use group::{Group, groups};

use crate::capturing::{accept as accept_outcome, accepted_status};
use crate::fixture::Fixture;
use crate::harness::{Entry, discover, heading, pending_path};
use crate::model::{Body, Observed, Payload, Status, short_name};
use crate::project::OperationError;
use crate::project::Project;
use crate::snapshot::{Difference, differences, stored};
use crate::terminal::words;

/// An outcome that waits for a review.
#[derive(Debug, Clone)]
pub(crate) struct PendingOutcome {
    /// The case.
    pub(crate) entry: Entry,
    /// Title, issue and stimulus of the case, one per line.
    pub(crate) heading: String,
    /// What production did, on one line, if it is known.
    pub(crate) production: Option<String>,
    /// The accepted text; `None` for an open case or a missing snapshot.
    pub(crate) accepted: Option<String>,
    /// Today's text.
    pub(crate) text: String,
    /// Status of the case once the outcome is accepted.
    accepted_status: Status,
    /// How today's outcome differs from the accepted one.
    pub(crate) differences: Vec<Difference>,
    /// Path of the `x.snap.new`.
    file: PathBuf,
}

/// All pending outcomes of a project, sorted by case name, and the errors of those that could not be read.
#[derive(Debug, Default)]
pub(crate) struct PendingOutcomes {
    pub(crate) outcomes: Vec<PendingOutcome>,
    pub(crate) unreadable: Vec<String>,
}

impl PendingOutcomes {
    /// Finds the pending snapshot of each fixture. Replays nothing.
    pub(crate) fn of(project: &Project) -> Result<Self, OperationError> {
        let entries =
            discover(project).map_err(|error| OperationError::Failed(error.to_string()))?;
        let mut found = Self::default();
        for entry in entries.into_iter().filter(|entry| entry.twin.is_none()) {
            let file = pending_path(&Project::snapshot_path(&entry.path));
            if !file.is_file() {
                continue;
            }
            match PendingOutcome::read(project, entry, file) {
                Ok(outcome) => found.outcomes.push(outcome),
                Err(reason) => found.unreadable.push(reason),
            }
        }
        Ok(found)
    }
}

impl PendingOutcome {
    fn read(project: &Project, entry: Entry, file: PathBuf) -> Result<Self, String> {
        let fixture = project
            .folder()
            .read(&entry.path)
            .map_err(|error| error.to_string())?;
        let snapshot = Project::snapshot_path(&entry.path);
        let problem = |file: &PathBuf, reason: &dyn std::fmt::Display| {
            format!("{}: {reason}", Project::shown(file))
        };
        let accepted = stored::accepted(&snapshot).map_err(|reason| problem(&snapshot, &reason))?;
        let text = stored::accepted(&file).map_err(|reason| problem(&file, &reason))?;
        let text = text.ok_or_else(|| problem(&file, &"it is gone"))?;
        let differences = match &accepted {
            Some(accepted) => changes(project, &fixture, accepted, &text),
            None => Vec::new(),
        };
        Ok(Self {
            heading: heading(&fixture.case),
            production: production(&fixture),
            entry,
            accepted_status: accepted_status(fixture.case.status, &text),
            accepted,
            text,
            differences,
            file,
        })
    }

    /// Accepts today's outcome and closes the case. An intended rejection stays one, as long as the outcome is a rejection.
    pub(crate) fn accept(&self) -> Result<(), OperationError> {
        accept_outcome(&self.entry.path, &self.text, self.accepted_status)?;
        self.discard()
    }

    /// Discards today's outcome and keeps the accepted one. If nothing changes, the next run proposes it again.
    pub(crate) fn discard(&self) -> Result<(), OperationError> {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(OperationError::Failed(format!(
                    "{} cannot be deleted: {}",
                    Project::shown(&self.file),
                    words(&error)
                )))
            }
            _ => Ok(()),
        }
    }
}

fn changes(project: &Project, fixture: &Fixture, accepted: &str, text: &str) -> Vec<Difference> {
    let value = |text: &str| serde_yaml::from_str::<Value>(text).unwrap_or_default();
    let today = project.registry_for(&fixture.case.source.dialect).ok();
    let descriptors: Vec<_> = today.into_iter().chain([&fixture.descriptors]).collect();
    differences(&value(accepted), &value(text), &descriptors)
}

/// What production did, on one line.
fn production(fixture: &Fixture) -> Option<String> {
    let short = |payload: &Payload| short_name(payload.type_name()).to_owned();
    let observed = fixture.case.observed.as_ref()?;
    if let Observed::Accepted(events) = observed {
        let bodies = events.iter().map(|event| &event.body);
        let names: Vec<String> = bodies.filter_map(Body::event).map(short).collect();
        return Some(match names.as_slice() {
            [] => "accepted: no events".to_owned(),
            names => format!("accepted: {}", names.join(", ")),
        });
    }
    Some(match observed.failure() {
        Some(failure) => format!(
            "{}: {} {:?}",
            observed.word(),
            failure.code,
            failure.message
        ),
        None => observed.word().to_owned(),
    })
}
