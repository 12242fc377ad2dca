//! `cargo test`: every fixture is a trial, named by its path.
//!
//! The folder is the list: names are found by walking, nothing is parsed and nothing is started before a trial
//! runs.

mod arguments;
mod bare;
mod chosen;
mod discovery;
mod github;
mod heading;
mod leftovers;
mod mutating;
mod pending;
mod printing;
mod results;
mod selection;
mod trial;
mod unnoticed;

use std::fmt;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arguments::HarnessCommandLine;
pub(crate) use arguments::TestArguments;
#[doc(hidden)]
pub use bare::{BareRun, run_bare};
use chosen::chosen;
use clap::Parser as _;
pub(crate) use discovery::entries_of;
pub use discovery::{DiscoveryError, Entry, discover, entry_of};
pub(crate) use heading::heading;
pub(crate) use leftovers::leftovers;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
#[doc(hidden)]
pub use mutating::{NeverShown, Reason, Tried, try_mutants};
pub(crate) use pending::pending_path;
use results::{CaseEnding, CaseResult, LastFailed};
pub(crate) use selection::select;
pub(crate) use trial::Ending;

use crate::processes::end_all_on_interrupt;
use crate::project::{App, LogicConfig, Project};
use crate::terminal::{
    Program, complain, escape_panics, escaped, one_line, say, set_program, words,
};
use trial::Context;
use unnoticed::Report;

/// What the trials of a run came to.
#[derive(Debug, Default)]
struct Tally {
    totals: Totals,
    open: Vec<String>,
    /// How each trial ended that ran.
    results: Vec<CaseResult>,
    /// Whether no trial is started any more after one has failed.
    is_fail_fast: bool,
}

impl Tally {
    fn has_failed(&self) -> bool {
        self.results.iter().any(|result| result.failure().is_some())
    }

    fn is_over(&self) -> bool {
        self.is_fail_fast && self.has_failed()
    }
}

/// How many cases ended how. Shown without those that failed, as in the last lines of `cargo test`.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) closed: usize,
    pub(crate) open: usize,
    pub(crate) not_checked: usize,
    pub(crate) failed: usize,
}

impl Totals {
    pub(crate) const fn count(&mut self, ending: &Ending) {
        match ending {
            Ending::Closed => self.closed += 1,
            Ending::Open => self.open += 1,
            Ending::NotChecked(_) => self.not_checked += 1,
            Ending::Failed(_) => self.failed += 1,
        }
    }

    const fn sum(&self) -> usize {
        self.closed + self.open + self.not_checked
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replay: {} closed, {} open", self.closed, self.open)?;
        if self.open > 0 {
            f.write_str(" (known bugs that still reproduce)")?;
        }
        write!(f, ", {} not checked", self.not_checked)
    }
}

impl App {
    /// The main of a test target with `harness = false`. Understands the arguments of `cargo test` and
    /// `cargo nextest`.
    #[must_use]
    pub fn harness(self) -> ExitCode {
        set_program(Program::Cargo(self.command_name.unwrap_or("cargo xtask")));
        escape_panics();
        let HarnessCommandLine { arguments } = HarnessCommandLine::parse();
        let folder = std::env::current_dir().unwrap_or_default();
        match Project::open(self, &folder) {
            Ok(project) => test(project, &arguments),
            Err(error) => {
                complain(format_args!("error: {error}"));
                ExitCode::from(2)
            }
        }
    }
}

/// Replays the cases of a project, and says how they ended in the exit code: 101 where one failed, as a test of libtest's.
pub(crate) fn test(project: Project, arguments: &TestArguments) -> ExitCode {
    printing::silence_broken_pipes();
    end_all_on_interrupt();
    let mut libtest = arguments.libtest();
    libtest.test_threads = libtest.test_threads.or_else(|| threads(&project));
    run(arguments, &libtest, &Arc::new(project))
}

/// Trials of logic in another process mostly wait for it: more of them than cores keep both sides busy.
fn threads(project: &Project) -> Option<usize> {
    let waits = |logic: &LogicConfig| logic.place.is_remote();
    let is_remote = project.logics().all().any(waits) || project.logics().twins().count() > 0;
    let cores = std::thread::available_parallelism().ok()?.get();
    is_remote.then_some(4 * cores)
}

fn run(arguments: &TestArguments, libtest: &Arguments, project: &Arc<Project>) -> ExitCode {
    let context = Context {
        project: Arc::clone(project),
        mutants: project.config().mutate.then(Arc::<Report>::default),
    };
    if arguments.delete_orphans
        && let Err(message) = leftovers::delete(project)
    {
        complain(format_args!("error: {message}"));
        return ExitCode::from(1);
    }
    let last_failed = LastFailed::of(project);
    let chosen = match chosen(arguments, project, &last_failed) {
        Ok(chosen) => chosen,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return ExitCode::from(1);
        }
    };
    for entry in chosen.entries.iter().filter(|entry| entry.twin.is_none()) {
        pending::reference(&Project::snapshot_path(&entry.path));
    }
    let tally = Arc::new(Mutex::new(Tally {
        is_fail_fast: arguments.fail_fast,
        ..Tally::default()
    }));
    let trials = || {
        let of_entries = chosen
            .entries
            .iter()
            .map(|entry| to_trial(entry, &context, libtest, &tally));
        let project = Arc::clone(project);
        let orphans = chosen.has_orphans.then(|| {
            noted(discovery::ORPHANS, None, &tally, move || {
                leftovers::check_orphans(&project)?;
                Ok(Completion::Completed)
            })
        });
        of_entries.chain(orphans).collect()
    };
    let has_failed = printing::run(libtest, &trials, &tally);
    let mut is_reported = true;
    if !arguments.list {
        summarise(project, &tally, arguments.is_whole() && !has_failed);
        if let Some(report) = &context.mutants {
            say(report);
        }
        is_reported = report_elsewhere(arguments, &tally, &last_failed);
    }
    // Started logic ends with the project, before the process does.
    drop(context);
    match (has_failed, is_reported) {
        (true, _) => ExitCode::from(101),
        (false, false) => ExitCode::from(1),
        (false, true) => ExitCode::SUCCESS,
    }
}

