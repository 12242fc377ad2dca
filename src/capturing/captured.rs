//! What became of a capture, as data.

use std::fmt;
use std::path::PathBuf;

use super::redaction::AppliedRedaction;
use crate::capture::CaseDialect;
use crate::model::Case;
use crate::project::CaseRun;
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
    /// What was found, in the order in which it is told.
    pub report: Vec<ReportLine>,
    /// Where the fixture is, or would be.
    pub path: PathBuf,
    /// What became of the fixture.
    pub saved: SavedState,
    /// What the first replay says.
    pub verdict: CaptureVerdict,
    /// Fields that look personal and that no redaction rule is about.
    pub suspects: Vec<Suspect>,
    /// What could not be redacted, and is kept as it is.
    pub not_redacted: Vec<String>,
    /// Whether what came redacted was redacted otherwise.
    pub is_redacted_anew: bool,
    /// What everybody has to know of the redaction, also where nothing else is told.
    pub warnings: Vec<String>,
    /// Fields of a later revision that are not kept.
    pub unknown: UnknownFields,
    /// The dialect, and how it is known.
    pub dialect: CaseDialect,
    /// What to commit; nothing where nothing is written.
    pub files: Vec<String>,
    /// The fixture as text; empty where the case was captured before.
    pub text: String,
    /// What redacted it.
    pub(super) applied: Option<AppliedRedaction>,
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The case before redaction stays unseen.
        f.debug_struct("Captured")
            .field("path", &self.path)
            .field("saved", &self.saved)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

/// A line of the report: our own words, and what production said, which is quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    /// What it is about; empty where it continues the line before.
    pub key: String,
    /// Our own words.
    pub own: String,
    /// What production said.
    pub quoted: Option<String>,
}

/// What became of a fixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SavedState {
    /// Nothing was to be written.
    DryRun,
    /// It replaced another.
    Replaced,
    /// It was there already.
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
    pub(super) fn of(first: Result<&CaseRun, &String>) -> Self {
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
    pub fn assumed_dialect(&self) -> Option<crate::wire::Dialect> {
        let is_assumed = self.dialect.known == crate::capture::DialectKnowledge::Assumed;
        is_assumed.then_some(self.dialect.dialect)
    }

    /// A text without what was taken out of the case.
    pub(super) fn redacted_text(&self, text: &str) -> String {
        match &self.applied {
            Some(applied) => applied.text(text),
            None => text.to_owned(),
        }
    }
}
