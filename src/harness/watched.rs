//! `--watch`: replays the cases again after every change.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::arguments::TestArguments;
use super::chosen::chosen;
use super::results::LastFailed;
use super::test_once;
use crate::project::Project;
use crate::terminal::complain;
use crate::watching::{CompiledIn, Rerun, run_on_changes};

/// Replays the cases until the user interrupts it.
pub(super) fn test(
    project: Project,
    arguments: &TestArguments,
    open: &dyn Fn() -> Result<Project, String>,
    configuration: Option<&Path>,
) -> ExitCode {
    if let Err(error) = CompiledIn::check_all(&project) {
        complain(format_args!("error: {error}"));
        return ExitCode::from(2);
    }
    // A FIXTURE that does not exist is a slip, and no file changes that.
    let mut all = arguments.clone();
    all.last_failed = false;
    if let Err(error) = chosen(&all, &project, &LastFailed::of(&project)) {
        complain(format_args!("error: {error}"));
        return ExitCode::from(1);
    }
    let mut rerun = Tested {
        arguments,
        open,
        configuration,
    };
    let error = run_on_changes(project, &mut rerun);
    complain(format_args!("error: {error}"));
    ExitCode::from(1)
}

struct Tested<'a> {
    arguments: &'a TestArguments,
    open: &'a dyn Fn() -> Result<Project, String>,
    configuration: Option<&'a Path>,
}

impl Rerun for Tested<'_> {
    fn open(&self) -> Result<Project, String> {
        (self.open)()
    }

    fn named_configuration(&self) -> Option<&Path> {
        self.configuration
    }

    fn only_fixture(&self, _: &Project) -> Option<PathBuf> {
        None
    }

    fn run(&mut self, project: Project) {
        // What it came to was printed.
        let _ = test_once(project, self.arguments);
    }
}
