//! The result of a replay: the outcome, its comparison with production and with the snapshot, and the states around the
//! command.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::CoordinatorReport;
use crate::fixture::Fixture;
use crate::harness::Ending;
use crate::model::{Case, ComponentKind, Failure, Outcome, Page, Pages, Payload, Status, Stimulus};
use crate::payload::{Decoded, Registry};
use crate::project::{CaseResult, Project, ReplayedCase};
use crate::replay::shown_book;
use crate::snapshot::{Difference, Verdict, differences, listed_styled, stored};
use crate::terminal::Text;

/// The result of a replay.
pub struct ReplayReport {
    /// Path of the fixture.
    pub path: PathBuf,
    /// The fixture as it was replayed.
    pub fixture: Fixture,
    /// The outcome, the verdict against production, and the logic that was asked.
    pub replayed: ReplayedCase,
    /// The comparison with the accepted snapshot.
    pub snapshot: SnapshotComparison,
    /// The states before and after the command.
    pub states: States,
    /// Notes about the replay, in words.
    pub notes: Vec<String>,
    /// The last output of started logic, if it crashed.
    pub last_output: Option<String>,
    /// The coordinator that it was replayed through, if any.
    pub coordinator: Option<CoordinatorReport>,
    /// Whether the case was modified for this replay, so that production and the snapshot are not comparable.
    pub is_what_if: bool,
    /// Today's descriptors.
    pub(super) today: Registry,
}

/// The state of a case before its command, and after it.
#[derive(Debug, Clone, Default)]
#[doc(hidden)]
pub struct States {
    /// State before the command, if the logic offers it.
    pub before: Option<Value>,
    /// State after the command.
    pub after: Option<Value>,
    /// The failure, if the logic crashed while returning one of them.
    pub failure: Option<Failure>,
}

/// How an outcome compares with the accepted snapshot.
#[derive(Debug, Clone, PartialEq)]
#[doc(hidden)]
pub enum SnapshotComparison {
    /// There is no snapshot.
    NoSnapshot,
    /// They are the same.
    Same,
    /// They differ.
    Differs(Vec<Difference>),
    /// The snapshot cannot be read, or there is nothing to compare.
    NotChecked(String),
}

impl ReplayReport {
    /// Whether the case is as expected. False if it cannot be judged.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.is_what_if
            || matches!(
                self.ending(),
                Ending::Closed | Ending::Intended | Ending::Open
            )
    }

    /// The result of the case as a trial in `cargo test`.
    pub(crate) fn ending(&self) -> Ending {
        if self.replayed.view.is_none() {
            return Ending::NotChecked(self.replayed.nothing_to_compare());
        }
        let failed = |what: &str, differences: &[Difference]| {
            let mut text = Text::plain(what);
            text.append(&listed_styled(differences));
            Ending::Failed(text)
        };
        match (&self.snapshot, self.fixture.case.status) {
            (SnapshotComparison::Same, status) => {
                Ending::of_accepted(&self.path, status, self.replayed.view.as_ref())
            }
            (SnapshotComparison::Differs(found), _) => failed("the outcome changed", found),
            (SnapshotComparison::NotChecked(reason), _) => Ending::Failed(reason.clone().into()),
            (SnapshotComparison::NoSnapshot, status @ (Status::Closed | Status::Intended)) => {
                let word = status.word();
                failed(
                    &format!("the case is {word} and its snapshot is missing"),
                    &[],
                )
            }
            (SnapshotComparison::NoSnapshot, Status::Open) => match &self.replayed.verdict {
                Verdict::Reproduced => Ending::Open,
                Verdict::NotChecked { reason } => {
                    Ending::NotChecked(format!("the case is open, but {reason}"))
                }
                Verdict::NotReproduced { differences, .. } => {
                    failed("the open case no longer reproduces", differences)
                }
            },
        }
    }

    /// A payload as a readable value; `None` if no descriptor knows its type.
    #[must_use]
    pub fn decode(&self, payload: &Payload) -> Option<Value> {
        decode([&self.today, &self.fixture.descriptors], payload)
    }
}

impl SnapshotComparison {
    pub(super) fn of(fixture: &Path, replayed: &ReplayedCase, descriptors: [&Registry; 2]) -> Self {
        let snapshot = Project::snapshot_path(fixture);
        let accepted = match stored::accepted(&snapshot) {
            Ok(Some(accepted)) => accepted,
            Ok(None) => return Self::NoSnapshot,
            Err(reason) => {
                return Self::NotChecked(format!("{}: {reason}", Project::shown(&snapshot)));
            }
        };
        let (Some(view), Some(text)) = (&replayed.view, replayed.text()) else {
            return Self::NotChecked("the logic offers nothing to compare".into());
        };
        if stored::is_same(&accepted, &text) {
            return Self::Same;
        }
        let expected: Value = serde_yaml::from_str(&accepted).unwrap_or_default();
        Self::Differs(differences(&expected, view, &descriptors))
    }
}

/// Decodes a payload with the first registry that knows its type.
fn decode(descriptors: [&Registry; 2], payload: &Payload) -> Option<Value> {
    let registry = descriptors
        .iter()
        .find(|registry| registry.knows(payload.type_name()))?;
    match registry.decode(payload) {
        Decoded::Exact(view) | Decoded::Inexact(view) => Some(view),
        Decoded::Undescribed | Decoded::Malformed(_) => None,
    }
}

impl States {
    /// The states of a replayed case, if its logic offers them. A failure here does not fail the case.
    pub(super) fn around_command(
        case: &Case,
        replayed: &ReplayedCase,
        descriptors: [&Registry; 2],
    ) -> Self {
        let target = replayed.logic.target();
        let CaseResult::Step(replay) = &replayed.result else {
            return Self::default();
        };
        if case.stimulus.component_kind() != ComponentKind::Aggregate {
            return Self::default();
        }
        let Some(shown) = shown_book(target, &case.event_book()) else {
            return Self::default();
        };
        let mut states = Self::default();
        let fold = |pages: Pages, failure: &mut Option<Failure>| {
            let stimulus = Stimulus::Fold {
                snapshot: shown.snapshot.clone(),
                pages,
            };
            match target.ask(&stimulus) {
                Ok(Outcome::Folded(state)) => decode(descriptors, &state),
                Ok(Outcome::Crashed(crashed)) => {
                    *failure = Some(crashed);
                    None
                }
                _ => None,
            }
        };
        states.before = fold(shown.history.shared_pages(), &mut states.failure);
        let Outcome::Accepted(book) = &replay.outcome else {
            return states;
        };
        if states.before.is_none() || book.pages.is_empty() {
            return states;
        }
        let mut pages = shown.history.into_pages();
        for (sequence, page) in (shown.next_sequence..).zip(&book.pages) {
            pages.push(Page {
                sequence,
                created_at: page.created_at,
                body: page.body.clone(),
                provisional: false,
                cascade_id: None,
                original: None,
            });
        }
        states.after = fold(pages.into(), &mut states.failure);
        states
    }
}
