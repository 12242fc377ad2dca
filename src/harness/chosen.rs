//! Which cases a run replays.

use std::collections::HashSet;
use std::path::PathBuf;

use super::arguments::{TestArguments, is_fixture};
use super::discovery::{DiscoveryError, Entry, discover, entry_of};
use super::results::LastFailed;
use super::selection::{SelectionError, select};
use crate::project::Project;
use crate::terminal::{say, several_errors};

/// The cases of a run.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) entries: Vec<Entry>,
    /// Whether the trial that looks for snapshots without a fixture is one of the run.
    pub(super) has_orphans: bool,
}

/// A run without cases.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChoiceError {
    /// The folder of fixtures.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// A FIXTURE among the filters.
    #[error("{}", several_errors(.0))]
    Selection(Vec<SelectionError>),
}

/// The cases that a run was asked for. A single part of a name is left to libtest, which counts what it filters out.
pub(super) fn chosen(
    arguments: &TestArguments,
    project: &Project,
    last_failed: &LastFailed,
) -> Result<Chosen, ChoiceError> {
    // With an exact name only that file is looked at: a runner with a process a test must not walk each time.
    if let ([name], true) = (arguments.filters.as_slice(), arguments.exact)
        && !is_fixture(name)
    {
        return Ok(Chosen {
            entries: entry_of(project, name).into_iter().collect(),
            has_orphans: true,
        });
    }
    let mut entries = discover(project)?;
    let is_left_to_libtest = arguments.libtest().filter.is_some() || arguments.filters.is_empty();
    if !is_left_to_libtest {
        let named = named(arguments, project)?;
        entries.retain(|entry| named.has(entry));
    }
    if arguments.last_failed {
        let failed = last_failed.read();
        let known = |entry: &Entry| failed.iter().any(|name| **name == *entry.name);
        if entries.iter().any(known) {
            entries.retain(known);
        } else if !arguments.list {
            say("no case failed in the last run: all are replayed");
        }
    }
    let is_first_part = arguments.shard.is_none_or(|shard| shard.has(0));
    if let Some(shard) = arguments.shard {
        let mut place = 0..;
        entries.retain(|_| place.next().is_some_and(|place| shard.has(place)));
    }
    Ok(Chosen {
        entries,
        has_orphans: is_left_to_libtest && !arguments.last_failed && is_first_part,
    })
}

/// What several filters name.
struct Named<'a> {
    arguments: &'a TestArguments,
    /// Fixtures that are named by file, folder or pattern.
    fixtures: HashSet<PathBuf>,
    parts: Vec<&'a str>,
}

impl Named<'_> {
    fn has(&self, entry: &Entry) -> bool {
        let matches = |part: &str| {
            if self.arguments.exact {
                *entry.name == *part
            } else {
                entry.name.contains(part)
            }
        };
        self.parts.iter().copied().any(matches)
            || entry
                .path
                .canonicalize()
                .is_ok_and(|path| self.fixtures.contains(&path))
    }
}

fn named<'a>(arguments: &'a TestArguments, project: &Project) -> Result<Named<'a>, ChoiceError> {
    let (fixtures, parts): (Vec<&String>, Vec<&String>) = arguments
        .filters
        .iter()
        .partition(|filter| is_fixture(filter));
    let words: Vec<PathBuf> = fixtures.into_iter().map(PathBuf::from).collect();
    let selected = select(project, &words).map_err(ChoiceError::Selection)?;
    let paths = selected
        .into_iter()
        .filter_map(|entry| entry.path.canonicalize().ok());
    Ok(Named {
        arguments,
        fixtures: paths.collect(),
        parts: parts.into_iter().map(String::as_str).collect(),
    })
}
