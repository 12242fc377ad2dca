//! The debug report of a replayed case, as text and as JSON.

mod books;
mod json;
mod text;

use std::path::Path;

use serde_yaml::Value;

use crate::fixture::Fixture;
use crate::harness::Ending;
use crate::model::{Case, ComponentKind, Failure, Outcome, Payload, Status, Stimulus};
use crate::payload::{Decoded, Registry, to_yaml};
use crate::project::{CaseRun, Checked, Project, SelectedLogic};
use crate::replay::{Target, shown_book};
use crate::snapshot::{Difference, Verdict, differences, listed, stored};

/// Everything that a report shows.
pub(super) struct Report<'a> {
    pub(super) path: &'a Path,
    pub(super) fixture: &'a Fixture,
    pub(super) logic: &'a SelectedLogic,
    pub(super) run: &'a CaseRun,
    pub(super) states: States,
    pub(super) descriptors: [&'a Registry; 2],
    /// What started logic wrote last, where it crashed.
    pub(super) last_words: Option<String>,
    /// The coordinator that it was replayed through, if any.
    pub(super) through: Option<Through>,
    /// The case was changed for this replay: what production did and the snapshot are no measure.
    pub(super) is_what_if: bool,
}

/// The state of a case before its command, and after it.
#[derive(Default)]
pub(super) struct States {
    /// Before, where the logic offers it.
    pub(super) before: Option<Value>,
    /// After.
    pub(super) after: Option<Value>,
    /// Why it failed to say one of them, on its own defect.
    pub(super) failure: Option<Failure>,
}

/// A coordinator between the replay and the logic, and what is worth knowing of it.
pub(super) struct Through {
    /// Its name, and where it runs.
    pub(super) described: String,
    /// Whether the logic behind it is the one that was chosen here, and not one that it has anyway.
    pub(super) has_logic_of_ours: bool,
    /// What the logic sees through it, and what it does otherwise than production did.
    pub(super) notes: Vec<String>,
}

/// How the outcome stands to the accepted snapshot.
pub(super) enum Regression {
    /// There is none.
    NoSnapshot,
    /// It is the same.
    Same,
    /// It differs.
    Differs(Vec<Difference>),
    /// It cannot be read, or there is nothing to compare.
    NotChecked(String),
}

impl Report<'_> {
    pub(super) fn regression(&self) -> Regression {
        let snapshot = Project::snapshot_path(self.path);
        match (stored::accepted(&snapshot), self.run.text()) {
            (Err(reason), _) => {
                Regression::NotChecked(format!("{}: {reason}", Project::shown(&snapshot)))
            }
            (Ok(None), _) => Regression::NoSnapshot,
            (Ok(Some(_)), None) => {
                Regression::NotChecked("the logic offers nothing to compare".into())
            }
            (Ok(Some(accepted)), Some(text)) if stored::is_same(&accepted, &text) => {
                Regression::Same
            }
            (Ok(Some(accepted)), Some(_)) => {
                let expected: Value = serde_yaml::from_str(&accepted).unwrap_or_default();
                let now = self.run.view.clone().unwrap_or_default();
                Regression::Differs(differences(&expected, &now, &self.descriptors))
            }
        }
    }

    /// Whether the case is as it should be. One that cannot be judged is not.
    pub(super) fn is_fine(&self) -> bool {
        self.is_what_if || matches!(self.ending(), Ending::Closed | Ending::Open)
    }

    /// How the case ends, as its trial in `cargo test` does.
    pub(super) fn ending(&self) -> Ending {
        if self.run.view.is_none() {
            return Ending::NotChecked(format!(
                "logic `{}` offers neither Replay nor an upcaster",
                self.logic.config.name
            ));
        }
        let failed = |what: &str, differences: &[Difference]| {
            let lines = listed(differences);
            let lines = lines.iter().map(|line| format!("\n  {line}"));
            Ending::Failed(format!("{what}{}", lines.collect::<String>()))
        };
        match (self.regression(), self.fixture.case.status) {
            (Regression::Same, _) => Ending::Closed,
            (Regression::Differs(found), _) => failed("the outcome changed", &found),
            (Regression::NotChecked(reason), _) => Ending::Failed(reason),
            (Regression::NoSnapshot, Status::Closed) => {
                failed("the case is closed and its snapshot is missing", &[])
            }
            (Regression::NoSnapshot, Status::Open) => match &self.run.verdict {
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

    /// What is worth saying, in words.
    fn said(&self) -> impl Iterator<Item = String> {
        let of_through = self
            .through
            .iter()
            .flat_map(|through| through.notes.clone());
        let of_states = self.states.failure.as_ref().map(|failure| {
            format!(
                "a state cannot be shown, as `Replay` of the logic failed on its own defect: {}: {:?}",
                failure.code, failure.message
            )
        });
        let notes = self.run.notes.iter().cloned();
        notes.chain(of_states).chain(of_through)
    }

    fn decode(&self, payload: &Payload) -> Option<Value> {
        decode(self.descriptors, payload)
    }
}

/// A payload made readable by the first registry that knows its type.
fn decode(descriptors: [&Registry; 2], payload: &Payload) -> Option<Value> {
    let registry = descriptors
        .iter()
        .find(|registry| registry.knows(payload.type_name()))?;
    match registry.decode(payload) {
        Decoded::Exact(view) | Decoded::Inexact(view) => Some(view),
        Decoded::Undescribed | Decoded::Malformed(_) => None,
    }
}

/// The state of a case before its command, and after it, where the logic offers it. A failure here is none of
/// the case's.
pub(super) fn states(
    case: &Case,
    run: &CaseRun,
    target: &dyn Target,
    descriptors: [&Registry; 2],
) -> States {
    let Checked::Step(replay) = &run.checked else {
        return States::default();
    };
    if case.stimulus.component_kind() != ComponentKind::Aggregate {
        return States::default();
    }
    let Some(shown) = shown_book(target, &case.event_book()) else {
        return States::default();
    };
    let mut states = States::default();
    let fold = |pages: Vec<crate::model::Page>, failure: &mut Option<Failure>| {
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
    let mut pages = shown.history.pages().to_vec();
    states.before = fold(pages.clone(), &mut states.failure);
    let Outcome::Accepted(book) = &replay.outcome else {
        return states;
    };
    if states.before.is_none() || book.pages.is_empty() {
        return states;
    }
    for (sequence, page) in (shown.next_sequence..).zip(&book.pages) {
        pages.push(crate::model::Page {
            sequence,
            created_at: page.created_at,
            body: page.body.clone(),
            provisional: false,
            cascade_id: None,
            original: None,
        });
    }
    states.after = fold(pages, &mut states.failure);
    states
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => to_yaml(other).trim_end().to_owned(),
    }
}
