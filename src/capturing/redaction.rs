//! Redaction of a captured case, before it is reported, replayed or written, and whether it changed what the logic does.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::OperationError;
use super::report::CaptureReport;
use crate::fixture::Fixture;
use crate::model::{Case, Observed, Probe, Redaction};
use crate::project::{CaseResult, LogicChoice, Project, ReplayOptions, ReplayedCase};
use crate::redact::{OTHER_ROOT, PriorRedaction, Reason, Redactor, Report, Suspect};
use crate::snapshot::Verdict;

/// A warning that pseudonyms may have been pseudonymised again.
pub(super) const REDACTED_ANEW: &str = "what came redacted was redacted otherwise (other rules, key or descriptors, or not \
                                        all could be read): its stand-ins got stand-ins, which equal nothing elsewhere";

/// The redaction of a case that may now be reported and written.
pub(super) struct AppliedRedaction {
    redactor: Arc<Redactor>,
    report: Report,
    /// The case before redaction; it never leaves memory.
    plain: Case,
    /// The parts that came redacted.
    before: PriorRedaction,
}

/// Fields of a case that look personal and that no rule covers.
pub(super) fn suspects(
    project: &Project,
    applied: Option<&AppliedRedaction>,
    case: &Case,
) -> Vec<Suspect> {
    if let Some(applied) = applied {
        return applied.report.suspects.iter().cloned().collect();
    }
    // Only a suggestion: without descriptors there is none.
    let looked = project
        .detector()
        .ok()
        .and_then(|detector| detector.suspects_in(case).ok());
    looked.map_or_else(Vec::new, |found| found.into_iter().collect())
}

/// Reports them.
pub(super) fn report_suspects(suspects: &[Suspect], report: &mut CaptureReport) {
    if suspects.is_empty() {
        return;
    }
    let fields: Vec<String> = suspects
        .iter()
        .map(|suspect| match suspect.looks_like {
            "name" => format!("{} of {}", suspect.field, suspect.type_name),
            what => format!("{} of {} (holds: {what})", suspect.field, suspect.type_name),
        })
        .collect();
    report.add("personal?", fields.join(", "));
    report.add(
        "",
        "no redaction rule is about them: write one, or one with `keep` where somebody has looked",
    );
}

fn touched(field: &Redaction) -> String {
    format!(
        "{} of {} ({})",
        field.field,
        field.type_name,
        field.action.word()
    )
}

