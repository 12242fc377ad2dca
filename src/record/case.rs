//! Turns a recorded call into a case or a failure ticket.

use super::call::{Answer, Link, RecordedCall};
use crate::capture::{Labels, generated_title};
use crate::coordination::is_held_to_head;
use crate::model::{
    AnsweredBy, Case, CaseStimulus, CommandBook, Cover, EventBook, Failure, HeadKnowledge, Header,
    History, Observed, ObservedEvent, Outcome, Payload, ProcessCase, Provenance, Root, Stimulus,
    Timestamp, Trigger,
};
use crate::replay::{reaction_without_echoes, without_echoes};
use crate::ticket::Ticket;
use crate::wire::{DecodeError, Dialect, StoredBook};

/// Why a recorded call cannot become a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It does not decode.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The logic did not answer. The message is left out, because it may not be redacted.
    #[error(
        "the failure came from the transport ({}), not from the logic, so there is nothing to reproduce; choose another call",
        failure.code
    )]
    NotOfTheLogic {
        /// The failure.
        failure: Failure,
    },
    /// A `Prepare` call, which is part of another call.
    #[error(
        "it asks which aggregates a process manager wants to know of, and is part of the call of \
         ProcessManagerService/Handle that follows it; take that one"
    )]
    Prepare,
    /// A call between a client and a coordinator.
    #[error("the state that the command met is not in a call between a client and a coordinator")]
    Stateless,
}

/// What a case contains in addition to the call.
#[derive(Debug, Clone)]
pub struct CaseMetadata {
    /// Name of the recording.
    pub source: String,
    /// When the case is captured.
    pub captured_at: Timestamp,
    /// Metadata chosen by the user.
    pub labels: Labels,
}

/// The command of a call between a client and a coordinator, as a ticket; an accepted command has the code `OK`. None if
/// the command does not decode.
#[must_use]
pub fn ticket_of(call: &RecordedCall) -> Option<Ticket> {
    if call.link() != Some(Link::ClientAndCoordinator) {
        return None;
    }
    let command = call.command().ok()?;
    let stored = call.stored().ok().flatten();
    let (head, persisted) = stored.map_or((None, None), |book| {
        head_and_count(call.dialect, &command, &book)
    });
    Some(Ticket {
        command,
        failure: match &call.answer {
            Answer::Status(refusal) => refusal.failure.clone(),
            Answer::Reply(_) => Failure {
                code: crate::model::Code::Ok,
                message: String::new(),
                info: None,
            },
        },
        dialect: call.dialect,
        dialect_assumed: call.dialect_assumed,
        time: Some(call.time),
        head,
        persisted,
        answered_by: AnsweredBy::NotKnown,
        service_version: None,
        trace_id: None,
        redacted: call.redacted.clone(),
    })
}

/// The head that an accepted command saw, and how many events it stored, as far as the reply shows it.
///
/// A reply contains every page that the logic answered, even pages below the head that were not stored. If the coordinator
/// checked the command's sequence, that sequence is the head; otherwise the first page's is.
fn head_and_count(
    dialect: Dialect,
    command: &CommandBook,
    book: &StoredBook,
) -> (Option<u32>, Option<u32>) {
    let pages = book.history.pages();
    let sent_for = command
        .expected_sequence()
        .filter(|_| is_held_to_head(dialect, command));
    let Some(head) = sent_for.or_else(|| pages.first().map(|page| page.sequence)) else {
        return (None, u32::try_from(pages.len()).ok());
    };
    let stored = pages.iter().filter(|page| page.sequence >= head);
    (Some(head), u32::try_from(stored.count()).ok())
}

/// The case of a call between a coordinator and logic: the state, the request and the answer.
pub fn case_of(call: &RecordedCall, with: CaseMetadata) -> Result<Case, CaseError> {
    if call.link() == Some(Link::ClientAndCoordinator) {
        return Err(CaseError::Stateless);
    }
    let stimulus = call.stimulus()?;
    let outcome = call
        .outcome(&stimulus)?
        .map_err(|failure| CaseError::NotOfTheLogic { failure })?;
    let observed = observed(&stimulus, outcome);
    let (own, asked) = lowered(stimulus)?;
    let mut case = Case {
        status: with.labels.status(),
        title: String::new(),
        issue: with.labels.issue,
        source: Provenance {
            name: with.source,
            dialect: call.dialect.name().to_owned(),
            captured_at: with.captured_at,
            head: HeadKnowledge::Recorded,
            from_store: false,
            revision: None,
        },
        logic: None,
        probe: with.labels.probe,
        cover: own.cover,
        snapshot: own.snapshot,
        history: own.history,
        stimulus: asked,
        observed,
        noted: None,
        redacted: call.redacted.fields.clone(),
        rules: Vec::new(),
    };
    case.title = with.labels.title.unwrap_or_else(|| generated_title(&case));
    Ok(case)
}

