//! A refused command as it is told to whoever caused it.

use crate::model::{Body, CommandBook, CommandPage, Cover, Failure, Header, MergeStrategy, Page};
use crate::ticket::Ticket;
use crate::wire::{Dialect, rejection_notification};

/// Whether the header of a ticket's command says that an event of this aggregate, or this process manager, caused it.
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

/// The notification as an aggregate gets it: a command book with the key of the refused command, so that it is
/// delivered once.
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

/// The notification as a process manager gets it: the only page of its trigger.
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
