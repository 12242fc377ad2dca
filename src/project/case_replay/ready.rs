//! Logic that was chosen for a case and is ready to be asked.

use std::sync::Arc;

use super::{LogicChoice, ReplayError, ReplayErrorKind, ReplayOptions};
use crate::model::Case;
use crate::project::coordinators::why_unanswered;
use crate::project::{IsolatedCoordinator, LogicUnavailable, Project, SelectedLogic};
use crate::replay::{Target, TargetError};

/// Logic that is ready to be asked.
pub struct ReadyLogic {
    selected: SelectedLogic,
    target: ReadyTarget,
}

/// Where the stimulus is sent.
enum ReadyTarget {
    Logic(Box<dyn Target>),
    Coordinator(Box<IsolatedCoordinator>),
}

impl ReadyLogic {
    /// Logic that the caller made ready, such as a debugger or a test.
    #[must_use]
    pub fn new(selected: SelectedLogic, target: Box<dyn Target>) -> Self {
        Self {
            selected,
            target: ReadyTarget::Logic(target),
        }
    }

    /// Name and configuration.
    #[must_use]
    pub const fn selected(&self) -> &SelectedLogic {
        &self.selected
    }

    /// The target that a case is replayed on.
    #[must_use]
    pub fn target(&self) -> &dyn Target {
        match &self.target {
            ReadyTarget::Logic(target) => target.as_ref(),
            ReadyTarget::Coordinator(coordinator) => coordinator.target(),
        }
    }

    /// The coordinator in front of the logic, if the case is replayed through one.
    #[must_use]
    pub fn coordinator(&self) -> Option<&IsolatedCoordinator> {
        match &self.target {
            ReadyTarget::Logic(_) => None,
            ReadyTarget::Coordinator(coordinator) => Some(coordinator),
        }
    }
}

impl Project {
    /// Chooses the logic of a case and makes it ready, starting it if necessary.
    pub(crate) fn ready_logic(
        &self,
        case: &Case,
        options: &ReplayOptions<'_>,
    ) -> Result<Arc<ReadyLogic>, ReplayError> {
        if let LogicChoice::Ready(logic) = options.logic {
            return Ok(Arc::clone(logic));
        }
        let selected = self.selected_logic(case, options.logic)?;
        let target = match options.coordinator {
            Some(coordinator) => {
                if let Some(reason) = why_unanswered(&case.stimulus) {
                    return Err(TargetError::from(reason).into());
                }
                let ready = self.coordinator(&selected, case, coordinator)?;
                ReadyTarget::Coordinator(Box::new(ready))
            }
            None => ReadyTarget::Logic(self.logics().target(&selected, &case.source.dialect)?),
        };
        Ok(Arc::new(ReadyLogic { selected, target }))
    }

    /// The logic that is chosen for a case. Starts nothing.
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