impl AppliedRedaction {
    /// Redacts a case in place and reports what was done. Values that came redacted keep their pseudonyms if the same rules,
    /// key and descriptors made them.
    pub(super) fn apply(
        redactor: &Arc<Redactor>,
        case: &mut Case,
        before: PriorRedaction,
        report: &mut CaptureReport,
    ) -> Result<Self, OperationError> {
        let redacted = redactor
            .redact_case_after(case, &before)
            .map_err(|error| OperationError::Failed(error.to_string()))?;
        report.change(
            |own| redacted.report.without_roots(own),
            |quoted| redactor.text_after(&redacted.report, quoted),
        );
        let plain = std::mem::replace(case, redacted.case);
        let fields: Vec<String> = case.redacted.iter().map(touched).collect();
        report.add(
            "redacted",
            match fields.as_slice() {
                [] => "nothing: no rule is about a field of this case".to_owned(),
                fields => fields.join(", "),
            },
        );
        if redacted.encodings > 0 {
            report.add(
                "",
                format!(
                    "{} kept encodings of pages, snapshot or command are left out",
                    redacted.encodings
                ),
            );
        }
        if redacted.report.is_anew {
            report.add("redaction", REDACTED_ANEW);
        }
        for rule in redactor.unfitting() {
            report.add("redaction", rule);
        }
        for unread in &redacted.report.unread {
            report.add("not redacted", format!("{unread}: kept as it is"));
        }
        Ok(Self {
            redactor: Arc::clone(redactor),
            report: redacted.report,
            plain,
            before,
        })
    }

    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.report.unread.iter().map(String::as_str)
    }

    pub(super) fn is_anew(&self) -> bool {
        self.report.is_anew
    }

    /// Warnings that are shown even if nothing else is reported.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        let unread = self.unread().map(|it| format!("not redacted: {it}"));
        let roots = self.report.suspects.iter();
        let roots = roots.filter(|suspect| suspect.looks_like == OTHER_ROOT);
        let roots = roots.map(|suspect| {
            format!(
                "not redacted: {} of {} (holds: {OTHER_ROOT})",
                suspect.field, suspect.type_name
            )
        });
        unread
            .chain(self.redactor.unfitting())
            .chain(roots)
            .chain(self.is_anew().then(|| REDACTED_ANEW.to_owned()))
    }

    /// A text without the values that were removed from the case.
    pub(super) fn text(&self, text: &str) -> String {
        self.redactor.text_after(&self.report, text)
    }

    /// What today's message looks like, if production's message came redacted and is otherwise the same.
    fn came_masked(&self, case: &Case, run: Option<&ReplayedCase>) -> Option<String> {
        let (
            Some(
                Observed::Rejected(observed)
                | Observed::Crashed(observed)
                | Observed::Unimplemented(observed)
                | Observed::Refused(observed),
            ),
            CaseResult::Step(replay),
        ) = (&case.observed, &run?.result)
        else {
            return None;
        };
        let today = replay.outcome.failure()?;
        let redactor = Redactor::clone(&self.redactor).allowing([]);
        let (written, looks) = redactor.text_and_looks(&Report::default(), &today.message);
        let is_masked = today.message != observed.message && written == observed.message;
        is_masked.then(|| listed(&looks))
    }

    /// Why redaction changes the outcome, in words that show no value; none if it does not or the reason cannot be found.
    /// Replays the case before redaction, in memory, and without each reason in turn. Errors are not shown, because they may
    /// repeat what the logic received.
    pub(super) fn changed_outcome(
        &self,
        project: &Project,
        fixture: &Fixture,
        report: &mut CaptureReport,
    ) -> Option<String> {
        let logic = project.ready_logic(&fixture.case, &ReplayOptions::default());
        let logic = logic.ok()?;
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&logic),
            asks_once: true,
            ..ReplayOptions::default()
        };
        if project.probe_of(&fixture.case) == Probe::Never {
            report.add(
                "redaction",
                "whether it changes the outcome is not known: `probe` forbids a second replay",
            );
            return None;
        }
        let run = |case: &Case| {
            let fixture = Fixture {
                case: Case {
                    rules: fixture.case.rules.clone(),
                    logic: fixture.case.logic.clone(),
                    probe: fixture.case.probe,
                    ..case.clone()
                },
                ..fixture.clone()
            };
            project.replay(&fixture, &options).ok()
        };
        let replayed = |case: &Case| class(run(case).as_ref());
        project.logics().hide_output();
        // The captured values last: a logic that ends because of them leaves no answer to the others.
        let run_now = run(&fixture.case);
        let now = class(run_now.as_ref());
        let plain = replayed(&self.plain);
        if plain == now {
            if let Some(looks) = self.came_masked(&fixture.case, run_now.as_ref()) {
                report.add(
                    "redaction",
                    format!(
                        "production's message came redacted, and today's is other only where it has what looks like \
                         {looks}, so this case cannot reproduce; {ALLOW}, and record it again"
                    ),
                );
            }
            if plain == NO_ANSWER {
                report.add(
                    "redaction",
                    "whether it changes the outcome is not known: the logic gave no answer, neither to what was captured nor \
                     to what would be written",
                );
            }
            return None;
        }
        let culprits = |reason: &&Reason| {
            let without = self.redactor.without(**reason);
            let without = without.redact_case_after(&self.plain, &self.before);
            without.is_ok_and(|without| replayed(&without.case) == plain)
        };
        let found: Vec<Reason> = self
            .report
            .reasons
            .iter()
            .filter(culprits)
            .copied()
            .collect();
        let named: Vec<String> = found
            .iter()
            .map(|reason| self.redactor.describe(*reason))
            .collect();
        let mut by = match named.as_slice() {
            [] => "several rules together do it".to_owned(),
            [one] => format!("{one} does it"),
            several => format!("each of these does it: {}", several.join("; ")),
        };
        let looks = listed(&self.report.looked_like);
        if !looks.is_empty() && (found.is_empty() || found.contains(&Reason::Texts)) {
            by = format!("{by}: it looks like {looks}; {ALLOW}");
        }
        Some(format!(
            "redaction changes what the logic does: {plain} with what was captured, {now} with what would be \
             written; {by}"
        ))
    }
}

/// What the user can do about a text that only looks like a secret.
const ALLOW: &str = "where that is no secret, allow it with [[audit.allow]] in replay.toml, or write a rule with `keep` for \
                     the field that the text repeats";

fn listed(looks: &BTreeSet<&str>) -> String {
    let looks: Vec<&str> = looks.iter().copied().collect();
    looks.join(", ")
}

/// The class of a replay in which the logic could not be asked, or ended.
const NO_ANSWER: &str = "no answer";

/// The outcome and the verdict in words that contain no value.
fn class(run: Option<&ReplayedCase>) -> String {
    let Some(run) = run else {
        return NO_ANSWER.to_owned();
    };
    let outcome = match &run.result {
        CaseResult::Step(replay) => replay.outcome.word(),
        CaseResult::History(replay) => replay
            .state
            .as_ref()
            .or(replay.upcast.as_ref())
            .map_or("nothing", |outcome| outcome.word()),
        CaseResult::Flow(_) => "a flow",
    };
    match &run.verdict {
        Verdict::Reproduced => format!("{outcome} and reproduced"),
        Verdict::NotReproduced { .. } => format!("{outcome} and not reproduced"),
        Verdict::NotChecked { .. } => outcome.to_owned(),
    }
}
