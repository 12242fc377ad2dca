//! Why a case cannot be replayed through a coordinator.

use crate::grpc::CallError;
use crate::model::did_you_mean;
use crate::processes::LaunchError;
use crate::project::LogicUnavailable;
use crate::wire::{Dialect, UnknownDialect};

/// A coordinator that a case cannot be replayed through.
#[derive(Debug, thiserror::Error)]
pub enum CoordinatorUnavailable {
    /// No such coordinator.
    #[error(
        "there is no coordinator `{name}`; configured are: {}{}", if known.is_empty() { "none, see [coordinators.NAME] in docs/configuration.md".to_owned() } else { known.join(", ") }, did_you_mean(name, known)
    )]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Of another kind than the case needs.
    #[error(
        "coordinator `{name}` is for components of kind {found}, the case is for one of kind {wanted}"
    )]
    WrongKind {
        /// Name of the coordinator.
        name: String,
        /// What it is for.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// Loading a history there would publish it.
    #[error(
        "coordinator `{name}` (at {address}) speaks `{dialect}`, which has no sync mode ISOLATED: the history that is loaded \
         would be published, and sagas, process managers and projectors that listen there would act on it; --force loads it \
         all the same, and a coordinator that is started by `command` has nobody that listens"
    )]
    Publishes {
        /// Name of the coordinator.
        name: String,
        /// Where it is.
        address: String,
        /// What it speaks.
        dialect: Dialect,
    },
    /// What listens there is no coordinator.
    #[error(
        "coordinator `{name}`: {address} is a gRPC server but answers no Angzarr queries in any known dialect; is it the port \
         of a coordinator?"
    )]
    NoAngzarr {
        /// Name of the coordinator.
        name: String,
        /// The address.
        address: String,
    },
    /// A dialect of the case that this version does not know.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// The logic behind it.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// It is not reached.
    #[error("coordinator `{name}`: {reason}")]
    Call {
        /// Name of the coordinator.
        name: String,
        /// The failed call.
        reason: CallError,
    },
    /// It did not come up.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its fresh store, or the logic in process before it.
    #[error("coordinator `{name}`: {reason}")]
    System {
        /// Name of the coordinator.
        name: String,
        /// The system's words.
        reason: std::io::Error,
    },
}
