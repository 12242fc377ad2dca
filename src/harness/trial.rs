//! Reads, replays and compares one fixture.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};

use serde_yaml::Value;
use similar::TextDiff;

use super::alone::{Attempt, Turns};
use super::ending::{Ending, lacks_rejection};
use super::failure_details::{Details, OUTCOME, REQUEST};
use super::heading::heading;
use super::mutant_report::MutantReport;
use super::mutant_trials::{ComparedWith, LogicAnswers, tried};
use super::{Entry, pending};
use crate::fixture::Fixture;
use crate::model::Status;
use crate::project::{Project, ReplayErrorKind, ReplayOptions, ReplayedCase, other_build};
use crate::snapshot::{Verdict, differences, listed_styled, stored};
use crate::terminal::{Program, Role, Text, program};

/// What all trials of a run share.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) project: Arc<Project>,
    /// Collects mutants, if they are tried.
    pub(super) mutants: Option<Arc<MutantReport>>,
    /// More about failed cases.
    pub(super) details: Arc<Details>,
    /// Which trials run beside others.
    pub(super) turns: Arc<Turns>,
}

impl Context {
    /// Notes the line of the first of these keys in the fixture, unless a line is noted already.
    fn note_key(&self, entry: &Entry, keys: &[&str]) {
        let limit = self.project.config().file_limit;
        self.details.note_key(&entry.name, &entry.path, limit, keys);
    }
}

/// Runs a trial, each attempt for as long as the configuration allows.
pub(super) fn run(context: &Context, entry: &Entry) -> Ending {
    let attempt = || attempt_in_time(context, entry);
    context.turns.run(&context.project, attempt)
}

/// A case that takes longer is left behind in its thread, which is in nobody's way.
fn attempt_in_time(context: &Context, entry: &Entry) -> Attempt {
    let Some(limit) = context.project.config().case_deadline else {
        return attempt(context, entry);
    };
    let (own_context, own_entry) = (context.clone(), entry.clone());
    let file = Project::shown(&entry.path);
    let (ended, end) = channel();
    let case = std::thread::Builder::new().spawn(move || {
        // Nobody waits any more for a case that is late.
        let _ = ended.send(attempt(&own_context, &own_entry));
    });
    let Ok(case) = case else {
        return Ending::Failed(format!("{file}: no thread can be started for it").into()).into();
    };
    match end.recv_timeout(limit) {
        Ok(attempt) => attempt,
        Err(RecvTimeoutError::Timeout) => {
            context.note_key(entry, &REQUEST);
            let limit = limit.as_secs();
            let words = format!(
                "{file}: it took longer than {limit} s, the `case_deadline` in replay.toml"
            );
            Ending::Failed(words.into()).into()
        }
        // The logic panicked outside of what catches panics: it is shown as a panic of the trial.
        Err(RecvTimeoutError::Disconnected) => match case.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Ending::Failed(format!("{file}: it ended without a result").into()).into(),
        },
    }
}

fn attempt(context: &Context, entry: &Entry) -> Attempt {
    let fixture = match context.project.folder().read(&entry.path) {
        Ok(fixture) => fixture,
        Err(error) => {
            let line = error.location().map(|location| location.line);
            context.details.note_line(&entry.name, line);
            return Ending::Failed(error.report().into()).into();
        }
    };
    let mut attempt = match replayed(context, entry, &fixture) {
        Ok(trial) => {
            let ending = trial.end();
            trial.try_mutants(&ending);
            ending.into()
        }
        Err(attempt) => attempt,
    };
    if let Ending::Failed(message) = &attempt.ending {
        context.note_key(entry, &REQUEST);
        let mut text = Text::plain(heading(&fixture.case));
        text.push(Role::Plain, "\n");
        text.append(message);
        attempt.ending = Ending::Failed(text);
    }
    attempt
}

/// A replayed case that can be compared.
struct ComparedCase<'a> {
    context: &'a Context,
    entry: &'a Entry,
    fixture: &'a Fixture,
    replayed: ReplayedCase,
    text: String,
    /// The answers of the logic, if mutants are tried.
    answers: Option<LogicAnswers>,
}

