//! Replays cases with mutated answers, to find out which mutants a case notices and why it misses the others. The logic is
//! not called: the answers come from a run that was made anyway.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Entry;
use crate::fixture::Fixture;
use crate::model::{AnsweredBy, CaseStimulus, Observed, Outcome, Payload, Rule, Stimulus};
use crate::mutation::{ChangedField, Mutant, mutants};
use crate::project::{LogicChoice, Project, ReadyLogic, ReplayErrorKind, ReplayOptions};
use crate::replay::{Tap, Target, TargetError};
use crate::snapshot::{Rules, Verdict};

/// A mutant that was tried, and what noticed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedMutant {
    /// What was different.
    pub change: String,
    /// The changed field, if the change was in a payload.
    pub field: Option<ChangedField>,
    /// Whether the text that is compared with the snapshot changed.
    pub by_snapshot: bool,
    /// Whether the verdict changed; none if production's outcome is unknown.
    pub by_verdict: Option<bool>,
    /// Why the text did not change, if that is known.
    pub reason: Option<HidingReason>,
}

impl TriedMutant {
    /// Whether a case with this comparison fails.
    pub(super) fn is_noticed(&self, compared: ComparedWith) -> bool {
        match compared {
            ComparedWith::Snapshot => self.by_snapshot,
            ComparedWith::Verdict => self.by_verdict == Some(true),
        }
    }
}

/// What a case is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComparedWith {
    /// Its snapshot.
    Snapshot,
    /// Production: the case is open.
    Verdict,
}

/// Why a mutant does not change the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HidingReason {
    /// A rule of the configuration hides it, for the reason that the rule gives.
    Configuration(String),
    /// A rule of the case hides it.
    Case(String),
    /// Only several rules together hide it.
    Rules,
    /// No snapshot shows it.
    Never(&'static NeverCompared),
}

impl fmt::Display for HidingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(reason) => write!(f, "a rule in replay.toml: {reason}"),
            Self::Case(reason) => write!(f, "a rule of the case: {reason}"),
            Self::Rules => f.write_str("several rules together"),
            Self::Never(known) => f.write_str(known.reason),
        }
    }
}

/// A kind of change that snapshots never show.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NeverCompared {
    /// The last words of its description.
    words: &'static str,
    /// A description that is clear without its context.
    pub what: &'static str,
    /// Why it is not shown.
    pub reason: &'static str,
}

const fn never(words: &'static str, what: &'static str, reason: &'static str) -> NeverCompared {
    NeverCompared {
        words,
        what,
        reason,
    }
}

const STAMPED: &str = "the coordinator stamps an event that names no sequence with the next one";

static NEVER_COMPARED: [NeverCompared; 11] = [
    never(
        "another cascade",
        "another cascade of a page",
        "the framework's own mark, which logic does not see",
    ),
    never(
        "another correlation id",
        "another correlation id in a cover",
        "some libraries make one up, and a coordinator fills it in",
    ),
    never(
        "another extension",
        "another extension in a cover",
        "a cover is shown by domain, root and edition; coordinators fill in the rest",
    ),
    never(
        "another next sequence",
        "another next sequence of a book",
        "stale or left out by many libraries; a coordinator counts for itself",
    ),
    never(
        "another prefix of the type URL",
        "another prefix of a type URL",
        "prefixes differ between libraries and dialects",
    ),
    never(
        "another snapshot",
        "another state stored with the events",
        "optional, and derived from the events",
    ),
    never(
        "another time",
        "another time beside a payload",
        "a wall clock or nothing",
    ),
    never("deferred", "an event deferred", STAMPED),
    never(
        "history repeated",
        "history repeated before the events",
        "a coordinator drops pages that the logic was shown",
    ),
    never(
        "no cover any more",
        "no cover around the events",
        "a cover is shown only where it is another aggregate or edition",
    ),
    never(
        "sequence left out",
        "an event without its sequence",
        STAMPED,
    ),
];

fn never_compared(change: &str) -> Option<HidingReason> {
    let last = change.rsplit(": ").next()?;
    let known = NEVER_COMPARED.iter().find(|it| it.words == last)?;
    Some(HidingReason::Never(known))
}

/// An answer of the logic.
struct LogicAnswer {
    who: String,
    stimulus: Stimulus,
    outcome: Outcome,
}

