//! Why logic cannot be had.

use crate::grpc::CallError;
use crate::model::did_you_mean;

/// Logic that a case cannot be replayed on.
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
    /// Configured by a name that no main registered.
    #[error("logic `{name}`: `in_process = \"{registered}\"` names nothing that is registered in the mains (registered: {}){}", known.join(", "), did_you_mean(registered, known))]
    NotRegistered {
        /// Name of the logic.
        name: String,
        /// Name that was looked for.
        registered: String,
        /// Names that are registered.
        known: Vec<String>,
    },
    /// Of another kind than the case needs.
    #[error("logic `{name}` is of kind {found}, the case is for one of kind {wanted}")]
    WrongKind {
        /// Name of the logic.
        name: String,
        /// What it is.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// A dialect that the case names and this version does not know.
    #[error(transparent)]
    Dialect(#[from] crate::wire::UnknownDialect),
    /// Not a valid address.
    #[error(transparent)]
    Address(#[from] CallError),
    /// It needs a file that is not there; the text names it.
    #[error("{0}")]
    Requirement(String),
    /// Logic that did not come up.
    #[error("{words}")]
    Launch {
        /// Why, with its last output as it may be shown.
        words: String,
    },
}
