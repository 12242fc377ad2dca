//! Why an operation on a project failed.

use super::{
    LedgerError, LogicUnavailable, ProjectError, RedactionUnavailable, ReplayError, SourceError,
};
use crate::capture::{CaptureError, DraftError, RootSpecError};
use crate::fixture::{FixtureError, RenderError};

/// Why an operation on a project, such as a capture, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Something that the operation needs is missing or does not work.
    #[error("{0}")]
    Failed(String),
    /// The request contradicts itself or the configuration.
    #[error("{0}")]
    Usage(String),
}

impl From<FixtureError> for OperationError {
    fn from(error: FixtureError) -> Self {
        // The report starts with `error: `, which callers print themselves.
        let report = error.report();
        Self::Failed(report.strip_prefix("error: ").unwrap_or(&report).to_owned())
    }
}

impl From<RootSpecError> for OperationError {
    fn from(error: RootSpecError) -> Self {
        Self::Usage(error.to_string())
    }
}

macro_rules! fails_with {
    ($($error:ty),*) => {$(
        impl From<$error> for OperationError {
            fn from(error: $error) -> Self {
                Self::Failed(error.to_string())
            }
        }
    )*};
}

fails_with!(
    CaptureError,
    DraftError,
    LedgerError,
    LogicUnavailable,
    RenderError,
    ReplayError,
    SourceError
);

impl From<RedactionUnavailable> for OperationError {
    fn from(error: RedactionUnavailable) -> Self {
        match error {
            RedactionUnavailable::Project(error) => error.into(),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<ProjectError> for OperationError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Config(_) => Self::Usage(error.to_string()),
            ProjectError::Descriptors(_) => Self::Failed(error.to_string()),
        }
    }
}
