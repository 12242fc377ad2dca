//! The files that an outcome depends on, and whether they changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use walkdir::{DirEntry, WalkDir};

use super::WatchError;
use crate::project::{CommandConfig, LogicConfig, LogicPlace, Project};
use crate::snapshot::matches_pattern;

/// Maximum number of watched files.
const MOST: usize = 20_000;

/// Folders that tools fill, within a watched folder. So do those whose names begin with a dot.
const FILLED_BY_TOOLS: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// The endings of files that this tool reads in the folder of fixtures. Pending outcomes are not among them.
const OF_FIXTURES: [&str; 5] = ["yaml", "yml", "snap", "binpb", "gz"];

/// Files to watch: some by name, others because they are in a folder.
#[derive(Debug, Default)]
pub(super) struct WatchedFiles {
    files: BTreeSet<PathBuf>,
    folders: Vec<WatchedFolder>,
    notes: Vec<String>,
}

#[derive(Debug)]
struct WatchedFolder {
    folder: PathBuf,
    members: Members,
}

/// Which files of a folder are watched.
#[derive(Debug)]
enum Members {
    All,
    /// What belongs to fixtures.
    OfFixtures,
    /// Files whose path, relative to a folder, matches a pattern.
    Matching {
        pattern: String,
        relative_to: PathBuf,
    },
}

/// Size and time of the last change. `None` if the file does not exist.
type FileState = Option<(u64, Option<SystemTime>)>;

/// Watched files as they were at one moment.
#[derive(Debug, Default)]
pub(super) struct FileStates {
    files: BTreeMap<PathBuf, FileState>,
    folders: BTreeSet<PathBuf>,
}

impl WatchedFiles {
    /// The files of a project: configuration, fixtures, descriptors, and those of logic that is started.
    pub(super) fn of(
        project: &Project,
        named_configuration: Option<&Path>,
        only_fixture: Option<&Path>,
    ) -> Self {
        let config = project.config();
        let mut watched = Self::default();
        let named = named_configuration.and_then(|file| std::path::absolute(file).ok());
        let configuration = named.unwrap_or_else(|| config.root.join("replay.toml"));
        let local = config.root.join("replay.local.toml");
        watched.files.extend([configuration, local]);
        match only_fixture {
            Some(fixture) => {
                let sidecars = project.files_of(fixture).unwrap_or_default();
                let own = [fixture.to_owned(), Project::snapshot_path(fixture)];
                let files = own.into_iter().chain(sidecars);
                // A name alone has no folder that could be watched.
                let files = files.map(|file| std::path::absolute(&file).unwrap_or(file));
                watched.files.extend(files);
            }
            None => watched.add_folder(config.fixtures.clone(), Members::OfFixtures),
        }
        for path in &config.descriptors {
            watched.add_path(path.clone());
        }
        for logic in project.logics().all() {
            watched.add_logic(logic, &config.root);
        }
        watched
    }

    /// What the user should know about them.
    pub(super) fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    fn add_folder(&mut self, folder: PathBuf, members: Members) {
        self.folders.push(WatchedFolder { folder, members });
    }

    fn add_path(&mut self, path: PathBuf) {
        if path.is_dir() {
            self.add_folder(path, Members::All);
        } else {
            self.files.insert(path);
        }
    }

    fn add_logic(&mut self, logic: &LogicConfig, root: &Path) {
        let start = match &logic.place {
            LogicPlace::Command(start) => start,
            LogicPlace::Address(address) => {
                self.notes.push(format!(
                    "logic `{}` runs at {address}: it is not restarted, and its files are not watched",
                    logic.name
                ));
                return;
            }
            LogicPlace::InProcess(_) => return,
        };
        self.files.extend(logic.requires.clone());
        match &start.watch {
            Some(words) => {
                for word in words {
                    self.add_word(word, root);
                }
            }
            None => self.add_named_in_command(logic, start, root),
        }
    }

