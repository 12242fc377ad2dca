//! What is asked of a replay.

use super::{FieldChange, PreparedCase, ReplayReport, RequestedCoordinator};
use crate::project::{LogicChoice, Project, ReplayError, ReplayOptions};

/// What is asked of a replay. The default is a replay of the case as it is, on its own logic.
#[derive(Debug, Clone, Default)]
pub struct ReplayRequest {
    /// The logic to replay on: a name in `replay.toml`, or an address. None is the case's own.
    pub logic: Option<String>,
    /// The coordinator to replay through.
    pub coordinator: Option<RequestedCoordinator>,
    /// What if the command had come after this event? -1 for none.
    pub last_sequence: Option<i64>,
    /// What if fields of what the logic is asked were different? They are changed in this order.
    pub changes: Vec<FieldChange>,
}

impl ReplayRequest {
    /// Whether another case is replayed than the one in the fixture.
    #[must_use]
    pub const fn is_what_if(&self) -> bool {
        self.last_sequence.is_some() || !self.changes.is_empty()
    }

    /// The logic that is asked for.
    pub(crate) fn logic(&self) -> LogicChoice<'_> {
        self.logic
            .as_deref()
            .map_or(LogicChoice::OfCase, LogicChoice::of_word)
    }

    /// Replays a prepared case as it is asked for.
    pub(super) fn replayed(
        &self,
        project: &Project,
        prepared: &PreparedCase,
    ) -> Result<ReplayReport, ReplayError> {
        let names = prepared.names();
        let coordinator = self.coordinator.as_ref().map(|it| it.choice(&names));
        let options = ReplayOptions {
            logic: self.logic(),
            coordinator: coordinator.as_ref(),
            ..ReplayOptions::default()
        };
        prepared.replay(project, &options)
    }
}