/// The answers of the logic in a run.
#[derive(Default)]
pub(super) struct LogicAnswers(Mutex<Vec<LogicAnswer>>);

impl LogicAnswers {
    /// A tap that stores the answers.
    pub(super) fn tap(&self) -> Box<Tap<'_>> {
        Box::new(|who, target, stimulus| {
            let outcome = target.ask(stimulus)?;
            self.all().push(LogicAnswer {
                who: who.to_owned(),
                stimulus: stimulus.clone(),
                outcome: outcome.clone(),
            });
            Ok(outcome)
        })
    }

    fn all(&self) -> MutexGuard<'_, Vec<LogicAnswer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Calls = HashMap<(String, Discriminant<Stimulus>), usize>;

/// Tries every mutant of every answer in the replay of a case.
pub(super) fn tried(
    project: &Project,
    fixture: &Fixture,
    logic: &Arc<ReadyLogic>,
    answers: &LogicAnswers,
) -> Result<Vec<TriedMutant>, String> {
    let answers = answers.all();
    let case = MutatedCase {
        project,
        fixture,
        logic,
        answers: &answers,
    };
    // A separate copy of the rules: hiding a mutant does not count as using a rule.
    let rules = case.rules(&|_| true);
    let Some(plain) = case.with(None, fixture, &rules) else {
        return Err("the case cannot be replayed on its own answers".into());
    };
    let registries = project.descriptors_of(fixture);
    let registries = registries.map_err(|error| error.to_string())?;
    let vary = |payload: &Payload| {
        let known = registries.iter().find(|it| it.knows(payload.type_name()));
        known.map(|it| it.variations(payload)).unwrap_or_default()
    };
    let mut found = Vec::new();
    // Changes with the same description are hidden for the same reason.
    let mut reasons = HashMap::<String, Option<HidingReason>>::new();
    for (at, answer) in answers.iter().enumerate() {
        if is_input(&answer.stimulus, &fixture.case.stimulus, at == 0) {
            continue;
        }
        for mutant in mutants(&answer.stimulus, &answer.outcome, &vary) {
            let noticed = case.noticed(at, &mutant, &rules, Some(&plain));
            let reason = (!noticed.by_snapshot).then(|| {
                let known = reasons.entry(mutant.change.clone());
                known.or_insert_with(|| case.reason(at, &mutant)).clone()
            });
            found.push(TriedMutant {
                change: mutant.change,
                field: mutant.field,
                by_snapshot: noticed.by_snapshot,
                by_verdict: noticed.by_verdict,
                reason: reason.flatten(),
            });
        }
    }
    Ok(found)
}

/// Whether an answer is only input for the logic: upcast pages are not the answer of a case, except that of an upcaster case,
/// and of a history once, before it is folded.
fn is_input(stimulus: &Stimulus, case: &CaseStimulus, is_first: bool) -> bool {
    matches!(stimulus, Stimulus::Upcast { .. })
        && !matches!(
            (case, is_first),
            (CaseStimulus::Upcaster, _) | (CaseStimulus::History, true)
        )
}

struct MutatedCase<'a> {
    project: &'a Project,
    fixture: &'a Fixture,
    logic: &'a Arc<ReadyLogic>,
    answers: &'a [LogicAnswer],
}

/// The two things that are compared.
struct Comparison {
    text: Option<String>,
    verdict: Verdict,
}

/// What noticed a mutant.
struct Detection {
    by_snapshot: bool,
    by_verdict: Option<bool>,
}

/// The rules of a case and of its project.
type BothRules = [Rules; 2];

