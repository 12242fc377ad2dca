//! Mutants of each outcome.

use super::change::{Change, ChangedField, list};
use super::{Vary, book, failure, reaction, values};
use crate::model::{
    AnsweredBy, Cover, EmittedBook, EmittedPage, Failure, Header, Outcome, Revocation, Stimulus,
};

/// An answer that differs from the logic's answer in one thing.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// Description of the difference.
    pub change: String,
    /// The changed field, if the change is in a payload.
    pub field: Option<ChangedField>,
    /// The answer.
    pub outcome: Outcome,
    /// The answer that it differs from, if that is not the logic's answer: only a long text can be changed beyond its 16th
    /// KiB.
    pub instead_of: Option<Outcome>,
}

/// All mutants of an answer.
#[must_use]
pub fn mutants(stimulus: &Stimulus, outcome: &Outcome, vary: Vary<'_>) -> Vec<Mutant> {
    let own = asked(stimulus);
    let mut changes = of_the_same_kind(outcome, own, vary);
    if let Outcome::Accepted(book) = outcome {
        let with_echo = echo(stimulus, book).map(Outcome::Accepted);
        changes.extend(with_echo.map(|it| Change::new("history repeated", it)));
    }
    changes.extend(others(outcome));
    let mut mutants: Vec<Mutant> = changes
        .into_iter()
        .filter(|change| change.value != *outcome)
        .map(|change| Mutant {
            change: format!("{}: {}", outcome.word(), change.what),
            field: change.field,
            outcome: change.value,
            instead_of: None,
        })
        .collect();
    mutants.extend(long(outcome));
    mutants
}

/// The stream that an answer belongs to; a saga has none.
fn asked(stimulus: &Stimulus) -> Option<&Cover> {
    match stimulus {
        Stimulus::Command { prior, .. } | Stimulus::Fact { prior, .. } => Some(&prior.cover),
        Stimulus::Prepare { state, .. } | Stimulus::ProcessManager { state, .. } => {
            Some(&state.cover)
        }
        Stimulus::Project { events, .. } => Some(&events.cover),
        Stimulus::Saga { .. } | Stimulus::Fold { .. } | Stimulus::Upcast { .. } => None,
    }
}

fn of_the_same_kind(
    outcome: &Outcome,
    own: Option<&Cover>,
    vary: Vary<'_>,
) -> Vec<Change<Outcome>> {
    fn each<T>(changes: Vec<Change<T>>, put: impl Fn(T) -> Outcome) -> Vec<Change<Outcome>> {
        changes.into_iter().map(|it| it.map(&put)).collect()
    }
    match outcome {
        Outcome::Accepted(book) => each(book::changes(book, own, vary), Outcome::Accepted),
        Outcome::Rejected(failure)
        | Outcome::Crashed(failure)
        | Outcome::Unimplemented(failure)
        | Outcome::Refused(failure) => {
            // A code of the transport is an error, which fails the trial anyway.
            let changes = failure::changes(failure).into_iter().filter_map(|change| {
                let outcome =
                    Outcome::from_failure(change.value.clone(), AnsweredBy::Logic).ok()?;
                Some(change.map(|_| outcome))
            });
            changes.collect()
        }
        Outcome::Revoked(revocation) => each(revocations(revocation), Outcome::Revoked),
        Outcome::Notified(notification) => each(
            values::notification(notification, own, vary),
            Outcome::Notified,
        ),
        Outcome::Folded(state) => each(values::payload(state, vary), Outcome::Folded),
        Outcome::Upcast(pages) => each(book::upcast(pages, vary), Outcome::Upcast),
        Outcome::Reacted(reaction) => {
            each(reaction::changes(reaction, own, vary), Outcome::Reacted)
        }
        Outcome::Projected(projection) => each(
            reaction::projection(projection, own, vary),
            Outcome::Projected,
        ),
        Outcome::Prepared(covers) => each(
            list(covers, "destination", values::covers),
            Outcome::Prepared,
        ),
    }
}

