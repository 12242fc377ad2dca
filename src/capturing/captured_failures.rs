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
pub(crate) struct CapturedFailures(Vec<CapturedFailure>);

struct CapturedFailure {
    path: PathBuf,
    fixture: Fixture,
    bug: Bug,
}

impl CapturedFailures {
    /// Reads the folder. A fixture that cannot be read is skipped; `cargo test` says what is wrong with it.
    pub(crate) fn read(project: &Project) -> Self {
        let entries = discover(project).unwrap_or_default();
        let own = entries.into_iter().filter(|entry| entry.twin.is_none());
        let fixtures = own.filter_map(|entry| {
            let fixture = project.folder().read(&entry.path).ok()?;
            is_failure(&fixture.case).then(|| CapturedFailure {
                path: entry.path.to_path_buf(),
                bug: Bug::of(&fixture.case),
                fixture,
            })
        });
        Self(fixtures.collect())
    }

    /// The path of the case of this bug, whose message is redacted as it would be in the case.
    pub(crate) fn of_group(&self, group: &FailureGroup) -> Option<&Path> {
        let bug = Bug {
            domain: group.domain.clone(),
            command: group.command.clone(),
            answer: Some((group.code, shape(&group.message))),
        };
        self.of_bug(&bug).map(|there| there.path.as_path())
    }

    /// The path and fixture of the same failure: one with the same answer, otherwise one of the same command.
    pub(super) fn of(&self, case: &Case) -> Option<(&Path, &Fixture)> {
        if !is_failure(case) {
            return None;
        }
        let of_command = || {
            let mut there = self.0.iter();
            there.find(|there| is_same_command(&there.fixture.case, case))
        };
        let found = self.of_bug(&Bug::of(case)).or_else(of_command)?;
        Some((&found.path, &found.fixture))
    }

    /// The first case of a bug whose answer is known.
    fn of_bug(&self, bug: &Bug) -> Option<&CapturedFailure> {
        let mut there = self.0.iter();
        there.find(|there| there.bug.answer.is_some() && there.bug == *bug)
    }
}

/// What the failures of a bug have in common, by the rule of `group_failures`.
#[derive(PartialEq, Eq)]
struct Bug {
    domain: Option<String>,
    command: Option<String>,
    /// Code of production's failure, and the shape of its message.
    answer: Option<(Option<Code>, String)>,
}

impl Bug {
    fn of(case: &Case) -> Self {
        let command = case.stimulus.command().map(CommandBook::type_name);
        Self {
            domain: Some(case.cover.domain.to_string()),
            command: command.map(str::to_owned),
            answer: answer(case),
        }
    }
}

const fn is_failure(case: &Case) -> bool {
    matches!(
        case.stimulus,
        CaseStimulus::Command(_) | CaseStimulus::History
    )
}

/// Whether both are of the same command at the same head.
fn is_same_command(there: &Case, case: &Case) -> bool {
    let commands = there.stimulus.command().zip(case.stimulus.command());
    let is_same = commands.is_some_and(|(a, b)| (&a.cover, &a.pages) == (&b.cover, &b.pages));
    is_same && there.head() == case.head()
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
