//! Failures that are already captured in the folder of fixtures.

use std::path::{Path, PathBuf};

use crate::capture::FailureGroup;
use crate::fixture::Fixture;
use crate::harness::discover;
use crate::model::{Case, CaseStimulus, Code, CommandBook, Observed};
use crate::project::Project;
use crate::shape::shape;

/// The cases of commands and histories in the folder, read once.
#[derive(Default)]
pub(crate) struct CapturedFailures(Vec<(PathBuf, Fixture)>);

impl CapturedFailures {
    /// Reads the folder. A fixture that cannot be read is skipped; `cargo test` says what is wrong with it.
    pub(crate) fn read(project: &Project) -> Self {
        let entries = discover(project).unwrap_or_default();
        let own = entries.into_iter().filter(|entry| entry.twin.is_none());
        let fixtures = own.filter_map(|entry| {
            let fixture = project.folder().read(&entry.path).ok()?;
            Some((entry.path, fixture))
        });
        Self(fixtures.collect())
    }

    /// The path of the case of this bug, whose message is redacted as it would be in the case.
    pub(crate) fn of_bug(&self, bug: &FailureGroup) -> Option<&Path> {
        let is_same = |there: &Case| {
            is_failure(there)
                && bug.domain.as_deref() == Some(there.cover.domain.as_str())
                && bug.command.as_deref() == command_type(there)
                && answer(there) == Some((bug.code, shape(&bug.message)))
        };
        let found = self.0.iter().find(|(_, there)| is_same(&there.case));
        found.map(|(path, _)| path.as_path())
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
    let is_same_kind =
        (&there.cover.domain, command_type(there)) == (&case.cover.domain, command_type(case));
    is_same_kind && answer(case).is_some_and(|answered| answer(there) == Some(answered))
}

/// Whether both are of the same command at the same head.
fn is_same_command(there: &Case, case: &Case) -> bool {
    let commands = there.stimulus.command().zip(case.stimulus.command());
    let is_same = commands.is_some_and(|(a, b)| (&a.cover, &a.pages) == (&b.cover, &b.pages));
    is_same && there.head() == case.head()
}

fn command_type(case: &Case) -> Option<&str> {
    case.stimulus.command().map(CommandBook::type_name)
}

/// Code of production's failure, and the shape of its message.
fn answer(case: &Case) -> Option<(Option<Code>, String)> {
    match (&case.observed, &case.noted) {
        (Some(observed), _) => {
            let failure = Observed::failure(observed)?;
            Some((Some(failure.code), shape(&failure.message)))
        }
        (None, Some(noted)) => Some((noted.code, shape(&noted.message))),
        (None, None) => None,
    }
}
