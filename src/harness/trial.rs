//! Reads, replays and compares one fixture.

use std::path::Path;
use std::sync::Arc;

use serde_yaml::Value;
use similar::TextDiff;

use super::heading::heading;
use super::mutant_report::MutantReport;
use super::mutant_trials::{ComparedWith, LogicAnswers, tried};
use super::{Entry, discovery, pending};
use crate::fixture::Fixture;
use crate::model::{Probe, Status};
use crate::project::{
    Project, ReplayedCase, RunError, SelectedLogic, descriptors, judge_case, replay_case,
};
use crate::replay::{Tap, Target};
use crate::snapshot::{Flicker, Renderer, Rules, Unchecked, Verdict, differences, listed, stored};

/// What all trials of a run share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) project: Arc<Project>,
    pub(super) rules: Arc<Rules>,
    /// Collects mutants, if they are tried.
    pub(super) mutants: Option<Arc<MutantReport>>,
}

/// How a trial ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The outcome is as accepted.
    Closed,
    /// The known bug is still there.
    Open,
    /// It cannot be judged, with the reason.
    NotChecked(String),
    /// It failed, with this message.
    Failed(String),
}

pub(super) fn run(context: &Context, entry: &Entry) -> Ending {
    let fixture = match context.project.folder().read(&entry.path) {
        Ok(fixture) => fixture,
        Err(error) => return Ending::Failed(error.report()),
    };
    let ending = match replayed(context, entry, &fixture) {
        Ok(Replayed::Judged(trial)) => {
            let ending = trial.end();
            trial.try_mutants(&ending);
            ending
        }
        Ok(Replayed::NotChecked(reason)) => Ending::NotChecked(reason),
        Err(message) => Ending::Failed(message),
    };
    match ending {
        Ending::Failed(message) => Ending::Failed(format!("{}\n{message}", heading(&fixture.case))),
        ending => ending,
    }
}

enum Replayed<'a> {
    Judged(Box<Judged<'a>>),
    NotChecked(String),
}

/// A replayed case that can be compared.
struct Judged<'a> {
    context: &'a Context,
    entry: &'a Entry,
    fixture: &'a Fixture,
    target: Box<dyn Target>,
    logic: SelectedLogic,
    run: ReplayedCase,
    view: Value,
    text: String,
    /// The answers of the logic, if mutants are tried.
    answers: Option<LogicAnswers>,
}

fn replayed<'a>(
    context: &'a Context,
    entry: &'a Entry,
    fixture: &'a Fixture,
) -> Result<Replayed<'a>, String> {
    let project = &context.project;
    let logic = match &entry.twin {
        Some(twin) => project.logics().named(twin).map(Some),
        None => project.logics().of_case(&fixture.case),
    };
    let Some(logic) = logic.map_err(|error| error.to_string())? else {
        let domain = fixture.case.cover.domain.as_str();
        return Ok(Replayed::NotChecked(project.logics().none_for(domain)));
    };
    if let Some(missing) = discovery::missing_requirement(&logic.config) {
        return Err(missing);
    }
    let target = project
        .logics()
        .target(&logic, &fixture.case.source.dialect);
    let target = target.map_err(|error| error.to_string())?;
    // A twin is compared with the same snapshot, so its mutants would add nothing.
    let is_mutated = context.mutants.is_some() && entry.twin.is_none();
    let answers = is_mutated.then(LogicAnswers::default);
    let tap = answers.as_ref().map(LogicAnswers::tap);
    let mut run = once(context, fixture, target.as_ref(), tap.as_deref())
        .map_err(|error| project.with_last_words(&logic, &error))?;
    let Some(view) = run.view.take() else {
        let reason = format!(
            "logic `{}` offers neither Replay nor an upcaster",
            logic.config.name
        );
        return Ok(Replayed::NotChecked(reason));
    };
    let text = Renderer::text(&view);
    drop(tap);
    Ok(Replayed::Judged(Box::new(Judged {
        context,
        entry,
        fixture,
        target,
        logic,
        run,
        view,
        text,
        answers,
    })))
}

