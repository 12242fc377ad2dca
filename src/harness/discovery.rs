//! Finds the fixtures by name and, while listing, those whose domain has no logic.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use crate::project::{LogicChoice, Project, Skip};
use crate::snapshot::matches_pattern;
use crate::terminal::{escaped, one_line, program};

/// Name of the trial that fails if there are snapshots without a fixture.
pub(super) const ORPHANS: &str = "snapshots::each_has_a_fixture";

/// A folder of fixtures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// It contains an unusable file.
    #[error(transparent)]
    Unreadable(#[from] UnusableFile),
    /// It is empty.
    #[error(
        "there is no fixture in {folder}; an empty suite would look like a success. Capture one: {} capture <root>",
        program().name()
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
    /// Its extension is wrong, so it would silently be no trial.
    #[error(
        "{file} ends with .yml, but fixtures end with .yaml; rename it, or it would never be replayed"
    )]
    OtherEnding {
        /// The file.
        file: String,
    },
    /// Its name could trigger something in a terminal or a CI runner.
    #[error(
        "{name} cannot be the name of a trial: it contains a control character, or begins like a command to a CI runner; rename \
         the file"
    )]
    ActiveName {
        /// The trial's name, escaped.
        name: String,
    },
}

/// A trial. Cheap to clone, because each trial is stored in several places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the trial: `player::withdraw-funds-6513270e-3`, with `@logic` for a twin.
    pub name: Arc<str>,
    /// The fixture.
    pub path: Arc<Path>,
    /// Its path in the fixtures folder, without extension, separated by `/`.
    pub relative: Arc<str>,
    /// Twin that it is replayed on.
    pub twin: Option<Arc<str>>,
}

impl Entry {
    /// The logic that it is replayed on.
    #[must_use]
    pub fn logic(&self) -> LogicChoice<'_> {
        match &self.twin {
            Some(twin) => LogicChoice::Named(twin),
            None => LogicChoice::OfCase,
        }
    }

    /// Why it is left out, as far as the name shows it. While listing, the beginning of the file is read too; a trial that
    /// runs reads the whole file.
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
                    .is_none_or(|logic| Some(logic.as_str()) == self.twin.as_deref())
        };
        if let Some(skip) = project.config().skip.iter().find(skips) {
            return Some(skip.reason.clone());
        }
        let twin = project.config().logic.get(self.twin.as_deref()?)?;
        twin.missing_requirement()
            .filter(|_| !project.config().demand_twins)
    }

    /// Whether the case's domain has no logic. Folders may have any name, so if the folder is not a known domain, the beginning
    /// of the file is read. In doubt the case is replayed.
    fn unanswered(&self, project: &Project) -> Option<String> {
        let is_answered = |domain: &str| project.logics().answers_cases_of(domain);
        let folder = self.relative.split_once('/').map(|(folder, _)| folder);
        if self.twin.is_some() || folder.is_some_and(is_answered) {
            return None;
        }
        let domain = domain_in_beginning(&beginning(&self.path)?)?;
        (!is_answered(&domain)).then(|| project.logics().none_for(&domain))
    }
}

/// How many bytes are read from the beginning of a file.
const BEGINNING: u64 = 4_096;

/// The complete lines in the first bytes of a file.
fn beginning(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(BEGINNING).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if bytes.len() < usize::try_from(BEGINNING).ok()? {
        return Some(text);
    }
    text.rsplit_once('\n').map(|(whole, _)| whole.to_owned())
}

/// The domain of a case in canonical form, unless the case names its logic. Looks at lines only: listing never parses YAML,
/// so it cannot fail on invalid YAML.
fn domain_in_beginning(text: &str) -> Option<String> {
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

/// The trials of every fixture, sorted by path: one on its own logic and one on each twin.
pub fn discover(project: &Project) -> Result<Vec<Entry>, DiscoveryError> {
    let files = fixtures_below(&project.config().fixtures)?;
    let entries: Vec<Entry> = files
        .iter()
        .flat_map(|file| entries_of(project, file))
        .collect();
    // Test runners print the names unescaped.
    for Entry { name, .. } in &entries {
        let shown = escaped(&one_line(name)).into_owned();
        if shown != **name {
            return Err(UnusableFile::ActiveName { name: shown }.into());
        }
    }
    Ok(entries)
}

/// The fixtures of a folder, sorted; at least one.
pub(super) fn fixtures_below(root: &Path) -> Result<Vec<PathBuf>, DiscoveryError> {
    let mut fixtures = Vec::new();
    if root.is_dir() {
        for file in walk(root) {
            let file = file.map_err(UnusableFile::from)?;
            let ending = file.path().extension().unwrap_or_default();
            if ending == "yaml" {
                fixtures.push(file.into_path());
            } else if ending == "yml" {
                let file = Project::shown(file.path());
                return Err(UnusableFile::OtherEnding { file }.into());
            }
        }
    }
    if fixtures.is_empty() {
        return Err(DiscoveryError::Empty {
            folder: Project::shown(root),
        });
    }
    Ok(fixtures)
}

/// Follows links, because projects may share fixtures.
pub(super) fn walk(root: &Path) -> WalkDir {
    // The files of a folder differ in their names only, and comparing whole paths is cheaper than extracting names.
    let by_path = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
    WalkDir::new(root).follow_links(true).sort_by(by_path)
}

/// The entry for a trial's name, without walking the folder; none if there is no such file.
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

/// The trials of a file. A file outside the fixtures folder is named by its path and has no twins.
pub(crate) fn entries_of(project: &Project, path: &Path) -> Vec<Entry> {
    let Some(relative) = below_fixtures(project, path) else {
        return vec![Entry {
            name: Project::shown(path).into(),
            path: path.into(),
            relative: Project::shown(&path.with_extension("")).into(),
            twin: None,
        }];
    };
    let relative = relative.with_extension("");
    let parts: Vec<String> = relative
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let plain = Entry {
        name: parts.join("::").into(),
        path: path.into(),
        relative: parts.join("/").into(),
        twin: None,
    };
    // Only the name is known here, so a twin gets the cases in its domain's folder.
    let twins = project
        .logics()
        .twins()
        .filter(|twin| parts.len() > 1 && parts[0] == twin.answers);
    let of_twins: Vec<Entry> = twins
        .map(|twin| Entry {
            name: format!("{}@{}", plain.name, twin.name).into(),
            twin: Some(twin.name.as_str().into()),
            ..plain.clone()
        })
        .collect();
    let mut entries = vec![plain];
    entries.extend(of_twins);
    entries
}

/// The path of a file in the fixtures folder; none if it is elsewhere.
fn below_fixtures(project: &Project, path: &Path) -> Option<PathBuf> {
    let below = |path: &Path, root: &Path| {
        let relative = path.strip_prefix(root).ok()?;
        let is_plain = |part| matches!(part, Component::Normal(_));
        relative
            .components()
            .all(is_plain)
            .then(|| relative.to_owned())
    };
    let root = &project.config().fixtures;
    // First without resolving links: fixtures that are linked into the folder belong to it.
    let path_as_named = std::path::absolute(path).ok()?;
    below(&path_as_named, root)
        .or_else(|| below(&path.canonicalize().ok()?, &root.canonicalize().ok()?))
}
