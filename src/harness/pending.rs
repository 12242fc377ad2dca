//! Pending snapshots: outcomes that nobody has accepted yet, in `x.snap.new` beside `x.snap`, where cargo-insta finds them.
//!
//! Follows insta's environment variables, but does not use insta's assertions, which print between the trials, run
//! `cargo metadata` in every process, and write the path of a source file on this machine.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::snapshot::stored;

/// Tells cargo-insta that a snapshot is in use, even if its case is skipped, filtered out or not checked.
pub(super) fn reference(snapshot: &Path) {
    let Some(list) = std::env::var_os("INSTA_SNAPSHOT_REFERENCES_FILE") else {
        return;
    };
    let folder = snapshot.parent().unwrap_or(Path::new("."));
    let (Ok(folder), Some(name)) = (folder.canonicalize(), snapshot.file_name()) else {
        return;
    };
    let snapshot = folder.join(name);
    if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(list) {
        // One write per line, because trials append concurrently.
        let _ = file.write_all(format!("{}\n", snapshot.display()).as_bytes());
    }
}

/// Why an outcome could not be offered for acceptance.
#[derive(Debug, thiserror::Error)]
pub(super) enum PendingError {
    #[error(
        "no pending snapshot is written: INSTA_UPDATE is {0:?}, but must be one of `auto`, `always`, `new`, `unseen`, `no` \
         and `force`"
    )]
    Variable(String),
    #[error("{file} cannot be written: {error}")]
    Unwritable { file: String, error: std::io::Error },
}

/// What to do with an outcome that is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Update {
    /// Accept it.
    Accept,
    /// Write it for review.
    Propose,
    /// Write nothing.
    Nothing,
}

/// Reads insta's variables like insta does.
fn update(has_snapshot: bool) -> Result<Update, PendingError> {
    if is_forced() {
        return Ok(Update::Accept);
    }
    match variable("INSTA_UPDATE").as_deref() {
        Some("no") => Ok(Update::Nothing),
        None | Some("auto") if is_ci() => Ok(Update::Nothing),
        Some("always" | "1") => Ok(Update::Accept),
        Some("unseen") if !has_snapshot => Ok(Update::Accept),
        None | Some("auto" | "new" | "unseen") => Ok(Update::Propose),
        Some(other) => Err(PendingError::Variable(other.to_owned())),
    }
}

/// Whether all snapshots are written again, even the correct ones.
pub(super) fn is_forced() -> bool {
    let is_one = |name| variable(name).is_some_and(|value| value == "1");
    variable("INSTA_UPDATE").is_some_and(|update| update == "force")
        // The variable of cargo-insta before 1.40.
        || is_one("INSTA_FORCE_UPDATE")
        || is_one("INSTA_FORCE_UPDATE_SNAPSHOTS")
}

pub(super) fn is_ci() -> bool {
    match std::env::var_os("CI") {
        Some(value) => !["", "0", "false"].iter().any(|no| value == *no),
        // Azure sets this one.
        None => std::env::var_os("TF_BUILD").is_some(),
    }
}

/// The value of a variable, unless it is empty.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    Some(value).filter(|value| !value.is_empty())
}

/// Offers today's outcome for acceptance. Returns whether it counts as accepted.
pub(super) fn offer(fixture: &Path, text: &str) -> Result<bool, PendingError> {
    let snapshot = Project::snapshot_path(fixture);
    let pending = pending_path(&snapshot);
    let update = update(snapshot.exists())?;
    let (file, written) = match update {
        Update::Accept => (&snapshot, stored::accept(fixture, text)),
        Update::Propose => (&pending, stored::propose(&pending, fixture, text)),
        Update::Nothing => (&pending, Ok(())),
    };
    written.map_err(|error| PendingError::Unwritable {
        file: Project::shown(file),
        error,
    })?;
    // `cargo insta test` lets every test pass, to collect the pending snapshots.
    let passes = variable("INSTA_FORCE_PASS").is_some_and(|value| value == "1");
    Ok(update == Update::Accept || passes)
}

/// The pending snapshot of a fixture.
pub(crate) fn pending_path(snapshot: &Path) -> PathBuf {
    let beside = snapshot.with_extension("snap.new");
    let Some(folder) = variable("INSTA_PENDING_DIR") else {
        return beside;
    };
    let root = variable("INSTA_WORKSPACE_ROOT").unwrap_or_else(|| ".".to_owned());
    match below(&beside, Path::new(&root)) {
        Some(below) => Path::new(&folder).join(below),
        None => beside,
    }
}

/// The path of a file relative to a folder that contains it.
fn below(file: &Path, folder: &Path) -> Option<PathBuf> {
    let parent = file.parent()?.canonicalize().ok()?;
    let parent = parent.strip_prefix(folder.canonicalize().ok()?).ok()?;
    Some(parent.join(file.file_name()?))
}

/// Removes an outdated pending snapshot. In CI nothing is written or removed.
pub(super) fn discard(snapshot: &Path) {
    if is_ci() {
        return;
    }
    let pending = pending_path(snapshot);
    // Removing a file locks its folder, even if there is none to remove, and trials would wait for each other.
    if pending.symlink_metadata().is_ok() {
        let _ = std::fs::remove_file(pending);
    }
}
