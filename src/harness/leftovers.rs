//! Files in the fixtures folder that no fixture uses any more. `cargo test` fails if there are such snapshots, and `clean`
//! deletes the files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::discovery::{DiscoveryError, UnusableFile, fixtures_below, walk};
use crate::fixture::FixtureError;
use crate::project::Project;
use crate::snapshot::stored;
use crate::terminal::{program, say, words};

/// Files that no fixture uses.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// Snapshots, pending snapshots, descriptor sets and history files that this tool wrote.
    pub(crate) unused: Vec<PathBuf>,
    /// Similar files that must not be deleted, with the reason.
    pub(crate) left_alone: Vec<(PathBuf, &'static str)>,
    /// Why it is unknown which descriptor sets and history files are in use.
    pub(crate) unknown: Option<SidecarsError>,
}

/// Why it is unknown which descriptor sets and history files are in use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SidecarsError {
    #[error(transparent)]
    Fixture(#[from] FixtureError),
    #[error(transparent)]
    Folder(#[from] std::io::Error),
}

/// Finds files that no fixture uses.
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

/// Why the trial of orphaned snapshots fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrphansError {
    #[error("cannot read the fixtures: {0}")]
    Unreadable(#[from] walkdir::Error),
    #[error(
        "snapshots without a fixture:\n{}\nbring their fixtures back, or delete them: {} clean (--dry-run only \
         lists them)",
        listed(.0),
        program().name()
    )]
    Found(Vec<PathBuf>),
}

/// Fails if there are snapshots without a fixture, and lists them.
pub(super) fn check_orphans(project: &Project) -> Result<(), OrphansError> {
    let orphans = orphaned_snapshots(&project.config().fixtures, &["snap"])?;
    if orphans.is_empty() {
        return Ok(());
    }
    Err(OrphansError::Found(orphans))
}

fn listed(files: &[PathBuf]) -> String {
    let lines = files
        .iter()
        .map(|file| format!("  {}\n", Project::shown(file)));
    lines.collect()
}

/// Snapshots with one of the extensions that have no fixture beside them.
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

/// Why an orphaned snapshot must not be deleted.
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
fn unused_sidecars(project: &Project, fixtures: &[PathBuf]) -> Result<Vec<PathBuf>, SidecarsError> {
    let folder = project.folder();
    let mut used = HashSet::new();
    for fixture in fixtures {
        used.extend(folder.sidecars(fixture)?);
    }
    let mut kept = folder.kept_sidecars()?;
    kept.retain(|file| !used.contains(file));
    Ok(kept)
}
