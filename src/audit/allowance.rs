//! Findings that somebody has looked at and allowed.

use super::Audited;
use crate::model::matches_pattern;

/// The finding that part of a file could not be read.
pub const UNREAD: &str = "not read";

/// A finding that is allowed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditAllowance {
    /// Kind of the finding; without one, all kinds of findings, but nothing that could not be read.
    pub finding: Option<String>,
    /// The text, or a pattern of it.
    pub text: String,
    /// Pattern of the file's path below the folder of `replay.toml`; all files without it.
    pub files: Option<String>,
    /// Why.
    pub reason: String,
}

impl AuditAllowance {
    fn allows(&self, what: &str, text: &str, file: &str) -> bool {
        let is_kind = match self.finding.as_deref() {
            None => what != UNREAD,
            Some(finding) => finding == what,
        };
        let files = self.files.as_deref();
        let is_there = files.is_none_or(|files| matches_pattern(files, file));
        is_kind && is_there && matches_pattern(&self.text, text)
    }
}

impl Audited {
    /// Removes what is allowed. Allowances know the file by this name.
    pub fn remove_allowed(&mut self, allowances: &[AuditAllowance], file: &str) {
        let is_allowed =
            |what: &str, text: &str| allowances.iter().any(|it| it.allows(what, text, file));
        self.findings
            .retain(|finding| !is_allowed(finding.what, finding.text()));
        self.unread.retain(|reason| !is_allowed(UNREAD, reason));
    }
}