/// Replays a case, or says how the trial ended where there is nothing to compare.
fn replayed<'a>(
    context: &'a Context,
    entry: &'a Entry,
    fixture: &'a Fixture,
) -> Result<ComparedCase<'a>, Attempt> {
    // A twin is compared with the same snapshot, so its mutants would add nothing.
    let is_mutated = context.mutants.is_some() && entry.twin.is_none();
    let answers = is_mutated.then(LogicAnswers::default);
    let tap = answers.as_ref().map(LogicAnswers::tap);
    let options = ReplayOptions {
        logic: entry.logic(),
        skips_verdict: fixture.case.status != Status::Open,
        tap: tap.as_deref(),
        ..ReplayOptions::default()
    };
    let replayed = context.project.replay(fixture, &options);
    let replayed = replayed.map_err(|error| Attempt {
        lost_logic: error.lost_logic().map(str::to_owned),
        ending: match error.kind() {
            ReplayErrorKind::NotConfigured(reason) => Ending::NotChecked(reason.clone()),
            _ => Ending::Failed(error.to_string().into()),
        },
    })?;
    drop(tap);
    let Some(text) = replayed.text() else {
        return Err(Ending::NotChecked(replayed.nothing_to_compare()).into());
    };
    Ok(ComparedCase {
        context,
        entry,
        fixture,
        replayed,
        text,
        answers,
    })
}

