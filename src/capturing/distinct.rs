//! One fixture for each distinct bug of a log.

use std::collections::BTreeMap;

use super::captured_failures::CapturedFailures;
use super::context::CaptureContext;
use super::log_file::{demand_some, read_log};
use super::messages::Messages;
use super::named_failure::NamedFailure;
use super::pending_capture::Naming;
use super::request::CaptureRequest;
use super::{
    CaptureWatcher, Captured, OperationError, Progress, capture_from, source_and_domain,
    with_fixtures,
};
use crate::capture::{Aside, FailureGroup, Logged, group_failures};
use crate::model::Domain;
use crate::project::{FailureEntry, Failures, OpenSource, Project, ReadKind};

/// A bug of the log, and its capture.
#[derive(Debug)]
#[doc(hidden)]
pub struct CapturedBug {
    /// The bug.
    pub bug: FailureGroup,
    /// Its message, redacted; none if it could not be redacted and must not be shown.
    pub message: Option<String>,
    /// The capture.
    pub result: Result<Captured, OperationError>,
}

/// The bugs of a log.
#[derive(Debug)]
#[doc(hidden)]
pub struct CapturedBugs {
    /// Those that were captured or failed to be.
    pub bugs: Vec<CapturedBug>,
    /// Failures that do not concern the logic and were left aside.
    pub aside: Vec<FailureGroup>,
}

/// Captures one case for each distinct failure of a log, or of the source's logs. `watch` receives each case when it is done.
///
/// # Errors
/// If nothing can be captured at all. An error that concerns one bug is the result of that bug.
#[doc(hidden)]
pub fn capture_each_distinct(
    project: Project,
    request: &CaptureRequest,
    watch: &mut CaptureWatcher<'_>,
) -> Result<CapturedBugs, OperationError> {
    request.check_for_each_distinct()?;
    let project = &with_fixtures(project, request);
    let context = &CaptureContext::new(project, request);
    let (source_name, _) = source_and_domain(context, None)?;
    let failures = failures_of(context, &source_name, watch)?;
    let wanted = wanted(request, &failures);
    let groups = group_failures(wanted.iter().map(|entry| &entry.logged));
    let (mut bugs, aside): (Vec<FailureGroup>, Vec<FailureGroup>) =
        groups.into_iter().partition(|group| group.aside.is_none());
    if bugs.is_empty() {
        return Err(nothing_to_capture(wanted.len(), &source_name, &aside));
    }
    let messages = Messages::of(project, &source_name);
    let shows_messages = request.is_unredacted || messages.are_plain();
    if !request.is_unredacted {
        for bug in &mut bugs {
            bug.message = messages.of_logged(&wanted[bug.example].logged);
        }
    }
    let captured = CapturedFailures::read(project);
    let mut one_by_one = DistinctCaptures {
        context,
        source_name: &source_name,
        sources: BTreeMap::new(),
        naming: Naming::Distinct(&captured),
    };
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
        let named = NamedFailure::of_entry(wanted[bug.example]);
        let result = one_by_one.capture(&named, watch);
        let message = match &result {
            // The message may repeat values of the history, which are known now.
            Ok(captured) => Some(captured.redacted_text(&bug.message)),
            // It was not compared with the history.
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

fn nothing_to_capture(count: usize, source: &str, aside: &[FailureGroup]) -> OperationError {
    OperationError::Failed(format!(
        "there is no failure to capture among {count} of {source}{}; name a log with --from-log, or `tickets` or \
         `logs` in replay.toml",
        left_aside(aside)
    ))
}

/// The captures of all bugs, which connect to each coordinator once.
struct DistinctCaptures<'a> {
    context: &'a CaptureContext<'a>,
    source_name: &'a str,
    /// Open sources by the domain that they were opened for.
    sources: BTreeMap<Option<Domain>, OpenSource>,
    naming: Naming<'a>,
}

impl DistinctCaptures<'_> {
    fn capture(
        &mut self,
        named: &NamedFailure,
        watch: &mut CaptureWatcher<'_>,
    ) -> Result<Captured, OperationError> {
        let (project, request) = (self.context.project, self.context.request);
        let domain = named.logged.domain().or(request.domain.as_ref()).cloned();
        if !self.sources.contains_key(&domain) {
            let source = project.source(Some(self.source_name), domain.as_ref())?;
            self.sources.insert(domain.clone(), source);
        }
        let source = &self.sources[&domain];
        // Unknown fields that a failed capture met do not belong to this one.
        let _ = project.unknown().take();
        capture_from(self.context, source, Some(named), self.naming, watch)
    }
}

/// The failures of the log that is named, otherwise of the source's logs.
fn failures_of(
    context: &CaptureContext<'_>,
    source_name: &str,
    watch: &mut CaptureWatcher<'_>,
) -> Result<Failures, OperationError> {
    let failures = match context.request.log() {
        Some(log) => {
            let (failures, name) = read_log(
                log,
                &mut context.project.file_progress(ReadKind::Logs, [log]),
            )?;
            demand_some(&failures, &name)?;
            failures
        }
        None => context.project.failures(Some(source_name))?,
    };
    for line in &failures.unusable {
        watch(Progress::PassedOver(line));
    }
    Ok(failures)
}

/// The failures that the request means.
fn wanted<'a>(request: &CaptureRequest, failures: &'a Failures) -> Vec<&'a FailureEntry> {
    let spec = request.aggregate.as_ref();
    let correlation = request.correlation.as_deref();
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

/// How many failures were left aside because they do not concern the logic, as a parenthesis.
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
