//! `replay`: replays cases and prints the report.

use std::path::{Path, PathBuf};

use clap::Args;

use super::what_if::Changes;
use super::{Done, Fixtures, Stop, complain, debug, report, say, several};
use crate::diagram::mermaid;
use crate::harness::Entry;
use crate::project::{CaseResult, Project};
use crate::replaying::{ReplayReport, ReplayRequest, RequestedCoordinator, replay};
use crate::terminal::{show, stdout_width};
use crate::watching::{CompiledIn, Rerun, run_on_changes};

/// Replay cases on today's logic and report: history, command, outcome, what production did, verdict.
///
/// Nothing is persisted. One case is reported in full, and the command ends with 1 if it differs or cannot be judged.
/// Several cases get a line each, also on their twins, and are counted as tests are; the command ends with 1 if
/// one failed.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct ReplayArguments {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Replay on this logic: a name in replay.toml, or an address.
    #[arg(long, value_name = "NAME|ADDRESS")]
    logic: Option<String>,
    /// Replay through this coordinator of replay.toml, on a fresh store or in an edition of its own.
    #[arg(long, value_name = "NAME", conflicts_with = "debug")]
    coordinator: Option<String>,
    /// Load the history into an edition at the coordinator's address, even if its dialect publishes loaded events.
    #[arg(long, requires = "coordinator")]
    force: bool,
    /// What if the command had come after this event? -1 for none.
    #[arg(long, value_name = "SEQUENCE", allow_negative_numbers = true)]
    to_sequence: Option<i64>,
    #[command(flatten)]
    changes: Changes,
    /// Start the logic under its debugger, wait, and send one `Handle` without a deadline.
    #[arg(long)]
    debug: bool,
    /// Print as JSON, one object per case.
    #[arg(long, conflicts_with = "debug")]
    json: bool,
    /// Show every event of a long history, not only its beginning, its end, and what differs.
    #[arg(long)]
    all: bool,
    /// Replay again whenever the fixture, its snapshot, the configuration or a file of the logic changes, until Ctrl+C.
    #[arg(long, conflicts_with = "debug")]
    watch: bool,
    /// Print only the sequence diagram of a flow, as Mermaid text.
    #[arg(long, conflicts_with_all = ["debug", "json"])]
    mermaid: bool,
}

impl ReplayArguments {
    /// Converts the arguments to a request.
    fn request(&self) -> Result<ReplayRequest, Stop> {
        let coordinator = self.coordinator.as_ref();
        Ok(ReplayRequest {
            logic: self.logic.clone(),
            coordinator: coordinator.map(|name| RequestedCoordinator {
                name: name.clone(),
                may_publish: self.force,
                who: person(),
                time: format!("{:.3}", jiff::Timestamp::now()),
            }),
            last_sequence: self.to_sequence,
            changes: self.changes.parsed()?,
        })
    }

    pub(super) const fn watches(&self) -> bool {
        self.watch
    }

    /// The first flag that is only valid for one case.
    fn flag_for_one(&self) -> Option<&'static str> {
        let to_sequence = self.to_sequence.map(|_| "--to-sequence");
        to_sequence
            .or_else(|| self.changes.first_flag())
            .or_else(|| self.debug.then_some("--debug"))
            .or_else(|| self.mermaid.then_some("--mermaid"))
            .or_else(|| self.all.then_some("--all"))
    }

    /// Refuses several cases with a flag that is only valid for one.
    fn check_count(&self, entries: &[Entry]) -> Done {
        match self.flag_for_one() {
            Some(flag) if entries.len() != 1 => Err(Stop::Usage(format!(
                "{flag} takes one case, and {} are named: {}",
                entries.len(),
                beginning(entries)
            ))),
            _ => Ok(()),
        }
    }
}

pub(super) fn run(project: &Project, arguments: &ReplayArguments) -> Done {
    let entries = arguments.fixtures.select(project)?;
    let request = arguments.request()?;
    arguments.check_count(&entries)?;
    match entries.as_slice() {
        [entry] => one(project, arguments, entry, request),
        entries => several::run(project, entries, &request, arguments.json),
    }
}

