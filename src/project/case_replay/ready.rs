//! Logic that is chosen for a case and ready to be asked.

use std::sync::Arc;

use super::{LogicChoice, ReplayError, ReplayErrorKind, ReplayOptions};
use crate::model::Case;
use crate::project::coordinators::why_unanswered;
use crate::project::{IsolatedCoordinator, LogicUnavailable, Project, SelectedLogic};
use crate::replay::{Target, TargetError};

/// Logic that is ready to be asked.
pub struct ReadyLogic {
    selected: SelectedLogic,
    asked: Asked,
}

/// What is asked.
enum Asked {
    Logic(Box<dyn Target>),
    Coordinator(Box<IsolatedCoordinator>),
}

impl ReadyLogic {
    /// Logic that somebody made ready: a debugger, or a test.
    #[must_use]
    pub fn new(selected: SelectedLogic, target: Box<dyn Target>) -> Self {
        Self {
            selected,
            asked: Asked::Logic(target),
        }
    }

    /// Name and configuration.
    #[must_use]
    pub const fn selected(&self) -> &SelectedLogic {
        &self.selected
    }

    /// What a case is replayed on.
    #[must_use]
    pub fn target(&self) -> &dyn Target {
        match &self.asked {
            Asked::Logic(target) => target.as_ref(),
            Asked::Coordinator(coordinator) => coordinator.target(),
        }
    }

    /// The coordinator before it.
    #[must_use]
    pub fn coordinator(&self) -> Option<&IsolatedCoordinator> {
        match &self.asked {
            Asked::Logic(_) => None,
            Asked::Coordinator(coordinator) => Some(coordinator),
        }
    }
}

impl Project {
    /// Chooses the logic of a case and makes it ready, started where it has to be.
    pub(crate) fn ready_logic(
        &self,
        case: &Case,
        options: &ReplayOptions<'_>,
    ) -> Result<Arc<ReadyLogic>, ReplayError> {
        if let LogicChoice::Ready(logic) = options.logic {
            return Ok(Arc::clone(logic));
        }
        let selected = self.selected_logic(case, options.logic)?;
        let asked = match options.coordinator {
            Some(coordinator) => {
                if let Some(reason) = why_unanswered(&case.stimulus) {
                    return Err(TargetError::from(reason).into());
                }
                let ready = self.coordinator(&selected, case, coordinator)?;
                Asked::Coordinator(Box::new(ready))
            }
            None => Asked::Logic(self.logics().target(&selected, &case.source.dialect)?),
        };
        Ok(Arc::new(ReadyLogic { selected, asked }))
    }

    /// The logic that is chosen for a case; nothing is started.
    pub(crate) fn selected_logic(
        &self,
        case: &Case,
        choice: LogicChoice<'_>,
    ) -> Result<SelectedLogic, ReplayError> {
        let logics = self.logics();
        let selected = match choice {
            LogicChoice::OfCase => logics.of_case(case)?.ok_or_else(|| {
                ReplayErrorKind::NotConfigured(logics.none_for(case.cover.domain.as_str()))
            })?,
            LogicChoice::Named(name) => logics.named(name)?,
            LogicChoice::Address(address) => SelectedLogic::at_address(
                address,
                case.stimulus.component_kind(),
                &case.cover.domain,
            ),
            LogicChoice::Ready(logic) => return Ok(logic.selected.clone()),
        };
        match selected.config.missing_requirement() {
            Some(missing) => Err(LogicUnavailable::Requirement(missing).into()),
            None => Ok(selected),
        }
    }
}
