//! `capture --each-distinct`: one fixture for each distinct bug of a log.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::IsTerminal;

use serde_json::json;

use super::given::{Given, demand_some, read};
use super::redaction::Redacting;
use super::telling::{assumed_dialect, not_kept};
use super::{CaptureArguments, CapturedFailures, Finished, Naming, capture_from};
use crate::capture::{Aside, FailureGroup, Logged, group_failures};
use crate::cli::messages::Messages;
use crate::cli::{Done, Stop, complain, say, tell_unusable};
use crate::model::{Domain, counted};
use crate::project::{FailureEntry, OpenSource, Project};
use crate::wire::Dialect;

/// What became of the bugs.
#[derive(Default)]
struct Summary {
    results: BTreeMap<&'static str, usize>,
    failed: usize,
    /// Whether nothing is redacted.
    shows_messages: bool,
    /// A dialect that had to be assumed.
    assumed: Option<Dialect>,
    /// What to commit.
    files: BTreeSet<String>,
}

pub(super) fn run(project: &Project, arguments: &CaptureArguments, source_name: &str) -> Done {
    let failures = match &arguments.from_log {
        Some(file) => {
            let (failures, name) = read(file)?;
            demand_some(&failures, &name)?;
            failures
        }
        None => project.failures(Some(source_name))?,
    };
    tell_unusable(&failures.unusable);
    let spec = arguments
        .root
        .as_deref()
        .map(str::parse::<crate::capture::RootSpec>);
    let spec = spec.transpose()?;
    let is_wanted = |logged: &Logged| {
        let domains = [
            arguments.domain.as_ref(),
            spec.as_ref().and_then(|spec| spec.domain.as_ref()),
        ];
        domains
            .into_iter()
            .flatten()
            .all(|domain| logged.domain() == Some(domain))
            && spec.as_ref().is_none_or(|spec| spec.fits(&logged.root()))
            && arguments
                .correlation_in_log()
                .is_none_or(|id| logged.correlation_id() == id)
    };
    let wanted: Vec<&FailureEntry> = failures
        .entries
        .iter()
        .filter(|entry| is_wanted(&entry.logged))
        .collect();
    let groups = group_failures(wanted.iter().map(|entry| &entry.logged));
    let (mut bugs, aside): (Vec<FailureGroup>, Vec<FailureGroup>) =
        groups.into_iter().partition(|group| group.aside.is_none());
    if bugs.is_empty() {
        return Err(Stop::Failed(format!(
            "there is no failure to capture among {} of {source_name}{}; name a log with --from-log, or `tickets` or \
             `logs` in replay.toml",
            wanted.len(),
            left_aside(&aside)
        )));
    }
    let messages = Messages::of(project, source_name);
    let shows_messages = arguments.unredacted || messages.are_plain();
    if !arguments.unredacted {
        for bug in &mut bugs {
            bug.message = messages.of_logged(&wanted[bug.example].logged);
        }
    }
    let mut summary = Summary {
        shows_messages,
        ..Summary::default()
    };
    let captured = CapturedFailures::read(project);
    let naming = Naming::Distinct(&captured);
    let mut sources = BTreeMap::new();
    for (number, bug) in (1..).zip(&bugs) {
        progress(number, bugs.len(), bug, shows_messages);
        let given = Given::of_entry(wanted[bug.example]);
        let result = one(
            project,
            arguments,
            source_name,
            &mut sources,
            &given,
            naming,
        );
        summary.add(arguments, bug, result);
    }
    summary.tell(arguments, bugs.len(), &aside)
}

/// Captures one. A domain's coordinator is connected to once.
fn one(
    project: &Project,
    arguments: &CaptureArguments,
    source_name: &str,
    sources: &mut BTreeMap<Option<Domain>, OpenSource>,
    given: &Given,
    naming: Naming<'_>,
) -> Result<Finished, Stop> {
    let domain = given.logged.domain().or(arguments.domain.as_ref()).cloned();
    if !sources.contains_key(&domain) {
        let source = project.source(Some(source_name), domain.as_ref())?;
        sources.insert(domain.clone(), source);
    }
    let source = &sources[&domain];
    // What a capture that failed has met is no matter of this one.
    let _ = project.unknown().take();
    capture_from(project, arguments, source, Some(given), naming)
}

