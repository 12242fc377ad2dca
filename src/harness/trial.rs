//! One fixture: read, replayed, compared.

use std::path::Path;
use std::sync::Arc;

use serde_yaml::Value;
use similar::TextDiff;

use super::mutating::{Answers, Compared, tried};
use super::unnoticed::Report;
use super::{Entry, discovery, pending};
use crate::fixture::{Fixture, Probe, Status};
use crate::project::{
    Project, ReplayedCase, RunError, SelectedLogic, descriptors, judge_case, replay_case,
};
use crate::replay::{Tap, Target};
use crate::snapshot::{Flicker, Renderer, Rules, Verdict, differences, stored};

/// What all trials share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) project: Arc<Project>,
    pub(super) rules: Arc<Rules>,
    /// Where mutants are reported, if they are tried.
    pub(super) mutants: Option<Arc<Report>>,
}

/// How a trial ended.
pub(super) enum Ending {
    /// The outcome is the accepted one.
    Closed,
    /// The known bug is still there.
    Open,
    /// It cannot be judged; why.
    NotChecked(String),
    /// With this message.
    Failed(String),
}

pub(super) fn run(context: &Context, entry: &Entry) -> Ending {
    match replayed(context, entry) {
        Ok(Replayed::Judged(trial)) => {
            let ending = trial.end();
            trial.try_mutants(&ending);
            ending
        }
        Ok(Replayed::NotChecked(reason)) => Ending::NotChecked(reason),
        Err(message) => Ending::Failed(message),
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
    fixture: Fixture,
    target: Box<dyn Target>,
    logic: SelectedLogic,
    run: ReplayedCase,
    view: Value,
    text: String,
    /// What the logic answered, where mutants of it are tried.
    answers: Option<Answers>,
}

fn replayed<'a>(context: &'a Context, entry: &'a Entry) -> Result<Replayed<'a>, String> {
    let project = &context.project;
    let fixture = project
        .folder()
        .read(&entry.path)
        .map_err(|error| error.report())?;
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
    // A twin is held to the same snapshot: its mutants would say the same once more.
    let is_mutated = context.mutants.is_some() && entry.twin.is_none();
    let answers = is_mutated.then(Answers::default);
    let tap = answers.as_ref().map(Answers::tap);
    let mut run = once(context, &fixture, target.as_ref(), tap.as_deref())
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
    /// The ending; where the logic crashed and the trial fails, with what it wrote.
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

    /// Reports what the comparison that just passed would not notice. The logic is not asked again.
    fn try_mutants(&self, ending: &Ending) {
        let compared = match ending {
            Ending::Closed => Compared::Snapshot,
            Ending::Open => Compared::Verdict,
            Ending::NotChecked(_) | Ending::Failed(_) => return,
        };
        if let (Some(report), Some(answers)) = (&self.context.mutants, &self.answers) {
            let project = &self.context.project;
            let tried = tried(project, &self.fixture, self.target.as_ref(), answers);
            report.add(&self.entry.name, compared, tried);
        }
    }

    fn compared(&self) -> Ending {
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
                if pending::is_forced() {
                    pending::assert(&self.entry.path, &self.text);
                }
                pending::discard(snapshot);
            }
            return Ending::Closed;
        }
        if let Some(flicker) = self.flicker() {
            return Ending::Failed(flicker);
        }
        if self.entry.twin.is_none() && pending::assert(&self.entry.path, &self.text) {
            return Ending::Closed;
        }
        let expected: Value = serde_yaml::from_str(accepted).unwrap_or_default();
        let descriptors = descriptors(&self.context.project, &self.fixture).unwrap_or_default();
        let mut lines = vec![format!(
            "{}: the outcome changed",
            Project::shown(&self.entry.path)
        )];
        lines.extend(
            differences(&expected, &self.view, &descriptors)
                .iter()
                .map(|difference| format!("  {difference}")),
        );
        lines.push(String::new());
        lines.push(diff(accepted, &self.text));
        lines.push(self.verdict_line());
        lines.push(self.next_steps(snapshot));
        Ending::Failed(lines.join("\n"))
    }

    fn missing(&self, snapshot: &Path) -> Ending {
        if let Some(flicker) = self.flicker() {
            return Ending::Failed(flicker);
        }
        if self.entry.twin.is_none() && pending::assert(&self.entry.path, &self.text) {
            return Ending::Closed;
        }
        Ending::Failed(format!(
            "{}: the case is closed and its snapshot {} is missing\n\ntoday's outcome:\n{}\n{}",
            Project::shown(&self.entry.path),
            Project::shown(snapshot),
            indented(&self.text),
            self.next_steps(snapshot)
        ))
    }

    fn open(&self, snapshot: &Path) -> Ending {
        match &self.verdict() {
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
            Verdict::NotReproduced { differences, .. } => {
                if let Some(flicker) = self.flicker() {
                    return Ending::Failed(flicker);
                }
                if self.entry.twin.is_none() && pending::assert(&self.entry.path, &self.text) {
                    return Ending::Closed;
                }
                let mut lines = vec![format!(
                    "{}: the open case no longer reproduces",
                    Project::shown(&self.entry.path)
                )];
                lines.push(self.verdict_line());
                lines.extend(
                    differences
                        .iter()
                        .map(|difference| format!("  {difference}")),
                );
                lines.push(format!("\ntoday's outcome:\n{}", indented(&self.text)));
                lines.push(self.next_steps(snapshot));
                Ending::Failed(lines.join("\n"))
            }
        }
    }

    /// Whether the outcome changes between two runs. Asks the logic once more, unless that is forbidden.
    fn flicker(&self) -> Option<String> {
        let probe = self.context.project.probe_of(&self.fixture.case);
        if probe == Probe::Never {
            return None;
        }
        let again = once(self.context, &self.fixture, self.target.as_ref(), None)
            .ok()?
            .view?;
        let descriptors = descriptors(&self.context.project, &self.fixture).ok()?;
        let flicker = Flicker::between(&self.view, &again, &descriptors)?;
        let fixture = Project::shown(&self.entry.path);
        Some(format!(
            "{fixture}: not deterministic: two runs one after the other differ\n{}\n\n{}",
            flicker.differing(),
            flicker.advice(&fixture)
        ))
    }

    /// Asked for only where somebody reads it: judging costs as much as rendering.
    fn verdict(&self) -> Verdict {
        let own = Rules::new(self.fixture.case.rules.clone());
        let rules = [&own, &*self.context.rules];
        judge_case(
            &self.context.project,
            &self.fixture,
            &self.run.checked,
            rules,
        )
        .unwrap_or_else(|error| Verdict::NotChecked {
            reason: error.to_string(),
        })
    }

    fn verdict_line(&self) -> String {
        let verdict = format!(
            "against production: {}, on {}",
            self.verdict(),
            self.logic.describe()
        );
        match self.run.checked.unknown_in_replies() {
            Some(note) => format!("{verdict}\nnote: {note}"),
            None => verdict,
        }
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
        format!("\n{debug}\naccept it:     {accept} {fixture}")
    }
}

fn diff(accepted: &str, text: &str) -> String {
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
