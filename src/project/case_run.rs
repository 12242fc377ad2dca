//! One case replayed on one target, and what can be said of it.

use serde_yaml::Value;

use super::{LogicUnavailable, Project, ProjectError, SelectedLogic};
use crate::fixture::Fixture;
use crate::model::{
    Case, CaseStimulus, CommandBook, EventBook, HeadKnowledge, History, Notification, Observed,
    Outcome, Probe, Reaction, Rule,
};
use crate::payload::Registry;
use crate::replay::flow::{FlowError, FlowNote, FlowRun, StepAnswer, Who};
use crate::replay::{
    HistoryReplay, Replay, ReplayNote, Tap, Tapped, Target, TargetError, replay_command,
    replay_fact, replay_history, replay_notification, replay_process, replay_projector,
    replay_saga, replay_upcaster,
};
use crate::snapshot::{Renderer, Rules, Unchecked, Verdict};
use crate::wire::{Dialect, UnknownFields, page_in, payload_in, unknown_in_command};

/// A replayed case.
#[derive(Debug, Clone)]
pub struct CaseRun {
    /// The outcome as a readable, normalised value; none where the logic offers nothing to compare.
    pub view: Option<Value>,
    /// Whether today's code does what production did.
    pub verdict: Verdict,
    /// What is worth saying, in words.
    pub notes: Vec<String>,
    /// What was replayed.
    pub checked: Checked,
    /// Rules of the case itself that never fired.
    pub unused_rules: Vec<Rule>,
}

/// The raw result behind a run.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every case is of one step"
)]
#[derive(Debug, Clone)]
pub enum Checked {
    /// Of one step: all kinds but those below.
    Step(Replay),
    /// Of a history.
    History(HistoryReplay),
    /// Of a workflow.
    Flow(FlowRun),
}

impl Checked {
    /// Whether the logic of the case failed on its own defect, also where it only failed to fold or upcast the history. Of a
    /// flow every component counts.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        match self {
            Self::Step(replay) => is_crashed(&replay.outcome),
            Self::History(replay) => [&replay.state, &replay.state_from_snapshot, &replay.upcast]
                .into_iter()
                .flatten()
                .any(is_crashed),
            Self::Flow(run) => crashed(run).next().is_some(),
        }
    }
}

const fn is_crashed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Crashed(_))
}

/// Whose logic failed on its own defect.
fn crashed(run: &FlowRun) -> impl Iterator<Item = Who> {
    let steps = run.steps.iter();
    let crashed = steps.filter(
        |step| matches!(&step.answer, StepAnswer::Answered(outcome) if is_crashed(outcome)),
    );
    crashed.filter_map(|step| step.asked.who())
}

impl Project {
    /// What started logic wrote last, of each that failed in a replay on its own defect.
    #[must_use]
    pub fn words_of_crashed(&self, logic: &SelectedLogic, checked: &Checked) -> Option<String> {
        let mut names: Vec<String> = match checked {
            Checked::Flow(run) => crashed(run).filter_map(|who| self.name_of(who)).collect(),
            step => step
                .is_crashed()
                .then(|| logic.config.name.clone())
                .into_iter()
                .collect(),
        };
        names.sort();
        names.dedup();
        let words = names
            .iter()
            .filter_map(|name| self.logics().last_words(name));
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join("\n"))
    }

    /// An error of a replay, with what the logic that it is about wrote last, where that was started.
    #[must_use]
    pub fn with_last_words(&self, logic: &SelectedLogic, error: &RunError) -> String {
        let of_step = match error {
            RunError::Flow(FlowError::Target { who, .. }) => who.as_deref().cloned(),
            _ => None,
        };
        let name = of_step.and_then(|who| self.name_of(who));
        let name = name.unwrap_or_else(|| logic.config.name.clone());
        self.logics().with_last_words(&name, error)
    }

    fn name_of(&self, who: Who) -> Option<String> {
        match who {
            Who::Aggregate(domain) => {
                let logic = self.logics().of_domain(&domain)?;
                Some(logic.config.name)
            }
            Who::Component(name) => Some(name),
        }
    }
}

impl Checked {
    /// What there is to say of unknown fields in the logic's replies.
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
        let of_reply = |note: &ReplayNote| match note {
            ReplayNote::UnknownInReply { fields } => Some(fields.clone()),
            _ => None,
        };
        let fields: UnknownFields = notes.into_iter().filter_map(of_reply).flatten().collect();
        (!fields.is_empty()).then_some(ReplayNote::UnknownInReply { fields })
    }
}

impl CaseRun {
    /// The text that is compared with the snapshot.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.view.as_ref().map(Renderer::text)
    }
}