fn progress(number: usize, of: usize, bug: &FailureGroup, shows_messages: bool) {
    if std::io::stderr().is_terminal() {
        let message = shows_messages.then_some(bug.message.as_str());
        complain(format_args!("[{number}/{of}] {}", in_words(bug, message)));
    }
}

/// A bug in a line.
pub(in crate::cli) fn described(bug: &FailureGroup) -> String {
    in_words(bug, Some(&bug.message))
}

fn in_words(bug: &FailureGroup, message: Option<&str>) -> String {
    let mut text = bug.domain.clone().unwrap_or_else(|| "?".to_owned());
    let command = bug.command.as_deref().unwrap_or_default();
    let command = command.rsplit('.').next().filter(|name| !name.is_empty());
    let _ = write!(text, " {}", command.unwrap_or("(command not known)"));
    if let Some(code) = bug.code {
        let _ = write!(text, " {code}");
    }
    if let Some(message) = message {
        let _ = write!(text, " {message:?}");
    }
    if bug.count > 1 {
        let _ = write!(text, ", {} times", bug.count);
    }
    text
}

/// What says nothing of the logic, as a parenthesis.
fn left_aside(aside: &[FailureGroup]) -> String {
    let kinds = [Aside::Stale, Aside::Transport, Aside::Accepted].map(|kind| {
        let groups = aside.iter().filter(|group| group.aside == Some(kind));
        (groups.map(|group| group.count).sum::<usize>(), kind.word())
    });
    let words: Vec<String> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if words.is_empty() {
        return String::new();
    }
    format!(" ({} left aside)", words.join(", "))
}

impl Summary {
    fn add(
        &mut self,
        arguments: &CaptureArguments,
        bug: &FailureGroup,
        result: Result<Finished, Stop>,
    ) {
        match result {
            Ok(Finished {
                saved,
                fixture,
                verdict,
                files,
                json,
                redacting,
                unknown,
                assumed,
            }) => {
                *self.results.entry(saved).or_default() += 1;
                if saved != "unchanged" {
                    self.files.extend(files);
                }
                self.assumed = self.assumed.or(assumed);
                if arguments.json {
                    return say(json);
                }
                let verdict = match saved {
                    "unchanged" => String::new(),
                    _ => format!(": {verdict}"),
                };
                // A message may repeat what only the history holds, which is known by now.
                let message = redacting.as_ref().map(|it| it.text(&bug.message));
                let bug = in_words(bug, Some(message.as_ref().unwrap_or(&bug.message)));
                say(format_args!("{saved:<10}{fixture}  {bug}{verdict}"));
                for warning in redacting.iter().flat_map(Redacting::warnings) {
                    say(format_args!("{:<10}{warning}", ""));
                }
                for field in &unknown {
                    say(format_args!("{:<10}{}", "", not_kept(*field)));
                }
            }
            Err(stop) => {
                self.failed += 1;
                // Nobody looked whether the history has more of it to hide.
                let message = self.shows_messages.then_some(bug.message.as_str());
                let bug = in_words(bug, message);
                if arguments.json {
                    return say(
                        json!({"result": "failed", "bug": bug, "reason": stop.to_string()}),
                    );
                }
                say(format_args!("{:<10}{bug}: {stop}", "failed"));
            }
        }
    }

    fn tell(&self, arguments: &CaptureArguments, bugs: usize, aside: &[FailureGroup]) -> Done {
        let mut parts: Vec<String> = self
            .results
            .iter()
            .map(|(result, count)| format!("{count} {result}"))
            .collect();
        parts.extend((self.failed > 0).then(|| format!("{} failed", self.failed)));
        if !arguments.json {
            if let Some(dialect) = self.assumed {
                say(format_args!(
                    "{:<10}{}",
                    "dialect",
                    assumed_dialect(dialect)
                ));
            }
            say(format_args!(
                "\n{}: {}{}",
                counted(bugs, "distinct bug"),
                parts.join(", "),
                left_aside(aside)
            ));
            if !self.files.is_empty() {
                let files: Vec<&str> = self.files.iter().map(String::as_str).collect();
                say(format_args!("commit: {}", files.join(" ")));
            }
        }
        match self.failed {
            0 => Ok(()),
            failed => Err(Stop::Failed(format!(
                "{failed} of {bugs} bugs could not be captured; their lines say why"
            ))),
        }
    }
}
