//! The files of a captured case: written whole, and put back where the second of them fails.

use std::path::Path;

use super::Stop;
use crate::files;
use crate::fixture::{set_status, write_atomically};
use crate::model::Status;
use crate::project::Project;
use crate::snapshot::stored;
use crate::terminal::words;

/// A snapshot of the case that was there before would make the open one a closed one.
pub(super) fn discard_snapshot(fixture: &Path) -> Result<(), Stop> {
    for ending in ["snap", "snap.new"] {
        let path = fixture.with_extension(ending);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Stop::Failed(format!("{}: {error}", Project::shown(&path))));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A closed case without its snapshot is half a case.
pub(super) fn restore(path: &Path, before: Option<&[u8]>) {
    let _ = match before {
        Some(bytes) => write_atomically(path, bytes, true),
        None => std::fs::remove_file(path),
    };
}

/// A name becomes a file and a trial, both of which have signs of their own.
pub(super) fn file_name(name: &str) -> Result<&str, Stop> {
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
    Err(Stop::Usage(format!(
        "--name {name}: a path below the folder of fixtures is expected, as in player/my-case; no part of it begins \
         with a dot, and @ : * \\ are not for names"
    )))
}

pub(crate) fn accept(path: &Path, text: &str) -> Result<(), Stop> {
    let failed = |error: std::io::Error| {
        let snapshot = Project::shown(&Project::snapshot_path(path));
        Stop::Failed(format!("{snapshot} cannot be written: {}", words(&error)))
    };
    stored::accept(path, text).map_err(failed)?;
    mark_closed(path)
}

/// Marks a fixture as closed, touching nothing else of it.
pub(crate) fn mark_closed(path: &Path) -> Result<(), Stop> {
    let failed = |error: std::io::Error| {
        Stop::Failed(format!("{}: {}", Project::shown(path), words(&error)))
    };
    let text = files::read_to_string(path, files::MADE).map_err(failed)?;
    let closed = set_status(&text, Status::Closed, path)?;
    if closed != text {
        write_atomically(path, closed.as_bytes(), true).map_err(failed)?;
    }
    Ok(())
}