impl MutatedCase<'_> {
    /// The selected rules, those of the case first.
    fn rules(&self, is_wanted: &dyn Fn(&Rule) -> bool) -> BothRules {
        let configured = &self.project.config().rules;
        [&self.fixture.case.rules, configured].map(|rules| {
            let wanted = rules.iter().filter(|rule| is_wanted(rule));
            Rules::new(wanted.cloned())
        })
    }

    /// Whether a mutant is noticed under some rules. `plain` is the comparison for the unchanged answers.
    fn noticed(
        &self,
        at: usize,
        mutant: &Mutant,
        rules: &BothRules,
        plain: Option<&Comparison>,
    ) -> Detection {
        let mut fixture = Cow::Borrowed(self.fixture);
        let mut other = None;
        if let Some(instead) = &mutant.instead_of {
            let failure = instead.status().filter(|_| self.observes_a_failure());
            if let Some(failure) = failure {
                fixture.to_mut().case.observed =
                    Observed::from_failure(failure, AnsweredBy::Logic).ok();
            }
            other = self.with(Some((at, instead)), &fixture, rules);
        } else if plain.is_none() {
            other = self.with(None, &fixture, rules);
        }
        let now = self.with(Some((at, &mutant.outcome)), &fixture, rules);
        let Some(plain) = other.as_ref().or(plain) else {
            return Detection {
                by_snapshot: now.is_none(),
                by_verdict: None,
            };
        };
        let is_judged = plain.verdict == Verdict::Reproduced;
        Detection {
            by_snapshot: now.as_ref().is_none_or(|now| now.text != plain.text),
            // A replay that fails counts as noticed.
            by_verdict: is_judged.then(|| now.is_none_or(|now| now.verdict != Verdict::Reproduced)),
        }
    }

    fn observes_a_failure(&self) -> bool {
        let observed = self.fixture.case.observed.as_ref();
        observed.is_some_and(|it| it.failure().is_some())
    }

    /// Why a mutant does not change the snapshot, found by trying: without rules, and with each rule alone.
    fn reason(&self, at: usize, mutant: &Mutant) -> Option<HidingReason> {
        let is_shown = |is_wanted: &dyn Fn(&Rule) -> bool| {
            let rules = self.rules(is_wanted);
            self.noticed(at, mutant, &rules, None).by_snapshot
        };
        if !is_shown(&|_| false) {
            return never_compared(&mutant.change);
        }
        let hides = |rule: &&Rule| !is_shown(&|other| std::ptr::eq(*rule, other));
        if let Some(rule) = self.fixture.case.rules.iter().find(hides) {
            return Some(HidingReason::Case(rule.reason.clone()));
        }
        let configured = self.project.config().rules.iter().find(hides);
        let known = configured.map(|rule| HidingReason::Configuration(rule.reason.clone()));
        Some(known.unwrap_or(HidingReason::Rules))
    }

    /// Replays the case with the answers, one of them replaced; none if that fails.
    fn with(
        &self,
        other: Option<(usize, &Outcome)>,
        fixture: &Fixture,
        rules: &BothRules,
    ) -> Option<Comparison> {
        let calls = Mutex::new(Calls::new());
        let answering = |who: &str, _: &dyn Target, stimulus: &Stimulus| {
            let key = (who.to_owned(), discriminant(stimulus));
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let call = calls.entry(key).or_default();
            let mut given = self.answers.iter().enumerate().filter(|(_, answer)| {
                answer.who == who && discriminant(&answer.stimulus) == discriminant(stimulus)
            });
            let Some((at, answer)) = given.nth(*call) else {
                let reason = "it is called more often than before".to_owned();
                return Err(TargetError::Unavailable(reason));
            };
            *call += 1;
            Ok(match other {
                Some((other, outcome)) if other == at => outcome.clone(),
                _ => answer.outcome.clone(),
            })
        };
        let options = ReplayOptions {
            logic: LogicChoice::Ready(self.logic),
            rules: Some(rules),
            tap: Some(&answering),
            ..ReplayOptions::default()
        };
        let replayed = self.project.replay(fixture, &options).ok()?;
        Some(Comparison {
            text: replayed.text(),
            verdict: replayed.verdict,
        })
    }
}

/// Tries the mutants of one trial.
#[doc(hidden)]
pub fn try_mutants(project: &Arc<Project>, entry: &Entry) -> Result<Vec<TriedMutant>, String> {
    let fixture = project.folder().read(&entry.path);
    let fixture = fixture.map_err(|error| error.report())?;
    let answers = LogicAnswers::default();
    let tap = answers.tap();
    let options = ReplayOptions {
        tap: Some(&*tap),
        ..ReplayOptions::default()
    };
    let replayed = match project.replay(&fixture, &options) {
        Ok(replayed) => replayed,
        Err(error) if matches!(error.kind(), ReplayErrorKind::NotConfigured(_)) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.to_string()),
    };
    drop(tap);
    tried(project, &fixture, &replayed.logic, &answers)
}
