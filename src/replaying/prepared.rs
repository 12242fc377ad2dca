//! A case before its replay: read, and changed as requested.

use std::path::{Path, PathBuf};

use super::coordinator::{CoordinatorReport, EditionNames};
use super::report::{ReplayReport, SnapshotComparison, States};
use super::{ReplayRequest, what_if};
use crate::fixture::Fixture;
use crate::project::OperationError;
use crate::project::{Project, ReplayError, ReplayErrorKind, ReplayOptions, SelectedLogic};
use crate::replay::{ReplayNote, unknown_in_replies};
use crate::wire::UnknownFields;

/// A case that is ready to be replayed.
pub(crate) struct PreparedCase {
    /// Path of its fixture.
    pub(crate) path: PathBuf,
    /// The fixture, with the requested changes.
    pub(crate) fixture: Fixture,
    /// Unknown fields that the changes drop.
    lost: UnknownFields,
    is_what_if: bool,
}

impl PreparedCase {
    /// Reads a fixture and makes the requested changes.
    pub(crate) fn read(
        project: &Project,
        path: &Path,
        request: &ReplayRequest,
    ) -> Result<Self, OperationError> {
        let mut fixture = project.folder().read(path)?;
        let mut lost = UnknownFields::new();
        if let Some(last) = request.last_sequence {
            lost.append(&mut what_if::cut(&mut fixture.case, last)?);
        }
        if !request.changes.is_empty() {
            let today = project.registry_for(&fixture.case.source.dialect)?;
            let registries = [&fixture.descriptors, today];
            for change in &request.changes {
                lost.append(&mut change.make(&mut fixture.case, registries)?);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            fixture,
            lost,
            is_what_if: request.is_what_if(),
        })
    }

    /// The requested logic. Starts nothing.
    pub(crate) fn selected_logic(
        &self,
        project: &Project,
        request: &ReplayRequest,
    ) -> Result<SelectedLogic, OperationError> {
        let selected = project.selected_logic(&self.fixture.case, request.logic());
        selected.map_err(|error| self.stop(&error))
    }

    /// Adds the fixture and advice to an error of this case.
    pub(super) fn stop(&self, error: &ReplayError) -> OperationError {
        let domain = &self.fixture.case.cover.domain;
        error.stop(
            &self.path,
            &format!("; add [logic.{domain}] to replay.toml, or say --logic ADDRESS"),
        )
    }

    /// The names for the edition that is made for this case.
    pub(super) fn names(&self) -> EditionNames {
        EditionNames::of(&self.path, &self.fixture.case)
    }

    /// Replays the case, compares the outcome with its snapshot, and asks for the states before and after the command.
    pub(crate) fn replay(
        &self,
        project: &Project,
        options: &ReplayOptions<'_>,
    ) -> Result<ReplayReport, ReplayError> {
        let replayed = project.replay(&self.fixture, options)?;
        let today = project.registry_for(&self.fixture.case.source.dialect)?;
        let descriptors = [today, &self.fixture.descriptors];
        let case = &self.fixture.case;
        let coordinator = replayed.logic.coordinator();
        // Coordinators do not return states.
        let asks_for_states = !options.asks_once && coordinator.is_none();
        let states = if asks_for_states {
            States::around_command(case, &replayed, descriptors)
        } else {
            States::default()
        };
        let mut notes = replayed.notes.clone();
        let of_states = asks_for_states.then(|| unknown_in_replies(replayed.logic.target()));
        let lost = ReplayNote::not_sent(self.lost.clone());
        for note in of_states.flatten().into_iter().chain(lost) {
            let note = note.to_string();
            // The replies with the states may have the same unknown fields as the replay's own.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes.extend(states.failure.as_ref().map(|failure| {
            format!(
                "a state cannot be shown, as `Replay` of the logic failed on its own defect: {}: {:?}",
                failure.code, failure.message
            )
        }));
        let coordinator = coordinator.map(|it| CoordinatorReport::of(it, case));
        notes.extend(coordinator.iter().flat_map(|it| it.notes.clone()));
        let logic = &replayed.logic.selected().config.name;
        let last_output = replayed.last_output(project).or_else(|| {
            let is_crashed = states.failure.is_some();
            is_crashed.then(|| project.logics().last_output(logic))?
        });
        Ok(ReplayReport {
            snapshot: SnapshotComparison::of(&self.path, &replayed, descriptors),
            today: today.clone(),
            path: self.path.clone(),
            fixture: self.fixture.clone(),
            replayed,
            notes,
            states,
            last_output,
            coordinator,
            is_what_if: self.is_what_if,
        })
    }
}

impl ReplayError {
    /// Adds the fixture to an error, and `advice` if no logic is configured.
    pub(super) fn stop(&self, fixture: &Path, advice: &str) -> OperationError {
        let fixture = Project::shown(fixture);
        OperationError::Failed(match self.kind() {
            ReplayErrorKind::NotConfigured(reason) => format!("{fixture}: {reason}{advice}"),
            // These errors are about the request, not about the case.
            ReplayErrorKind::Logic(_) | ReplayErrorKind::Coordinator(_) => self.to_string(),
            _ => format!("{fixture}: {self}"),
        })
    }
}
