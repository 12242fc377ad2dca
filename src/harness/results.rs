//! How each case of a run ended, and who is told besides the terminal: JUnit files, GitHub, the next run.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::project::Project;

/// How one trial ended.
#[derive(Debug, Clone)]
pub(super) struct TrialResult {
    /// Name of the trial.
    pub(super) name: Arc<str>,
    /// Its fixture; none where the trial is about the folder.
    pub(super) fixture: Option<Arc<Path>>,
    pub(super) took: Duration,
    pub(super) ending: CaseEnding,
    /// How its outcome changed, without values; empty if that is not why it failed.
    pub(super) changes: Vec<String>,
    /// Line of the fixture that a failure is about, if it is known.
    pub(super) line: Option<usize>,
}

/// An ending, with the words that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CaseEnding {
    Passed,
    NotChecked(String),
    Failed(String),
}

impl TrialResult {
    pub(super) const fn failure(&self) -> Option<&String> {
        match &self.ending {
            CaseEnding::Failed(message) => Some(message),
            CaseEnding::Passed | CaseEnding::NotChecked(_) => None,
        }
    }
}

/// Writes results as JUnit XML, sorted by name.
pub(super) fn write_junit(results: &[TrialResult], file: &Path) -> io::Result<()> {
    let mut report = Report::new("angzarr-replay");
    let mut suite = TestSuite::new("replay");
    for result in results {
        let status = match &result.ending {
            CaseEnding::Passed => TestCaseStatus::success(),
            CaseEnding::NotChecked(reason) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(reason.as_str());
                status
            }
            CaseEnding::Failed(message) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(headline(message));
                status.set_description(message.as_str());
                status
            }
        };
        let (group, _) = result.name.rsplit_once("::").unwrap_or(("", &result.name));
        let mut case = TestCase::new(&*result.name, status);
        case.set_classname(if group.is_empty() { "replay" } else { group });
        case.set_time(result.took);
        if let Some(fixture) = &result.fixture {
            let file = Project::shown(fixture);
            case.extra.insert("file".into(), file.into());
        }
        if let Some(line) = result.line {
            case.extra.insert("line".into(), line.to_string().into());
        }
        suite.add_test_case(case);
    }
    report.add_test_suite(suite);
    let text = report.to_string().map_err(io::Error::other)?;
    std::fs::write(file, text)
}

/// The line of a failure that says what changed. Messages begin with the case's heading, which ends with the file.
pub(super) fn headline(message: &str) -> &str {
    let lines = || {
        message
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let named = lines().find(|line| line.contains(".yaml: "));
    named.or_else(|| lines().next()).unwrap_or_default()
}

/// Names of the cases that failed in the last run, one in each line of a file below the folder of `replay.toml`.
#[derive(Debug)]
pub(super) struct LastFailed {
    file: PathBuf,
}

impl LastFailed {
    pub(super) fn of(project: &Project) -> Self {
        Self {
            file: project.config().root.join(".angzarr-replay/last-failed"),
        }
    }

    /// Sorted names; nothing where no case failed.
    pub(super) fn read(&self) -> Vec<String> {
        let text = crate::files::read_to_string(&self.file, crate::files::WRITTEN);
        let names = text.unwrap_or_default();
        names.lines().map(str::to_owned).collect()
    }

    /// Adds the cases that failed and removes those that did not; cases that were not replayed stay. Where the file cannot be
    /// written, the next `--last-failed` replays what it says.
    pub(super) fn update(&self, results: &[TrialResult]) {
        let before = self.read();
        let mut names: Vec<String> = before
            .iter()
            .filter(|name| results.iter().all(|result| *result.name != **name))
            .cloned()
            .collect();
        let failed = results.iter().filter(|result| result.failure().is_some());
        names.extend(failed.map(|result| result.name.to_string()));
        names.sort();
        if names == before {
            return;
        }
        let mut text = String::new();
        for name in &names {
            let _ = writeln!(text, "{name}");
        }
        let folder = self.file.parent().unwrap_or_else(|| Path::new("."));
        let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&self.file, text));
    }
}
