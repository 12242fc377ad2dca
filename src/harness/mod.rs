//! `cargo test`: every fixture is a trial, named by its path.
//!
//! The trials are found by walking the fixtures folder. Before a trial runs, nothing is parsed and nothing is started.

mod alone;
mod arguments;
mod bare_run;
mod broken_pipe;
mod chosen;
mod discovery;
mod ending;
mod failure_details;
mod gate;
mod github;
mod heading;
mod leftovers;
mod mutant_report;
mod mutant_trials;
mod pending;
mod results;
mod selection;
mod totals;
mod trial;
mod watched;

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use alone::Turns;
use arguments::HarnessCommandLine;
pub(crate) use arguments::TestArguments;
#[doc(hidden)]
pub use bare_run::{BareRun, run_bare};
use chosen::chosen;
use clap::Parser as _;
pub(crate) use discovery::entries_of;
pub use discovery::{DiscoveryError, Entry, discover, entry_of};
pub(crate) use ending::Ending;
use gate::Gate;
pub(crate) use heading::heading;
pub(crate) use leftovers::leftovers;
use libtest_mimic::{Arguments, Completion, FormatSetting, Trial};
#[doc(hidden)]
pub use mutant_trials::{HidingReason, NeverCompared, TriedMutant, try_mutants};
pub(crate) use pending::pending_path;
use results::{CaseEnding, LastFailed, TrialResult};
pub(crate) use selection::select;
pub(crate) use totals::Totals;

use crate::processes::{end_all_on_interrupt, end_all_on_interrupt_once_started};
use crate::project::{App, LogicConfig, Project};
use crate::terminal::{
    Program, Text, complain_of_error, escape_panics, one_line, say, set_colours, set_program,
    stdout_has_colours, words,
};
use mutant_report::MutantReport;
use trial::Context;

/// The results of a run.
#[derive(Debug, Default)]
struct Tally {
    totals: Totals,
    open: Vec<Arc<str>>,
    /// How each trial ended that ran.
    results: Vec<TrialResult>,
    /// Whether no trial is started any more after one has failed.
    is_fail_fast: bool,
    /// Whether the messages of failed trials have colours.
    has_colours: bool,
}

impl Tally {
    fn has_failed(&self) -> bool {
        self.results.iter().any(|result| result.failure().is_some())
    }

    fn is_over(&self) -> bool {
        self.is_fail_fast && self.has_failed()
    }
}

impl App {
    /// The main of a test target with `harness = false`. Accepts the arguments of `cargo test` and `cargo nextest`.
    #[must_use]
    pub fn harness(self) -> ExitCode {
        set_program(Program::Cargo(self.command_name.unwrap_or("cargo xtask")));
        escape_panics();
        let HarnessCommandLine { arguments } = HarnessCommandLine::parse();
        if let Some(colours) = arguments.color {
            set_colours(colours);
        }
        let folder = std::env::current_dir().unwrap_or_default();
        let open = || Project::open(self.clone(), &folder).map_err(|error| error.to_string());
        match open() {
            Ok(project) => {
                if arguments.watch {
                    end_all_on_interrupt();
                } else {
                    end_all_on_interrupt_once_started();
                }
                test(project, &arguments, &open, None)
            }
            Err(error) => {
                complain_of_error(&error);
                ExitCode::from(2)
            }
        }
    }
}

/// Replays the cases of a project, again after every change if this is asked for. The exit code is 101 if one failed, as
/// that of libtest. `open` opens the project again, with the configuration file that the user named, if any.
pub(crate) fn test(
    project: Project,
    arguments: &TestArguments,
    open: &dyn Fn() -> Result<Project, String>,
    configuration: Option<&Path>,
) -> ExitCode {
    broken_pipe::silence_broken_pipes();
    // In CI a run writes nothing, unless each case has a process of its own, which then need not compile.
    let is_of_use = !pending::is_ci() || is_under_nextest();
    let prepared = |project: Project| {
        if arguments.no_cache || !is_of_use {
            project
        } else {
            project.with_cache()
        }
    };
    let project = prepared(project);
    if arguments.watch {
        let open = || open().map(prepared);
        watched::test(project, arguments, &open, configuration)
    } else {
        test_once(project, arguments)
    }
}

fn test_once(project: Project, arguments: &TestArguments) -> ExitCode {
    run(arguments, arguments.libtest(), &Arc::new(project))
}

/// Number of threads, and how many of them run trials at once; `None` where as many as there are cores are best. Trials that call
/// another process mostly wait for it, so more threads than cores keep both busy. A single case runs on the main thread.
fn threads(project: &Project, cases: usize) -> Option<(usize, Gate)> {
    if cases <= 1 {
        return Some((1, Gate::default()));
    }
    let waits = |logic: &LogicConfig| logic.place.is_remote();
    let is_remote = project.logics().all().any(waits) || project.logics().twins().count() > 0;
    let cores = std::thread::available_parallelism().ok()?.get();
    let (fewest, most) = (4 * cores, 16 * cores);
    is_remote.then(|| (most, Gate::between(fewest, most)))
}

