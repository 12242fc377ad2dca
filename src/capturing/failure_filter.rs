//! Which failures of a log a request means, and the newest of them.

use std::path::Path;

use super::log_file::{demand_some, read_log};
use super::named_failure::{NamedFailure, NewestProof};
use super::request::{CaptureRequest, NumberedFile};
use super::{OperationError, tickets};
use crate::capture::{Aside, Logged, RootSpec, newest_of_times};
use crate::model::{Domain, Edition, counted};
use crate::project::{FailureEntry, Failures, Project, ReadKind, TicketLog};

/// The properties that the request demands of a failure.
pub(super) struct FailureFilter {
    spec: Option<RootSpec>,
    domain: Option<Domain>,
    edition: Option<Edition>,
    correlation: Option<String>,
}

impl FailureFilter {
    pub(super) fn of(request: &CaptureRequest) -> Self {
        Self {
            spec: request.aggregate.clone(),
            domain: request.domain.clone(),
            edition: request.edition.clone(),
            correlation: request.correlation.clone(),
        }
    }

    /// The newest failure of a log.
    pub(super) fn newest_in_log(
        &self,
        project: &Project,
        log: &Path,
    ) -> Result<NamedFailure, OperationError> {
        let (failures, name) = read_log(log, &mut project.file_progress(ReadKind::Logs, [log]))?;
        self.newest(&failures, &name)
    }

    /// The failure of a ticket, which names the aggregate; the newest of the file if the request names no line.
    pub(super) fn of_ticket(
        &self,
        asked: &NumberedFile<usize>,
    ) -> Result<NamedFailure, OperationError> {
        let Some(line) = asked.number else {
            let mut failures = Failures::default();
            failures.add(&tickets::read(&asked.file)?);
            return self.newest(&failures, &asked.to_string());
        };
        let log = TicketLog::read(&asked.file)?;
        let entry = log.entries().find(|entry| entry.line == line);
        let entry = entry.ok_or_else(|| tickets::missing_at(&log, line, asked))?;
        if !self.fits(&entry.logged) {
            return Err(OperationError::Failed(format!(
                "{asked}: the ticket is of another domain or edition than was asked for"
            )));
        }
        Ok(NamedFailure::of_entry(&entry))
    }

    /// Whether a failure fits. A log may leave the domain out.
    fn fits(&self, logged: &Logged) -> bool {
        let domain = |wanted: Option<&Domain>| match (wanted, logged.domain()) {
            (Some(wanted), Some(domain)) => wanted == domain,
            _ => true,
        };
        let edition = self.edition.as_ref();
        let correlation = self.correlation.as_deref();
        domain(self.domain.as_ref())
            && correlation.is_none_or(|id| logged.correlation_id() == id)
            && edition.is_none_or(|edition| edition.label() == logged.edition().label())
            && self
                .spec
                .as_ref()
                .is_none_or(|spec| spec.fits(&logged.root()) && domain(spec.domain.as_ref()))
    }

    /// The newest failure that fits and concerns the logic.
    fn newest(&self, failures: &Failures, name: &str) -> Result<NamedFailure, OperationError> {
        demand_some(failures, name)?;
        let all = failures.entries.iter();
        let fitting: Vec<&FailureEntry> = all.filter(|entry| self.fits(&entry.logged)).collect();
        let usable: Vec<&FailureEntry> = fitting
            .iter()
            .copied()
            .filter(|entry| entry.logged.aside().is_none())
            .collect();
        let Some((newest, _)) = newest_of(&usable) else {
            return Err(self.nothing(&fitting, failures, name));
        };
        // A failure logged without its command may also be in the log as a ticket.
        let is_same = |entry: &&FailureEntry| {
            let (one, other) = (&entry.logged, &newest.logged);
            matches!(one, Logged::Ticket(_))
                && one.root() == other.root()
                && one.failure() == other.failure()
        };
        let chosen = match &newest.logged {
            Logged::Failure(_) => usable.iter().copied().rfind(is_same).unwrap_or(newest),
            Logged::Ticket(_) => newest,
        };
        let mut named = NamedFailure {
            unusable: failures.unusable.clone(),
            ..NamedFailure::of_entry(chosen)
        };
        let of_stream = |entry: &&&FailureEntry| {
            entry.logged.root() == chosen.logged.root()
                && entry.logged.edition().label() == chosen.logged.edition().label()
        };
        let own: Vec<&FailureEntry> = usable.iter().filter(of_stream).copied().collect();
        if own.len() > 1 {
            let proof = match newest_of(&own) {
                Some((newest, true)) if std::ptr::eq(newest, chosen) => NewestProof::Times,
                _ if own.iter().all(|entry| entry.logged.time().is_none()) => NewestProof::Place,
                _ => NewestProof::SomeTimes,
            };
            let origin = named.origin;
            named.origin = format!("{origin}, {}", proof.among(own.len(), " of this aggregate"));
        }
        Ok(named)
    }

    fn nothing(
        &self,
        fitting: &[&FailureEntry],
        failures: &Failures,
        name: &str,
    ) -> OperationError {
        let mut of = match &self.spec {
            Some(spec) => format!(" of {spec}"),
            None => String::new(),
        };
        if let Some(id) = &self.correlation {
            of = format!("{of} of the workflow {id}");
        }
        if fitting.is_empty() {
            return OperationError::Failed(format!(
                "{name}: {}, none of which is{}",
                counted(failures.entries.len(), "failure"),
                if of.is_empty() {
                    " what was asked for"
                } else {
                    &of
                }
            ));
        }
        let count = |aside| {
            let is_so = |entry: &&&FailureEntry| entry.logged.aside() == Some(aside);
            (fitting.iter().filter(is_so).count(), aside)
        };
        let kinds = [Aside::Stale, Aside::Transport, Aside::Accepted].map(count);
        let kinds: Vec<String> = kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, aside)| format!("{count} {}", aside.word()))
            .collect();
        OperationError::Failed(format!(
            "{name}: nothing{of} that says anything about the logic: {}; a ticket is taken by its line with --ticket \
             FILE:LINE",
            kinds.join(", ")
        ))
    }
}

/// The newest of several failures, and whether their times prove it.
fn newest_of<'a>(entries: &[&'a FailureEntry]) -> Option<(&'a FailureEntry, bool)> {
    let times: Vec<_> = entries
        .iter()
        .map(|entry| (entry.logged.time(), entry.local))
        .collect();
    let (at, is_proven) = newest_of_times(&times)?;
    Some((*entries.get(at)?, is_proven))
}