impl ComparedCase<'_> {
    /// How the trial ended. If the logic crashed, the message includes its last output.
    fn end(&self) -> Ending {
        match self.compared() {
            Ending::Failed(message) => match self.replayed.last_output(&self.context.project) {
                Some(output) => {
                    let message = message.trim_end();
                    Ending::Failed(message.with(Role::Plain, format_args!("\n\n{output}")))
                }
                None => Ending::Failed(message),
            },
            ending => ending,
        }
    }

    /// Reports the mutants that the passed comparison would not notice. The logic is not called again.
    fn try_mutants(&self, ending: &Ending) {
        let compared = match ending {
            Ending::Closed | Ending::Intended => ComparedWith::Snapshot,
            Ending::Open => ComparedWith::Verdict,
            Ending::NotChecked(_) | Ending::Failed(_) => return,
        };
        if let (Some(report), Some(answers)) = (&self.context.mutants, &self.answers) {
            let project = &self.context.project;
            let tried = tried(project, self.fixture, &self.replayed.logic, answers);
            report.add(&self.entry.name, compared, tried);
        }
    }

    fn compared(&self) -> Ending {
        if let Some(reason) = stored::too_large(&self.text) {
            let file = Project::shown(&self.entry.path);
            return Ending::Failed(format!("{file}: {reason}").into());
        }
        let snapshot = Project::snapshot_path(&self.entry.path);
        let accepted = match stored::accepted(&snapshot) {
            Ok(accepted) => accepted,
            Err(reason) => {
                let file = Project::shown(&snapshot);
                return Ending::Failed(format!("{file}: {reason}").into());
            }
        };
        match (self.fixture.case.status, accepted) {
            // Accepting the pending snapshot of an open case closes it.
            (_, Some(accepted)) => self.closed(&snapshot, &accepted),
            (Status::Closed | Status::Intended, None) => self.missing(&snapshot),
            (Status::Open, None) => self.open(&snapshot),
        }
    }

    fn closed(&self, snapshot: &Path, accepted: &str) -> Ending {
        if stored::is_same(accepted, &self.text) {
            if self.entry.twin.is_none() {
                if pending::is_forced()
                    && let Err(problem) = pending::offer(&self.entry.path, &self.text)
                {
                    return Ending::Failed(problem.to_string().into());
                }
                pending::discard(snapshot);
            }
            return self.accepted();
        }
        self.offered(snapshot, &OUTCOME, || {
            let expected: Value = serde_yaml::from_str(accepted).unwrap_or_default();
            let view = self.replayed.view.as_ref();
            let changed = if lacks_rejection(self.fixture.case.status, view) {
                "the intended rejection is gone"
            } else {
                "the outcome changed"
            };
            let mut text = Text::plain(Project::shown(&self.entry.path))
                .with(Role::Plain, ": ")
                .with(Role::Bad, changed);
            let logic = self.replayed.logic.selected().describe();
            text.push(Role::Plain, format_args!(", on {logic}"));
            let now = self.replayed.view.clone().unwrap_or_default();
            let descriptors = self.context.project.descriptors_of(self.fixture);
            let descriptors = descriptors.map_or_else(|_| Vec::new(), Vec::from);
            let found = differences(&expected, &now, &descriptors);
            self.context.details.note_changes(&self.entry.name, &found);
            text.append(&listed_styled(&found));
            text.push(Role::Plain, "\n\n");
            text.append(&diff(accepted, &self.text));
            if let Some(note) = self.note() {
                text.push(Role::Plain, format_args!("\n{note}"));
            }
            text
        })
    }

    fn accepted(&self) -> Ending {
        let view = self.replayed.view.as_ref();
        let ending = Ending::of_accepted(&self.entry.path, self.fixture.case.status, view);
        if matches!(ending, Ending::Failed(_)) {
            self.context.note_key(self.entry, &["status"]);
        }
        ending
    }

    fn missing(&self, snapshot: &Path) -> Ending {
        self.offered(snapshot, &["status"], || {
            Text::plain(format_args!(
                "{}: the case is {} and its snapshot {} is missing\n\ntoday's outcome:\n{}",
                Project::shown(&self.entry.path),
                self.fixture.case.status.word(),
                Project::shown(snapshot),
                indented(&self.text),
            ))
        })
    }

    /// How a case ends whose outcome is not accepted: it fails with a message and the next steps, unless the outcome is accepted
    /// now. The failure is about the first of the keys that the fixture has.
    fn offered(&self, snapshot: &Path, keys: &[&str], message: impl FnOnce() -> Text) -> Ending {
        if let Some(flicker) = self.flicker() {
            return Ending::Failed(flicker.into());
        }
        let offered = match &self.entry.twin {
            Some(_) => Ok(false),
            None => pending::offer(&self.entry.path, &self.text),
        };
        let problem = match offered {
            Ok(true) => return self.accepted(),
            Ok(false) => String::new(),
            Err(problem) => format!("\nnote: {problem}"),
        };
        self.context.note_key(self.entry, keys);
        let next = self.next_steps(snapshot);
        Ending::Failed(message().with(Role::Plain, format_args!("{problem}\n{next}")))
    }

    fn open(&self, snapshot: &Path) -> Ending {
        let verdict = &self.replayed.verdict;
        match verdict {
            Verdict::Reproduced => {
                if self.entry.twin.is_none() {
                    pending::discard(snapshot);
                }
                Ending::Open
            }
            Verdict::NotChecked { reason } => Ending::NotChecked(format!(
                "the case is open, but {reason}; accept today's outcome with `{} close {}`",
                program(),
                Project::shown(&self.entry.path)
            )),
            Verdict::NotReproduced { differences, .. } => self.offered(snapshot, &OUTCOME, || {
                let logic = self.replayed.logic.selected().describe();
                let mut text = Text::plain(Project::shown(&self.entry.path))
                    .with(Role::Plain, ": ")
                    .with(Role::Bad, "the open case no longer reproduces")
                    .with(
                        Role::Plain,
                        format_args!("\nagainst production: {verdict}, on {logic}"),
                    );
                for note in other_build(&self.fixture.case, verdict)
                    .into_iter()
                    .chain(self.note())
                {
                    text.push(Role::Plain, format_args!("\n{note}"));
                }
                text.append(&listed_styled(differences));
                let today = indented(&self.text);
                text.with(Role::Plain, format_args!("\n\ntoday's outcome:\n{today}"))
            }),
        }
    }

    /// Reports if the outcome differs between two runs. Calls the logic once more, unless that is forbidden.
    fn flicker(&self) -> Option<String> {
        let project = &self.context.project;
        let flicker = project.flicker(self.fixture, &self.replayed).ok()??;
        let fixture = Project::shown(&self.entry.path);
        Some(format!(
            "{fixture}: not deterministic: two runs one after the other differ\n{}\n\n{}",
            flicker.differing(),
            flicker.advice(&fixture)
        ))
    }

    /// A note about fields in the answer that no descriptor has.
    fn note(&self) -> Option<String> {
        let note = self.replayed.result.unknown_in_replies()?;
        Some(format!("note: {note}"))
    }

    fn next_steps(&self, snapshot: &Path) -> String {
        let fixture = Project::shown(&self.entry.path);
        let debug = format!("look into it:  {} replay {fixture}", program());
        if let Some(twin) = &self.entry.twin {
            return format!("\nthe snapshot is the other logic's; {debug} --logic {twin}");
        }
        let accept = if pending::pending_path(snapshot).exists() {
            match program() {
                Program::Cargo(name) => format!("cargo insta review, or {name} close"),
                Program::Standalone => format!("{0} review, or {0} close", program()),
            }
        } else {
            format!("{} close", program())
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

fn diff(accepted: &str, text: &str) -> Text {
    let lines = accepted.lines().count() + text.lines().count();
    if lines > MOST_LINES {
        return Text::plain(format_args!(
            "(the two texts have {lines} lines, too many to show them line by line)"
        ));
    }
    let (accepted, text) = (
        format!("{}\n", accepted.trim_end()),
        format!("{}\n", text.trim_end()),
    );
    let diff = TextDiff::from_lines(&accepted, &text);
    let mut diff = diff.unified_diff();
    diff.context_radius(3).header("accepted", "today");
    let mut text = Text::new();
    for line in diff.to_string().split_inclusive('\n') {
        // Every line begins with a sign of the diff.
        let role = match line.as_bytes().first() {
            Some(b'-') => Role::Removed,
            Some(b'+') => Role::Added,
            Some(b'@') => Role::Faint,
            _ => Role::Plain,
        };
        text.push(role, line);
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}
