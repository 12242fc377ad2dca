//! Redaction of a capture: before it is told, replayed or written; and whether it changed what the logic does.

use std::collections::BTreeSet;

use super::Stop;
use super::telling::Telling;
use crate::capture::{UpTo, fetch_history};
use crate::fixture::Fixture;
use crate::model::{Case, Cover, Observed, Probe, Redaction};
use crate::project::{CaseResult, LogicChoice, OpenSource, Project, ReplayOptions, ReplayedCase};
use crate::redact::{OTHER_ROOT, PriorRedaction, Reason, Redactor, Report, Suspect};
use crate::snapshot::Verdict;

/// What is said where stand-ins may have got stand-ins.
pub(super) const REDACTED_ANEW: &str = "what came redacted was redacted otherwise (other rules, key or descriptors, or not \
                                        all could be read): its stand-ins got stand-ins, which equal nothing elsewhere";

/// A case that may be told and written, and what it was made from.
pub(super) struct Redacting {
    redactor: Redactor,
    report: Report,
    /// The case with all that was taken out; never leaves the memory.
    plain: Case,
    /// What of it came redacted.
    before: PriorRedaction,
}

/// What redacts captures from a source; none where it need not be redacted.
pub(super) fn redactor(
    project: &Project,
    source: &str,
    is_unredacted: bool,
) -> Result<Option<Redactor>, Stop> {
    if is_unredacted {
        return Ok(None);
    }
    Ok(project.redactor(source)?)
}

/// What redacts captures from an open source.
pub(super) fn redactor_of(
    project: &Project,
    source: &OpenSource,
    is_unredacted: bool,
) -> Result<Option<Redactor>, Stop> {
    if source.is_recording() {
        return redactor_of_recording(project, &source.name, is_unredacted);
    }
    redactor(project, &source.name, is_unredacted)
}

/// What redacts captures from a recording, which is never a demonstration whatever its name is.
pub(super) fn redactor_of_recording(
    project: &Project,
    name: &str,
    is_unredacted: bool,
) -> Result<Option<Redactor>, Stop> {
    if is_unredacted {
        return Ok(None);
    }
    let what = format!("the recording `{name}` is no demonstration");
    Ok(Some(project.redactor_of_file(&what)?))
}

/// The embedded source needs no redaction, as its data is public. A command from elsewhere is not of it, unless it is for
/// an aggregate that the source has.
pub(super) fn demand_of_elsewhere(
    project: &Project,
    source: &OpenSource,
    is_unredacted: bool,
    failing: &Cover,
    origin: &str,
) -> Result<(), Stop> {
    let has_rules = |redactor: Option<Redactor>| redactor.is_some_and(|it| !it.is_idle());
    if !source.is_embedded() || is_unredacted || has_rules(project.redactor(&source.name)?) {
        return Ok(());
    }
    // The source may be connected to another domain alone.
    let all = project.source(Some(&source.name), None)?;
    let is_of_it = match all.domains.get(&failing.domain) {
        Some(queries) => {
            fetch_history(queries.as_ref(), failing, UpTo::Head, &mut |_| {})?.head > 0
        }
        None => false,
    };
    if is_of_it {
        return Ok(());
    }
    let what = format!(
        "the embedded source has no {}/{}, so the command ({origin}) is no demonstration",
        failing.domain, failing.root
    );
    project.redactor_of_file(&what)?;
    Ok(())
}

