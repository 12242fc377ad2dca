//! Files in the folder of fixtures that no fixture uses any more: `cargo test` fails on snapshots among them, and `clean`
//! deletes them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::discovery::{DiscoveryError, UnusableFile, fixtures_below, walk};
use crate::project::Project;
use crate::snapshot::stored;
use crate::terminal::{say, words};

/// What no fixture uses.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// Snapshots, pending snapshots, descriptor sets and history files that this tool wrote.
    pub(crate) unused: Vec<PathBuf>,
    /// What looks like one of these and is not touched, with the reason.
    pub(crate) left_alone: Vec<(PathBuf, &'static str)>,
    /// Why nobody knows which descriptor sets and history files are in use.
    pub(crate) unknown: Option<String>,
}

/// Looks for files that no fixture uses.
pub(crate) fn leftovers(project: &Project) -> Result<Leftovers, DiscoveryError> {
    let root = &project.config().fixtures;
    let fixtures = fixtures_below(root)?;
    let mut found = Leftovers::default();
    for snapshot in orphaned_snapshots(root, &["snap", "snap.new"]).map_err(UnusableFile::from)? {
        match reason_to_keep(&snapshot, root) {
            None => found.unused.push(snapshot),
            Some(reason) => found.left_alone.push((snapshot, reason)),
        }
    }
    match unused_sidecars(project, &fixtures) {
        Ok(files) => found.unused.extend(files),
        Err(reason) => found.unknown = Some(reason),
    }
    Ok(found)
}

/// Deletes what no fixture uses, and fails with the first file that cannot be deleted.
pub(super) fn delete(project: &Project) -> Result<(), String> {
    let found = match leftovers(project) {
        // The run itself says that there is no fixture.
        Err(DiscoveryError::Empty { .. }) => return Ok(()),
        found => found.map_err(|error| error.to_string())?,
    };
    for file in &found.unused {
        let shown = Project::shown(file);
        std::fs::remove_file(file)
            .map_err(|error| format!("{shown} cannot be deleted: {}", words(&error)))?;
        say(format_args!("deleted {shown}"));
    }
    Ok(())
}

/// Fails with the snapshots that no fixture has.
pub(super) fn orphans(project: &Project) -> Result<(), String> {
    let orphans = orphaned_snapshots(&project.config().fixtures, &["snap"])
        .map_err(|error| format!("cannot read the fixtures: {error}"))?;
    if orphans.is_empty() {
        return Ok(());
    }
    let shown = orphans
        .iter()
        .map(|file| format!("  {}\n", Project::shown(file)));
    Err(format!(
        "snapshots without a fixture:\n{}\nbring their fixtures back, or delete them: cargo xtask clean (--dry-run only \
         lists them)",
        shown.collect::<String>()
    ))
}

/// Snapshots with one of some endings and no fixture beside them.
fn orphaned_snapshots(root: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, walkdir::Error> {
    let mut orphans = Vec::new();
    for file in walk(root) {
        let file = file?;
        let name = file.file_name().to_string_lossy();
        let stem = endings
            .iter()
            .find_map(|ending| name.strip_suffix(ending)?.strip_suffix('.'));
        if let Some(stem) = stem
            && file.file_type().is_file()
            && !file.path().with_file_name(format!("{stem}.yaml")).is_file()
        {
            orphans.push(file.into_path());
        }
    }
    Ok(orphans)
}

/// Why an orphaned snapshot is not for us to delete.
fn reason_to_keep(snapshot: &Path, root: &Path) -> Option<&'static str> {
    let is_link = snapshot.symlink_metadata().is_ok_and(|it| it.is_symlink());
    let is_elsewhere = match (snapshot.canonicalize(), root.canonicalize()) {
        (Ok(snapshot), Ok(root)) => !snapshot.starts_with(root),
        _ => true,
    };
    if is_link || is_elsewhere {
        return Some("it is reached through a link; delete it where it belongs");
    }
    let is_ours = stored::input_file(snapshot)
        .is_some_and(|input| Path::new(&input).extension().is_some_and(|it| it == "yaml"));
    (!is_ours).then_some(
        "it does not say that it is the snapshot of a fixture (`input_file`); delete it yourself",
    )
}

/// Descriptor sets and history files that no fixture names.
fn unused_sidecars(project: &Project, fixtures: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let folder = project.folder();
    let mut used = HashSet::new();
    for fixture in fixtures {
        let sidecars = folder.sidecars(fixture);
        used.extend(sidecars.map_err(|error| error.to_string())?);
    }
    let mut kept = folder.kept_sidecars().map_err(|error| error.to_string())?;
    kept.retain(|file| !used.contains(file));
    Ok(kept)
}
