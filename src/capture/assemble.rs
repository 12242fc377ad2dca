//! Assembles a captured case.

use super::select::stated_head;
use super::stored_events::persisted;
use super::title::generated_title;
use super::{CaptureError, CaseDialect, FailingCommand, Fetched, Persisted, UpTo, settle_head};
use crate::model::{
    Case, CaseStimulus, CommandBook, Cover, FailureClass, HeadKnowledge, Observed, Page, Probe,
    Provenance, ReportedFailure, Status, Timestamp,
};
use crate::wire::SpokenDialect;

/// Everything that a case is assembled from.
#[derive(Debug, Clone)]
pub struct CaseParts<'a> {
    /// The aggregate.
    pub cover: &'a Cover,
    /// Its history, as it was fetched.
    pub fetched: &'a Fetched,
    /// The end of the history that was requested.
    pub up_to: UpTo,
    /// The command; none if the case is only about the history.
    pub failing: Option<&'a FailingCommand>,
    /// What a log says about a failure whose command is unknown, or a dead letter about one whose status is unknown.
    pub noted: Option<&'a ReportedFailure>,
    /// Name of the source.
    pub source: &'a str,
    /// Dialect of the source.
    pub dialect: SpokenDialect,
    /// When it was captured.
    pub captured_at: Timestamp,
    /// Metadata chosen by the user.
    pub labels: Labels,
}

/// Metadata of a case, chosen by the user.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Its title; generated if there is none.
    pub title: Option<String>,
    /// Its issue.
    pub issue: Option<String>,
    /// Whether the current outcome is the expected one.
    pub is_accepted: bool,
    /// Whether it is a rejection that is right. It is accepted, then.
    pub is_intended: bool,
    /// Whether the case may be replayed twice.
    pub probe: Option<Probe>,
}

impl Labels {
    /// Status of a new case: open, unless the current outcome is the expected one.
    pub(crate) const fn status(&self) -> Status {
        if self.is_intended {
            Status::Intended
        } else if self.is_accepted {
            Status::Closed
        } else {
            Status::Open
        }
    }
}

/// An assembled case, and what was decided about it.
#[derive(Debug, Clone)]
pub struct Assembled {
    /// The case.
    pub case: Case,
    /// The sequence that the history ends before.
    pub head: u32,
    /// Whether the command's header was replaced, because a different head was specified.
    pub is_restamped: bool,
    /// Dialect of the case.
    pub dialect: CaseDialect,
    /// What was found out about the events of an accepted command.
    pub persisted: Option<Persisted>,
}

/// Assembles a case. Queries nothing and writes nothing.
pub fn assemble(parts: CaseParts<'_>) -> Result<Assembled, CaptureError> {
    let fetched = parts.fetched;
    let noted = parts.failing.and_then(|failing| failing.dialect);
    let settled = CaseDialect::settle(parts.dialect, noted)?;
    let dialect = settled.dialect;
    let failing = parts.failing.map(|failing| failing.read_in(dialect));
    let failing = failing.transpose()?;
    let failing = failing.as_ref();
    let given = match parts.up_to {
        UpTo::Head => None,
        UpTo::Before(head) => Some(head),
        UpTo::Time(_) => Some(fetched.history.next_sequence()),
    };
    let (head, known) = match (failing, given) {
        (Some(failing), given) => settle_head(failing, given, fetched.head, dialect),
        (None, Some(given)) => (given, HeadKnowledge::Given),
        (None, None) => match parts.noted.and_then(noted_head) {
            Some(head) => (head, HeadKnowledge::Ticket),
            None => (fetched.head, HeadKnowledge::Current),
        },
    };
    if let Some(given) = given.filter(|given| *given > fetched.head) {
        return Err(CaptureError::BeyondEnd {
            last: given.saturating_sub(1),
            head: fetched.head,
        });
    }
    if head > fetched.head {
        return Err(CaptureError::BeyondHead {
            wanted: head,
            head: fetched.head,
        });
    }
    if failing.is_none()
        && fetched.history.before(head).pages().is_empty()
        && fetched.snapshot_before(head).is_none()
    {
        return Err(CaptureError::NothingYet { head });
    }
    let command = failing.map(|failing| for_head(failing, given.is_some(), head));
    let is_restamped = command
        .as_ref()
        .zip(failing)
        .is_some_and(|(command, failing)| *command != failing.command);
    let persisted = failing
        .and_then(|failing| failing.accepted)
        .map(|count| persisted(&following(fetched, head), head, count))
        .transpose()?;
    let observed = failing.and_then(|failing| {
        let failure = failing.failure.clone()?;
        Some(Observed::from_failure(failure, failing.answered_by))
    });
    let observed = observed
        .transpose()
        .map_err(|failure| CaptureError::NotOfTheLogic { failure })?
        .or_else(|| match &persisted {
            Some(Persisted::Known { events, .. }) => Some(Observed::Accepted(events.clone())),
            _ => None,
        });
    // If the outcome in production is known, the logged description adds nothing.
    let noted = parts.noted.filter(|_| observed.is_none());
    let stimulus = command.map_or(CaseStimulus::History, CaseStimulus::of_command);
    let labels = parts.labels;
    let mut case = Case {
        status: labels.status(),
        title: String::new(),
        issue: labels.issue,
        source: Provenance {
            name: parts.source.to_owned(),
            dialect: dialect.name().to_owned(),
            captured_at: parts.captured_at,
            head: known,
            from_store: fetched.store.is_some(),
            revision: failing.and_then(|failing| failing.revision.clone()),
        },
        logic: None,
        probe: labels.probe,
        cover: parts.cover.clone(),
        snapshot: fetched.snapshot_before(head),
        history: fetched.history.before(head),
        stimulus,
        observed,
        noted: noted.cloned(),
        rules: Vec::new(),
        redacted: failing.map_or_else(Vec::new, |failing| failing.redacted.fields.clone()),
    };
    case.title = labels.title.unwrap_or_else(|| generated_title(&case));
    Ok(Assembled {
        case,
        head,
        is_restamped,
        dialect: settled,
        persisted,
    })
}

/// The pages after the head.
fn following(fetched: &Fetched, head: u32) -> Vec<&Page> {
    let pages = fetched.history.pages().iter().chain(&fetched.later);
    pages.filter(|page| page.sequence >= head).collect()
}

/// The head that a logged failure mentions.
fn noted_head(noted: &ReportedFailure) -> Option<u32> {
    let stated = noted.failure().as_ref().and_then(stated_head);
    stated.or(noted.sequence)
}

/// If a head was specified, the command is addressed to that head. Otherwise, and if staleness is the very problem, it
/// stays as it was sent.
fn for_head(failing: &FailingCommand, is_given: bool, head: u32) -> CommandBook {
    let is_stale = failing.class() == Some(FailureClass::StaleSequence);
    let keeps_header = is_stale || failing.command.is_compensation();
    if !is_given || keeps_header || failing.command.expected_sequence() == Some(head) {
        return failing.command.clone();
    }
    failing.command.restamped(head)
}
