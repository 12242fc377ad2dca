//! Asks git which files below a folder changed in a range of revisions, and reads their old and new contents.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;

/// Largest file that is read from git.
const LIMIT: usize = 64 << 20;

/// A file that changed between two revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangedFile {
    /// Relative to git's working directory.
    pub(super) path: PathBuf,
    pub(super) before: Content,
    pub(super) after: Content,
}

/// Where the contents of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// There is no such file.
    Absent,
    /// A git object.
    Object(String),
    /// A file in the working tree that has no git object yet.
    WorkTree,
}

/// Why git did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// git cannot be run.
    #[error("git cannot be started: {}", crate::terminal::words(.0))]
    NotStarted(std::io::Error),
    /// A file of the working tree cannot be read.
    #[error("{file}: cannot be read: {}", crate::terminal::words(.reason))]
    Unreadable {
        /// The file.
        file: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// git failed.
    #[error("git: {0}")]
    Refused(String),
    /// The output is not in the documented format.
    #[error("git printed something unexpected about {0}")]
    Unexpected(String),
}

/// A git repository, accessed from a folder in it.
pub(super) struct Repository<'a> {
    folder: &'a Path,
}

impl<'a> Repository<'a> {
    pub(super) const fn at(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// The files below the folder that differ in a range, such as `main..`; a single revision is compared with the working
    /// tree. Sorted by path.
    pub(super) fn changed(&self, range: &str) -> Result<Vec<ChangedFile>, GitError> {
        if range.starts_with('-') {
            return Err(GitError::Refused(format!("{range:?} is no revision")));
        }
        let arguments = [
            "diff",
            "--raw",
            "-z",
            "--no-abbrev",
            "--no-renames",
            "--no-ext-diff",
            "--relative",
            range,
            "--",
            ".",
        ];
        let listed = self.output(arguments)?;
        let text = String::from_utf8_lossy(&listed);
        let mut fields = text.split_terminator('\0');
        let mut files = Vec::new();
        while let Some(entry) = fields.next() {
            let path = fields.next().unwrap_or_default();
            files.push(changed_file(entry, path)?);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The contents of a file; `None` if it does not exist or is too large.
    pub(super) fn read(&self, path: &Path, content: &Content) -> Result<Option<Vec<u8>>, GitError> {
        let bytes = match content {
            Content::Absent => return Ok(None),
            Content::Object(name) => self.output(["cat-file", "blob", name])?,
            Content::WorkTree => {
                let file = self.folder.join(path);
                let unreadable = |reason| GitError::Unreadable {
                    file: Project::shown(&file),
                    reason,
                };
                if std::fs::metadata(&file).map_err(unreadable)?.len() > LIMIT as u64 {
                    return Ok(None);
                }
                crate::files::read(&file, LIMIT as u64).map_err(unreadable)?
            }
        };
        Ok((bytes.len() <= LIMIT).then_some(bytes))
    }

    fn output<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, GitError> {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.folder)
            .args(arguments)
            .output()
            .map_err(GitError::NotStarted)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.lines().next().unwrap_or_default();
        Err(GitError::Refused(
            message.trim_start_matches("fatal: ").to_owned(),
        ))
    }
}

/// Parses a line of `git diff --raw`: `:100644 100644 OLD NEW M`.
fn changed_file(entry: &str, path: &str) -> Result<ChangedFile, GitError> {
    let unexpected = || GitError::Unexpected(path.to_owned());
    let words: Vec<&str> = entry.trim_start_matches(':').split(' ').collect();
    let [_, _, before, after, status] = words.as_slice() else {
        return Err(unexpected());
    };
    let is_nothing = |name: &str| name.bytes().all(|byte| byte == b'0');
    let content = |name: &str, absent: char| match status.chars().next() {
        Some(status) if status == absent => Content::Absent,
        _ if is_nothing(name) => Content::WorkTree,
        _ => Content::Object(name.to_owned()),
    };
    Ok(ChangedFile {
        path: PathBuf::from(path),
        before: content(before, 'A'),
        after: content(after, 'D'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_git_says_where_the_bytes_are() {
        let (old, none) = ("a".repeat(40), "0".repeat(40));
        let modified = changed_file(&format!(":100644 100644 {old} {none} M"), "x.snap").unwrap();
        assert_eq!(modified.before, Content::Object(old.clone()));
        assert_eq!(modified.after, Content::WorkTree);
        let deleted = changed_file(&format!(":100644 000000 {old} {none} D"), "x").unwrap();
        assert_eq!(deleted.after, Content::Absent);
        let added = changed_file(&format!(":000000 100644 {none} {old} A"), "x").unwrap();
        assert_eq!(added.before, Content::Absent);
        assert!(changed_file("nothing", "x").is_err());
    }
}
