//! The notification of a rejected command, as delivered to the component that caused it.

use crate::model::{Body, CommandBook, CommandPage, Cover, Failure, Header, MergeStrategy, Page};
use crate::ticket::Ticket;
use crate::wire::{Dialect, rejection_notification};

/// Whether the header of a ticket's command names an event of this aggregate, or this process manager, as its cause.
#[must_use]
pub fn caused_by(ticket: &Ticket, cover: &Cover) -> bool {
    let header = ticket.command.pages.first().map(|page| &page.header);
    let Some(Header::AngzarrDeferred {
        source: Some(source),
        ..
    }) = header
    else {
        return false;
    };
    (&source.domain, source.root) == (&cover.domain, cover.root)
}

/// The notification as delivered to an aggregate: a command book with the key of the rejected command, so that it is
/// delivered only once.
#[must_use]
pub fn notification(
    told: &Cover,
    rejected: &CommandBook,
    failure: &Failure,
    dialect: Dialect,
) -> CommandBook {
    let first = rejected.pages.first();
    CommandBook {
        cover: told.clone(),
        pages: vec![CommandPage {
            header: first.map_or(Header::Absent, |page| page.header.clone()),
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(rejection_notification(told, rejected, failure, dialect)),
            external: None,
        }],
        original: None,
    }
}

/// The notification as delivered to a process manager: the only page of the triggering book.
#[must_use]
pub fn notification_page(
    told: &Cover,
    rejected: &CommandBook,
    failure: &Failure,
    dialect: Dialect,
) -> Page {
    Page {
        sequence: 0,
        created_at: None,
        body: Body::Event(rejection_notification(told, rejected, failure, dialect)),
        provisional: false,
        cascade_id: None,
        original: None,
    }
}
