//! Replays one case: chooses its logic and makes it ready, sends the stimulus, renders the outcome and judges it.
//!
//! Trials, reports, captures and mutants all call [`Project::replay`]; they differ in their [`ReplayOptions`].

mod dialect;
mod error;
mod judging;
mod last_output;
mod ready;

use std::sync::Arc;

use serde_yaml::Value;

use super::{CoordinatorChoice, Project};
use crate::fixture::Fixture;
use crate::model::{Case, CaseStimulus, CommandBook, Probe, Rule};
use crate::replay::flow::{FlowNote, FlowRun};
use crate::replay::{
    HistoryReplay, Replay, ReplayNote, Tap, Tapped, replay_command, replay_fact, replay_history,
    replay_notification, replay_process, replay_projector, replay_saga, replay_upcaster,
};
use crate::snapshot::{Flicker, Renderer, Rules, Unchecked, Verdict};
use crate::wire::UnknownFields;

pub(super) use dialect::command_in_dialect;
use dialect::{outcome_in_captured_dialect, trigger_in_dialect};
pub use error::{ReplayError, ReplayErrorKind};
pub(crate) use judging::{other_build, snapshot_is_not_known};
pub use ready::ReadyLogic;

/// Which logic answers a case.
#[derive(Clone, Copy, Default)]
pub enum LogicChoice<'a> {
    /// The logic that the case names, else that of its domain.
    #[default]
    OfCase,
    /// Logic by its name in `replay.toml`.
    Named(&'a str),
    /// Logic that serves at an address.
    Address(&'a str),
    /// Logic that was made ready by the caller.
    Ready(&'a Arc<ReadyLogic>),
}

impl<'a> LogicChoice<'a> {
    /// Parses a command-line word: an address if it contains a colon, otherwise a name.
    #[must_use]
    pub fn of_word(word: &'a str) -> Self {
        if word.contains(':') {
            Self::Address(word)
        } else {
            Self::Named(word)
        }
    }
}

/// How a case is replayed. By default, in full, on the logic of the case.
#[derive(Clone, Copy, Default)]
pub struct ReplayOptions<'a> {
    /// Which logic answers.
    pub logic: LogicChoice<'a>,
    /// The coordinator to replay through.
    pub coordinator: Option<&'a CoordinatorChoice<'a>>,
    /// Whether to ask the logic only once. Otherwise, a case with a stored snapshot is also replayed from its full
    /// history, unless `probe` forbids it.
    pub asks_once: bool,
    /// Whether to skip the verdict, which costs as much as rendering.
    pub skips_verdict: bool,
    /// Rules, in this order, that replace those of the case and the project.
    pub rules: Option<&'a [Rules; 2]>,
    /// Observes or replaces the answers of all logic in the replay.
    pub tap: Option<&'a Tap<'a>>,
}

/// A replayed case.
pub struct ReplayedCase {
    /// The logic that it was replayed on.
    pub logic: Arc<ReadyLogic>,
    /// The outcome as a readable, normalised value; `None` if the logic offers nothing to compare.
    pub view: Option<Value>,
    /// Whether today's code does what production did.
    pub verdict: Verdict,
    /// Notes about the replay, in words.
    pub notes: Vec<String>,
    /// The raw result.
    pub result: CaseResult,
    /// Rules of the case itself that never matched.
    pub unused_rules: Vec<Rule>,
}

/// The result of a replay, by kind of case.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every case is of one step"
)]
#[derive(Debug, Clone)]
pub enum CaseResult {
    /// One step, for every other kind.
    Step(Replay),
    /// A history.
    History(HistoryReplay),
    /// A workflow.
    Flow(FlowRun),
}

impl Project {
    /// Replays a case.
    #[doc(hidden)]
    pub fn replay(
        &self,
        fixture: &Fixture,
        options: &ReplayOptions<'_>,
    ) -> Result<ReplayedCase, ReplayError> {
        let case = &fixture.case;
        let logic = self.ready_logic(case, options)?;
        let own_rules = Rules::new(case.rules.clone());
        let rules = match options.rules {
            Some([own, project]) => [own, project],
            None => [&own_rules, self.rules()],
        };
        let renderer = self.renderer(fixture, rules)?;
        let result = self
            .ask(case, &logic, options)
            .map_err(|kind| ReplayError::of_logic(self, &logic, kind))?;
        let view = result.view(&renderer);
        let verdict = if options.skips_verdict {
            Verdict::NotChecked {
                reason: Unchecked::Skipped,
            }
        } else {
            result.judge(case, &renderer)
        };
        let notes = self.notes(case, &result, logic.target().dialect(), &verdict);
        Ok(ReplayedCase {
            view,
            verdict,
            notes,
            unused_rules: rules[0].unused().cloned().collect(),
            result,
            logic,
        })
    }

