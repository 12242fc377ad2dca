//! Translates a case between dialects, because it may be replayed on logic of another dialect than its own.

use crate::model::{Case, CommandBook, EventBook, History, Notification, Outcome, Reaction};
use crate::wire::{Dialect, page_in, payload_in};

/// A command as it is sent in a dialect. Its original encoding, and that of a rejected command in a notification,
/// contain the enum numbers of the captured dialect.
pub(in crate::project) fn command_in_dialect(
    command: &CommandBook,
    case: &Case,
    dialect: Dialect,
) -> CommandBook {
    let mut command = command.clone();
    let Some(captured) = captured_in_another(case, dialect) else {
        return command;
    };
    command.original = None;
    for payload in command
        .pages
        .iter_mut()
        .filter_map(|it| it.command.as_mut())
    {
        *payload = payload_in(payload, captured, dialect);
    }
    command
}

/// The book of a trigger as it is delivered in a dialect. The delivering coordinator encodes the notifications among
/// the new pages; earlier pages are sent as they were stored.
pub(super) fn trigger_in_dialect(
    mut book: EventBook,
    from: u32,
    case: &Case,
    dialect: Dialect,
) -> EventBook {
    if let Some(captured) = captured_in_another(case, dialect) {
        let pages = book.history.into_pages().into_iter();
        let translated = pages.map(|page| {
            if page.sequence < from {
                page
            } else {
                page_in(&page, captured, dialect)
            }
        });
        book.history = History::new(translated.collect()).expect("sequences are left alone");
    }
    book
}

/// Translates an outcome to the dialect of the case, in which it is shown and compared: notifications in it are encoded
/// in the logic's dialect.
pub(super) fn outcome_in_captured_dialect(
    outcome: Outcome,
    case: &Case,
    dialect: Dialect,
) -> Outcome {
    let Some(captured) = captured_in_another(case, dialect) else {
        return outcome;
    };
    let translated = |notification: Notification| Notification {
        payload: notification
            .payload
            .map(|payload| payload_in(&payload, dialect, captured)),
        ..notification
    };
    match outcome {
        Outcome::Notified(notification) => Outcome::Notified(translated(notification)),
        Outcome::Reacted(reaction) => Outcome::Reacted(Reaction {
            notification: reaction.notification.map(translated),
            ..reaction
        }),
        other => other,
    }
}

/// The dialect of the capture, if it differs from the logic's.
fn captured_in_another(case: &Case, asked: Dialect) -> Option<Dialect> {
    let captured: Dialect = case.source.dialect.parse().ok()?;
    (captured != asked).then_some(captured)
}