/// Redacts a case in place, of which some came redacted, and tells what was done.
pub(super) fn apply(
    redactor: Option<Redactor>,
    case: &mut Case,
    before: PriorRedaction,
    telling: &mut Telling,
) -> Result<Option<Redacting>, Stop> {
    let Some(redactor) = redactor else {
        return Ok(None);
    };
    let redacted = redactor
        .redact_case_after(case, &before)
        .map_err(|error| Stop::Failed(error.to_string()))?;
    telling.change(
        |own| redacted.report.without_roots(own),
        |quoted| redactor.text_after(&redacted.report, quoted),
    );
    let plain = std::mem::replace(case, redacted.case);
    let fields: Vec<String> = case.redacted.iter().map(touched).collect();
    telling.add(
        "redacted",
        match fields.as_slice() {
            [] => "nothing: no rule is about a field of this case".to_owned(),
            fields => fields.join(", "),
        },
    );
    if redacted.encodings > 0 {
        telling.add(
            "",
            format!(
                "{} kept encodings of pages, snapshot or command are left out",
                redacted.encodings
            ),
        );
    }
    if redacted.report.is_anew {
        telling.add("redaction", REDACTED_ANEW);
    }
    for rule in redactor.unfitting() {
        telling.add("redaction", rule);
    }
    for unread in &redacted.report.unread {
        telling.add("not redacted", format!("{unread}: kept as it is"));
    }
    Ok(Some(Redacting {
        redactor,
        report: redacted.report,
        plain,
        before,
    }))
}

/// Fields of a case that look personal and that no rule is about.
pub(super) fn suspects(
    project: &Project,
    redacting: Option<&Redacting>,
    case: &Case,
) -> Vec<Suspect> {
    if let Some(redacting) = redacting {
        return redacting.report.suspects.iter().cloned().collect();
    }
    // Only a suggestion: without descriptors there is none.
    let looked = project
        .looker()
        .ok()
        .and_then(|looker| looker.redact_case(case).ok());
    looked.map_or_else(Vec::new, |looked| {
        looked.report.suspects.into_iter().collect()
    })
}

/// Tells of them.
pub(super) fn tell_suspects(suspects: &[Suspect], telling: &mut Telling) {
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
    telling.add("personal?", fields.join(", "));
    telling.add(
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

impl Redacting {
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.report.unread.iter().map(String::as_str)
    }

    pub(super) fn is_anew(&self) -> bool {
        self.report.is_anew
    }

    /// What everybody has to know of it, also where nothing else of it is told.
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

    /// A text without what was taken out of the case.
    pub(super) fn text(&self, text: &str) -> String {
        self.redactor.text_after(&self.report, text)
    }

    /// What today's message looks like where production's came without it, and is the same but for that.
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
        let redactor = self.redactor.clone().allowing([]);
        let (written, looks) = redactor.text_and_looks(&Report::default(), &today.message);
        let is_masked = today.message != observed.message && written == observed.message;
        is_masked.then(|| listed(&looks))
    }

    /// What a change of the outcome comes from, in words that show no value; none where there is none or where it
    /// cannot be found out. Replays the case as it was, in memory, and without each reason in turn; errors are not
    /// shown, since they may repeat what the logic was sent.
    pub(super) fn changed_outcome(
        &self,
        project: &Project,
        fixture: &Fixture,
        telling: &mut Telling,
    ) -> Option<String> {
        let logic = project.ready_logic(&fixture.case, &ReplayOptions::default());
        let logic = logic.ok()?;
        let options = ReplayOptions {
            logic: LogicChoice::Ready(&logic),
            asks_once: true,
            ..ReplayOptions::default()
        };
        if project.probe_of(&fixture.case) == Probe::Never {
            telling.add(
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
                telling.add(
                    "redaction",
                    format!(
                        "production's message came redacted, and today's is other only where it has what looks like \
                         {looks}, so this case cannot reproduce; {ALLOW}, and record it again"
                    ),
                );
            }
            if plain == NO_ANSWER {
                telling.add(
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

/// What somebody may do about a text that only looks like a secret.
const ALLOW: &str = "where that is no secret, allow it with [[audit.allow]] in replay.toml, or write a rule with `keep` for \
                     the field that the text repeats";

fn listed(looks: &BTreeSet<&str>) -> String {
    let looks: Vec<&str> = looks.iter().copied().collect();
    looks.join(", ")
}

/// What is said of a replay in which the logic could not be asked, or ended.
const NO_ANSWER: &str = "no answer";

/// The outcome and the verdict in words that hold nothing of a value.
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
