//! Mutants between the logic and the comparison: which of them a case notices. The logic is asked once.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Mutex, PoisonError};

use super::Entry;
use super::trial::Context;
use crate::fixture::{CaseStimulus, Fixture, Observed};
use crate::model::{AnsweredBy, Outcome, Stimulus};
use crate::mutation::{Mutant, mutants};
use crate::project::{descriptors, judge_case, replay_case};
use crate::replay::{Target, TargetError};
use crate::snapshot::{Renderer, Rules, Verdict};

/// A mutant, and what noticed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What was different.
    pub change: String,
    /// Type and path of the payload's field whose value was different, where it was one.
    pub field: Option<String>,
    /// Whether the text that is compared with the snapshot was another one.
    pub by_snapshot: bool,
    /// Whether the verdict was another one; none where production's outcome is not known.
    pub by_verdict: Option<bool>,
}

/// An answer that the logic gave.
struct Answer {
    who: String,
    stimulus: Stimulus,
    outcome: Outcome,
}

type Calls = HashMap<(String, Discriminant<Stimulus>), usize>;

/// Tries every mutant of every answer in the replay of a case.
pub(super) fn tried(context: &Context, entry: &Entry) -> Result<Vec<Tried>, String> {
    let project = &context.project;
    let fixture = project
        .folder()
        .read(&entry.path)
        .map_err(|error| error.report())?;
    let logic = project.logics().of_case(&fixture.case);
    let Some(logic) = logic.map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let target = project
        .logics()
        .target(&logic, &fixture.case.source.dialect)
        .map_err(|error| error.to_string())?;
    let case = Case {
        context,
        fixture: &fixture,
        target: target.as_ref(),
    };
    let answers = Mutex::new(Vec::new());
    let noting = |who: &str, target: &dyn Target, stimulus: &Stimulus| {
        let outcome = target.ask(stimulus)?;
        answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Answer {
                who: who.to_owned(),
                stimulus: stimulus.clone(),
                outcome: outcome.clone(),
            });
        Ok(outcome)
    };
    let own = Rules::new(fixture.case.rules.clone());
    replay_case(
        project,
        &fixture,
        case.target,
        [&own, &context.rules],
        true,
        Some(&noting),
    )
    .map_err(|error| error.to_string())?;
    let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(plain) = case.with(&answers, None, &fixture) else {
        return Err("the case cannot be replayed on its own answers".into());
    };
    let registries = descriptors(project, &fixture).map_err(|error| error.to_string())?;
    let vary = |payload: &crate::model::Payload| {
        let known = registries.iter().find(|it| it.knows(payload.type_name()));
        known.map(|it| it.variations(payload)).unwrap_or_default()
    };
    let mut found = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        let is_first = at == 0;
        if is_input(&answer.stimulus, &fixture.case.stimulus, is_first) {
            continue;
        }
        for mutant in mutants(&answer.stimulus, &answer.outcome, &vary) {
            found.push(case.judged(&answers, at, mutant, &plain));
        }
    }
    Ok(found)
}

/// Pages that an upcaster made for the logic are what it is asked about, and no answer of the case. Of a history they are
/// compared once, before they are folded.
fn is_input(stimulus: &Stimulus, case: &CaseStimulus, is_first: bool) -> bool {
    matches!(stimulus, Stimulus::Upcast { .. })
        && !matches!(
            (case, is_first),
            (CaseStimulus::Upcaster, _) | (CaseStimulus::History, true)
        )
}

struct Case<'a> {
    context: &'a Context,
    fixture: &'a Fixture,
    target: &'a dyn Target,
}

/// What a comparison looks at.
struct Looked {
    text: Option<String>,
    verdict: Verdict,
}

impl Case<'_> {
    fn judged(&self, answers: &[Answer], at: usize, mutant: Mutant, plain: &Looked) -> Tried {
        let mut observing = self.fixture.clone();
        let instead = mutant.instead_of.as_ref().and_then(|instead| {
            let failure = instead.status()?;
            if observing
                .case
                .observed
                .as_ref()
                .is_some_and(|it| it.failure().is_some())
            {
                observing.case.observed = Observed::from_failure(failure, AnsweredBy::Logic).ok();
            }
            self.with(answers, Some((at, instead)), &observing)
        });
        let plain = instead.as_ref().unwrap_or(plain);
        let now = self.with(answers, Some((at, &mutant.outcome)), &observing);
        let is_judged = plain.verdict == Verdict::Reproduced;
        Tried {
            change: mutant.change,
            field: mutant.field,
            by_snapshot: now.as_ref().is_none_or(|now| now.text != plain.text),
            // A replay that fails is noticed.
            by_verdict: is_judged.then(|| now.is_none_or(|now| now.verdict != Verdict::Reproduced)),
        }
    }

    /// The case replayed on answers, one of them another; none where that fails.
    fn with(
        &self,
        answers: &[Answer],
        other: Option<(usize, &Outcome)>,
        fixture: &Fixture,
    ) -> Option<Looked> {
        let calls = Mutex::new(Calls::new());
        let answering = |who: &str, _: &dyn Target, stimulus: &Stimulus| {
            let key = (who.to_owned(), discriminant(stimulus));
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let call = calls.entry(key).or_default();
            let given = answers.iter().enumerate().filter(|(_, answer)| {
                answer.who == who && discriminant(&answer.stimulus) == discriminant(stimulus)
            });
            let Some((at, answer)) = given.clone().nth(*call) else {
                let reason = "it is asked more than before".to_owned();
                return Err(TargetError::Unavailable(reason));
            };
            *call += 1;
            Ok(match other {
                Some((other, outcome)) if other == at => outcome.clone(),
                _ => answer.outcome.clone(),
            })
        };
        let project = &self.context.project;
        let own = Rules::new(fixture.case.rules.clone());
        let rules = [&own, &*self.context.rules];
        let run = replay_case(project, fixture, self.target, rules, true, Some(&answering)).ok()?;
        Some(Looked {
            text: run.view.as_ref().map(Renderer::text),
            verdict: judge_case(project, fixture, &run.checked, rules).ok()?,
        })
    }
}

/// Tries the mutants of one entry of a project.
#[doc(hidden)]
pub fn try_mutants(
    project: &std::sync::Arc<crate::project::Project>,
    entry: &Entry,
) -> Result<Vec<Tried>, String> {
    let context = Context {
        project: std::sync::Arc::clone(project),
        rules: std::sync::Arc::new(Rules::new(project.config().rules.clone())),
    };
    tried(&context, entry)
}
