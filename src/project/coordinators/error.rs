//! Why a case cannot be replayed through a coordinator.

use crate::documentation::Page;
use crate::grpc::CallError;
use crate::model::did_you_mean;
use crate::processes::LaunchError;
use crate::project::LogicUnavailable;
use crate::wire::{Dialect, UnknownDialect};

/// Why a case cannot be replayed through a coordinator.
#[derive(Debug, thiserror::Error)]
pub enum CoordinatorUnavailable {
    /// No such coordinator.
    #[error(
        "there is no coordinator `{name}`; configured are: {}{}", if known.is_empty() { format!("none, see {}", Page::Coordinators) } else { known.join(", ") }, did_you_mean(name, known)
    )]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// A coordinator for another kind of component.
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
    /// Loading a history there would publish the events.
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
    /// The server at the address is not a coordinator.
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
    /// The case names a dialect that this version does not know.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// The logic behind the coordinator is not available.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// A call to it failed.
    #[error("coordinator `{name}`: {reason}")]
    Call {
        /// Name of the coordinator.
        name: String,
        /// The failed call.
        reason: CallError,
    },
    /// It did not start.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its fresh store could not be created, or logic in this process could not be served.
    #[error("coordinator `{name}`: {reason}")]
    System {
        /// Name of the coordinator.
        name: String,
        /// The system's error.
        reason: std::io::Error,
    },
}