/// The case's own book, and the request.
fn lowered(stimulus: Stimulus) -> Result<(EventBook, CaseStimulus), CaseError> {
    Ok(match stimulus {
        Stimulus::Command { prior, command } => (book(prior), CaseStimulus::of_command(command)),
        Stimulus::Fact { facts, prior } => (book(prior), CaseStimulus::Fact(facts)),
        Stimulus::Saga {
            source,
            destinations,
            modes,
        } => {
            let own = book(source);
            let trigger = all_of(&own.history);
            let asked = CaseStimulus::Saga {
                trigger,
                destinations,
                modes,
            };
            (own, asked)
        }
        Stimulus::ProcessManager {
            trigger,
            state,
            destinations,
        } => {
            let own = book(trigger);
            let newest = own.history.pages().last();
            let newest = newest.and_then(|page| page.body.event());
            let is_compensation = newest.is_some_and(Payload::is_notification);
            let process = ProcessCase {
                trigger: all_of(&own.history),
                destinations,
                state: book(state),
            };
            let asked = if is_compensation {
                CaseStimulus::ProcessCompensation(process)
            } else {
                CaseStimulus::ProcessManager(process)
            };
            (own, asked)
        }
        Stimulus::Project { events, .. } => {
            let own = book(events);
            let asked = CaseStimulus::Projector {
                trigger: all_of(&own.history),
                // It is not known whether the effects of the ordinary call are harmless.
                is_harmless: false,
            };
            (own, asked)
        }
        Stimulus::Upcast { domain, pages } => {
            // The request to an upcaster does not name the aggregate.
            let cover = Cover::main(domain, Root::new([0; 16]));
            let history = History::new(pages.into_vec())
                .map_err(|error| DecodeError::of("upcast request", &error.to_string()))?;
            let own = EventBook::new(cover, None, history);
            (own, CaseStimulus::Upcaster)
        }
        Stimulus::Prepare { .. } => return Err(CaseError::Prepare),
        Stimulus::Fold { .. } => {
            return Err(DecodeError::of("replay request", "it is not recorded").into());
        }
    })
}

/// A book of the case, whose next sequence is the one that its pages give, whatever the request stated.
fn book(shown: EventBook) -> EventBook {
    EventBook::new(shown.cover, shown.snapshot, shown.history)
}

/// A bus delivers only new events, so every page of the request is new.
fn all_of(history: &History) -> Trigger {
    let pages = history.pages();
    Trigger {
        from: pages.first().map_or(0, |page| page.sequence),
        with_history: false,
    }
}

/// What production did, as a case stores it; none if the answer does not belong to the kind of case.
fn observed(stimulus: &Stimulus, outcome: Outcome) -> Option<Observed> {
    Some(match outcome {
        Outcome::Accepted(emitted) => {
            let (stored, head) = match stimulus.prior() {
                Some(prior) => (without_echoes(emitted, prior), prior.next_sequence),
                None => (emitted, 0),
            };
            let places = head..=u32::MAX;
            let events = places
                .zip(stored.pages)
                .map(|(next, page)| match page.header {
                    Header::Sequence(sequence) => ObservedEvent::at(sequence, next, page.body),
                    Header::Absent
                    | Header::ExternalDeferred { .. }
                    | Header::AngzarrDeferred { .. } => page.body.into(),
                });
            Observed::Accepted(events.collect())
        }
        Outcome::Reacted(reaction) => Observed::Reacted(match stimulus {
            Stimulus::ProcessManager { state, .. } => reaction_without_echoes(reaction, state),
            _ => reaction,
        }),
        Outcome::Projected(projection) => Observed::Projected(projection),
        Outcome::Upcast(pages) => Observed::Upcast(pages),
        Outcome::Notified(_) => Observed::Notified,
        Outcome::Revoked(revocation) => Observed::Revoked(revocation.as_failure()),
        Outcome::Rejected(failure) => Observed::Rejected(failure),
        Outcome::Crashed(failure) => Observed::Crashed(failure),
        Outcome::Unimplemented(failure) => Observed::Unimplemented(failure),
        Outcome::Refused(failure) => Observed::Refused(failure),
        Outcome::Folded(_) | Outcome::Prepared(_) => return None,
    })
}
