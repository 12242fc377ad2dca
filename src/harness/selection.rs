//! Which cases a FIXTURE of the command line means. All commands that take one ask here.
//!
//! A file, a folder (every fixture below it), a pattern in which `*` stands for anything, or the name of a trial. Paths
//! begin in the working directory or in the folder of fixtures, and may leave out `.yaml`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::discovery::{DiscoveryError, Entry, discover, entries_of, entry_of, fixtures_below};
use crate::project::{OperationError, Project};
use crate::snapshot::matches_pattern;

/// Most names that are suggested for a mistyped one.
const SUGGESTED: usize = 3;

/// A FIXTURE that means no case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectionError {
    /// A folder that cannot be used.
    #[error(transparent)]
    Folder(DiscoveryError),
    /// A folder without fixtures.
    #[error("{folder}: there is no fixture in this folder; fixtures end with .yaml")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// There is no such file, folder or trial.
    #[error("{word}: there is no file, folder or case of that name; {}", advice(.similar))]
    Unknown {
        /// What was asked for.
        word: String,
        /// Names like it, best first.
        similar: Vec<String>,
    },
    /// A pattern that no fixture matches.
    #[error(
        "{pattern}: no fixture matches; `*` stands for anything, and the whole name has to match"
    )]
    NoMatch {
        /// What was asked for.
        pattern: String,
    },
}

impl From<Vec<SelectionError>> for OperationError {
    fn from(errors: Vec<SelectionError>) -> Self {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Self::Failed(errors.join("\nerror: "))
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

/// What may have been meant; where nothing is like it, what can be.
fn advice(similar: &[String]) -> String {
    let names: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "name a file, a folder, a pattern in quotes such as 'player/*', or a trial as `cargo test` names it".to_owned(),
        [name] => format!("did you mean {name}?"),
        [others @ .., last] => format!("did you mean {} or {last}?", others.join(", ")),
    }
}

/// The cases that some words mean, each once, in the order of the words. A word that means no case is an error.
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
                let path = path.unwrap_or_else(|_| entry.path.clone());
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

/// The case of a file on its own logic.
fn own(project: &Project, file: &Path) -> Entry {
    let mut entries = entries_of(project, file);
    from_here(entries.swap_remove(0))
}

fn below(project: &Project, folder: &Path) -> Result<Vec<Entry>, SelectionError> {
    let files = fixtures_below(folder)?;
    Ok(files.iter().map(|file| own(project, file)).collect())
}

/// The cases whose path or name matches a pattern. A pattern that begins with an existing folder is looked for there.
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
            // A twin's trial has to be asked for.
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

/// The path as somebody here would name it.
fn from_here(mut entry: Entry) -> Entry {
    let here = std::env::current_dir().unwrap_or_default();
    if let Ok(path) = entry.path.strip_prefix(&here) {
        let path = path.to_owned();
        entry.path = path;
    }
    entry
}

/// Names of trials like a mistyped one, best first: those that contain it, then those with few other letters.
fn similar(project: &Project, name: &str) -> Vec<String> {
    let folder = format!("{}/", Project::shown(&project.config().fixtures));
    let name = name.strip_prefix(&folder).unwrap_or(name);
    // With an unknown twin, the case alone is the nearest.
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
        .filter_map(|entry| Some((distance(&entry)?, entry.name)))
        .collect();
    near.sort();
    near.into_iter()
        .take(SUGGESTED)
        .map(|(_, name)| name)
        .collect()
}
