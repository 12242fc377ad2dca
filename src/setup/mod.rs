//! Sets up a project before its first capture: `init` plans the files, shows the changes, and writes them.
//!
//! Asks nothing, and overwrites nothing. Files of other tools are edited if their format allows to leave every other
//! byte unchanged (`Cargo.toml`, `.gitignore`); otherwise the plan says what to add by hand.

mod cargo;
mod editor;
mod language;
mod schemas;
mod source;
mod workflow;

use std::io;
use std::path::{Path, PathBuf};

pub(crate) use editor::Editor;
pub(crate) use language::Language;
pub(crate) use schemas::PublishedSchema;
pub(crate) use source::{FoundSource, ask};
pub(crate) use workflow::Ci;

use crate::terminal::words;

/// A request of `init`.
#[derive(Debug)]
pub(crate) struct SetupRequest {
    /// The project's folder.
    pub(crate) folder: PathBuf,
    /// Editor that gets launch configurations, and the schemas of fixtures and of replay.toml.
    pub(crate) editor: Option<Editor>,
    /// CI that gets a workflow.
    pub(crate) ci: Option<Ci>,
    /// The answer of the coordinator, if its address was given.
    pub(crate) source: Option<FoundSource>,
}

/// One file that will be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileChange {
    /// Path relative to the project's folder, with `/`.
    pub(crate) file: String,
    /// The current text; `None` for a new file.
    pub(crate) before: Option<String>,
    pub(crate) after: String,
}

/// The files to write, and what is left to the user.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<FileChange>,
    /// Files that exist and stay unchanged, and what to add by hand.
    pub(crate) notes: Vec<String>,
    /// Language of the project.
    pub(crate) language: Language,
}

/// Why a project cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// An existing file cannot be read.
    #[error("{file}: cannot be read: {}", words(.reason))]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        reason: io::Error,
    },
    /// A file cannot be written.
    #[error("{file}: cannot be written: {}", words(.reason))]
    Unwritable {
        /// The file.
        file: String,
        /// The system's error.
        reason: io::Error,
    },
    /// An invalid Cargo manifest.
    #[error("{file}: not a manifest that can be edited: {reason}")]
    Manifest {
        /// The file.
        file: String,
        /// What is wrong, and where.
        reason: String,
    },
}

/// The existing files of a project.
struct ExistingFiles<'a> {
    folder: &'a Path,
}

impl ExistingFiles<'_> {
    fn has(&self, file: &str) -> bool {
        self.folder.join(file).symlink_metadata().is_ok()
    }

    /// The text of a file; `None` if it does not exist.
    fn read(&self, file: &str) -> Result<Option<String>, SetupError> {
        match crate::files::read_to_string(&self.folder.join(file), crate::files::WRITTEN) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(SetupError::Unreadable {
                file: file.to_owned(),
                reason,
            }),
        }
    }
}

/// A domain for examples: the first of the source, or else the first logic in `replay.toml`.
fn a_domain(existing: &ExistingFiles<'_>, request: &SetupRequest) -> Result<String, SetupError> {
    let source = request.source.as_ref();
    if let Some(domain) = source.and_then(|source| source.domains.first()) {
        return Ok(domain.clone());
    }
    let text = existing.read("replay.toml")?.unwrap_or_default();
    let configuration = text.parse::<toml_edit::DocumentMut>().ok();
    let logic = configuration
        .as_ref()
        .and_then(|it| it.get("logic")?.as_table_like());
    let first = logic.and_then(|logic| logic.iter().next());
    Ok(first.map_or("player", |(name, _)| name).to_owned())
}

impl Plan {
    /// Plans the files. Reads the folder and writes nothing.
    pub(crate) fn of(request: &SetupRequest) -> Result<Self, SetupError> {
        let existing = ExistingFiles {
            folder: &request.folder,
        };
        let language = Language::of(&existing);
        let domain = a_domain(&existing, request)?;
        let mut plan = Self {
            language,
            ..Self::default()
        };
        let mut configuration =
            language::configuration(&existing, language, request.source.as_ref());
        if let Some(editor) = request.editor {
            configuration.insert_str(0, &editor::configuration_schema(editor));
        }
        plan.create(&existing, "replay.toml", configuration);
        plan.ignore(&existing)?;
        if language == Language::Rust {
            cargo::plan(&mut plan, &existing, &domain)?;
        }
        if let Some(editor) = request.editor {
            editor::plan(&mut plan, &existing, editor, language, &domain);
        }
        if let Some(ci) = request.ci {
            workflow::plan(&mut plan, &existing, ci, language);
        }
        Ok(plan)
    }

    /// Adds a new file. An existing one is kept.
    fn create(&mut self, existing: &ExistingFiles<'_>, file: &str, text: impl Into<String>) {
        if existing.has(file) {
            self.notes
                .push(format!("{file} is there and stays as it is"));
            return;
        }
        self.changes.push(FileChange {
            file: file.to_owned(),
            before: None,
            after: text.into(),
        });
    }

    fn edit(&mut self, file: &str, before: Option<String>, after: String) {
        if before.as_deref() != Some(&after) {
            self.changes.push(FileChange {
                file: file.to_owned(),
                before,
                after,
            });
        }
    }

    /// Adds files that must not be committed to `.gitignore`.
    fn ignore(&mut self, existing: &ExistingFiles<'_>) -> Result<(), SetupError> {
        let before = existing.read(".gitignore")?;
        let text = before.clone().unwrap_or_default();
        let has = |line: &str| {
            let plain = |line: &str| line.trim().trim_start_matches('/').to_owned();
            text.lines().any(|known| plain(known) == plain(line))
        };
        let lines = [
            "*.snap.new",
            "*.pending-snap",
            "/replay.local.toml",
            "/.angzarr-replay/",
        ];
        let missing: Vec<&str> = lines.into_iter().filter(|line| !has(line)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut after = text;
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        if !after.is_empty() {
            after.push('\n');
        }
        after.push_str("# angzarr-replay: outcomes to review, settings and notes of one machine\n");
        for line in missing {
            after.push_str(line);
            after.push('\n');
        }
        self.edit(".gitignore", before, after);
        Ok(())
    }

    /// Writes all changes. Never overwrites a file that was created in the meantime.
    pub(crate) fn apply(&self, folder: &Path) -> Result<(), SetupError> {
        for change in &self.changes {
            let path = folder.join(&change.file);
            let write = || -> io::Result<()> {
                let parent = path.parent().unwrap_or(folder);
                std::fs::create_dir_all(parent)?;
                let mut file = tempfile::NamedTempFile::new_in(parent)?;
                io::Write::write_all(&mut file, change.after.as_bytes())?;
                if change.before.is_none() {
                    file.persist_noclobber(&path).map_err(|error| error.error)?;
                } else {
                    let permissions = std::fs::metadata(&path)?.permissions();
                    file.as_file().set_permissions(permissions)?;
                    file.persist(&path).map_err(|error| error.error)?;
                }
                Ok(())
            };
            write().map_err(|reason| SetupError::Unwritable {
                file: change.file.clone(),
                reason,
            })?;
        }
        Ok(())
    }
}