/// A case without an answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The logic gave none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The project has a fault.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// A component of a flow cannot be had.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// A flow that came to no end.
    #[error("{}", with_sources(.0))]
    Flow(#[from] FlowError),
}

/// A message with its causes, each worded once.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Replays a case once on a target, and judges the outcome.
pub fn run_case(
    project: &Project,
    fixture: &Fixture,
    target: &dyn Target,
    project_rules: &Rules,
    own_rules: &Rules,
    both_ways: bool,
) -> Result<CaseRun, RunError> {
    let rules = [own_rules, project_rules];
    let replayed = replay_case(project, fixture, target, rules, both_ways, None)?;
    let verdict = judge_case(project, fixture, &replayed.checked, rules)?;
    let mut notes: Vec<String> = match &replayed.checked {
        Checked::Step(replay) => replay.notes.iter().map(ToString::to_string).collect(),
        Checked::History(replay) => replay.notes.iter().map(ToString::to_string).collect(),
        Checked::Flow(run) => {
            let mut notes = project.unsubscribed();
            notes.extend(flow_notes(run));
            notes
        }
    };
    if let Some(command) = fixture.case.stimulus.command()
        && in_dialect(command, &fixture.case, target.dialect())
            .original
            .is_none()
    {
        let lost = ReplayNote::not_sent(unknown_in_command(command));
        notes.extend(lost.as_ref().map(ToString::to_string));
    }
    if matches!(verdict, Verdict::NotReproduced { .. }) && snapshot_is_not_known(&fixture.case) {
        notes.push(format!(
            "production may have started from a stored snapshot, which queries of `{}` do not return: docs/production.md, \
             \"Snapshots\", has the ways to get it",
            fixture.case.source.dialect
        ));
    }
    Ok(CaseRun {
        view: replayed.view,
        verdict,
        notes,
        checked: replayed.checked,
        unused_rules: own_rules.unused().cloned().collect(),
    })
}

/// Whether production may have shown the logic a snapshot that the case has not: nobody saw what the logic was shown, and
/// the coordinator's queries return none.
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
        && case.snapshot.is_none()
        && !case.history.pages().is_empty()
        && dialect.is_some_and(|dialect| !dialect.rules().queries_return_snapshots)
}

/// The notes of all steps, each with its step.
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

/// A replayed case that nobody has judged yet: most are only compared with their snapshot.
pub(crate) struct ReplayedCase {
    /// The outcome as a readable, normalised value; none where the logic offers nothing to compare.
    pub(crate) view: Option<Value>,
    /// What was replayed.
    pub(crate) checked: Checked,
}

/// Replays a case once on a target. The first rules are the case's own. A tap stands before everybody who is asked.
pub(crate) fn replay_case(
    project: &Project,
    fixture: &Fixture,
    target: &dyn Target,
    rules: [&Rules; 2],
    both_ways: bool,
    tap: Option<&Tap<'_>>,
) -> Result<ReplayedCase, RunError> {
    let renderer = renderer(project, fixture, rules)?;
    let both_ways = both_ways && project.probe_of(&fixture.case) != Probe::Never;
    let checked = checked(project, &fixture.case, target, both_ways, tap)?;
    Ok(ReplayedCase {
        view: match &checked {
            Checked::Step(replay) => Some(renderer.step(replay)),
            Checked::History(replay) => renderer.history(replay),
            Checked::Flow(run) => Some(renderer.flow(run)),
        },
        checked,
    })
}

/// Takes the step that a case is of, or goes the way of its flow. Where effects forbid a second call, the stored
/// snapshot is the only way.
fn checked(
    project: &Project,
    case: &Case,
    target: &dyn Target,
    both_ways: bool,
    tap: Option<&Tap<'_>>,
) -> Result<Checked, RunError> {
    let tapped = tap.map(|tap| Tapped::new(case.cover.domain.as_str(), Box::new(target), tap));
    let target = tapped.as_ref().map_or(target, |tapped| tapped);
    let book = case.event_book();
    let command = |command: &CommandBook| in_dialect(command, case, target.dialect());
    let replay = match &case.stimulus {
        CaseStimulus::Command(sent) => replay_command(target, &book, &command(sent), both_ways)?,
        CaseStimulus::History => return Ok(Checked::History(replay_history(target, &book)?)),
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
            return Ok(Checked::Flow(project.run_flow(case, flow, target, tap)?));
        }
    };
    let answered = |outcome| answered_in(outcome, case, target.dialect());
    Ok(Checked::Step(Replay {
        outcome: answered(replay.outcome),
        outcome_without_snapshot: replay.outcome_without_snapshot.map(answered),
        ..replay
    }))
}

