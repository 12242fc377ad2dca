//! Why logic is not available.

use crate::grpc::CallError;
use crate::model::did_you_mean;

/// Why a case cannot be replayed on a logic.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogicUnavailable {
    /// No such logic.
    #[error("there is no logic `{name}`; configured are: {}{}", known.join(", "), did_you_mean(name, known))]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// No main registered logic under the configured name.
    #[error("logic `{name}`: `in_process = \"{registered}\"` names nothing that is registered in the mains (registered: {}){}", known.join(", "), did_you_mean(registered, known))]
    NotRegistered {
        /// Name of the logic.
        name: String,
        /// Name that was looked for.
        registered: String,
        /// Names that are registered.
        known: Vec<String>,
    },
    /// Rust logic, asked of the program that contains none.
    #[error(
        "logic `{name}`: `in_process = \"{registered}\"` is Rust logic, which a main has to register, and this program \
         registers none; {advice}"
    )]
    NeedsRustMain {
        /// Name of the logic.
        name: String,
        /// Name that was looked for.
        registered: String,
        /// What to do.
        advice: String,
    },
    /// Logic for another kind of component.
    #[error("logic `{name}` is of kind {found}, the case is for one of kind {wanted}")]
    WrongKind {
        /// Name of the logic.
        name: String,
        /// What it is.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// The case names a dialect that this version does not know.
    #[error(transparent)]
    Dialect(#[from] crate::wire::UnknownDialect),
    /// The address is not valid.
    #[error(transparent)]
    Address(#[from] CallError),
    /// A required file does not exist; the text names it.
    #[error("{0}")]
    Requirement(String),
    /// The logic did not start.
    #[error("{words}")]
    Launch {
        /// The reason, with its last output, masked if redaction is configured.
        words: String,
    },
}
