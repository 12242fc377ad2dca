//! Which fixtures there are, by name only; while listing, also which of them no logic answers.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::project::{LogicConfig, Project, Skip};
use crate::snapshot::matches_pattern;

/// Name of the trial that looks for snapshots without a fixture.
pub(super) const ORPHANS: &str = "snapshots::each_has_a_fixture";

/// A folder of fixtures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Something in it cannot be used.
    #[error(transparent)]
    Unreadable(#[from] UnusableFile),
    /// There is nothing in it.
    #[error(
        "there is no fixture in {folder}; an empty suite would pass for a good one. Capture one: cargo xtask capture <root>"
    )]
    Empty {
        /// The folder.
        folder: String,
    },
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum UnusableFile {
    /// It cannot be read.
    #[error("cannot read the fixtures: {0}")]
    Walk(#[from] walkdir::Error),
    /// It would silently be no trial.
    #[error(
        "{file} ends with .yml, and fixtures end with .yaml; rename it, or it would never be replayed"
    )]
    OtherEnding {
        /// The file.
        file: String,
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
    /// Why it is left out, as far as its name tells; a list has to tell from a glance into the file as well, where
    /// a trial that runs finds out for certain.
    #[must_use]
    pub fn left_out(&self, project: &Project, is_listed: bool) -> Option<String> {
        self.left_out_by_name(project)
            .or_else(|| is_listed.then(|| self.unanswered(project)).flatten())
    }

    fn left_out_by_name(&self, project: &Project) -> Option<String> {
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
        let twin = project.config().logic.get(self.twin.as_ref()?)?;
        missing_requirement(twin).filter(|_| !project.config().demand_twins)
    }

    /// Whether no logic answers the domain that the file names. Folders are named as one likes: a case that is not in
    /// its domain's folder is looked into, and replayed in every doubt.
    fn unanswered(&self, project: &Project) -> Option<String> {
        let is_answered = |domain: &str| project.logics().answers_cases_of(domain);
        let folder = self.relative.split_once('/').map(|(folder, _)| folder);
        if self.twin.is_some() || folder.is_some_and(is_answered) {
            return None;
        }
        let domain = domain_at_a_glance(&beginning(&self.path)?)?;
        (!is_answered(&domain)).then(|| project.logics().none_for(&domain))
    }
}

/// As much of a file as a glance takes.
const GLANCE: u64 = 4_096;

/// The whole lines in the first bytes of a file.
fn beginning(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(GLANCE).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if bytes.len() < usize::try_from(GLANCE).ok()? {
        return Some(text);
    }
    text.rsplit_once('\n').map(|(whole, _)| whole.to_owned())
}

/// The domain of a case in canonical shape that leaves its logic to the domain. Looks at lines: a listing parses no
/// YAML and fails on none.
fn domain_at_a_glance(text: &str) -> Option<String> {
    let mut is_cover = false;
    let mut domain = None;
    for line in text.lines() {
        if line.starts_with("logic:") {
            return None;
        }
        if line.starts_with(|c: char| !c.is_whitespace() && c != '#') {
            is_cover = line.trim_end() == "cover:";
        }
        if let Some(value) = line.strip_prefix("  domain:").filter(|_| is_cover) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            domain.get_or_insert_with(|| value.trim_matches(['"', '\'']).to_owned());
        }
    }
    domain.filter(|domain| !domain.is_empty())
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
        for file in walk(root) {
            let file = file.map_err(UnusableFile::from)?;
            let ending = file.path().extension().unwrap_or_default();
            if ending == "yaml" {
                entries.extend(entries_of(project, file.path()));
            } else if ending == "yml" {
                let file = Project::shown(file.path());
                return Err(UnusableFile::OtherEnding { file }.into());
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

/// Fixtures may be shared between projects by links.
fn walk(root: &Path) -> WalkDir {
    WalkDir::new(root).follow_links(true).sort_by_file_name()
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
        .filter(|twin| parts.len() > 1 && parts[0] == twin.answers);
    entries.extend(twins.map(|twin| entry(Some(&twin.name))));
    entries
}

/// Fails with the snapshots that no fixture has.
pub(super) fn orphans(project: &Project) -> Result<(), String> {
    let mut orphans = Vec::new();
    for file in walk(&project.config().fixtures) {
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
