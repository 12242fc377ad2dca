//! Audits committed files for secrets and personal data.
//!
//! Owns which files are searched and how each kind is decoded. `redact::detect` recognises the secrets. A finding has a
//! kind and a location; its text is used for allowances only and never printed. Unreadable content is reported.
//!
//! - `content`: from the bytes of a file to findings. `text_decoding`: bytes as text, in any common encoding.
//! - `escapes`: text with one level of escapes removed.
//! - `allowance`: findings that are allowed.
//!
//! Compressed files are decompressed by `plain`.

mod allowance;
mod content;
mod escapes;
mod text_decoding;

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

pub use allowance::{AuditAllowance, UNREAD};
pub use content::{Finding, Spot};

use crate::{files, plain};

/// Size limit for audited files, compressed and decompressed, in bytes.
pub const LARGEST: u64 = plain::LARGEST;

/// The result for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The file.
    pub file: PathBuf,
    /// Findings, in order.
    pub findings: Vec<Finding>,
    /// Descriptions of what could not be read.
    pub unread: Vec<String>,
}

/// The path to audit does not exist.
#[derive(Debug, thiserror::Error)]
#[error("cannot audit {}: {reason}", file.display())]
pub struct AuditError {
    /// The path.
    pub file: PathBuf,
    /// The I/O error.
    pub reason: std::io::Error,
}

/// Audits a file, or every file below a folder, sorted by name. Follows links. A file that cannot be read is reported
/// as unread; `words` describes an I/O error.
pub fn audit_path(
    path: &Path,
    words: fn(&std::io::Error) -> String,
) -> Result<Vec<Audited>, AuditError> {
    std::fs::metadata(path).map_err(|reason| AuditError {
        file: path.to_owned(),
        reason,
    })?;
    let mut audited = Vec::new();
    let unread = |file: PathBuf, reason: &std::io::Error| Audited {
        file,
        findings: Vec::new(),
        unread: vec![words(reason)],
    };
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let file = error.path().unwrap_or(path).to_owned();
                // A link to an enclosing folder: its files are audited anyway.
                if error.loop_ancestor().is_none() {
                    let reason = error
                        .into_io_error()
                        .unwrap_or_else(|| std::io::ErrorKind::Other.into());
                    audited.push(unread(file, &reason));
                }
                continue;
            }
        };
        if entry.file_type().is_dir() {
            continue;
        }
        let file = entry.into_path();
        audited.push(match files::read(&file, LARGEST) {
            Ok(bytes) => of_bytes(file, &bytes),
            Err(reason) => unread(file, &reason),
        });
    }
    Ok(audited)
}

fn of_bytes(file: PathBuf, bytes: &[u8]) -> Audited {
    let is_named_packed = file.extension().is_some_and(|ending| ending == "gz");
    let (findings, mut unread) = content::findings(bytes);
    if is_named_packed && !bytes.is_empty() && !bytes.starts_with(&[0x1f, 0x8b]) {
        unread.push("it is named like a gzip file, but is not one".to_owned());
    }
    Audited {
        file,
        findings,
        unread,
    }
}
