//! The result of a capture, as data.

use std::fmt;
use std::path::PathBuf;

use super::redaction::AppliedRedaction;
use crate::capture::CaseDialect;
use crate::model::Case;
use crate::project::ReplayedCase;
use crate::redact::Suspect;
use crate::snapshot::Verdict;
use crate::wire::UnknownFields;

/// A capture that is done: what was found, what was written, and what a replay says of it.
pub struct Captured {
    /// The case, as it is written: cover, source, history, and what production did.
    pub case: Case,
    /// Name of the source.
    pub source: String,
    /// Whether that is the embedded deployment.
    pub is_embedded: bool,
    /// What was found, in the order of the report.
    pub report: Vec<ReportLine>,
    /// Where the fixture is, or would be.
    pub path: PathBuf,
    /// Whether the fixture was written.
    pub saved: SavedState,
    /// What the first replay says.
    pub verdict: CaptureVerdict,
    /// Fields that look personal and that no redaction rule covers.
    pub suspects: Vec<Suspect>,
    /// Values that could not be redacted and are kept as they are.
    pub not_redacted: Vec<String>,
    /// Whether values that came redacted may have been pseudonymised again.
    pub is_redacted_anew: bool,
    /// Warnings about redaction that are shown even if nothing else is reported.
    pub warnings: Vec<String>,
    /// Fields of a later revision that are not kept.
    pub unknown: UnknownFields,
    /// The dialect, and how it is known.
    pub dialect: CaseDialect,
    /// Files to commit; none if nothing is written.
    pub files: Vec<String>,
    /// The fixture as text; empty if the case was captured before.
    pub text: String,
    /// Its redaction.
    pub(super) applied: Option<AppliedRedaction>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The case before redaction must not be shown.
        f.debug_struct("Captured")
            .field("path", &self.path)
            .field("saved", &self.saved)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// A line of the report: our own words, and the words of production, which are quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// What it is about; empty if it continues the line before.
    pub key: String,
    /// Our own words.
    pub own: String,
    /// The words of production.
    pub quoted: Option<String>,
}

/// Whether a fixture was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SavedState {
    /// The request was not to write anything.
    DryRun,
    /// It replaced another.
    Replaced,
    /// It existed already.
    Unchanged,
    /// It is new.
    Written,
}

impl SavedState {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DryRun => "dry-run",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Written => "written",
        }
    }
}

/// What the first replay of a capture says.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureVerdict {
    /// The case was captured before, and not replayed now.
    CapturedBefore,
    /// It could not be replayed, for this reason.
    NotReplayed(String),
    /// The logic offers nothing to compare.
    NothingToCompare,
    /// It was replayed and judged.
    Judged(Verdict),
}

impl CaptureVerdict {
    pub(super) fn of(first: Result<&ReplayedCase, &String>) -> Self {
        match first {
            Ok(run) if run.view.is_none() => Self::NothingToCompare,
            Ok(run) => Self::Judged(run.verdict.clone()),
            Err(reason) => Self::NotReplayed(reason.clone()),
        }
    }
}

impl fmt::Display for CaptureVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CapturedBefore => f.write_str("captured before"),
            Self::NotReplayed(reason) => write!(f, "not checked: {reason}"),
            Self::NothingToCompare => {
                f.write_str("not checked: the logic offers neither Replay nor an upcaster")
            }
            Self::Judged(verdict) => verdict.fmt(f),
        }
    }
}

impl Captured {
    /// A dialect that had to be assumed.
    #[must_use]
    #[doc(hidden)]
    pub fn assumed_dialect(&self) -> Option<crate::wire::Dialect> {
        let is_assumed = self.dialect.known == crate::capture::DialectKnowledge::Assumed;
        is_assumed.then_some(self.dialect.dialect)
    }

    /// A text without the values that were removed from the case.
    pub(super) fn redacted_text(&self, text: &str) -> String {
        match &self.applied {
            Some(applied) => applied.text(text),
            None => text.to_owned(),
        }
    }
}
