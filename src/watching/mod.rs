//! `--watch`: replays again whenever a file changes that the outcome depends on.
//!
//! Owns which files those are (`files`), and how a change is noticed (`notices`). Every run opens the project again: it
//! reads the configuration as it is now, and starts the logic anew. Knows nothing of replaying, which callers pass in.

mod files;
mod notices;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use files::{FileStates, WatchedFiles};
use notices::Notices;

use crate::model::counted;
use crate::project::{LogicConfig, Project};
use crate::terminal::complain;

/// What is run again after every change.
pub(crate) trait Rerun {
    /// Opens the project with its present configuration.
    fn open(&self) -> Result<Project, String>;

    /// The configuration file that the user named.
    fn named_configuration(&self) -> Option<&Path>;

    /// The fixture, if only one is replayed. Otherwise a change in the folder of fixtures counts.
    fn only_fixture(&self, project: &Project) -> Option<PathBuf>;

    /// Replays and prints, and ends all started logic.
    fn run(&mut self, project: Project);
}

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchError {
    /// The system refuses to watch a folder.
    #[error("{folder}: cannot watch this folder: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        reason: String,
    },
    /// The system sends no notices.
    #[error("cannot watch any file: {0}")]
    NoNotices(String),
    /// There are too many files.
    #[error(
        "--watch has to watch more than {most} files, because of {folder}; name fewer with `watch` in [logic.NAME] of replay.toml"
    )]
    TooManyFiles {
        /// The maximum.
        most: usize,
        /// The folder in which the limit was reached.
        folder: String,
    },
}

/// Logic that is compiled into this program.
#[derive(Debug, thiserror::Error)]
#[error(
    "--watch cannot load Rust logic again: `{name}` is compiled into this program. Let a tool that compiles first run \
     this command without --watch, such as bacon or cargo-watch"
)]
pub(crate) struct CompiledIn {
    name: String,
}

impl CompiledIn {
    /// Refuses a case whose logic is compiled in. `folder` is the first part of its name; `logic` was chosen by name.
    pub(crate) fn check(project: &Project, folder: &str, logic: Option<&str>) -> Result<(), Self> {
        let answers = |it: &LogicConfig| !it.twin && it.answers == folder;
        // A flow asks many components.
        let is_flow = !project.logics().all().any(answers);
        Self::check_those(project, |it| match logic {
            Some(name) => it.name == name,
            None => answers(it) || is_flow && !it.twin,
        })
    }

    /// Refuses a project with any logic that is compiled in.
    pub(crate) fn check_all(project: &Project) -> Result<(), Self> {
        Self::check_those(project, |_| true)
    }

    fn check_those(project: &Project, is_asked: impl Fn(&LogicConfig) -> bool) -> Result<(), Self> {
        let logics = project.logics();
        let mut asked = logics.all().filter(|logic| is_asked(logic));
        match asked.find(|logic| logics.is_compiled_in(logic)) {
            Some(logic) => Err(Self {
                name: logic.name.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// How many runs in a row may begin because a file changed during the run before.
const IN_A_ROW: usize = 3;

/// Runs, and runs again after every change, until the user interrupts it. Returns only if it cannot watch.
pub(crate) fn run_on_changes(first: Project, rerun: &mut dyn Rerun) -> WatchError {
    match watch(first, rerun) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

enum Never {}

fn watch(first: Project, rerun: &mut dyn Rerun) -> Result<Never, WatchError> {
    let mut notices = Notices::new()?;
    let mut files = WatchedFiles::default();
    let mut said = BTreeSet::new();
    let mut opened = Ok(first);
    let mut changed_meanwhile = 0;
    loop {
        if let Ok(project) = &opened {
            let only = rerun.only_fixture(project);
            files = WatchedFiles::of(project, rerun.named_configuration(), only.as_deref());
            for note in files.notes().filter(|note| said.insert((*note).to_owned())) {
                complain(format_args!("note: {note}"));
            }
        }
        let before = files.states()?;
        notices.listen_in(before.folders())?;
        match opened {
            Ok(project) => rerun.run(project),
            Err(error) => complain(format_args!("error: {error}")),
        }
        let after = files.states()?;
        let mut changed = before.changed(&after);
        if !changed.is_empty() && changed_meanwhile < IN_A_ROW {
            changed_meanwhile += 1;
        } else {
            if changed.is_empty() {
                changed_meanwhile = 0;
            } else {
                complain(format_args!(
                    "\nnote: {} changed during {} runs in a row, perhaps because a run writes it; from now on only \
                     changes between runs count",
                    listed(&changed),
                    IN_A_ROW + 1
                ));
            }
            changed = next_change(&files, &after, &mut notices)?;
        }
        complain(format_args!("\nchanged: {}\n", listed(&changed)));
        opened = rerun.open();
    }
}

/// Waits for files that are not as they were.
fn next_change(
    files: &WatchedFiles,
    before: &FileStates,
    notices: &mut Notices,
) -> Result<Vec<PathBuf>, WatchError> {
    complain(format_args!(
        "\nWaiting for changes in {}; Ctrl+C ends",
        counted(before.len(), "file")
    ));
    loop {
        // Listens first: otherwise a change between the two would be missed.
        notices.listen_in(files.states()?.folders())?;
        let changed = before.changed(&files.states()?);
        if !changed.is_empty() {
            return Ok(changed);
        }
        notices.wait()?;
    }
}

/// The first few files of a list.
fn listed(files: &[PathBuf]) -> String {
    const SHOWN: usize = 3;
    let names = files.iter().take(SHOWN).map(|file| Project::shown(file));
    let names = names.collect::<Vec<_>>().join(", ");
    match files.len().saturating_sub(SHOWN) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}
