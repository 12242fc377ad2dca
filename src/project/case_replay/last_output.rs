//! The last output of started logic, shown if it crashed or did not answer.

use super::{CaseResult, ReplayedCase};
use crate::model::Outcome;
use crate::project::Project;
use crate::replay::flow::{FlowRun, StepAnswer, Who};

impl CaseResult {
    /// Whether the logic crashed, even if only while folding or upcasting the history. In a flow, any component counts.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        match self {
            Self::Step(replay) => is_crashed(&replay.outcome),
            Self::History(replay) => [&replay.state, &replay.state_from_snapshot, &replay.upcast]
                .into_iter()
                .flatten()
                .any(is_crashed),
            Self::Flow(run) => crashed_in(run).next().is_some(),
        }
    }
}

const fn is_crashed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Crashed(_))
}

/// Components of a flow that crashed.
fn crashed_in(run: &FlowRun) -> impl Iterator<Item = Who> {
    let steps = run.steps.iter();
    let crashed = steps.filter(
        |step| matches!(&step.answer, StepAnswer::Answered(outcome) if is_crashed(outcome)),
    );
    crashed.filter_map(|step| step.asked.who())
}

impl ReplayedCase {
    /// The last output of started logic that crashed in this replay.
    #[must_use]
    pub fn last_output(&self, project: &Project) -> Option<String> {
        let mut names: Vec<String> = match &self.result {
            CaseResult::Flow(run) => crashed_in(run)
                .filter_map(|who| project.name_of(who))
                .collect(),
            step => step
                .is_crashed()
                .then(|| self.logic.selected().config.name.clone())
                .into_iter()
                .collect(),
        };
        names.sort();
        names.dedup();
        let outputs = names
            .iter()
            .filter_map(|name| project.logics().last_output(name));
        let outputs: Vec<String> = outputs.collect();
        (!outputs.is_empty()).then(|| outputs.join("\n"))
    }
}

impl Project {
    /// The name in `replay.toml` of a component in a flow.
    pub(super) fn name_of(&self, who: Who) -> Option<String> {
        match who {
            Who::Aggregate(domain) => {
                let logic = self.logics().of_domain(&domain)?;
                Some(logic.config.name)
            }
            Who::Component(name) => Some(name),
        }
    }
}