/// Replays, and replays again after every change.
pub(super) fn watch(
    open: &dyn Fn() -> Result<Project, Stop>,
    configuration: Option<&Path>,
    arguments: &ReplayArguments,
) -> Done {
    let project = open()?;
    // What no change of a file mends is refused at once.
    arguments.changes.parsed()?;
    let entries = arguments.fixtures.select(&project)?;
    arguments.check_count(&entries)?;
    for entry in &entries {
        let folder = entry.name.split("::").next().unwrap_or_default();
        let logic = arguments.logic.as_deref().or(entry.twin.as_deref());
        CompiledIn::check(&project, folder, logic)
            .map_err(|error| Stop::Usage(error.to_string()))?;
    }
    let mut rerun = Replayed {
        open,
        configuration,
        arguments,
    };
    let error = run_on_changes(project, &mut rerun);
    Err(Stop::Failed(error.to_string()))
}

struct Replayed<'a> {
    open: &'a dyn Fn() -> Result<Project, Stop>,
    configuration: Option<&'a Path>,
    arguments: &'a ReplayArguments,
}

impl Rerun for Replayed<'_> {
    fn open(&self) -> Result<Project, String> {
        (self.open)().map_err(|stop| stop.to_string())
    }

    fn named_configuration(&self) -> Option<&Path> {
        self.configuration
    }

    fn only_fixture(&self, project: &Project) -> Option<PathBuf> {
        match self.arguments.fixtures.select(project).ok()?.as_slice() {
            [entry] => Some(entry.path.to_path_buf()),
            _ => None,
        }
    }

    fn run(&mut self, project: Project) {
        match run(&project, self.arguments) {
            Ok(()) | Err(Stop::Differs) => {}
            Err(stop) => complain(format_args!("error: {stop}")),
        }
    }
}

/// The names of the first few cases.
fn beginning(entries: &[Entry]) -> String {
    const SHOWN: usize = 3;
    let names = entries.iter().take(SHOWN).map(|it| &*it.name);
    let rest = if entries.len() > SHOWN { ", …" } else { "" };
    format!("{}{rest}", names.collect::<Vec<_>>().join(", "))
}

/// Replays one case and reports it in full.
fn one(
    project: &Project,
    arguments: &ReplayArguments,
    entry: &Entry,
    mut request: ReplayRequest,
) -> Done {
    request.logic = request
        .logic
        .or_else(|| entry.twin.as_deref().map(str::to_owned));
    if arguments.debug {
        return debug::run(project, &entry.path, &request, arguments.all);
    }
    let report = replay(project, &entry.path, &request)?;
    if arguments.mermaid {
        say(diagram(&report)?.trim_end());
    } else if arguments.json {
        let mut object = report::json(&report);
        let ending = (!report.is_what_if).then(|| report.ending());
        several::add_result(&mut object, entry, ending.as_ref());
        say(object);
    } else {
        show(&report::text(&report, layout(arguments.all)));
    }
    if report.is_fine() {
        Ok(())
    } else {
        Err(Stop::Differs)
    }
}

/// The layout of a report on standard output.
pub(super) fn layout(shows_all: bool) -> report::ReportLayout {
    report::ReportLayout {
        room: stdout_width(),
        shows_all,
    }
}

fn diagram(report: &ReplayReport) -> Result<String, Stop> {
    match &report.replayed.result {
        CaseResult::Flow(flow) => Ok(mermaid(flow)),
        CaseResult::Step(_) | CaseResult::History(_) => Err(Stop::Usage(format!(
            "{}: --mermaid draws flows, and this is a case of kind {}",
            Project::shown(&report.path),
            report.fixture.case.stimulus.word()
        ))),
    }
}

/// The user's name, shown to others who find the edition.
fn person() -> String {
    let known = ["USER", "LOGNAME", "USERNAME"].into_iter();
    known
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "somebody".to_owned())
}
