//! `replay --coordinator`: a case through a real coordinator, and what to know of the result.

use std::path::Path;

use super::Stop;
use super::report::Through;
use crate::fixture::Fixture;
use crate::model::{Case, CaseStimulus, ComponentKind};
use crate::project::{
    CaseRun, CoordinatorUnavailable, IsolatedCoordinator, Occasion, Project, SelectedLogic,
};
use crate::replay::{IsolatedError, ReplayNote};
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};

impl From<CoordinatorUnavailable> for Stop {
    fn from(error: CoordinatorUnavailable) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Makes a coordinator ready and replays a case through it. The coordinator ends with the call, where it was started.
pub(super) fn run(
    project: &Project,
    (name, is_forced): (&str, bool),
    path: &Path,
    fixture: &Fixture,
    logic: &SelectedLogic,
) -> Result<(CaseRun, Through), Stop> {
    let case = &fixture.case;
    if let Some(reason) = no_way(&case.stimulus) {
        return Err(Stop::Failed(format!("{}: {reason}", Project::shown(path))));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    let coordinator = project.coordinator(
        name,
        logic,
        case,
        &Occasion {
            fixture: &Project::shown(path),
            what: case
                .issue
                .as_deref()
                .unwrap_or_else(|| stem.as_deref().unwrap_or_default()),
            who: &person(),
            time: &format!("{:.3}", jiff::Timestamp::now()),
            may_publish: is_forced,
        },
    )?;
    let run = project
        .run_case(fixture, coordinator.target(), false)
        .map_err(|error| {
            let said = format!(
                "{}: {}",
                Project::shown(path),
                project.with_last_words(logic, &error)
            );
            Stop::Failed(match coordinator.last_words() {
                Some(words) => format!("{said}\n{words}"),
                None => said,
            })
        })?;
    let mut notes = notes(
        &coordinator,
        case.stimulus.component_kind(),
        case.cover.edition.label(),
    );
    notes.extend(coordinator.assumed_dialect().map(|dialect| {
        let others: Vec<&str> = dialect.of_same_package().map(|it| it.name()).collect();
        format!(
            "the coordinator is spoken to in `{dialect}`, which is assumed: {} have the same package, and other numbers for \
             enums; `dialect` in [coordinators.{name}] settles it",
            others.join(" and ")
        )
    }));
    notes.extend(not_loaded(case, coordinator.edition().is_some()));
    let through = Through {
        described: coordinator.describe().to_owned(),
        has_logic_of_ours: coordinator.edition().is_none(),
        notes,
    };
    Ok((run, through))
}

/// Why no coordinator answers a case of a kind; nothing has to be started to know.
const fn no_way(stimulus: &CaseStimulus) -> Option<IsolatedError> {
    match stimulus {
        CaseStimulus::Flow(_) => Some(IsolatedError::Flow),
        CaseStimulus::Fact(_) => Some(IsolatedError::FACTS),
        CaseStimulus::History => Some(IsolatedError::FOLD),
        CaseStimulus::Upcaster => Some(IsolatedError::UPCASTER),
        CaseStimulus::Command(_)
        | CaseStimulus::Compensation(_)
        | CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::ProcessCompensation(_)
        | CaseStimulus::Projector { .. } => None,
    }
}

/// Whose edition it is, for others who find it.
fn person() -> String {
    let known = ["USER", "LOGNAME", "USERNAME"].into_iter();
    known
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "somebody".to_owned())
}

/// What is lost where a history becomes facts, and where a command is sent to another edition.
fn not_loaded(case: &Case, is_in_edition: bool) -> Option<String> {
    if case.stimulus.component_kind() != ComponentKind::Aggregate {
        return None;
    }
    let pages = case.history.pages().iter();
    let mut lost: UnknownFields = pages.flat_map(unknown_in_page).collect();
    if let Some(command) = case.stimulus.command().filter(|_| is_in_edition) {
        lost.append(&mut unknown_in_command(command));
    }
    ReplayNote::not_sent(lost).map(|note| note.to_string())
}

fn notes(coordinator: &IsolatedCoordinator, kind: ComponentKind, captured: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if kind == ComponentKind::Aggregate {
        if let Some(edition) = coordinator.edition() {
            notes.push(format!(
                "the logic sees the edition `{edition}`, captured was `{captured}`; a history that was loaded into it stays \
                 there, see `cargo xtask editions list`"
            ));
        }
        notes.push(
            "through a coordinator the history arrives as facts: the logic sees all of it without a correlation id, pages \
             without a time have that of the load, and a revocation comes back without its flags, a notification as no events"
                .to_owned(),
        );
    } else {
        notes.push(
            "a coordinator tells no destination sequences in speculation, gives what fails the code INTERNAL, and keeps \
             to itself what was prepared and notified"
                .to_owned(),
        );
    }
    notes
}
