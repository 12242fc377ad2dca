//! A noted call as a case, or as a failure ticket.

use super::note::{Answer, Between, Note};
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

/// A noted call that makes no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCase {
    /// It does not decode.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The logic did not answer. The message is not repeated: nobody may have redacted it.
    #[error(
        "the failure came from the transport ({}), not from the logic, so there is nothing to reproduce; choose another call",
        failure.code
    )]
    NotOfTheLogic {
        /// The failure.
        failure: Failure,
    },
    /// A question of a process manager's coordinator, which is part of another call.
    #[error(
        "it asks which aggregates a process manager wants to know of, and is part of the call of \
         ProcessManagerService/Handle that follows it; take that one"
    )]
    Prepare,
    /// A call between a client and a coordinator.
    #[error("the state that the command met is not in a call between a client and a coordinator")]
    Stateless,
}

/// What a case of a noted call has besides the call.
#[derive(Debug, Clone)]
pub struct CaseOf {
    /// Name of the recording.
    pub source: String,
    /// When the case is made.
    pub captured_at: Timestamp,
    /// What people want to be written with it.
    pub labels: Labels,
}

/// The command of a call between a client and a coordinator, as a ticket; an accepted one has the code `OK`. None
/// where the command does not decode.
#[must_use]
pub fn ticket_of(note: &Note) -> Option<Ticket> {
    if note.between() != Some(Between::ClientAndCoordinator) {
        return None;
    }
    let command = note.command().ok()?;
    let stored = note.stored().ok().flatten();
    let (head, persisted) = stored.map_or((None, None), |book| {
        head_and_count(note.dialect, &command, &book)
    });
    Some(Ticket {
        command,
        failure: match &note.answer {
            Answer::Status(refusal) => refusal.failure.clone(),
            Answer::Reply(_) => Failure {
                code: crate::model::Code::Ok,
                message: String::new(),
                info: None,
            },
        },
        dialect: note.dialect,
        dialect_assumed: note.dialect_assumed,
        time: Some(note.time),
        head,
        persisted,
        answered_by: AnsweredBy::NotKnown,
        redacted: note.redacted.clone(),
    })
}

/// The head that an accepted command met, and how many events it stored, as far as the reply tells.
///
/// A reply repeats what the logic answered: pages below the head, such as those without a header, are in it and were not
/// stored. Where the coordinator held the command to the head, its own sequence is the head; elsewhere the first page is.
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

/// The case of a call between a coordinator and logic: what the logic was shown, what it was asked, what it answered.
pub fn case_of(note: &Note, with: CaseOf) -> Result<Case, NoCase> {
    if note.between() == Some(Between::ClientAndCoordinator) {
        return Err(NoCase::Stateless);
    }
    let stimulus = note.stimulus()?;
    let outcome = note
        .outcome(&stimulus)?
        .map_err(|failure| NoCase::NotOfTheLogic { failure })?;
    let observed = observed(&stimulus, outcome);
    let (own, asked) = lowered(stimulus)?;
    let mut case = Case {
        status: with.labels.status(),
        title: String::new(),
        issue: with.labels.issue,
        source: Provenance {
            name: with.source,
            dialect: note.dialect.name().to_owned(),
            captured_at: with.captured_at,
            head: HeadKnowledge::Recorded,
        },
        logic: None,
        probe: with.labels.probe,
        cover: own.cover,
        snapshot: own.snapshot,
        history: own.history,
        stimulus: asked,
        observed,
        noted: None,
        redacted: note.redacted.fields.clone(),
        rules: Vec::new(),
    };
    case.title = with.labels.title.unwrap_or_else(|| generated_title(&case));
    Ok(case)
}

/// The case's own book, and what is asked about it.
fn lowered(stimulus: Stimulus) -> Result<(EventBook, CaseStimulus), NoCase> {
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
                // Nothing says that the effects of the ordinary call do no harm.
                is_harmless: false,
            };
            (own, asked)
        }
        Stimulus::Upcast { domain, pages } => {
            // An upcaster is not told whose pages they are.
            let cover = Cover::main(domain, Root::new([0; 16]));
            let history = History::new(pages)
                .map_err(|error| DecodeError::of("upcast request", &error.to_string()))?;
            let own = EventBook::new(cover, None, history);
            (own, CaseStimulus::Upcaster)
        }
        Stimulus::Prepare { .. } => return Err(NoCase::Prepare),
        Stimulus::Fold { .. } => {
            return Err(DecodeError::of("replay request", "it is not recorded").into());
        }
    })
}

/// A book of the case, whose next sequence is the one that its pages give, whatever the request stated.
fn book(shown: EventBook) -> EventBook {
    EventBook::new(shown.cover, shown.snapshot, shown.history)
}

/// A bus delivers what is new: every page of the request.
fn all_of(history: &History) -> Trigger {
    let pages = history.pages();
    Trigger {
        from: pages.first().map_or(0, |page| page.sequence),
        with_history: false,
    }
}

/// What production did, in the terms of a case; none where an answer is not one of its kind.
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