fn run(arguments: &TestArguments, mut libtest: Arguments, project: &Arc<Project>) -> ExitCode {
    if arguments.delete_orphans
        && let Err(message) = leftovers::delete(project)
    {
        complain_of_error(&message);
        return ExitCode::from(1);
    }
    let last_failed = LastFailed::of(project);
    let chosen = match chosen(arguments, project, &last_failed) {
        Ok(chosen) => chosen,
        Err(error) => {
            complain_of_error(&error);
            return ExitCode::from(1);
        }
    };
    let mut gate = Gate::default();
    if libtest.test_threads.is_none()
        && let Some((threads, of_threads)) = threads(project, chosen.entries.len())
    {
        libtest.test_threads = Some(threads);
        gate = of_threads;
    }
    let libtest = &libtest;
    let context = Context {
        project: Arc::clone(project),
        mutants: project.config().mutate.then(Arc::<MutantReport>::default),
        details: Arc::default(),
        turns: Arc::new(Turns::with_gate(gate)),
    };
    for entry in chosen.entries.iter().filter(|entry| entry.twin.is_none()) {
        pending::reference(&Project::snapshot_path(&entry.path));
    }
    let tally = Arc::new(Mutex::new(Tally {
        is_fail_fast: arguments.fail_fast,
        has_colours: stdout_has_colours() && !matches!(libtest.format, Some(FormatSetting::Json)),
        ..Tally::default()
    }));
    let trials = || {
        let of_entries = chosen
            .entries
            .iter()
            .map(|entry| to_trial(entry, &context, libtest, &tally));
        let project = Arc::clone(project);
        let orphans = chosen.has_orphans.then(|| {
            counted_trial(discovery::ORPHANS.into(), None, &tally, move || {
                match leftovers::check_orphans(&project) {
                    Ok(()) => Ok(Completion::Completed),
                    Err(error) => Err(error.to_string().into()),
                }
            })
        });
        of_entries.chain(orphans).collect()
    };
    let has_failed = broken_pipe::run(libtest, &trials, &tally);
    let mut is_reported = true;
    if !arguments.list {
        summarise(project, &tally, arguments.is_whole() && !has_failed);
        if let Some(report) = &context.mutants {
            say(report);
        }
        add_details(&tally, &context);
        is_reported = report_elsewhere(arguments, &tally, &last_failed);
    }
    // Started logic ends now, even if a case that took too long still waits for it.
    project.logics().end_started();
    drop(context);
    match (has_failed, is_reported) {
        (true, _) => ExitCode::from(101),
        (false, false) => ExitCode::from(1),
        (false, true) => ExitCode::SUCCESS,
    }
}

/// Adds to each failed case how its outcome changed, and the line that it is about.
fn add_details(tally: &Mutex<Tally>, context: &Context) {
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    for result in &mut tally.results {
        let details = context.details.take(&result.name);
        result.changes = details.changes;
        result.line = details.line;
    }
}

/// Whether a runner gives each case a process of its own, and reports the run itself.
fn is_under_nextest() -> bool {
    std::env::var_os("NEXTEST").is_some()
}

/// Reports the results to the next run, to GitHub and in a JUnit file. False if the JUnit file could not be written.
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
            complain_of_error(format_args!(
                "{}: cannot write the results: {}",
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
    // nextest reports a trial that ignores itself as passed, so it must be marked while listing. `cargo test` reports the
    // reason.
    let is_told_early =
        libtest.list || libtest.ignored || libtest.include_ignored || is_under_nextest();
    let left_out = entry.left_out(&context.project, is_told_early);
    let is_ignored = is_told_early && left_out.is_some();
    let (entry, context, shared) = (entry.clone(), context.clone(), Arc::clone(tally));
    let (name, path) = (Arc::clone(&entry.name), Arc::clone(&entry.path));
    let trial = counted_trial(name, Some(path), tally, move || {
        let ending = match left_out {
            Some(reason) if !is_told_early => Ending::NotChecked(reason),
            Some(reason) => return Err(format!("not checked: {reason}").into()),
            None => trial::run(&context, &entry),
        };
        let mut tally = shared.lock().unwrap_or_else(PoisonError::into_inner);
        tally.totals.count(&ending);
        match ending {
            Ending::Closed | Ending::Intended => {}
            Ending::Open => tally.open.push(Arc::clone(&entry.name)),
            Ending::NotChecked(reason) => {
                if is_told_early {
                    let how = how_to_skip(&entry);
                    return Err(format!("not checked: {reason}\n\n{how}").into());
                }
                return Ok(Completion::ignored_with(format!("not checked: {reason}")));
            }
            Ending::Failed(message) => return Err(message),
        }
        Ok(Completion::Completed)
    });
    trial.with_ignored_flag(is_ignored)
}

/// A trial whose result is counted, and whose message is safe for terminals and CI logs.
fn counted_trial(
    name: Arc<str>,
    fixture: Option<Arc<Path>>,
    tally: &Arc<Mutex<Tally>>,
    run: impl FnOnce() -> Result<Completion, Text> + Send + 'static,
) -> Trial {
    let tally = Arc::clone(tally);
    Trial::ignorable_test(name.to_string(), move || {
        let begun = Instant::now();
        if tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_over()
        {
            return Ok(Completion::ignored_with("not replayed: --fail-fast"));
        }
        let result = run();
        let ended = match &result {
            Ok(Completion::Ignored { reason }) => {
                let reason = reason.as_deref().unwrap_or_default();
                CaseEnding::NotChecked(one_line(reason).into_owned())
            }
            Ok(Completion::Completed) => CaseEnding::Passed,
            Err(message) => CaseEnding::Failed(message.shown(false)),
        };
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.results.push(TrialResult {
            name,
            fixture,
            took: begun.elapsed(),
            ending: ended.clone(),
            changes: Vec::new(),
            line: None,
        });
        match (result, ended) {
            (Err(message), _) => Err(message.shown(tally.has_colours).into()),
            (Ok(_), CaseEnding::NotChecked(reason)) => Ok(Completion::ignored_with(reason)),
            (Ok(_), _) => Ok(Completion::Completed),
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
    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    // A runner with a process per trial shows the output of failing trials, where an empty count would be meaningless.
    if tally.totals.sum() == 0 {
        return;
    }
    say(&tally.totals);
    // Trials end in any order.
    tally.open.sort_unstable();
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