/// Whether a runner gives each case a process of its own, and reports the run itself.
fn is_under_nextest() -> bool {
    std::env::var_os("NEXTEST").is_some()
}

/// Tells the next run, GitHub and a JUnit file how the cases ended. False where the JUnit file could not be written.
fn report_elsewhere(
    arguments: &TestArguments,
    tally: &Mutex<Tally>,
    last_failed: &LastFailed,
) -> bool {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.results.sort_by(|a, b| a.name.cmp(&b.name));
    if !is_under_nextest() {
        // Nothing is written in CI, where the next run is another machine's.
        if !pending::is_ci() {
            last_failed.update(&tally.results);
        }
        if github::is_running() {
            github::report(&tally.results, &tally.totals);
        }
    }
    let Some(file) = &arguments.junit else {
        return true;
    };
    match results::write_junit(&tally.results, file) {
        Ok(()) => true,
        Err(error) => {
            complain(format_args!(
                "error: {}: cannot write the results: {}",
                Project::shown(file),
                words(&error)
            ));
            false
        }
    }
}

fn to_trial(
    entry: &Entry,
    context: &Context,
    libtest: &Arguments,
    tally: &Arc<Mutex<Tally>>,
) -> Trial {
    // nextest shows what ignores itself while it runs as passed: it has to be told while listing. `cargo test`
    // shows the reason of what ignores itself.
    let is_told_early =
        libtest.list || libtest.ignored || libtest.include_ignored || is_under_nextest();
    let left_out = entry.left_out(&context.project, is_told_early);
    let is_ignored = is_told_early && left_out.is_some();
    let (entry, context, shared) = (entry.clone(), context.clone(), Arc::clone(tally));
    let name = entry.name.clone();
    let fixture = Project::shown(&entry.path);
    let trial = noted(&name, Some(fixture), tally, move || {
        let ending = match left_out {
            Some(reason) if !is_told_early => Ending::NotChecked(reason),
            Some(reason) => return Err(format!("not checked: {reason}").into()),
            None => trial::run(&context, &entry),
        };
        let mut tally = shared.lock().unwrap_or_else(PoisonError::into_inner);
        tally.totals.count(&ending);
        match ending {
            Ending::Closed => {}
            Ending::Open => tally.open.push(entry.name.clone()),
            Ending::NotChecked(reason) => {
                if is_told_early {
                    let how = how_to_leave_out(&entry);
                    return Err(format!("not checked: {reason}\n\n{how}").into());
                }
                return Ok(Completion::ignored_with(format!("not checked: {reason}")));
            }
            Ending::Failed(message) => return Err(message.into()),
        }
        Ok(Completion::Completed)
    });
    trial.with_ignored_flag(is_ignored)
}

/// A trial whose end is noted, and whose words cannot act on a terminal or a CI.
fn noted(
    name: &str,
    fixture: Option<String>,
    tally: &Arc<Mutex<Tally>>,
    run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    let (own, tally) = (name.to_owned(), Arc::clone(tally));
    Trial::ignorable_test(name, move || {
        let begun = Instant::now();
        if tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_over()
        {
            return Ok(Completion::ignored_with("not replayed: --fail-fast"));
        }
        let ended = match run() {
            Ok(Completion::Ignored { reason }) => {
                CaseEnding::NotChecked(one_line(&reason.unwrap_or_default()).into_owned())
            }
            Ok(Completion::Completed) => CaseEnding::Passed,
            Err(failed) => {
                CaseEnding::Failed(escaped(failed.message().unwrap_or_default()).into_owned())
            }
        };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.results.push(CaseResult {
            name: own,
            fixture,
            took: begun.elapsed(),
            ending: ended.clone(),
        });
        match ended {
            CaseEnding::Passed => Ok(Completion::Completed),
            CaseEnding::NotChecked(reason) => Ok(Completion::ignored_with(reason)),
            CaseEnding::Failed(message) => Err(message.into()),
        }
    })
}

fn how_to_leave_out(entry: &Entry) -> String {
    format!(
        "a runner with a process a test cannot show a case as ignored while it runs; leave it out by name in \
         replay.toml:\n\n  [[skip]]\n  fixtures = \"{}\"\n  reason = \"…\"",
        entry.relative
    )
}

fn summarise(project: &Project, tally: &Mutex<Tally>, says_unused: bool) {
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    // A runner with a process a trial shows what a failing one printed: an empty count would say nothing there.
    if tally.totals.sum() == 0 {
        return;
    }
    say(&tally.totals);
    for name in &tally.open {
        say(format_args!("  open: {name}"));
    }
    for rule in project.rules().unused().filter(|_| says_unused) {
        say(format_args!(
            "  note: the rule for `{}` of `{}` in replay.toml never fired{}",
            rule.field,
            rule.type_pattern,
            project.why_unused(rule)
        ));
    }
    say("");
}
