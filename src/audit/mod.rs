//! An audit of files that are committed: what looks like a secret or personal data, and where.
//!
//! Owns which files are looked at and how each kind is taken apart. What a secret looks like is `redact::detect`'s.
//! A finding says what and where; what was found is for allowances only and is never shown. What cannot be read is said.
//!
//! - `content`: what a file holds, from its bytes to findings. `letters`: bytes as text, in any of the usual encodings.
//! - `spelled`: a text without the escapes of the formats that it is quoted in.
//!
//! What is compressed is `plain`'s to unpack.

mod content;
mod letters;
mod spelled;

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

pub use content::{Finding, Spot};

use crate::{files, plain};

/// Largest file that is looked over, packed or unpacked, in bytes.
pub const LARGEST: u64 = plain::LARGEST;

/// A file with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// The file.
    pub file: PathBuf,
    /// What was found, in order.
    pub findings: Vec<Finding>,
    /// What of it could not be read, in words.
    pub unread: Vec<String>,
}

/// Something that is not there to be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot look over {}: {reason}", file.display())]
pub struct AuditError {
    /// The file.
    pub file: PathBuf,
    /// The system's words.
    pub reason: std::io::Error,
}

/// Looks over a file, or every file below a folder, sorted by name; links are followed. A file that cannot be read is one
/// of which nothing could be read; `words` are the system's in plain ones.
pub fn look_over(
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
                // A folder that links to one around it is looked over there.
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
        unread.push("it is named like gzip and is none".to_owned());
    }
    Audited {
        file,
        findings,
        unread,
    }
}