fn revocations(revocation: &Revocation) -> Vec<Change<Revocation>> {
    let mut found: Vec<_> = failure::reworded(&revocation.reason)
        .into_iter()
        .map(|reason| {
            let revocation = Revocation {
                reason,
                ..revocation.clone()
            };
            Change::new("another reason", revocation)
        })
        .collect();
    let mut push = |what, edit: &dyn Fn(&mut Revocation)| {
        let mut revocation = revocation.clone();
        edit(&mut revocation);
        found.push(Change::new(what, revocation));
    };
    push("another system revocation", &|it| {
        it.emit_system_revocation = !it.emit_system_revocation;
    });
    push("another dead letter", &|it| {
        it.send_to_dead_letter_queue = !it.send_to_dead_letter_queue;
    });
    push("another escalation", &|it| it.escalate = !it.escalate);
    push("another abort", &|it| it.abort = !it.abort);
    found
}

/// Other kinds of outcome: accepted instead of rejected, rejected instead of accepted.
fn others(outcome: &Outcome) -> Vec<Change<Outcome>> {
    let text = "mutant";
    let mut others = vec![
        Outcome::Rejected(Failure::rejected(text)),
        Outcome::Crashed(Failure::crashed(text)),
        Outcome::Unimplemented(Failure::unimplemented(text)),
        Outcome::Refused(Failure::refused(text)),
        Outcome::Revoked(Revocation::default()),
        Outcome::Notified(reaction::empty_notification()),
    ];
    if let Some(failure) = outcome.status() {
        others.push(Outcome::Accepted(EmittedBook::default()));
        others.push(Outcome::Rejected(failure.clone()));
        others.push(Outcome::Crashed(failure));
    }
    if let Outcome::Notified(_) = outcome {
        others.push(Outcome::Accepted(EmittedBook::default()));
    }
    let others = others.into_iter();
    let others = others.filter(|other| other.word() != outcome.word());
    others
        .map(|other| Change::new(format!("{} instead", other.word()), other))
        .collect()
}

/// A long message that is changed at its end, beyond the 16th KiB.
fn long(outcome: &Outcome) -> Option<Mutant> {
    let with = |message: String| {
        let reworded = |failure: &Failure| Failure {
            message: message.clone(),
            ..failure.clone()
        };
        Some(match outcome {
            Outcome::Rejected(failure) => Outcome::Rejected(reworded(failure)),
            Outcome::Crashed(failure) => Outcome::Crashed(reworded(failure)),
            Outcome::Unimplemented(failure) => Outcome::Unimplemented(reworded(failure)),
            Outcome::Refused(failure) => Outcome::Refused(reworded(failure)),
            Outcome::Revoked(revocation) => Outcome::Revoked(Revocation {
                reason: message,
                ..revocation.clone()
            }),
            Outcome::Accepted(_)
            | Outcome::Notified(_)
            | Outcome::Folded(_)
            | Outcome::Upcast(_)
            | Outcome::Reacted(_)
            | Outcome::Projected(_)
            | Outcome::Prepared(_) => return None,
        })
    };
    let failure = outcome.status()?;
    let [before, after] = failure::long_messages(&failure.message);
    Some(Mutant {
        change: format!("{}: another message behind its 16th KiB", outcome.word()),
        field: None,
        outcome: with(after)?,
        instead_of: with(before),
    })
}

/// The answer with the last page of the history in front of it, as from libraries that send back what they received.
fn echo(stimulus: &Stimulus, book: &EmittedBook) -> Option<EmittedBook> {
    let last = stimulus.prior()?.history.pages().last()?;
    let shown = EmittedPage {
        header: Header::Sequence(last.sequence),
        created_at: last.created_at,
        body: last.body.clone(),
        provisional: last.provisional,
    };
    let mut book = book.clone();
    book.pages.insert(0, shown);
    Some(book)
}
