//! Why a case could not be replayed.

use std::fmt;

use super::ReadyLogic;
use crate::grpc::{CallError, LogicError};
use crate::project::{
    CoordinatorUnavailable, IsolatedCoordinator, LogicUnavailable, Project, ProjectError,
};
use crate::replay::TargetError;
use crate::replay::flow::FlowError;

/// A case that could not be replayed, with the last output of started logic and its coordinator.
#[derive(Debug)]
pub struct ReplayError {
    kind: ReplayErrorKind,
    /// The logic that was asked.
    logic: Option<String>,
    last_output: Vec<String>,
}

/// Why a case could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayErrorKind {
    /// No logic is configured for the case; the text says for which domain.
    #[error("{0}")]
    NotConfigured(String),
    /// The chosen logic is not available.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// The chosen coordinator is not available.
    #[error(transparent)]
    Coordinator(#[from] CoordinatorUnavailable),
    /// The logic did not answer.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The descriptors of the project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A flow did not end within its limits.
    #[error("{}", with_sources(.0))]
    Flow(#[from] FlowError),
}

/// A message with its causes, none of them repeated.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl ReplayError {
    /// The reason, without any output.
    #[must_use]
    pub const fn kind(&self) -> &ReplayErrorKind {
        &self.kind
    }

    /// The logic whose connection broke or could not be made.
    pub(crate) fn lost_logic(&self) -> Option<&str> {
        let (ReplayErrorKind::Target(target)
        | ReplayErrorKind::Flow(FlowError::Target { source: target, .. })) = &self.kind
        else {
            return None;
        };
        let is_lost = matches!(
            target,
            TargetError::Logic(LogicError::Call(
                CallError::Broken { .. } | CallError::Unreachable { .. }
            ))
        );
        self.logic.as_deref().filter(|_| is_lost)
    }

    /// An error of the logic, with its last output.
    pub(super) fn of_logic(project: &Project, logic: &ReadyLogic, kind: ReplayErrorKind) -> Self {
        let of_flow = match &kind {
            ReplayErrorKind::Flow(FlowError::Target { who, .. }) => who.as_deref().cloned(),
            _ => None,
        };
        let name = of_flow.and_then(|who| project.name_of(who));
        let name = name.unwrap_or_else(|| logic.selected().config.name.clone());
        let of_coordinator = logic
            .coordinator()
            .and_then(IsolatedCoordinator::last_output);
        let last_output = project.logics().last_output(&name).into_iter();
        Self {
            kind,
            logic: Some(name),
            last_output: last_output.chain(of_coordinator).collect(),
        }
    }
}

impl<E> From<E> for ReplayError
where
    ReplayErrorKind: From<E>,
{
    fn from(error: E) -> Self {
        Self {
            kind: ReplayErrorKind::from(error),
            logic: None,
            last_output: Vec::new(),
        }
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        self.last_output
            .iter()
            .try_for_each(|output| write!(f, "\n{output}"))
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}
