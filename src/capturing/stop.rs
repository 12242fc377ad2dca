//! Why there is no capture.

use crate::capture::{CaptureError, DraftError, RootSpecError};
use crate::fixture::{FixtureError, RenderError};
use crate::project::{
    LogicUnavailable, ProjectError, RedactionUnavailable, ReplayError, SourceError,
};

/// Why a capture ended without doing what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// Something cannot be had.
    #[error("{0}")]
    Failed(String),
    /// The request asks for what cannot be meant.
    #[error("{0}")]
    Usage(String),
}

impl From<FixtureError> for Stop {
    fn from(error: FixtureError) -> Self {
        // The report begins with the word that every failure is printed after.
        let report = error.report();
        Self::Failed(report.strip_prefix("error: ").unwrap_or(&report).to_owned())
    }
}

impl From<RootSpecError> for Stop {
    fn from(error: RootSpecError) -> Self {
        Self::Usage(error.to_string())
    }
}

macro_rules! fails_with {
    ($($error:ty),*) => {$(
        impl From<$error> for Stop {
            fn from(error: $error) -> Self {
                Self::Failed(error.to_string())
            }
        }
    )*};
}

fails_with!(
    CaptureError,
    DraftError,
    LogicUnavailable,
    RenderError,
    ReplayError,
    SourceError
);

impl From<RedactionUnavailable> for Stop {
    fn from(error: RedactionUnavailable) -> Self {
        match error {
            RedactionUnavailable::Project(error) => error.into(),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<ProjectError> for Stop {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Config(_) => Self::Usage(error.to_string()),
            ProjectError::Descriptors(_) => Self::Failed(error.to_string()),
        }
    }
}
