//! One fixture for each distinct bug of a log.

use std::collections::BTreeMap;

use super::captured_failures::CapturedFailures;
use super::finishing::Naming;
use super::given::{Given, demand_some, read};
use super::messages::Messages;
use super::request::{CaptureRequest, FailureOrigin};
use super::{Captured, Progress, Stop, Watch, capture_from, source_of, with_fixtures};
use crate::capture::{Aside, FailureGroup, Logged, group_failures};
use crate::model::Domain;
use crate::project::{FailureEntry, Failures, OpenSource, Project};

/// A bug of the log, and what became of its capture.
#[derive(Debug)]
pub struct CapturedBug {
    /// The bug.
    pub bug: FailureGroup,
    /// Its message, redacted; none if it was not redacted and so must not be shown.
    pub message: Option<String>,
    /// The capture.
    pub result: Result<Captured, Stop>,
}

/// The bugs of a log.
#[derive(Debug)]
pub struct CapturedBugs {
    /// Those that were captured, or could not be.
    pub bugs: Vec<CapturedBug>,
    /// Failures that say nothing of the logic, and were left aside.
    pub aside: Vec<FailureGroup>,
}

/// Captures one case for each distinct failure of a log, or of the source's logs. `watch` gets each case when it is done.
///
/// # Errors
/// Where nothing can be captured at all; what concerns one bug is its result.
pub fn capture_each_distinct(
    project: Project,
    request: &CaptureRequest,
    watch: &mut Watch<'_>,
) -> Result<CapturedBugs, Stop> {
    if !matches!(
        request.failure,
        FailureOrigin::Source | FailureOrigin::Log(_)
    ) {
        return Err(Stop::Usage(
            "a case for each distinct failure is made from the source's own logs or from a log that is named".into(),
        ));
    }
    let project = &with_fixtures(project, request);
    let (source_name, _) = source_of(project, request, None)?;
    let failures = failures_of(project, request, &source_name, watch)?;
    let wanted = wanted(request, &failures);
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
    let messages = Messages::of(project, &source_name);
    let shows_messages = request.is_unredacted || messages.are_plain();
    if !request.is_unredacted {
        for bug in &mut bugs {
            bug.message = messages.of_logged(&wanted[bug.example].logged);
        }
    }
    let captured = CapturedFailures::read(project);
    let naming = Naming::Distinct(&captured);
    let mut sources = BTreeMap::new();
    let of = bugs.len();
    let mut done = Vec::new();
    for (number, bug) in (1..).zip(bugs) {
        let message = shows_messages.then_some(bug.message.as_str());
        watch(Progress::Bug {
            number,
            of,
            bug: &bug,
            message,
        });
        let given = Given::of_entry(wanted[bug.example]);
        let result = one(
            project,
            request,
            &source_name,
            &mut sources,
            &given,
            naming,
            watch,
        );
        let message = match &result {
            // A message may repeat what only the history holds, which is known by now.
            Ok(captured) => Some(captured.redacted_text(&bug.message)),
            // Nobody looked whether the history has more of it to hide.
            Err(_) => message.map(str::to_owned),
        };
        let bug = CapturedBug {
            bug,
            message,
            result,
        };
        watch(Progress::BugDone(&bug));
        done.push(bug);
    }
    Ok(CapturedBugs { bugs: done, aside })
}

/// The failures of the log that was named, else of the source's logs.
fn failures_of(
    project: &Project,
    request: &CaptureRequest,
    source_name: &str,
    watch: &mut Watch<'_>,
) -> Result<Failures, Stop> {
    let failures = match request.failure.log() {
        Some(log) => {
            let (failures, name) = read(&log.file)?;
            demand_some(&failures, &name)?;
            failures
        }
        None => project.failures(Some(source_name))?,
    };
    for line in &failures.unusable {
        watch(Progress::PassedOver(line));
    }
    Ok(failures)
}

/// The failures that the request means.
fn wanted<'a>(request: &CaptureRequest, failures: &'a Failures) -> Vec<&'a FailureEntry> {
    let spec = request.aggregate.as_ref();
    let log = request.failure.log();
    let correlation = log.and_then(|log| log.correlation.as_deref());
    let is_wanted = |logged: &Logged| {
        let domains = [
            request.domain.as_ref(),
            spec.and_then(|spec| spec.domain.as_ref()),
        ];
        domains
            .into_iter()
            .flatten()
            .all(|domain| logged.domain() == Some(domain))
            && spec.is_none_or(|spec| spec.fits(&logged.root()))
            && correlation.is_none_or(|id| logged.correlation_id() == id)
    };
    let entries = failures.entries.iter();
    entries.filter(|entry| is_wanted(&entry.logged)).collect()
}

/// Captures one. A domain's coordinator is connected to once.
fn one(
    project: &Project,
    request: &CaptureRequest,
    source_name: &str,
    sources: &mut BTreeMap<Option<Domain>, OpenSource>,
    given: &Given,
    naming: Naming<'_>,
    watch: &mut Watch<'_>,
) -> Result<Captured, Stop> {
    let domain = given.logged.domain().or(request.domain.as_ref()).cloned();
    if !sources.contains_key(&domain) {
        let source = project.source(Some(source_name), domain.as_ref())?;
        sources.insert(domain.clone(), source);
    }
    let source = &sources[&domain];
    // What a capture that failed has met is no matter of this one.
    let _ = project.unknown().take();
    capture_from(project, request, source, Some(given), naming, watch)
}

/// What says nothing of the logic, as a parenthesis.
pub(crate) fn left_aside(aside: &[FailureGroup]) -> String {
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