fn once(
    context: &Context,
    fixture: &Fixture,
    target: &dyn Target,
    tap: Option<&Tap<'_>>,
) -> Result<ReplayedCase, RunError> {
    let own = Rules::new(fixture.case.rules.clone());
    replay_case(
        &context.project,
        fixture,
        target,
        [&own, &context.rules],
        true,
        tap,
    )
}

impl Judged<'_> {
    /// How the trial ended. If the logic crashed, the message includes its last output.
    fn end(&self) -> Ending {
        let project = &self.context.project;
        match self.compared() {
            Ending::Failed(message) => {
                match project.words_of_crashed(&self.logic, &self.run.checked) {
                    Some(words) => Ending::Failed(format!("{}\n\n{words}", message.trim_end())),
                    None => Ending::Failed(message),
                }
            }
            ending => ending,
        }
    }

    /// Reports the mutants that the passed comparison would not notice. The logic is not called again.
    fn try_mutants(&self, ending: &Ending) {
        let compared = match ending {
            Ending::Closed => ComparedWith::Snapshot,
            Ending::Open => ComparedWith::Verdict,
            Ending::NotChecked(_) | Ending::Failed(_) => return,
        };
        if let (Some(report), Some(answers)) = (&self.context.mutants, &self.answers) {
            let project = &self.context.project;
            let tried = tried(project, self.fixture, self.target.as_ref(), answers);
            report.add(&self.entry.name, compared, tried);
        }
    }

    fn compared(&self) -> Ending {
        if let Some(reason) = stored::too_large(&self.text) {
            let file = Project::shown(&self.entry.path);
            return Ending::Failed(format!("{file}: {reason}"));
        }
        let snapshot = Project::snapshot_path(&self.entry.path);
        let accepted = match stored::accepted(&snapshot) {
            Ok(accepted) => accepted,
            Err(reason) => {
                return Ending::Failed(format!("{}: {reason}", Project::shown(&snapshot)));
            }
        };
        match (self.fixture.case.status, accepted) {
            // Accepting the pending snapshot of an open case closes it.
            (_, Some(accepted)) => self.closed(&snapshot, &accepted),
            (Status::Closed, None) => self.missing(&snapshot),
            (Status::Open, None) => self.open(&snapshot),
        }
    }

    fn closed(&self, snapshot: &Path, accepted: &str) -> Ending {
        if stored::is_same(accepted, &self.text) {
            if self.entry.twin.is_none() {
                if pending::is_forced()
                    && let Err(problem) = pending::offer(&self.entry.path, &self.text)
                {
                    return Ending::Failed(problem);
                }
                pending::discard(snapshot);
            }
            return Ending::Closed;
        }
        self.offered(snapshot, || {
            let expected: Value = serde_yaml::from_str(accepted).unwrap_or_default();
            let mut lines = vec![format!(
                "{}: the outcome changed, on {}",
                Project::shown(&self.entry.path),
                self.logic.describe()
            )];
            let descriptors = descriptors(&self.context.project, self.fixture).unwrap_or_default();
            let found = differences(&expected, &self.view, &descriptors);
            lines.extend(listed(&found).iter().map(|line| format!("  {line}")));
            lines.push(String::new());
            lines.push(diff(accepted, &self.text));
            lines.extend(self.note());
            lines.join("\n")
        })
    }

    fn missing(&self, snapshot: &Path) -> Ending {
        self.offered(snapshot, || {
            format!(
                "{}: the case is closed and its snapshot {} is missing\n\ntoday's outcome:\n{}",
                Project::shown(&self.entry.path),
                Project::shown(snapshot),
                indented(&self.text),
            )
        })
    }

    /// How a case ends whose outcome is not accepted: it fails with a message and the next steps, unless the outcome is accepted
    /// now.
    fn offered(&self, snapshot: &Path, message: impl FnOnce() -> String) -> Ending {
        if let Some(flicker) = self.flicker() {
            return Ending::Failed(flicker);
        }
        let offered = match &self.entry.twin {
            Some(_) => Ok(false),
            None => pending::offer(&self.entry.path, &self.text),
        };
        let problem = match offered {
            Ok(true) => return Ending::Closed,
            Ok(false) => String::new(),
            Err(problem) => format!("\nnote: {problem}"),
        };
        Ending::Failed(format!(
            "{}{problem}\n{}",
            message(),
            self.next_steps(snapshot)
        ))
    }

    fn open(&self, snapshot: &Path) -> Ending {
        let verdict = self.verdict();
        match &verdict {
            Verdict::Reproduced => {
                if self.entry.twin.is_none() {
                    pending::discard(snapshot);
                }
                Ending::Open
            }
            Verdict::NotChecked { reason } => Ending::NotChecked(format!(
                "the case is open, but {reason}; accept today's outcome with `cargo xtask close {}`",
                Project::shown(&self.entry.path)
            )),
            Verdict::NotReproduced { differences, .. } => self.offered(snapshot, || {
                let mut lines = vec![
                    format!(
                        "{}: the open case no longer reproduces",
                        Project::shown(&self.entry.path)
                    ),
                    format!(
                        "against production: {verdict}, on {}",
                        self.logic.describe()
                    ),
                ];
                lines.extend(self.note());
                lines.extend(listed(differences).iter().map(|line| format!("  {line}")));
                lines.push(format!("\ntoday's outcome:\n{}", indented(&self.text)));
                lines.join("\n")
            }),
        }
    }

    /// Whether the outcome differs between two runs. Calls the logic once more, unless that is forbidden.
    fn flicker(&self) -> Option<String> {
        let probe = self.context.project.probe_of(&self.fixture.case);
        if probe == Probe::Never {
            return None;
        }
        let again = once(self.context, self.fixture, self.target.as_ref(), None)
            .ok()?
            .view?;
        let descriptors = descriptors(&self.context.project, self.fixture).ok()?;
        let flicker = Flicker::between(&self.view, &again, &descriptors)?;
        let fixture = Project::shown(&self.entry.path);
        Some(format!(
            "{fixture}: not deterministic: two runs one after the other differ\n{}\n\n{}",
            flicker.differing(),
            flicker.advice(&fixture)
        ))
    }

    /// Computed only if needed, because judging costs as much as rendering.
    fn verdict(&self) -> Verdict {
        let own = Rules::new(self.fixture.case.rules.clone());
        let rules = [&own, &*self.context.rules];
        judge_case(
            &self.context.project,
            self.fixture,
            &self.run.checked,
            rules,
        )
        .unwrap_or_else(|error| Verdict::NotChecked {
            reason: Unchecked::Failed(error.to_string()),
        })
    }

    /// A note about fields in the answer that no descriptor has.
    fn note(&self) -> Option<String> {
        let note = self.run.checked.unknown_in_replies()?;
        Some(format!("note: {note}"))
    }

    fn next_steps(&self, snapshot: &Path) -> String {
        let fixture = Project::shown(&self.entry.path);
        let debug = format!("look into it:  cargo xtask replay {fixture}");
        if let Some(twin) = &self.entry.twin {
            return format!("\nthe snapshot is the other logic's; {debug} --logic {twin}");
        }
        let accept = if pending::pending_path(snapshot).exists() {
            "cargo insta review, or cargo xtask close"
        } else {
            "cargo xtask close"
        };
        let project = &self.context.project;
        let mut files = project.files_to_commit(&self.entry.path);
        let snapshot = Project::shown(snapshot);
        if !files.contains(&snapshot) {
            files.insert(1, snapshot);
        }
        format!(
            "\n{debug}\naccept it:     {accept} {fixture}\nthen commit:   {}",
            files.join(" ")
        )
    }
}

/// Maximum number of lines for a line diff, which takes quadratic time.
const MOST_LINES: usize = 20_000;

fn diff(accepted: &str, text: &str) -> String {
    let lines = accepted.lines().count() + text.lines().count();
    if lines > MOST_LINES {
        return format!("(the two texts have {lines} lines, too many to show them line by line)");
    }
    let (accepted, text) = (
        format!("{}\n", accepted.trim_end()),
        format!("{}\n", text.trim_end()),
    );
    let diff = TextDiff::from_lines(&accepted, &text);
    diff.unified_diff()
        .context_radius(3)
        .header("accepted", "today")
        .to_string()
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
