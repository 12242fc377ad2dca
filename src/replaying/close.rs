//! Closes a case: today's outcome becomes the expectation.

use std::path::{Path, PathBuf};

use crate::capturing::{accept, accepted_status, demand_rejection};
use crate::files;
use crate::fixture::{Fixture, add_rules, write_atomically};
use crate::model::{Rule, Status};
use crate::project::OperationError;
use crate::project::{LogicChoice, Project, ReplayError, ReplayOptions, ReplayedCase};
use crate::snapshot::Verdict;
use crate::terminal::words;

/// How a case is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CloseRequest {
    /// Close even a case whose bug still reproduces: its behaviour becomes the expectation.
    pub is_forced: bool,
    /// The outcome is a rejection that is right.
    pub is_intended: bool,
    /// Exclude fields that differ from run to run: write a rule for each into the fixture.
    pub adds_rules: bool,
}

/// A case that was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The status that was written into the fixture.
    pub status: Status,
    /// Its snapshot.
    pub snapshot: PathBuf,
    /// Rules that were written into the fixture.
    pub added_rules: Vec<Rule>,
    /// Files to commit, as they are shown.
    pub files: Vec<String>,
}

/// Writes the snapshot of a case from today's outcome, and marks the case closed.
///
/// # Errors
/// If there is no outcome, it differs from run to run, the bug of an open case still reproduces, or a file cannot be
/// written.
pub fn close(
    project: &Project,
    path: &Path,
    request: CloseRequest,
) -> Result<Closed, OperationError> {
    let shown = Project::shown(path);
    let mut fixture = project.folder().read(path)?;
    let (replayed, added_rules) = steady(project, path, &mut fixture, request)?;
    let Some(text) = replayed.text() else {
        return Err(OperationError::Failed(format!(
            "{shown}: there is no outcome to accept: {}",
            replayed.nothing_to_compare()
        )));
    };
    let snapshot = Project::snapshot_path(path);
    if request.is_intended {
        demand_rejection(Some(&text))
            .map_err(|refusal| OperationError::Failed(format!("{shown}: {refusal}")))?;
    }
    let is_open = fixture.case.status == Status::Open && !snapshot.exists();
    let is_meant = request.is_forced || request.is_intended;
    if is_open && replayed.verdict == Verdict::Reproduced && !is_meant {
        return Err(OperationError::Failed(format!(
            "{shown}: the bug still reproduces; closing now would make it the expectation. Fix it first, or use \
             --intended if a rejection is right here, or --force if this is how it shall be"
        )));
    }
    if !added_rules.is_empty() {
        write_rules(project, path, &added_rules, &fixture.case.rules)?;
    }
    let status = if request.is_intended {
        Status::Intended
    } else {
        accepted_status(fixture.case.status, &text)
    };
    accept(path, &text, status)?;
    Ok(Closed {
        status,
        files: project.files_to_commit(path),
        snapshot,
        added_rules,
    })
}

/// Replays a case until two runs agree. Returns the replayed case and the rules that this required.
fn steady(
    project: &Project,
    path: &Path,
    fixture: &mut Fixture,
    request: CloseRequest,
) -> Result<(ReplayedCase, Vec<Rule>), OperationError> {
    let domain = fixture.case.cover.domain.clone();
    let stop =
        |error: ReplayError| error.stop(path, &format!("; add [logic.{domain}] to replay.toml"));
    let mut added = Vec::new();
    let mut replayed = project
        .replay(fixture, &ReplayOptions::default())
        .map_err(stop)?;
    let mut flicker = project.flicker(fixture, &replayed).map_err(stop)?;
    if let Some(found) = flicker.take_if(|_| request.adds_rules) {
        added.clone_from(&found.rules);
        fixture.case.rules.extend(found.rules);
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&replayed.logic),
            ..ReplayOptions::default()
        };
        replayed = project.replay(fixture, &options).map_err(stop)?;
        flicker = project.flicker(fixture, &replayed).map_err(stop)?;
    }
    match flicker {
        None => Ok((replayed, added)),
        Some(flicker) => {
            let shown = Project::shown(path);
            Err(OperationError::Failed(format!(
                "{shown}: not deterministic: two runs one after the other differ\n{}\n\n{}",
                flicker.differing(),
                flicker.advice(&shown)
            )))
        }
    }
}

/// Adds rules to the fixture file, and reads the result to check that it contains them.
fn write_rules(
    project: &Project,
    path: &Path,
    added: &[Rule],
    all: &[Rule],
) -> Result<(), OperationError> {
    let shown = Project::shown(path);
    let text = files::read_to_string(path, files::MADE)
        .map_err(|error| OperationError::Failed(format!("{shown}: {}", words(&error))))?;
    let edited = add_rules(&text, added).filter(|edited| {
        let read = project.folder().read_text(edited, path);
        read.is_ok_and(|fixture| fixture.case.rules == all)
    });
    let edited = edited.ok_or_else(|| {
        OperationError::Failed(format!(
            "{shown}: its `rules` are not written as a list with an item on each line: write it so, or add the rules by hand; \
             nothing is written"
        ))
    })?;
    write_atomically(path, edited.as_bytes(), true)
        .map_err(|error| OperationError::Failed(format!("{shown}: {}", words(&error))))
}
