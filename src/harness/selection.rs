//! Finds the cases for a FIXTURE argument, for all commands that take one.
//!
//! A FIXTURE is a file, a folder (every fixture below it), a pattern in which `*` matches anything, or the name of a trial.
//! Paths start in the working directory or in the fixtures folder, and may omit `.yaml`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::discovery::{DiscoveryError, Entry, discover, entries_of, entry_of, fixtures_below};
use crate::project::{OperationError, Project};
use crate::snapshot::matches_pattern;
use crate::terminal::{program, several_errors};

/// Maximum number of suggestions for a misspelt name.
const SUGGESTED: usize = 3;

/// A FIXTURE that matches no case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectionError {
    /// An unusable folder.
    #[error(transparent)]
    Folder(DiscoveryError),
    /// A folder without fixtures.
    #[error("{folder}: there is no fixture in this folder; fixtures end with .yaml")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// There is no such file, folder or trial.
    #[error("{word}: there is no file, folder or case with that name; {}", advice(.similar))]
    Unknown {
        /// The argument.
        word: String,
        /// Names like it, best first.
        similar: Vec<String>,
    },
    /// A pattern that no fixture matches.
    #[error("{pattern}: no fixture matches; `*` matches anything, and the whole name has to match")]
    NoMatch {
        /// The argument.
        pattern: String,
    },
}

impl From<Vec<SelectionError>> for OperationError {
    fn from(errors: Vec<SelectionError>) -> Self {
        Self::Failed(several_errors(errors))
    }
}

impl From<DiscoveryError> for SelectionError {
    fn from(error: DiscoveryError) -> Self {
        match error {
            DiscoveryError::Empty { folder } => Self::Empty { folder },
            error @ DiscoveryError::Unreadable(_) => Self::Folder(error),
        }
    }
}

/// Suggests similar names or, if there are none, what a FIXTURE may be.
fn advice(similar: &[String]) -> String {
    let names: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => format!(
            "name a file, a folder, a pattern in quotes such as 'player/*', or a trial as `{}` names it",
            program().test()
        ),
        [name] => format!("did you mean {name}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    }
}

/// The cases for the arguments, each once, in the order of the arguments. An argument that matches no case is an error.
pub(crate) fn select(
    project: &Project,
    words: &[PathBuf],
) -> Result<Vec<Entry>, Vec<SelectionError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    let mut known = HashSet::new();
    for word in words {
        match of_word(project, word) {
            Ok(found) => entries.extend(found.into_iter().filter(|entry| {
                let path = entry.path.canonicalize();
                let path = path.unwrap_or_else(|_| entry.path.to_path_buf());
                known.insert((path, entry.twin.clone()))
            })),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(entries)
    } else {
        Err(errors)
    }
}

fn of_word(project: &Project, word: &Path) -> Result<Vec<Entry>, SelectionError> {
    if word.is_dir() {
        return below(project, word);
    }
    if word.symlink_metadata().is_ok() {
        return Ok(vec![own(project, word)]);
    }
    let text = word.to_string_lossy();
    if text.contains('*') {
        return matching(project, &text);
    }
    let name = text.strip_suffix(".yaml").unwrap_or(&text);
    if let Some(entry) = entry_of(project, name) {
        return Ok(vec![from_here(entry)]);
    }
    let folder = project.config().fixtures.join(name.replace("::", "/"));
    if !name.is_empty() && folder.is_dir() {
        return below(project, &folder);
    }
    Err(SelectionError::Unknown {
        word: Project::shown(word),
        similar: similar(project, name),
    })
}

/// The trial of a file on its own logic.
fn own(project: &Project, file: &Path) -> Entry {
    let mut entries = entries_of(project, file);
    from_here(entries.swap_remove(0))
}

fn below(project: &Project, folder: &Path) -> Result<Vec<Entry>, SelectionError> {
    let files = fixtures_below(folder)?;
    Ok(files.iter().map(|file| own(project, file)).collect())
}

/// The cases whose path or name matches a pattern. If the pattern begins with an existing folder, only that folder is
/// searched.
fn matching(project: &Project, pattern: &str) -> Result<Vec<Entry>, SelectionError> {
    let matches = |name: &str| {
        matches_pattern(pattern, name) || matches_pattern(pattern, &format!("{name}.yaml"))
    };
    let literal = pattern.split('*').next().unwrap_or_default();
    let mut found = Vec::new();
    if let Some((folder, _)) = literal.rsplit_once('/') {
        let folder = Path::new(if folder.is_empty() { "/" } else { folder });
        if folder.is_dir() {
            let files = fixtures_below(folder).or_else(none_if_empty)?;
            let files = files
                .iter()
                .filter(|file| matches(&file.with_extension("").to_string_lossy()));
            found.extend(files.map(|file| own(project, file)));
        }
    }
    if found.is_empty() {
        let entries = discover(project).or_else(none_if_empty)?;
        let entries = entries.into_iter().filter(|entry| match entry.twin {
            // The trials of twins have to be named explicitly.
            Some(_) => pattern.contains('@') && matches_pattern(pattern, &entry.name),
            None => matches(&entry.relative) || matches_pattern(pattern, &entry.name),
        });
        found.extend(entries.map(from_here));
    }
    if found.is_empty() {
        let pattern = pattern.to_owned();
        return Err(SelectionError::NoMatch { pattern });
    }
    Ok(found)
}

fn none_if_empty<T>(error: DiscoveryError) -> Result<Vec<T>, DiscoveryError> {
    match error {
        DiscoveryError::Empty { .. } => Ok(Vec::new()),
        error @ DiscoveryError::Unreadable(_) => Err(error),
    }
}

/// Makes the path relative to the working directory.
fn from_here(mut entry: Entry) -> Entry {
    let here = std::env::current_dir().unwrap_or_default();
    if let Ok(path) = entry.path.strip_prefix(&here) {
        entry.path = path.into();
    }
    entry
}

/// Names of trials that are similar to a misspelt one, best first: those that contain it, then those that differ in a few
/// letters.
fn similar(project: &Project, name: &str) -> Vec<String> {
    let folder = format!("{}/", Project::shown(&project.config().fixtures));
    let name = name.strip_prefix(&folder).unwrap_or(name);
    // If only the twin is unknown, the case is the closest match.
    let wanted = name.split('@').next().unwrap_or_default();
    let wanted = wanted.replace("::", "/").to_lowercase();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let tolerated = (last(&wanted).chars().count() / 3).max(1);
    let distance = |entry: &Entry| {
        let there = entry.relative.to_lowercase();
        if !wanted.is_empty() && there.contains(&wanted) {
            return Some(0);
        }
        let whole = strsim::osa_distance(&wanted, &there);
        let of_last = strsim::osa_distance(&last(&wanted), &last(&there));
        Some(whole.min(of_last)).filter(|distance| *distance <= tolerated)
    };
    let entries = discover(project).unwrap_or_default();
    let entries = entries.into_iter();
    let entries = entries.filter(|entry| entry.twin.is_none() || name.contains('@'));
    let mut near: Vec<(usize, String)> = entries
        .filter_map(|entry| Some((distance(&entry)?, entry.name.to_string())))
        .collect();
    near.sort();
    near.into_iter()
        .take(SUGGESTED)
        .map(|(_, name)| name)
        .collect()
}
