//! `cargo test`: every fixture is a trial, named by its path.
//!
//! The trials are found by walking the fixtures folder. Before a trial runs, nothing is parsed and nothing is started.

mod bare_run;
mod broken_pipe;
mod discovery;
mod heading;
mod leftovers;
mod mutant_report;
mod mutant_trials;
mod pending;
mod selection;
mod trial;

use std::collections::BTreeSet;
use std::fmt;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

#[doc(hidden)]
pub use bare_run::{BareRun, run_bare};
pub(crate) use discovery::entries_of;
pub use discovery::{DiscoveryError, Entry, discover, entry_of};
pub(crate) use leftovers::leftovers;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
#[doc(hidden)]
pub use mutant_trials::{HidingReason, NeverCompared, TriedMutant, try_mutants};
pub(crate) use selection::select;
pub(crate) use trial::Ending;

use crate::processes::end_all_on_interrupt;
use crate::project::{App, LogicConfig, Project};
use crate::terminal::{complain, escape_panics, escaped, one_line, say};
use mutant_report::MutantReport;
use trial::Context;

/// The results of a run.
#[derive(Debug, Default)]
struct Tally {
    totals: Totals,
    open: Vec<String>,
    /// Names of all trials that ran.
    ended: BTreeSet<String>,
    has_failed: bool,
}

/// Number of cases by result. Displayed without the failed ones, like the last lines of `cargo test`.
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
    /// The main of a test target with `harness = false`. Accepts the arguments of `cargo test` and `cargo nextest`.
    #[must_use]
    pub fn harness(self) -> ExitCode {
        escape_panics();
        broken_pipe::silence_broken_pipes();
        end_all_on_interrupt();
        let mut arguments = Arguments::from_args();
        let folder = std::env::current_dir().unwrap_or_default();
        match Project::open(self, &folder) {
            Ok(project) => {
                arguments.test_threads = arguments.test_threads.or_else(|| threads(&project));
                run(&arguments, &Arc::new(project))
            }
            Err(error) => {
                complain(format_args!("error: {error}"));
                ExitCode::from(2)
            }
        }
    }
}

/// Number of threads. Trials that call another process mostly wait for it, so more threads than cores keep both busy.
fn threads(project: &Project) -> Option<usize> {
    let waits = |logic: &LogicConfig| logic.place.is_remote();
    let is_remote = project.logics().all().any(waits) || project.logics().twins().count() > 0;
    let cores = std::thread::available_parallelism().ok()?.get();
    is_remote.then_some(4 * cores)
}

fn run(arguments: &Arguments, project: &Arc<Project>) -> ExitCode {
    let context = Context {
        project: Arc::clone(project),
        mutants: project.config().mutate.then(Arc::<MutantReport>::default),
    };
    let entries = match entries(arguments, project) {
        Ok(entries) => entries,
        Err(error) => {
            complain(format_args!("error: {error}"));
            return ExitCode::from(1);
        }
    };
    for entry in entries.iter().filter(|entry| entry.twin.is_none()) {
        pending::reference(&Project::snapshot_path(&entry.path));
    }
    let tally = Arc::new(Mutex::new(Tally::default()));
    let trials = || {
        let of_entries = entries
            .iter()
            .map(|entry| to_trial(entry, &context, arguments, &tally));
        let project = Arc::clone(project);
        let orphans = counted_trial(discovery::ORPHANS, &tally, move || {
            leftovers::check_orphans(&project)?;
            Ok(Completion::Completed)
        });
        of_entries.chain([orphans]).collect()
    };
    let has_failed = broken_pipe::run(arguments, &trials, &tally);
    if !arguments.list {
        let is_whole =
            arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.ignored;
        summarise(project, &tally, is_whole && !has_failed);
        if let Some(report) = &context.mutants {
            say(report);
        }
    }
    // Started logic ends with the project, before the process does.
    drop(context);
    if has_failed {
        // The exit code of libtest.
        ExitCode::from(101)
    } else {
        ExitCode::SUCCESS
    }
}

/// The trials to run. For an exact name only that file is looked up, because a runner with a process per test must not walk
/// the folder each time.
fn entries(
    arguments: &Arguments,
    project: &Project,
) -> Result<Vec<Entry>, discovery::DiscoveryError> {
    match &arguments.filter {
        Some(name) if arguments.exact => Ok(entry_of(project, name).into_iter().collect()),
        _ => discover(project),
    }
}

fn to_trial(
    entry: &Entry,
    context: &Context,
    arguments: &Arguments,
    tally: &Arc<Mutex<Tally>>,
) -> Trial {
    // nextest reports a trial that ignores itself as passed, so it must be marked while listing. `cargo test` reports the
    // reason.
    let is_told_early = arguments.list
        || arguments.ignored
        || arguments.include_ignored
        || std::env::var_os("NEXTEST").is_some();
    let left_out = entry.left_out(&context.project, is_told_early);
    let is_ignored = is_told_early && left_out.is_some();
    let (entry, context, shared) = (entry.clone(), context.clone(), Arc::clone(tally));
    let name = entry.name.clone();
    let trial = counted_trial(&name, tally, move || {
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
                    let how = how_to_skip(&entry);
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

/// A trial whose result is counted, and whose message is safe for terminals and CI logs.
fn counted_trial(
    name: &str,
    tally: &Arc<Mutex<Tally>>,
    run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    let (own, tally) = (name.to_owned(), Arc::clone(tally));
    Trial::ignorable_test(name, move || {
        let ended = run();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.has_failed |= ended.is_err();
        tally.ended.insert(own);
        match ended {
            Ok(Completion::Ignored { reason }) => {
                let reason = reason.map(|reason| one_line(&reason).into_owned());
                Ok(Completion::Ignored { reason })
            }
            Ok(Completion::Completed) => Ok(Completion::Completed),
            Err(failed) => {
                let message = failed.message().unwrap_or_default();
                Err(escaped(message).into_owned().into())
            }
        }
    })
}

fn how_to_skip(entry: &Entry) -> String {
    format!(
        "a runner with a process per test cannot report a running case as ignored; skip it by name in \
         replay.toml:\n\n  [[skip]]\n  fixtures = \"{}\"\n  reason = \"…\"",
        entry.relative
    )
}

fn summarise(project: &Project, tally: &Mutex<Tally>, says_unused: bool) {
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    // A runner with a process per trial shows the output of failing trials, where an empty count would be meaningless.
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
