//! The failure that a case is of: its command, or what a log says about it without the command.

use super::named_failure::{NamedFailure, NewestProof};
use super::request::{FailureOrigin, PersistedClaim, RequestedFailure};
use super::{OperationError, StreamCapture, tickets, written_command};
use crate::capture::{
    Aside, FailingCommand, Logged, Selected, StoredCount, select_noted, select_ticket,
};
use crate::model::{AnsweredBy, Cover, ReportedFailure, counted};
use crate::project::OpenSource;
use crate::ticket::Ticket;

/// A failure, and where it was found.
pub(super) struct FoundFailure {
    /// The command; none if only a log entry without it is known.
    pub(super) failing: Option<FailingCommand>,
    /// What a log says about a failure.
    pub(super) noted: Option<ReportedFailure>,
    /// The build that production ran, if the log says it.
    pub(super) revision: Option<String>,
    /// Where it was found, in words.
    pub(super) origin: String,
    /// Lines of the searched file that were skipped, with the reason.
    pub(super) unusable: Vec<String>,
}

impl FoundFailure {
    fn none(origin: String) -> Self {
        Self {
            failing: None,
            noted: None,
            revision: None,
            origin,
            unusable: Vec::new(),
        }
    }

    fn of(failing: FailingCommand, origin: String) -> Self {
        Self {
            failing: Some(failing),
            ..Self::none(origin)
        }
    }

    pub(super) fn of_named(named: &NamedFailure) -> Self {
        let failing = named.failing();
        let noted = match &named.logged {
            Logged::Ticket(_) => None,
            Logged::Failure(failure) => Some(failure.noted.clone()),
        };
        Self {
            origin: match failing {
                Some(_) => named.origin.clone(),
                None => not_logged(&named.origin),
            },
            failing,
            noted,
            revision: named.logged.service_version().map(str::to_owned),
            unusable: named.unusable.clone(),
        }
    }
}

impl StreamCapture<'_> {
    /// Finds the failure that the request means, among those of this stream.
    pub(super) fn find_failure(
        &self,
        requested: &RequestedFailure,
        named: Option<&NamedFailure>,
    ) -> Result<FoundFailure, OperationError> {
        let by = requested.answered_by;
        let mut found = match (&requested.origin, named) {
            (FailureOrigin::Written { file, .. }, _) => {
                let (failing, origin) = written_command::read(self, &self.cover, file, by, named)?;
                FoundFailure::of(failing, origin)
            }
            (FailureOrigin::Nothing, _) => FoundFailure::none("left out, as asked".into()),
            (_, Some(named)) => FoundFailure::of_named(named),
            (FailureOrigin::Ticket(asked), None) => {
                FoundFailure::of_named(&tickets::find(asked, &self.cover, by)?)
            }
            (_, None) => newest_of_source(self.source, &self.cover, by),
        };
        let Some(failing) = &mut found.failing else {
            return Ok(found);
        };
        failing.answered_by = failing.answered_by.or(by);
        if let Some(claim) = requested.persisted {
            if let Some(failure) = &failing.failure {
                return Err(OperationError::Usage(format!(
                    "--persisted is for a command that production accepted; this one it answered with {}",
                    failure.code
                )));
            }
            failing.accepted = match claim {
                PersistedClaim::Count(count) => Some(StoredCount::Given(count)),
                PersistedClaim::Unknown => None,
            };
        }
        Ok(found)
    }
}

fn not_logged(origin: &str) -> String {
    format!("not known, the failure is {origin} (--command brings the command)")
}

/// The newest failure of the aggregate in the source's logs.
fn newest_of_source(source: &OpenSource, cover: &Cover, by: AnsweredBy) -> FoundFailure {
    let selected = select_ticket(&source.tickets, cover, by);
    let without_command = || source.failures.without_command();
    let noted = select_noted(
        without_command().map(|(_, failure)| failure),
        cover,
        selected.as_ref().map(|selected| selected.ticket),
        by,
    );
    if let Some(noted) = noted {
        let failure = noted.failure;
        let place = without_command().find(|(_, other)| std::ptr::eq(*other, failure));
        let place = place.map_or_else(String::new, |(entry, _)| {
            format!("from {}:{}", entry.file, entry.line)
        });
        let times = noted.others.iter().map(|other| other.noted.time.is_some());
        let proof = NewestProof::of(failure.noted.time.is_some(), times);
        let among = proof.map_or_else(String::new, |proof| {
            let count = noted.others.len() + 1;
            format!(", {}", proof.among(count, " of this aggregate"))
        });
        return FoundFailure {
            failing: None,
            noted: Some(failure.noted.clone()),
            revision: failure.service_version.clone(),
            origin: not_logged(&format!("{place}{among}")),
            unusable: Vec::new(),
        };
    }
    match selected {
        Some(selected) => FoundFailure::of(selected.ticket.into(), among_others(&selected)),
        None => FoundFailure::none(nothing_usable(source, cover)),
    }
}

/// Why the source's logs have no failure of the aggregate.
fn nothing_usable(source: &OpenSource, cover: &Cover) -> String {
    let known = source.tickets.len();
    let own = |ticket: &&Ticket| ticket.command.cover.is_same_stream(cover);
    let own: Vec<&Ticket> = source.tickets.iter().filter(own).collect();
    let accepted = own.iter().filter(|ticket| ticket.is_accepted()).count();
    match (own.len() - accepted, accepted) {
        (0, 0) if known == 0 => {
            "none: the source has no failure log, or an empty one (`tickets` in replay.toml, or --ticket)".to_owned()
        }
        (0, 0) => format!("of {} none is of this aggregate", counted(known, "failure")),
        (0, accepted) => format!(
            "{accepted} accepted left aside (--ticket FILE:LINE takes one), no failure of this aggregate among {known} \
             tickets"
        ),
        _ => format!(
            "{}, of {} no other is of this aggregate",
            left_aside(&own),
            counted(known, "failure")
        ),
    }
}

/// How many failures were left aside, and how to select them nevertheless.
fn left_aside(own: &[&Ticket]) -> String {
    let count = |aside: Aside| {
        let is_so = |ticket: &&&Ticket| Aside::of_ticket(ticket) == Some(aside);
        own.iter().filter(is_so).count()
    };
    let stale = match count(Aside::Stale) {
        0 => None,
        stale => Some(format!("{stale} stale left aside (--ticket takes one)")),
    };
    let unreachable = match count(Aside::Transport) {
        0 => None,
        count => Some(format!(
            "{count} of the transport left aside (--answered-by logic takes one that the logic gave)"
        )),
    };
    let kinds: Vec<String> = stale.into_iter().chain(unreachable).collect();
    kinds.join(", ")
}

fn among_others(selected: &Selected<'_>) -> String {
    let times = selected.others.iter().map(|ticket| ticket.time.is_some());
    let newest = match NewestProof::of(selected.ticket.time.is_some(), times) {
        None => "the only failure of this aggregate in the log".to_owned(),
        Some(proof) => {
            let count = selected.others.len() + 1;
            proof.among(count, " failures of this aggregate in the log")
        }
    };
    let aside: Vec<String> = [
        (selected.stale, "stale"),
        (selected.unreachable, "of the transport"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    match aside.as_slice() {
        [] => newest,
        aside => format!("{newest} ({} left aside)", aside.join(", ")),
    }
}
