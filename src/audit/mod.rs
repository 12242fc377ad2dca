//! An audit of files that are committed: what looks like a secret or personal data, and where.
//!
//! Owns which files are looked at and how each kind is taken apart. What a secret looks like is `redact::detect`'s.
//! A finding says what and where; what was found is for allowances only and is never shown.

mod content;

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::plain;

pub use content::{Finding, Spot};

/// A file with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The file.
    pub file: PathBuf,
    /// What was found, in order.
    pub findings: Vec<Finding>,
}

/// A file that cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot look over {}: {reason}", file.display())]
pub struct AuditError {
    /// The file.
    pub file: PathBuf,
    /// The system's words.
    pub reason: std::io::Error,
}

/// Looks over a file, or every file below a folder, sorted by name.
pub fn look_over(path: &Path) -> Result<Vec<Audited>, AuditError> {
    let mut audited = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| AuditError {
            file: error.path().unwrap_or(path).to_owned(),
            reason: error
                .into_io_error()
                .unwrap_or_else(|| std::io::ErrorKind::Other.into()),
        })?;
        if entry.file_type().is_dir() {
            continue;
        }
        let file = entry.into_path();
        let findings = of_file(&file).map_err(|reason| AuditError {
            file: file.clone(),
            reason,
        })?;
        audited.push(Audited { file, findings });
    }
    Ok(audited)
}

fn of_file(file: &Path) -> std::io::Result<Vec<Finding>> {
    Ok(content::findings(&plain::read(file)?))
}