    /// A word of `watch`: a file, a folder, or a pattern.
    fn add_word(&mut self, word: &str, root: &Path) {
        if !word.contains('*') {
            return self.add_path(root.join(word));
        }
        let beginning = word.split('*').next().unwrap_or_default();
        let folder = beginning.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.add_folder(
            root.join(folder),
            Members::Matching {
                pattern: word.to_owned(),
                relative_to: root.to_owned(),
            },
        );
    }

    /// Without `watch`: the files that the command names. If they are built, their sources are not known.
    fn add_named_in_command(&mut self, logic: &LogicConfig, start: &CommandConfig, root: &Path) {
        let words = start.command.iter().map(|word| start.directory.join(word));
        let named = words.filter(|file| start.build.is_none() && file.is_file());
        let mut own = named.filter(|file| file.starts_with(root)).peekable();
        if own.peek().is_none() {
            self.notes.push(format!(
                "no file of logic `{0}` is watched; name them in replay.toml: [logic.{0}] watch = [\"src\", \"*.py\"]",
                logic.name
            ));
        }
        self.files.extend(own);
    }

    /// The files as they are now.
    pub(super) fn states(&self) -> Result<FileStates, WatchError> {
        let mut states = FileStates::default();
        for file in &self.files {
            states.add(file);
            states.folders.extend(existing_folder(file));
        }
        for folder in &self.folders {
            folder.add_to(&mut states)?;
        }
        Ok(states)
    }
}

impl WatchedFolder {
    fn add_to(&self, states: &mut FileStates) -> Result<(), WatchError> {
        if !self.folder.is_dir() {
            states.folders.extend(existing_folder(&self.folder));
            return Ok(());
        }
        let entries = WalkDir::new(&self.folder).follow_links(true).into_iter();
        // What cannot be read is left out: the run itself complains about it.
        let entries = entries.filter_entry(is_ours).filter_map(Result::ok);
        for entry in entries {
            if entry.file_type().is_dir() {
                states.folders.insert(entry.into_path());
            } else if self.members.has(entry.path()) {
                states.add(entry.path());
            }
            if states.files.len() + states.folders.len() > MOST {
                return Err(WatchError::TooManyFiles {
                    most: MOST,
                    folder: Project::shown(&self.folder),
                });
            }
        }
        Ok(())
    }
}

impl Members {
    fn has(&self, path: &Path) -> bool {
        let has_ending = |endings: &[&str]| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| endings.contains(&ending))
        };
        match self {
            // Tests leave pending outcomes beside fixtures, wherever these are.
            Self::All => !has_ending(&["new"]),
            Self::OfFixtures => has_ending(&OF_FIXTURES),
            Self::Matching {
                pattern,
                relative_to,
            } => {
                let relative = path.strip_prefix(relative_to).unwrap_or(path);
                matches_pattern(pattern, &relative.to_string_lossy())
            }
        }
    }
}

impl FileStates {
    fn add(&mut self, file: &Path) {
        let state = file.metadata().ok();
        let state = state.map(|state| (state.len(), state.modified().ok()));
        self.files.insert(file.to_owned(), state);
    }

    /// Number of files that exist.
    pub(super) fn len(&self) -> usize {
        self.files.values().flatten().count()
    }

    /// Folders in which a change may concern these files.
    pub(super) const fn folders(&self) -> &BTreeSet<PathBuf> {
        &self.folders
    }

    /// The files that are different later, sorted.
    pub(super) fn changed(&self, later: &Self) -> Vec<PathBuf> {
        let state = |states: &Self, file: &PathBuf| states.files.get(file).copied().flatten();
        let files: BTreeSet<&PathBuf> = self.files.keys().chain(later.files.keys()).collect();
        let changed = files.into_iter();
        changed
            .filter(|file| state(self, file) != state(later, file))
            .cloned()
            .collect()
    }
}

/// Whether a folder or file is the user's own.
fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0
        || !(name.starts_with('.')
            || entry.file_type().is_dir() && FILLED_BY_TOOLS.contains(&name.as_ref()))
}

/// The folder of a file or, if it does not exist, the nearest one above it.
fn existing_folder(path: &Path) -> Option<PathBuf> {
    let mut above = path.ancestors().skip(1);
    above.find(|folder| folder.is_dir()).map(Path::to_owned)
}
