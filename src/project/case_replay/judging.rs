//! From an outcome to its readable value, its verdict against production, and notes.

use serde_yaml::Value;

use super::CaseResult;
use super::dialect::command_in_dialect;
use crate::documentation::Page;
use crate::fixture::Fixture;
use crate::model::{Case, CaseStimulus, HeadKnowledge, Observed};
use crate::payload::Registry;
use crate::project::{Project, ProjectError};
use crate::replay::ReplayNote;
use crate::replay::flow::FlowRun;
use crate::snapshot::{Renderer, Rules, Unchecked, Verdict};
use crate::terminal::one_line;
use crate::wire::{Dialect, unknown_in_command};

impl CaseResult {
    /// The outcome as a readable, normalised value; `None` if the logic offers nothing to compare.
    pub(super) fn view(&self, renderer: &Renderer<'_>) -> Option<Value> {
        match self {
            Self::Step(replay) => Some(renderer.step(replay)),
            Self::History(replay) => renderer.history(replay),
            Self::Flow(run) => Some(renderer.flow(run)),
        }
    }

    /// Compares the outcome with what production did.
    pub(super) fn judge(&self, case: &Case, renderer: &Renderer<'_>) -> Verdict {
        match self {
            Self::Step(replay) => {
                // A recorder saw the logic's own answer. Other sources show what the coordinator made of it.
                let settled = match case.source.head {
                    HeadKnowledge::Recorded => None,
                    _ => replay.as_coordinated(),
                };
                let outcome = settled.as_ref().unwrap_or(&replay.outcome);
                Verdict::judge(case.observed.as_ref(), outcome, renderer)
            }
            Self::History(_) => Verdict::NotChecked {
                reason: Unchecked::StateUnknown,
            },
            Self::Flow(run) => match &case.observed {
                Some(Observed::Flow(hops)) => Verdict::judge_flow(hops, run, renderer),
                _ => Verdict::NotChecked {
                    reason: Unchecked::ProductionUnknown,
                },
            },
        }
    }
}

impl Project {
    /// The descriptors for a case's payloads. Today's come first, so that a renamed field shows up as a change of the
    /// snapshot.
    pub(crate) fn descriptors_of<'a>(
        &'a self,
        fixture: &'a Fixture,
    ) -> Result<[&'a Registry; 2], ProjectError> {
        let today = self.registry_for(&fixture.case.source.dialect)?;
        Ok([today, &fixture.descriptors])
    }

    pub(super) fn renderer<'a>(
        &'a self,
        fixture: &'a Fixture,
        rules: [&'a Rules; 2],
    ) -> Result<Renderer<'a>, ProjectError> {
        let case = &fixture.case;
        let registries = self.descriptors_of(fixture)?;
        // Commands and events of a process manager are relative to its own stream.
        let (cover, head) = match case.stimulus.process() {
            Some(process) => (&process.state.cover, process.state.next_sequence),
            None => (&case.cover, case.head()),
        };
        Ok(Renderer::new(
            registries.to_vec(),
            rules.to_vec(),
            cover,
            head,
        ))
    }

    /// Notes about a replay, in words.
    pub(super) fn notes(
        &self,
        case: &Case,
        result: &CaseResult,
        asked: Dialect,
        verdict: &Verdict,
    ) -> Vec<String> {
        let mut notes: Vec<String> = match result {
            CaseResult::Step(replay) => replay.notes.iter().map(ToString::to_string).collect(),
            CaseResult::History(replay) => replay.notes.iter().map(ToString::to_string).collect(),
            CaseResult::Flow(run) => {
                let mut notes = self.unsubscribed();
                notes.extend(flow_notes(run));
                notes
            }
        };
        if let Some(command) = case.stimulus.command()
            && command_in_dialect(command, case, asked).original.is_none()
        {
            let lost = ReplayNote::not_sent(unknown_in_command(command));
            notes.extend(lost.as_ref().map(ToString::to_string));
        }
        notes.extend(other_build(case, verdict));
        if matches!(verdict, Verdict::NotReproduced { .. }) && snapshot_is_not_known(case) {
            notes.push(format!(
                "production may have started from a stored snapshot, which queries of `{}` do not return; the ways to get it: {}",
                case.source.dialect,
                Page::Snapshots
            ));
        }
        notes
    }
}

/// The notes of all steps, each with the step's number.
fn flow_notes(run: &FlowRun) -> Vec<String> {
    let steps = run.steps.iter().enumerate();
    let notes = steps.flat_map(|(at, step)| {
        let label = step.label();
        step.notes
            .iter()
            .map(move |note| format!("step {}, {label}: {note}", at + 1))
    });
    notes.collect()
}

/// Reminds of the build that production ran, if it is known: "not reproduced" may mean "fixed already".
pub(crate) fn other_build(case: &Case, verdict: &Verdict) -> Option<String> {
    if matches!(verdict, Verdict::NotChecked { .. }) {
        return None;
    }
    let revision = one_line(case.source.revision.as_deref()?);
    Some(format!("production ran {revision}; this is today's logic"))
}

/// Whether production may have given the logic a snapshot that the case lacks: no recorder saw the request, and the
/// coordinator's queries return no snapshots.
pub(crate) fn snapshot_is_not_known(case: &Case) -> bool {
    let dialect: Option<Dialect> = case.source.dialect.parse().ok();
    let is_folded = matches!(
        case.stimulus,
        CaseStimulus::Command(_)
            | CaseStimulus::History
            | CaseStimulus::Compensation(_)
            | CaseStimulus::Fact(_)
    );
    is_folded
        && case.source.head != HeadKnowledge::Recorded
        && !case.source.from_store
        && case.snapshot.is_none()
        && !case.history.pages().is_empty()
        && dialect.is_some_and(|dialect| !dialect.rules().queries_return_snapshots)
}
