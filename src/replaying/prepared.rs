//! A case as it is to be replayed: read, and changed where the request asks for it.

use std::path::{Path, PathBuf};

use super::coordinator::{CoordinatorReport, EditionNames};
use super::report::{ReplayReport, SnapshotComparison, States};
use super::{ReplayRequest, what_if};
use crate::fixture::Fixture;
use crate::project::OperationError;
use crate::project::{Project, ReplayError, ReplayErrorKind, ReplayOptions, SelectedLogic};
use crate::replay::{ReplayNote, unknown_in_replies};
use crate::wire::UnknownFields;

/// A case that can be replayed.
pub(crate) struct PreparedCase {
    /// Where its fixture is.
    pub(crate) path: PathBuf,
    /// The fixture, with the changes that were asked for.
    pub(crate) fixture: Fixture,
    /// Unknown fields that are lost with the changes.
    lost: UnknownFields,
    is_what_if: bool,
}

impl PreparedCase {
    /// Reads a fixture, and changes it as a request asks for it.
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

    /// The logic that a request asks for; nothing is started.
    pub(crate) fn selected_logic(
        &self,
        project: &Project,
        request: &ReplayRequest,
    ) -> Result<SelectedLogic, OperationError> {
        let selected = project.selected_logic(&self.fixture.case, request.logic());
        selected.map_err(|error| self.stop(&error))
    }

    /// An error of this case, as a command ends with it.
    pub(super) fn stop(&self, error: &ReplayError) -> OperationError {
        let domain = &self.fixture.case.cover.domain;
        error.stop(
            &self.path,
            &format!("; add [logic.{domain}] to replay.toml, or say --logic ADDRESS"),
        )
    }

    /// What the edition that is made for it is named after.
    pub(super) fn names(&self) -> EditionNames {
        EditionNames::of(&self.path, &self.fixture.case)
    }

    /// Replays it, compares it with its snapshot, and asks for the states around its command.
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
        // No coordinator tells a state.
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
            // The replies that states are folded from may tell the same as the replay's own.
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
    /// The error of a case, as a command ends with it. `advice` is what to do where no logic is configured.
    pub(super) fn stop(&self, fixture: &Path, advice: &str) -> OperationError {
        let fixture = Project::shown(fixture);
        OperationError::Failed(match self.kind() {
            ReplayErrorKind::NotConfigured(reason) => format!("{fixture}: {reason}{advice}"),
            // They are about what was asked for, whatever the case.
            ReplayErrorKind::Logic(_) | ReplayErrorKind::Coordinator(_) => self.to_string(),
            _ => format!("{fixture}: {self}"),
        })
    }
}
