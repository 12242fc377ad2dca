//! A request for a replay.

use super::{FieldChange, PreparedCase, ReplayReport, RequestedCoordinator};
use crate::project::{LogicChoice, Project, ReplayError, ReplayOptions};

/// A request for a replay. By default, the unchanged case on its own logic.
#[derive(Debug, Clone, Default)]
pub struct ReplayRequest {
    /// The logic to replay on: a name in `replay.toml`, or an address. `None` means the case's own.
    pub logic: Option<String>,
    /// The coordinator to replay through.
    pub coordinator: Option<RequestedCoordinator>,
    /// What if the command had come after this event? -1 for none.
    pub last_sequence: Option<i64>,
    /// What if fields of the stimulus were different? Applied in this order.
    pub changes: Vec<FieldChange>,
}

impl ReplayRequest {
    /// Whether the request modifies the case.
    #[must_use]
    pub const fn is_what_if(&self) -> bool {
        self.last_sequence.is_some() || !self.changes.is_empty()
    }

    /// The requested logic.
    pub(crate) fn logic(&self) -> LogicChoice<'_> {
        self.logic
            .as_deref()
            .map_or(LogicChoice::OfCase, LogicChoice::of_word)
    }

    /// Replays a prepared case as requested.
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
