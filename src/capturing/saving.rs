//! The files of a captured case: written completely, and restored if the second of them fails.

use std::path::Path;

use super::OperationError;
use crate::files;
use crate::fixture::{set_status, write_atomically, write_privately};
use crate::model::Status;
use crate::project::Project;
use crate::snapshot::{is_rejection_text, stored};
use crate::terminal::words;

/// Deletes the snapshot of a case that is replaced by an open one, which must not have a snapshot.
pub(super) fn discard_snapshot(fixture: &Path) -> Result<(), OperationError> {
    for ending in ["snap", "snap.new"] {
        let path = fixture.with_extension(ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(OperationError::Failed(format!(
                    "{}: {error}",
                    Project::shown(&path)
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Restores a fixture whose snapshot could not be written: a closed case is incomplete without it.
pub(super) fn restore(path: &Path, before: Option<&[u8]>) {
    let _ = match before {
        Some(bytes) => write_atomically(path, bytes, true),
        None => std::fs::remove_file(path),
    };
}

/// Writes a bundle, which is readable for its owner only. Replaces a file only if that is forced.
pub(crate) fn save_bundle(path: &Path, text: &str, is_forced: bool) -> Result<(), OperationError> {
    write_privately(path, text.as_bytes(), is_forced).map_err(|error| {
        let file = Project::shown(path);
        OperationError::Failed(if error.kind() == std::io::ErrorKind::AlreadyExists {
            format!("{file} exists; name another file, or replace it with --force")
        } else {
            format!("{file} cannot be written: {}", words(&error))
        })
    })
}

/// Checks a name: it becomes a file and a trial, and some characters have a meaning there.
pub(super) fn file_name(name: &str) -> Result<&str, OperationError> {
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.contains(['@', ':', '\\', '*'])
            && !part.contains(char::is_control)
    };
    if name.split('/').all(is_plain) {
        return Ok(name);
    }
    Err(OperationError::Usage(format!(
        "--name {name}: a path below the folder of fixtures is expected, as in player/my-case; no part of it begins \
         with a dot, and @ : * \\ are not for names"
    )))
}

/// Writes the snapshot, and the status into the fixture.
pub(crate) fn accept(path: &Path, text: &str, status: Status) -> Result<(), OperationError> {
    let failed = |error: std::io::Error| {
        let snapshot = Project::shown(&Project::snapshot_path(path));
        OperationError::Failed(format!("{snapshot} cannot be written: {}", words(&error)))
    };
    stored::accept(path, text).map_err(failed)?;
    mark(path, status)
}

/// Status of a case whose outcome is accepted: an intended rejection stays one, as long as the outcome is a rejection.
pub(crate) fn accepted_status(before: Status, outcome: &str) -> Status {
    match before {
        Status::Intended if is_rejection_text(outcome) => Status::Intended,
        _ => Status::Closed,
    }
}

/// Refuses an outcome that is not a rejection, where the user says that the rejection is right.
pub(crate) fn demand_rejection(outcome: Option<&str>) -> Result<(), &'static str> {
    if outcome.is_some_and(is_rejection_text) {
        return Ok(());
    }
    Err(
        "today's outcome is not a rejection, and --intended is for a rejection that is right; nothing is written",
    )
}

/// Sets the status of a fixture and changes nothing else in it.
fn mark(path: &Path, status: Status) -> Result<(), OperationError> {
    let failed = |error: std::io::Error| {
        OperationError::Failed(format!("{}: {}", Project::shown(path), words(&error)))
    };
    let text = files::read_to_string(path, files::MADE).map_err(failed)?;
    let marked = set_status(&text, status, path)?;
    if marked != text {
        write_atomically(path, marked.as_bytes(), true).map_err(failed)?;
    }
    Ok(())
}
