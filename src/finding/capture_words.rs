//! The command that captures what was found.

use std::collections::BTreeMap;

use super::haystacks::Search;
use super::occurrence::{Occurrence, OccurrenceKind, Place, STDIN};
use crate::capture::Aside;
use crate::project::EMBEDDED;

/// The words of the command, and what to know about it.
type Captured = (Vec<String>, Option<&'static str>);

const NEWEST: &str = "this takes the newest failure of the aggregate, which is another one";

const PIPED: &str = "this reads the log from standard input once more";

/// The command for the best of all occurrences. Of several that are as good, the newest failure, or the oldest events of a
/// workflow.
pub(super) fn best(
    search: &Search<'_>,
    all: &[Occurrence],
    matching: usize,
    hidden: &BTreeMap<String, String>,
) -> Option<Captured> {
    let (matched, _) = all.split_at(matching);
    let hides = search.messages.hidden().is_some();
    let ranked = all.iter().enumerate().filter_map(|(index, occurrence)| {
        let is_match =
            index < matching || (!hides && matched.iter().any(|it| occurrence.is_command_of(it)));
        Some((
            rank(occurrence, is_match),
            index,
            words(occurrence, hidden)?,
        ))
    });
    let ranked: Vec<_> = ranked.collect();
    let highest = ranked.iter().map(|(rank, ..)| *rank).max()?;
    let best = ranked.into_iter().filter(|(rank, ..)| *rank == highest);
    let is_failure = highest.is_failure();
    // A workflow begins with its oldest events, and what failed last is the best example of a failure.
    let (_, index, (mut words, needs_source)) = best.reduce(|best, other| {
        let time = |index: usize| (all[index].time.is_none(), all[index].time);
        let is_better = if is_failure {
            all[other.1].time >= all[best.1].time
        } else {
            time(other.1) < time(best.1)
        };
        if is_better { other } else { best }
    })?;
    let occurrence = &all[index];
    if let (true, Some(source)) = (needs_source, &search.request.source) {
        words.extend(["--source".to_owned(), source.clone()]);
    }
    let from_file = matches!(occurrence.place, Place::Recording { .. });
    if search.project.config().redaction.is_none()
        && (from_file || search.project.redactor(&search.source).is_err())
    {
        words.push("--unredacted".to_owned());
    }
    words.insert(0, "capture".to_owned());
    let is_piped = matches!(&occurrence.place, Place::Log { file, .. } if file.as_str() == STDIN);
    let note = takes_another(occurrence, index, all).then_some(NEWEST);
    let note = note.or(is_piped.then_some(PIPED));
    Some((words, note))
}

/// Whether a command that takes the newest failure of an aggregate in a log takes another one than this.
fn takes_another(occurrence: &Occurrence, index: usize, all: &[Occurrence]) -> bool {
    let file_of = |occurrence: &Occurrence| match &occurrence.place {
        Place::Tickets { file, .. } if file == EMBEDDED => Some(file.clone()),
        Place::Log { file, .. } => Some(file.clone()),
        _ => None,
    };
    let Some(file) = file_of(occurrence) else {
        return false;
    };
    let is_rival = |other: &Occurrence| {
        let names_workflow = file != EMBEDDED && !occurrence.correlation_id.is_empty();
        other.is_failure_of_logic()
            && other.root == occurrence.root
            && file_of(other).as_ref() == Some(&file)
            && (!names_workflow || other.correlation_id == occurrence.correlation_id)
    };
    let line = |other: &Occurrence| match other.place {
        Place::Tickets { line, .. } | Place::Log { line, .. } => line,
        _ => 0,
    };
    let rivals = all.iter().enumerate().filter(|(_, it)| is_rival(it));
    let newest = rivals.max_by_key(|(_, it)| (it.time, line(it)));
    newest.is_some_and(|(newest, _)| newest != index)
}

/// How well an occurrence represents what was searched for; the best comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// An aggregate that matches.
    Aggregate,
    /// Another failure of such an aggregate.
    FailureOfAggregate,
    /// A workflow, or a command that was accepted.
    Workflow,
    /// A failure in the same workflow.
    FailureOfWorkflow,
    /// A failure that matches, without its command.
    FailureWithoutCommand,
    /// A failure that matches, with its command.
    Failure,
}

impl Rank {
    const fn is_failure(self) -> bool {
        !matches!(self, Self::Aggregate | Self::Workflow)
    }
}

fn rank(occurrence: &Occurrence, is_match: bool) -> Rank {
    let has_workflow = !occurrence.correlation_id.is_empty();
    let has_command = occurrence.kind != OccurrenceKind::LoggedFailure;
    match (occurrence.is_failure_of_logic(), is_match) {
        (true, true) if has_command => Rank::Failure,
        (true, true) => Rank::FailureWithoutCommand,
        (true, false) if has_workflow => Rank::FailureOfWorkflow,
        (true, false) => Rank::FailureOfAggregate,
        (false, _) => match occurrence.kind {
            OccurrenceKind::Aggregate => Rank::Aggregate,
            OccurrenceKind::Events if !has_workflow => Rank::Aggregate,
            _ => Rank::Workflow,
        },
    }
}

/// The arguments of `capture`, and whether they need the source. A correlation id that redaction hides is left out.
fn words(
    occurrence: &Occurrence,
    hidden: &BTreeMap<String, String>,
) -> Option<(Vec<String>, bool)> {
    let id = &occurrence.correlation_id;
    let names_workflow = !id.is_empty() && !hidden.contains_key(id);
    let aggregate = |occurrence: &Occurrence| {
        let root = occurrence.root?;
        Some(match &occurrence.domain {
            Some(domain) => format!("{domain}/{root}"),
            None => root.to_string(),
        })
    };
    let flag = |name: &str, value: String| vec![name.to_owned(), value];
    if occurrence.aside.is_some_and(|aside| {
        // A stale command, or one that never reached the logic, says nothing about it.
        aside != Aside::Accepted
    }) {
        return None;
    }
    Some(match &occurrence.place {
        Place::Recording { file, call } => (flag("--recorded", format!("{file}:{call}")), true),
        Place::DeadLetter(id) => (flag("--dead-letter", id.to_string()), true),
        Place::Tickets { file, .. } if file == EMBEDDED => (vec![aggregate(occurrence)?], true),
        Place::Tickets { file, line } => (flag("--ticket", format!("{file}:{line}")), true),
        Place::Log { file, .. } => {
            let mut words = vec![aggregate(occurrence)?];
            words.extend(flag("--from-log", file.clone()));
            if names_workflow {
                words.extend(flag("--correlation", id.clone()));
            }
            (words, true)
        }
        Place::Coordinator(_) | Place::Store(_) => {
            let mut words = vec![aggregate(occurrence)?];
            if names_workflow {
                words.extend(flag("--correlation", id.clone()));
            }
            if !occurrence.edition.is_main() {
                words.extend(flag("--edition", occurrence.edition.label().to_owned()));
            }
            (words, true)
        }
    })
}
