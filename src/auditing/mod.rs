//! An audit of a project's files as one call: an [`AuditRequest`] becomes a [`ProjectAudit`].
//!
//! Above `audit`, which knows no project: this module chooses the files, searches them with today's redaction rules
//! (`unredacted_values`), and applies the configured allowances. Prints nothing.

mod unredacted_values;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::audit::{Audited, audit_path};
use crate::harness::select;
use crate::project::{OperationError, Project};
use crate::terminal::words;

/// What to audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditRequest {
    /// Files, folders and cases, each case with all its files; the folder of fixtures and the failure logs of all sources if
    /// there is none.
    pub paths: Vec<PathBuf>,
}

/// The result of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectAudit {
    /// How many files were audited.
    pub files: usize,
    /// The files with findings, or with content that could not be read, beyond what the configuration allows.
    pub unclean: Vec<Audited>,
}

/// Audits files for secrets, for personal data, and for values that today's redaction rules would remove.
///
/// # Errors
/// If a path does not exist, there is nothing to audit, or the descriptors cannot be read.
pub fn audit(project: &Project, request: &AuditRequest) -> Result<ProjectAudit, OperationError> {
    let mut audited = Vec::new();
    for path in paths(project, request)? {
        audited.extend(audit_path(&path, words).map_err(|error| {
            let file = Project::shown(&error.file);
            OperationError::Failed(format!("cannot audit {file}: {}", words(&error.reason)))
        })?);
    }
    if audited.is_empty() {
        return Err(OperationError::Failed(
            "there is nothing to look over: name files or folders, or set `fixtures` in replay.toml".into(),
        ));
    }
    let files = audited.len();
    if let Some(rules) = project.leftover_rules()? {
        for one in &mut audited {
            unredacted_values::add(project, &rules, one);
            one.findings.sort_by_key(|finding| finding.spot);
        }
    }
    let config = project.config();
    for one in &mut audited {
        let name = relative_name(&one.file, &config.root);
        one.remove_allowed(&config.audit_allow, &name);
    }
    audited.retain(|one| !one.findings.is_empty() || !one.unread.is_empty());
    Ok(ProjectAudit {
        files,
        unclean: audited,
    })
}

impl ProjectAudit {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.unclean.is_empty()
    }

    /// How many findings there are.
    #[must_use]
    pub fn count_findings(&self) -> usize {
        self.unclean.iter().map(|one| one.findings.len()).sum()
    }

    /// How many files have findings.
    #[must_use]
    pub fn count_files_with_findings(&self) -> usize {
        let with_findings = self.unclean.iter().filter(|one| !one.findings.is_empty());
        with_findings.count()
    }

    /// How many files could not be read in full.
    #[must_use]
    pub fn count_unread_files(&self) -> usize {
        let unread = self.unclean.iter().filter(|one| !one.unread.is_empty());
        unread.count()
    }
}

/// The requested paths, otherwise everything that the tool has written or reads failures from.
fn paths(project: &Project, request: &AuditRequest) -> Result<Vec<PathBuf>, OperationError> {
    if request.paths.is_empty() {
        let config = project.config();
        let logs = config.sources.values().flat_map(|source| &source.tickets);
        let paths = std::iter::once(&config.fixtures).chain(logs);
        return Ok(paths.filter(|path| path.exists()).cloned().collect());
    }
    let (mut paths, cases): (Vec<PathBuf>, Vec<PathBuf>) = request
        .paths
        .iter()
        .cloned()
        .partition(|path| path.symlink_metadata().is_ok());
    for entry in select(project, &cases)? {
        paths.extend(project.files_of(&entry.path)?);
    }
    // Two cases may share a descriptor set.
    let mut known = HashSet::new();
    paths.retain(|path| known.insert(path.clone()));
    Ok(paths)
}

fn relative_name(file: &Path, root: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let file = file.strip_prefix(root).unwrap_or(&file);
    file.display().to_string()
}
