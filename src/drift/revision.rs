//! The descriptors of a git revision: the files at the configured paths are read from git into a temporary folder.

use std::path::{Component, Path, PathBuf};

use super::DriftError;
use crate::git::{Repository, TreeFile};
use crate::payload::Registry;
use crate::project::Project;

pub(super) fn registry(project: &Project, revision: &str) -> Result<Registry, DriftError> {
    let repository = Repository::at(&project.config().root);
    let top = repository.top()?;
    let at_top = Repository::at(&top);
    let mut paths = Vec::new();
    let mut files: Vec<TreeFile> = Vec::new();
    for path in &project.config().descriptors {
        let within = within(&top, path).ok_or_else(|| DriftError::Outside {
            path: Project::shown(path),
            revision: revision.to_owned(),
        })?;
        let found = at_top.files_at(revision, &within)?;
        let found: Vec<TreeFile> = found
            .into_iter()
            .filter(|file| file.path == within || is_proto(&file.path))
            .filter(|file| is_below(&file.path))
            .collect();
        if found.is_empty() {
            return Err(DriftError::Absent {
                path: Project::shown(path),
                revision: revision.to_owned(),
            });
        }
        files.extend(found);
        paths.push(within);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup();
    let contents = at_top.contents(&files)?;
    let temporary = |reason| DriftError::Temporary {
        revision: revision.to_owned(),
        reason,
    };
    let folder = tempfile::tempdir().map_err(temporary)?;
    for (file, content) in files.iter().zip(contents) {
        let place = folder.path().join(&file.path);
        let parent = place.parent().unwrap_or(folder.path());
        std::fs::create_dir_all(parent).map_err(temporary)?;
        std::fs::write(&place, content).map_err(temporary)?;
    }
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
    Registry::from_paths(&paths)
        .map_err(|error| DriftError::revision(revision, &error, folder.path()))
}

/// A path relative to the top of the repository. It may be gone from the working tree, so only what is there is resolved.
fn within(top: &Path, path: &Path) -> Option<PathBuf> {
    let top = top.canonicalize().ok()?;
    let existing = path.ancestors().find(|parent| parent.exists())?;
    let rest = path.strip_prefix(existing).ok()?;
    let whole = existing.canonicalize().ok()?.join(rest);
    whole.strip_prefix(&top).ok().map(Path::to_path_buf)
}

fn is_proto(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "proto")
}

/// git has no other paths, unless somebody made the repository by hand.
fn is_below(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}
