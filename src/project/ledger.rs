//! The ledger of editions that replays left behind at coordinators: one line per edition and aggregate, written before
//! anything is loaded.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::files;
use serde::{Deserialize, Serialize};

/// Relative to the folder of `replay.toml`; not to be committed.
const FILE: &str = ".angzarr-replay/editions.jsonl";
const VERSION: u32 = 1;

/// One aggregate's part of an edition that was made for a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Version of the line.
    pub ledger: u32,
    /// Name of the edition.
    pub edition: String,
    /// Name of the coordinator in the configuration.
    pub coordinator: String,
    /// Its address.
    pub address: String,
    /// Dialect of the coordinator.
    pub dialect: String,
    /// Domain of the aggregate.
    pub domain: String,
    /// Root of the aggregate.
    pub root: String,
    /// The fixture that it was made for.
    pub made_for: String,
    /// Time of creation, RFC 3339.
    pub made_at: String,
}

/// A ledger that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {file}: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// An invalid line.
    #[error(
        "{file}:{line}: this is no line of the ledger: {reason}; correct it, or take it out if its edition is gone"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// The ledger of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    file: PathBuf,
}

impl Ledger {
    /// The ledger of the project in `root`.
    #[must_use]
    pub fn of(root: &Path) -> Self {
        Self {
            file: root.join(FILE),
        }
    }

    /// All entries, oldest first; empty if there is no file.
    pub fn read(&self) -> Result<Vec<LedgerEntry>, LedgerError> {
        let text = match files::read_to_string(&self.file, files::WRITTEN) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(reason) => {
                return Err(LedgerError::Unreadable {
                    file: self.name(),
                    reason,
                });
            }
        };
        let lines = text.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(at, line)| self.entry(at + 1, line))
            .collect()
    }

    fn entry(&self, line: usize, text: &str) -> Result<LedgerEntry, LedgerError> {
        let damaged = |reason: String| LedgerError::Damaged {
            file: self.name(),
            line,
            reason,
        };
        let entry: LedgerEntry =
            serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if entry.ledger != VERSION {
            let reason = format!(
                "its version is {}, this release knows {VERSION}",
                entry.ledger
            );
            return Err(damaged(reason));
        }
        Ok(entry)
    }

    /// Appends an entry, and syncs it to disk before returning.
    pub fn add(&self, entry: &LedgerEntry) -> Result<(), LedgerError> {
        let mut line = serde_json::to_string(entry).expect("texts and a number are JSON");
        line.push('\n');
        let write = || -> std::io::Result<()> {
            if let Some(folder) = self.file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.file)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        write().map_err(|reason| self.unwritable(reason))
    }

    /// Removes entries, and keeps all others.
    pub fn remove(&self, gone: &[LedgerEntry]) -> Result<(), LedgerError> {
        let kept: Vec<LedgerEntry> = self
            .read()?
            .into_iter()
            .filter(|entry| !gone.contains(entry))
            .collect();
        if kept.is_empty() {
            return match std::fs::remove_file(&self.file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(self.unwritable(error))
                }
                _ => Ok(()),
            };
        }
        let write = || -> std::io::Result<()> {
            let folder = self.file.parent().unwrap_or_else(|| Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            for entry in &kept {
                serde_json::to_writer(&mut file, entry)?;
                file.write_all(b"\n")?;
            }
            file.as_file().sync_data()?;
            file.persist(&self.file).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|reason| self.unwritable(reason))
    }

    fn name(&self) -> String {
        super::Project::shown(&self.file)
    }

    fn unwritable(&self, reason: std::io::Error) -> LedgerError {
        LedgerError::Unwritable {
            file: self.name(),
            reason,
        }
    }
}

impl LedgerEntry {
    /// The version that this release writes.
    pub const VERSION: u32 = VERSION;
}
