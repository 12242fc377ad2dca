//! Why a configuration cannot be used, each reason worded once.

use super::coordinators::CoordinatorConfigError;
use super::file::TopLevelError;
use super::logic::LogicConfigError;
use super::overrides::OverrideError;
use super::redaction::RedactionConfigError;
use super::source::SourceConfigError;
use super::syntax::SyntaxError;
use super::trust;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ConfigError(Reason);

#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error("cannot read {file}: {error}")]
    Unreadable { file: String, error: std::io::Error },
    /// Somebody else may have written the file.
    #[error(
        "{file}: {objection}, and it says which programs run: it is not used; where it is meant, set {}=1, or name it with \
         --config",
        trust::VARIABLE
    )]
    Untrusted {
        file: String,
        objection: &'static str,
    },
    #[error("{file}: {error}")]
    Syntax { file: String, error: SyntaxError },
    /// All files and variables together are not valid. `origin` lists them.
    #[error("configuration ({origin}): {error}")]
    Invalid {
        origin: String,
        error: InvalidConfig,
    },
}

impl From<Reason> for ConfigError {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// The part of a configuration that is not valid, and why.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidConfig {
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    #[error("{0}")]
    Override(#[from] OverrideError),
    #[error("{0}")]
    File(#[from] TopLevelError),
    #[error("source `{name}`: {error}")]
    Source {
        name: String,
        error: SourceConfigError,
    },
    #[error("logic `{name}`: {error}")]
    Logic {
        name: String,
        error: LogicConfigError,
    },
    #[error("coordinator `{name}`: {error}")]
    Coordinator {
        name: String,
        error: CoordinatorConfigError,
    },
    #[error("{0}")]
    Redaction(#[from] RedactionConfigError),
}
