//! What reports say of failed cases besides their messages: how the outcome changed, and the line that the failure is about.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::files;
use crate::fixture::line_of_key;
use crate::snapshot::{Difference, changes_of};

/// Keys with which a case asks something of the logic. Its failures are about the first one that it has.
pub(super) const REQUEST: [&str; 6] = [
    "command",
    "facts",
    "trigger",
    "history",
    "history_file",
    "cover",
];
/// A difference is about what production did, or else about the request.
pub(super) const OUTCOME: [&str; 2] = ["observed", "command"];

/// The details of one failed case.
#[derive(Debug, Default)]
pub(super) struct FailureDetails {
    /// How the outcome changed, without values; empty if that is not why the case failed.
    pub(super) changes: Vec<String>,
    /// Line of the fixture that the failure is about.
    pub(super) line: Option<usize>,
}

/// The details of all failed cases of a run, by the name of the trial.
#[derive(Debug, Default)]
pub(super) struct Details(Mutex<BTreeMap<String, FailureDetails>>);

impl Details {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, FailureDetails>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, name: &str, change: impl FnOnce(&mut FailureDetails)) {
        change(self.all().entry(name.to_owned()).or_default());
    }

    pub(super) fn note_changes(&self, name: &str, differences: &[Difference]) {
        self.note(name, |details| details.changes = changes_of(differences));
    }

    /// Notes the line of an error, if it has one.
    pub(super) fn note_line(&self, name: &str, line: Option<usize>) {
        self.note(name, |details| details.line = line);
    }

    /// Notes the line of the first of these keys in a fixture, unless a line is noted already.
    pub(super) fn note_key(&self, name: &str, fixture: &Path, limit: u64, keys: &[&str]) {
        let text = files::read_to_string(fixture, limit);
        let line = text.ok().and_then(|text| line_of_key(&text, keys));
        self.note(name, |details| details.line = details.line.or(line));
    }

    /// The details of a case, which are forgotten.
    pub(super) fn take(&self, name: &str) -> FailureDetails {
        self.all().remove(name).unwrap_or_default()
    }
}
