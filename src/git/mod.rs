//! Reads a git repository without a checkout: which files below a folder changed in a range of revisions, which files a
//! revision has, and their contents.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::project::Project;

/// Largest file that is read from git.
const LIMIT: usize = 64 << 20;

/// A file that changed between two revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedFile {
    /// Relative to git's working directory.
    pub(crate) path: PathBuf,
    pub(crate) before: Content,
    pub(crate) after: Content,
}

/// Where the contents of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// There is no such file.
    Absent,
    /// A git object.
    Object(String),
    /// A file in the working tree that has no git object yet.
    WorkTree,
}

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeFile {
    /// Relative to the top of the repository.
    pub(crate) path: PathBuf,
    /// Name of the git object.
    object: String,
    size: usize,
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
    /// More is asked for than is read.
    #[error("git: {what} has more than {} MiB, which is the most that is read", LIMIT >> 20)]
    TooLarge {
        /// What is too large.
        what: String,
    },
    /// The output is not in the documented format.
    #[error("git printed something unexpected about {0}")]
    Unexpected(String),
}

/// A git repository, accessed from a folder in it.
pub(crate) struct Repository<'a> {
    folder: &'a Path,
}

impl<'a> Repository<'a> {
    pub(crate) const fn at(folder: &'a Path) -> Self {
        Self { folder }
    }

    /// The files below the folder that differ in a range, such as `main..`; a single revision is compared with the working
    /// tree. Sorted by path.
    pub(crate) fn changed(&self, range: &str) -> Result<Vec<ChangedFile>, GitError> {
        refuse_flags(range)?;
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
    pub(crate) fn read(&self, path: &Path, content: &Content) -> Result<Option<Vec<u8>>, GitError> {
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

    /// The top folder of the repository.
    pub(crate) fn top(&self) -> Result<PathBuf, GitError> {
        let printed = self.output(["rev-parse", "--show-toplevel"])?;
        let text = String::from_utf8_lossy(&printed);
        Ok(PathBuf::from(text.trim_end_matches(['\n', '\r'])))
    }

    /// The files that a revision has at a path, or below it. Links and submodules are left out. The path is relative to the
    /// top of the repository, which this must be opened at.
    pub(crate) fn files_at(&self, revision: &str, path: &Path) -> Result<Vec<TreeFile>, GitError> {
        refuse_flags(revision)?;
        let mut arguments: Vec<&OsStr> = ["ls-tree", "-r", "-z", "--long", "--full-tree", revision]
            .map(OsStr::new)
            .into();
        // Without a path, git lists everything.
        if !path.as_os_str().is_empty() {
            arguments.extend([OsStr::new("--"), path.as_os_str()]);
        }
        let listed = self.output(arguments)?;
        let text = String::from_utf8_lossy(&listed);
        let entries = text.split_terminator('\0');
        let files: Result<Vec<Option<TreeFile>>, _> = entries.map(tree_file).collect();
        Ok(files?.into_iter().flatten().collect())
    }

    /// The contents of files, in their order.
    pub(crate) fn contents(&self, files: &[TreeFile]) -> Result<Vec<Vec<u8>>, GitError> {
        let total = files
            .iter()
            .map(|file| file.size)
            .fold(0, usize::saturating_add);
        if total > LIMIT {
            let what = format!(
                "the {} asked for",
                crate::model::counted(files.len(), "file")
            );
            return Err(GitError::TooLarge { what });
        }
        let mut child = Command::new("git")
            .arg("-C")
            .arg(self.folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::NotStarted)?;
        let names: String = files.iter().flat_map(|it| [&it.object, "\n"]).collect();
        // git answers while it is still being asked, so somebody else has to ask.
        let asking = child.stdin.take().map(|mut input| {
            std::thread::spawn(move || {
                let _ = input.write_all(names.as_bytes());
            })
        });
        let output = child.wait_with_output().map_err(GitError::NotStarted)?;
        if let Some(asking) = asking {
            let _ = asking.join();
        }
        let mut rest = output.stdout.as_slice();
        let parts = files.iter().map(|file| {
            let unexpected = || GitError::Unexpected(file.path.display().to_string());
            let header = format!("{} blob {}\n", file.object, file.size);
            let found = rest.strip_prefix(header.as_bytes());
            let found = found.and_then(|found| found.split_at_checked(file.size));
            let (content, after) = found.ok_or_else(unexpected)?;
            rest = after.strip_prefix(b"\n").ok_or_else(unexpected)?;
            Ok(content.to_vec())
        });
        parts.collect()
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

/// git would take such a revision for one of its options.
fn refuse_flags(revision: &str) -> Result<(), GitError> {
    if revision.starts_with('-') {
        return Err(GitError::Refused(format!("{revision:?} is no revision")));
    }
    Ok(())
}

/// Parses an entry of `git ls-tree --long`: `100644 blob NAME SIZE<tab>PATH`. None for what is not a file.
fn tree_file(entry: &str) -> Result<Option<TreeFile>, GitError> {
    let unexpected = || GitError::Unexpected(entry.to_owned());
    let (about, path) = entry.split_once('\t').ok_or_else(unexpected)?;
    let words: Vec<&str> = about.split_ascii_whitespace().collect();
    let [mode, kind, object, size] = words.as_slice() else {
        return Err(unexpected());
    };
    if *kind != "blob" || *mode == "120000" {
        return Ok(None);
    }
    Ok(Some(TreeFile {
        path: PathBuf::from(path),
        object: (*object).to_owned(),
        size: size.parse().map_err(|_| unexpected())?,
    }))
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
    fn an_entry_of_a_tree_is_a_file_or_nothing() {
        let name = "a".repeat(40);
        let file = tree_file(&format!("100644 blob {name}      12\ta b.proto")).unwrap();
        let file = file.unwrap();
        assert_eq!((file.path, file.size), (PathBuf::from("a b.proto"), 12));
        let link = tree_file(&format!("120000 blob {name}       7\tlink")).unwrap();
        assert_eq!(link, None);
        let module = tree_file(&format!("160000 commit {name}       -\tvendor")).unwrap();
        assert_eq!(module, None);
        assert!(tree_file("nothing").is_err());
    }

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
