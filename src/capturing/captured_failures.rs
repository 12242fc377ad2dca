//! Failures that are already captured in the folder of fixtures.

use std::path::{Path, PathBuf};

use crate::fixture::Fixture;
use crate::harness::discover;
use crate::model::{Case, CaseStimulus, Code, CommandBook, Observed};
use crate::project::Project;

/// The cases of commands and histories in the folder, read once.
#[derive(Default)]
pub(super) struct CapturedFailures(Vec<(PathBuf, Fixture)>);

impl CapturedFailures {
    /// Reads the folder. A fixture that cannot be read is skipped; `cargo test` says what is wrong with it.
    pub(super) fn read(project: &Project) -> Self {
        let entries = discover(project).unwrap_or_default();
        let own = entries.into_iter().filter(|entry| entry.twin.is_none());
        let fixtures = own.filter_map(|entry| {
            let fixture = project.folder().read(&entry.path).ok()?;
            Some((entry.path, fixture))
        });
        Self(fixtures.collect())
    }

    /// The path and fixture of the same failure: one with the same answer, otherwise one of the same command.
    pub(super) fn of(&self, case: &Case) -> Option<(&Path, &Fixture)> {
        if !is_failure(case) {
            return None;
        }
        let is_same = |same: fn(&Case, &Case) -> bool| {
            let mut there = self.0.iter();
            there.find(|(_, there)| is_failure(&there.case) && same(&there.case, case))
        };
        let found = is_same(is_same_bug).or_else(|| is_same(is_same_command))?;
        Some((&found.0, &found.1))
    }
}

const fn is_failure(case: &Case) -> bool {
    matches!(
        case.stimulus,
        CaseStimulus::Command(_) | CaseStimulus::History
    )
}

/// Whether both are of the same bug, by the rule of `group_failures`.
fn is_same_bug(there: &Case, case: &Case) -> bool {
    fn command(case: &Case) -> Option<&str> {
        case.stimulus.command().map(CommandBook::type_name)
    }
    let is_same_kind = (&there.cover.domain, command(there)) == (&case.cover.domain, command(case));
    is_same_kind && answer(case).is_some_and(|answered| answer(there) == Some(answered))
}

/// Whether both are of the same command at the same head.
fn is_same_command(there: &Case, case: &Case) -> bool {
    let commands = there.stimulus.command().zip(case.stimulus.command());
    let is_same = commands.is_some_and(|(a, b)| (&a.cover, &a.pages) == (&b.cover, &b.pages));
    is_same && there.head() == case.head()
}

/// Code and message of production's failure.
fn answer(case: &Case) -> Option<(Option<Code>, &str)> {
    match (&case.observed, &case.noted) {
        (Some(observed), _) => {
            let failure = Observed::failure(observed)?;
            Some((Some(failure.code), &failure.message))
        }
        (None, Some(noted)) => Some((noted.code, &noted.message)),
        (None, None) => None,
    }
}