    /// Replays a case again on the same logic and returns what differs from the first run. Does nothing if `probe`
    /// forbids it.
    #[doc(hidden)]
    pub fn flicker(
        &self,
        fixture: &Fixture,
        first: &ReplayedCase,
    ) -> Result<Option<Flicker>, ReplayError> {
        if self.probe_of(&fixture.case) == Probe::Never {
            return Ok(None);
        }
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&first.logic),
            skips_verdict: true,
            ..ReplayOptions::default()
        };
        let second = self.replay(fixture, &options)?;
        let (Some(first), Some(second)) = (&first.view, &second.view) else {
            return Ok(None);
        };
        let descriptors = self.descriptors_of(fixture)?;
        Ok(Flicker::between(first, second, &descriptors))
    }

    /// Sends the stimulus of a case, or runs its flow.
    fn ask(
        &self,
        case: &Case,
        logic: &ReadyLogic,
        options: &ReplayOptions<'_>,
    ) -> Result<CaseResult, ReplayErrorKind> {
        let target = logic.target();
        let tapped = options
            .tap
            .map(|tap| Tapped::new(case.cover.domain.as_str(), Box::new(target), tap));
        let target = tapped.as_ref().map_or(target, |tapped| tapped);
        // If effects forbid a second call, only the stored snapshot is used. A coordinator has no snapshot to start from.
        let asks_once = options.asks_once || logic.coordinator().is_some();
        let both_ways = !asks_once && self.probe_of(case) != Probe::Never;
        let book = case.event_book();
        let command = |command: &CommandBook| command_in_dialect(command, case, target.dialect());
        let replay = match &case.stimulus {
            CaseStimulus::Command(sent) => {
                replay_command(target, &book, &command(sent), both_ways)?
            }
            CaseStimulus::History => {
                return Ok(CaseResult::History(replay_history(target, &book)?));
            }
            CaseStimulus::Saga {
                trigger,
                destinations,
                modes,
            } => replay_saga(target, &book, *trigger, destinations, *modes)?,
            CaseStimulus::ProcessManager(process) | CaseStimulus::ProcessCompensation(process) => {
                let trigger = process.trigger;
                replay_process(
                    target,
                    &trigger_in_dialect(book, trigger.from, case, target.dialect()),
                    trigger,
                    &process.state,
                    &process.destinations,
                )?
            }
            CaseStimulus::Projector {
                trigger,
                is_harmless,
            } => replay_projector(target, &book, *trigger, *is_harmless)?,
            CaseStimulus::Upcaster => replay_upcaster(target, &book)?,
            CaseStimulus::Compensation(sent) => {
                replay_notification(target, &book, &command(sent), both_ways)?
            }
            CaseStimulus::Fact(facts) => replay_fact(target, &book, facts)?,
            CaseStimulus::Flow(flow) => {
                let run = self.run_flow(case, flow, target, options.tap)?;
                return Ok(CaseResult::Flow(run));
            }
        };
        let translated = |outcome| outcome_in_captured_dialect(outcome, case, target.dialect());
        Ok(CaseResult::Step(Replay {
            outcome: translated(replay.outcome),
            outcome_without_snapshot: replay.outcome_without_snapshot.map(translated),
            ..replay
        }))
    }
}

impl ReplayedCase {
    /// The text to compare with the snapshot.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.view.as_ref().map(Renderer::text)
    }

    /// Says that there is no outcome to compare.
    #[must_use]
    pub fn nothing_to_compare(&self) -> String {
        format!(
            "logic `{}` offers neither Replay nor an upcaster",
            self.logic.selected().config.name
        )
    }
}

impl CaseResult {
    /// A note about unknown fields in the logic's replies.
    #[must_use]
    pub fn unknown_in_replies(&self) -> Option<ReplayNote> {
        let notes: Vec<&ReplayNote> = match self {
            Self::Step(replay) => replay.notes.iter().collect(),
            Self::History(replay) => replay.notes.iter().collect(),
            Self::Flow(run) => {
                let notes = run.steps.iter().flat_map(|step| &step.notes);
                notes
                    .filter_map(|note| match note {
                        FlowNote::Call(note) => Some(note),
                        _ => None,
                    })
                    .collect()
            }
        };
        let in_reply = |note: &ReplayNote| match note {
            ReplayNote::UnknownInReply { fields } => Some(fields.clone()),
            _ => None,
        };
        let fields: UnknownFields = notes.into_iter().filter_map(in_reply).flatten().collect();
        (!fields.is_empty()).then_some(ReplayNote::UnknownInReply { fields })
    }
}