/// A command as it is sent in a dialect: its own encoding has the numbers of the dialect that it was captured in, and so
/// has the refused command within a notification.
pub(super) fn in_dialect(command: &CommandBook, case: &Case, dialect: Dialect) -> CommandBook {
    let mut command = command.clone();
    let Some(captured) = other_dialect(case, dialect) else {
        return command;
    };
    command.original = None;
    for payload in command
        .pages
        .iter_mut()
        .filter_map(|it| it.command.as_mut())
    {
        *payload = payload_in(payload, captured, dialect);
    }
    command
}

/// The dialect that a case was captured in, where it is asked in another.
fn other_dialect(case: &Case, asked: Dialect) -> Option<Dialect> {
    let captured: Dialect = case.source.dialect.parse().ok()?;
    (captured != asked).then_some(captured)
}

/// The book of a trigger as it is delivered in a dialect: a notification among the new pages is of the coordinator that
/// delivers it. What was stored before stays.
fn trigger_in_dialect(mut book: EventBook, from: u32, case: &Case, dialect: Dialect) -> EventBook {
    if let Some(captured) = other_dialect(case, dialect) {
        let pages = book.history.into_pages().into_iter();
        let told = pages.map(|page| {
            if page.sequence < from {
                page
            } else {
                page_in(&page, captured, dialect)
            }
        });
        book.history = History::new(told.collect()).expect("sequences are left alone");
    }
    book
}

/// A notification that logic of another dialect answered with, as the dialect of the case has it: it is shown and compared
/// in that.
fn answered_in(outcome: Outcome, case: &Case, dialect: Dialect) -> Outcome {
    let Some(captured) = other_dialect(case, dialect) else {
        return outcome;
    };
    let told = |notification: Notification| Notification {
        payload: notification
            .payload
            .map(|payload| payload_in(&payload, dialect, captured)),
        ..notification
    };
    match outcome {
        Outcome::Notified(notification) => Outcome::Notified(told(notification)),
        Outcome::Reacted(reaction) => Outcome::Reacted(Reaction {
            notification: reaction.notification.map(told),
            ..reaction
        }),
        other => other,
    }
}

/// Whether a replayed case does what production did.
pub(crate) fn judge_case(
    project: &Project,
    fixture: &Fixture,
    checked: &Checked,
    rules: [&Rules; 2],
) -> Result<Verdict, ProjectError> {
    Ok(match checked {
        Checked::Step(replay) => {
            // A recorder saw the logic's own answer; everybody else saw what its coordinator made of it.
            let settled = match fixture.case.source.head {
                HeadKnowledge::Recorded => None,
                _ => replay.as_coordinated(),
            };
            Verdict::judge(
                fixture.case.observed.as_ref(),
                settled.as_ref().unwrap_or(&replay.outcome),
                &renderer(project, fixture, rules)?,
            )
        }
        Checked::History(_) => Verdict::NotChecked {
            reason: Unchecked::StateUnknown,
        },
        Checked::Flow(run) => match &fixture.case.observed {
            Some(Observed::Flow(hops)) => {
                Verdict::judge_flow(hops, run, &renderer(project, fixture, rules)?)
            }
            _ => Verdict::NotChecked {
                reason: Unchecked::ProductionUnknown,
            },
        },
    })
}

/// The descriptors that know a case's payloads, today's first: a renamed field is a change that the snapshot shows.
pub(crate) fn descriptors<'a>(
    project: &'a Project,
    fixture: &'a Fixture,
) -> Result<Vec<&'a Registry>, ProjectError> {
    let today = project.registry_for(&fixture.case.source.dialect)?;
    Ok(vec![today, &fixture.descriptors])
}

fn renderer<'a>(
    project: &'a Project,
    fixture: &'a Fixture,
    rules: [&'a Rules; 2],
) -> Result<Renderer<'a>, ProjectError> {
    let case = &fixture.case;
    let registries = descriptors(project, fixture)?;
    // What a process manager emits for itself belongs to its own stream.
    let (cover, head) = match case.stimulus.process() {
        Some(process) => (&process.state.cover, process.state.next_sequence),
        None => (&case.cover, case.head()),
    };
    Ok(Renderer::new(registries, rules.to_vec(), cover, head))
}

impl Project {
    /// Replays a case once on a target, with the project's rules and its own, and judges the outcome.
    pub fn run_case(
        &self,
        fixture: &Fixture,
        target: &dyn Target,
        both_ways: bool,
    ) -> Result<CaseRun, RunError> {
        let rules = Rules::new(self.config().rules.clone());
        let own = Rules::new(fixture.case.rules.clone());
        run_case(self, fixture, target, &rules, &own, both_ways)
    }
}
