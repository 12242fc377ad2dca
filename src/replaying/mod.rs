//! A replay as one call, from [`ReplayRequest`] to [`ReplayReport`], and closing a case.
//!
//! Above `project`, which replays a case unchanged: this module reads the fixture, changes it if requested, compares
//! the outcome with the snapshot, and asks for the states before and after the command. Prints nothing.

mod close;
mod coordinator;
mod prepared;
mod report;
mod request;
mod trials;
mod what_if;

use std::path::Path;

pub use close::{CloseRequest, Closed, close};
pub use coordinator::{CoordinatorReport, RequestedCoordinator};
pub(crate) use prepared::PreparedCase;
pub use report::{ReplayReport, SnapshotComparison, States};
pub use request::ReplayRequest;
pub(crate) use trials::{EndedTrial, replay_each};
pub use what_if::FieldChange;

use crate::project::OperationError;
use crate::project::Project;

/// Replays the case of a fixture. Writes nothing.
///
/// # Errors
/// If the fixture cannot be read, the request does not fit it, or the logic does not answer. A case that differs is not
/// an error; [`ReplayReport::is_fine`] is false then.
pub fn replay(
    project: &Project,
    fixture: &Path,
    request: &ReplayRequest,
) -> Result<ReplayReport, OperationError> {
    let prepared = PreparedCase::read(project, fixture, request)?;
    let replayed = request.replayed(project, &prepared);
    replayed.map_err(|error| prepared.stop(&error))
}
