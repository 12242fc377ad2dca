//! Replays through a real coordinator: which one, and notes about the result.

use std::path::Path;

use crate::model::{Case, ComponentKind};
use crate::project::{CoordinatorChoice, IsolatedCoordinator, Occasion, Project};
use crate::replay::ReplayNote;
use crate::terminal::program;
use crate::wire::{UnknownFields, unknown_in_command, unknown_in_page};

/// The coordinator to replay through, and who replays.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct RequestedCoordinator {
    /// Its name in `replay.toml`.
    pub name: String,
    /// Whether a history may be loaded even if the coordinator publishes the loaded events.
    pub may_publish: bool,
    /// The person, shown to others who find the edition.
    pub who: String,
    /// The time, RFC 3339.
    pub time: String,
}

/// Fixture and issue, which become part of an edition's name and ledger entry.
pub(super) struct EditionNames {
    fixture: String,
    what: String,
}

impl EditionNames {
    /// Uses the issue of the case, otherwise the name of its fixture.
    pub(super) fn of(path: &Path, case: &Case) -> Self {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Self {
            fixture: Project::shown(path),
            what: case.issue.clone().unwrap_or_else(|| stem.into_owned()),
        }
    }
}

impl RequestedCoordinator {
    pub(super) fn choice<'a>(&'a self, names: &'a EditionNames) -> CoordinatorChoice<'a> {
        CoordinatorChoice {
            name: &self.name,
            may_publish: self.may_publish,
            occasion: Occasion {
                fixture: &names.fixture,
                what: &names.what,
                who: &self.who,
                time: &self.time,
            },
        }
    }
}

/// The coordinator that a case was replayed through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[doc(hidden)]
pub struct CoordinatorReport {
    /// Its name, and where it runs.
    pub description: String,
    /// Whether it called the logic that was chosen for the replay. Otherwise it called the logic that is deployed
    /// behind it.
    pub has_chosen_logic: bool,
    /// What the logic sees through it, and how it differs from production.
    pub(super) notes: Vec<String>,
}

impl CoordinatorReport {
    pub(super) fn of(coordinator: &IsolatedCoordinator, case: &Case) -> Self {
        let kind = case.stimulus.component_kind();
        let is_in_edition = coordinator.edition().is_some();
        let mut notes = seen(coordinator, kind, case.cover.edition.label());
        notes.extend(assumed_dialect(coordinator));
        notes.extend(not_loaded(case, is_in_edition));
        Self {
            description: coordinator.describe().to_owned(),
            has_chosen_logic: !is_in_edition,
            notes,
        }
    }
}

fn assumed_dialect(coordinator: &IsolatedCoordinator) -> Option<String> {
    let dialect = coordinator.assumed_dialect()?;
    let others: Vec<&str> = dialect.of_same_package().map(|it| it.name()).collect();
    Some(format!(
        "the coordinator is spoken to in `{dialect}`, which is assumed: {} have the same package, and other numbers for \
         enums; `dialect` in [coordinators.{}] settles it",
        others.join(" and "),
        coordinator.name()
    ))
}

/// Unknown fields that are lost when a history is loaded as facts, or a command is sent to another edition.
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

/// What the logic sees through a coordinator, and how it differs from production.
fn seen(coordinator: &IsolatedCoordinator, kind: ComponentKind, captured: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if kind == ComponentKind::Aggregate {
        if let Some(edition) = coordinator.edition() {
            notes.push(format!(
                "the logic sees the edition `{edition}` instead of `{captured}`; a history that was loaded into it stays \
                 there, see `{} editions list`",
                program()
            ));
        }
        notes.push(
            "through a coordinator the history arrives as facts: the logic sees all of it without a correlation id, pages \
             without a time have that of the load, and a revocation comes back without its flags, a notification as no events"
                .to_owned(),
        );
    } else {
        notes.push(
            "in speculation, a coordinator passes no destination sequences, answers every failure with the code INTERNAL, \
             and does not return what was prepared and notified"
                .to_owned(),
        );
    }
    notes
}
