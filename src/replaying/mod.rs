//! A replay as one call, from [`ReplayRequest`] to [`ReplayReport`], and closing a case.
//!
//! Above `project`, which replays a case as it is: here the fixture is read and changed where the request asks for it, the
//! outcome is compared with the snapshot, and the states around the command are asked for. Nothing is printed.

mod close;
mod coordinator;
mod each;
mod prepared;
mod report;
mod request;
mod what_if;

use std::path::Path;

pub use close::{CloseRequest, Closed, close};
pub use coordinator::{CoordinatorReport, RequestedCoordinator};
pub(crate) use each::{EndedTrial, replay_each};
pub(crate) use prepared::PreparedCase;
pub use report::{ReplayReport, SnapshotComparison, States};
pub use request::ReplayRequest;
pub use what_if::FieldChange;

use crate::project::OperationError;
use crate::project::Project;

/// Replays the case of a fixture. Nothing is written.
///
/// # Errors
/// Where the fixture cannot be read, the request does not fit it, or the logic gives no answer. A case that is not as it
/// should be is no error: [`ReplayReport::is_fine`] says so.
pub fn replay(
    project: &Project,
    fixture: &Path,
    request: &ReplayRequest,
) -> Result<ReplayReport, OperationError> {
    let prepared = PreparedCase::read(project, fixture, request)?;
    let replayed = request.replayed(project, &prepared);
    replayed.map_err(|error| prepared.stop(&error))
}
