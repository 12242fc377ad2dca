//! Which fixtures there are, by name only.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::project::{LogicConfig, Project, Skip};
use crate::snapshot::matches_pattern;

/// Name of the trial that looks for snapshots without a fixture.
pub(super) const ORPHANS: &str = "snapshots::each_has_a_fixture";

/// A folder of fixtures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It cannot be read.
    #[error("cannot read the fixtures: {0}")]
    Unreadable(#[from] walkdir::Error),
    /// There is nothing in it.
    #[error(
        "there is no fixture in {folder}; an empty suite would pass for a good one. Capture one: cargo xtask capture <root>"
    )]
    Empty {
        /// The folder.
        folder: String,
    },
}

/// A trial to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the trial: `player::withdraw-funds-6513270e-3`, with `@logic` for a twin.
    pub name: String,
    /// The fixture.
    pub path: PathBuf,
    /// Its path below the folder of fixtures, without ending, `/` between.
    pub relative: String,
    /// Twin that it is replayed on.
    pub twin: Option<String>,
}

impl Entry {
    /// Why it is left out, as far as its name tells.
    #[must_use]
    pub fn left_out(&self, project: &Project) -> Option<String> {
        let skips = |skip: &&Skip| {
            matches_pattern(&skip.fixtures, &self.relative)
                && skip
                    .logic
                    .as_ref()
                    .is_none_or(|logic| Some(logic) == self.twin.as_ref())
        };
        if let Some(skip) = project.config().skip.iter().find(skips) {
            return Some(skip.reason.clone());
        }
        let Some(twin) = &self.twin else {
            let domain = self.relative.split('/').next().unwrap_or_default();
            let is_folder = self.relative.contains('/');
            let unanswered = is_folder && !project.logics().answers_domain_named(domain);
            return unanswered.then(|| format!("no logic is configured for the domain `{domain}`"));
        };
        let twin = project.config().logic.get(twin)?;
        missing_requirement(twin).filter(|_| !project.config().demand_twins)
    }
}

/// The file that a logic needs and that is not there.
pub(super) fn missing_requirement(logic: &LogicConfig) -> Option<String> {
    let required = logic.requires.as_ref().filter(|path| !path.exists())?;
    Some(format!(
        "logic `{}` needs {}, which is not there",
        logic.name,
        Project::shown(required)
    ))
}

/// Every fixture, sorted by path, once for its own logic and once for each twin.
pub fn discover(project: &Project) -> Result<Vec<Entry>, DiscoveryError> {
    let root = &project.config().fixtures;
    let mut entries = Vec::new();
    if root.is_dir() {
        for file in WalkDir::new(root).sort_by_file_name() {
            let file = file?;
            if file
                .path()
                .extension()
                .is_some_and(|ending| ending == "yaml")
            {
                entries.extend(entries_of(project, file.path()));
            }
        }
    }
    if entries.is_empty() {
        return Err(DiscoveryError::Empty {
            folder: Project::shown(root),
        });
    }
    Ok(entries)
}

/// The entry of a trial's name, without a walk; none where there is no such file.
#[must_use]
pub fn entry_of(project: &Project, name: &str) -> Option<Entry> {
    let (fixture, twin) = name
        .split_once('@')
        .map_or((name, None), |(fixture, twin)| (fixture, Some(twin)));
    let path = project
        .config()
        .fixtures
        .join(format!("{}.yaml", fixture.replace("::", "/")));
    let entries = path.is_file().then(|| entries_of(project, &path))?;
    entries
        .into_iter()
        .find(|entry| entry.twin.as_deref() == twin)
}

fn entries_of(project: &Project, path: &Path) -> Vec<Entry> {
    let relative = path
        .strip_prefix(&project.config().fixtures)
        .unwrap_or(path)
        .with_extension("");
    let parts: Vec<String> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let entry = |twin: Option<&str>| Entry {
        name: parts.join("::") + &twin.map(|twin| format!("@{twin}")).unwrap_or_default(),
        path: path.to_owned(),
        relative: parts.join("/"),
        twin: twin.map(str::to_owned),
    };
    let mut entries = vec![entry(None)];
    // A twin answers the cases in its domain's folder: only the name is known here.
    let twins = project
        .logics()
        .twins()
        .filter(|twin| parts.len() > 1 && parts[0] == twin.domain.as_str());
    entries.extend(twins.map(|twin| entry(Some(&twin.name))));
    entries
}

/// Fails with the snapshots that no fixture has.
pub(super) fn orphans(project: &Project) -> Result<(), String> {
    let mut orphans = Vec::new();
    for file in WalkDir::new(&project.config().fixtures).sort_by_file_name() {
        let file = file.map_err(|error| format!("cannot read the fixtures: {error}"))?;
        let is_snapshot = file
            .path()
            .extension()
            .is_some_and(|ending| ending == "snap");
        if is_snapshot && !file.path().with_extension("yaml").is_file() {
            orphans.push(format!("  {}", Project::shown(file.path())));
        }
    }
    if orphans.is_empty() {
        return Ok(());
    }
    Err(format!(
        "snapshots without a fixture:\n{}\n\ndelete them, or bring their fixtures back",
        orphans.join("\n")
    ))
}
