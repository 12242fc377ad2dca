//! Stores emitted events as a coordinator would.

use super::FlowNote;
use super::branch::Branch;
use crate::coordination::{Conflict, Effect, named_elsewhere};
use crate::model::{Cover, EmittedBook, EmittedPage, EventBook, Failure, Page};

/// What becomes of an answer's events.
#[derive(Debug, Default)]
pub(super) struct Consequence {
    /// The batch that is stored and published, if any.
    pub(super) stored: Option<EventBook>,
    /// Why a coordinator would not store them.
    pub(super) refused: Option<Failure>,
    /// A note if they are stored in another aggregate.
    pub(super) note: Option<FlowNote>,
}

impl Consequence {
    fn refused(failure: Failure) -> Self {
        Self {
            refused: Some(failure),
            ..Self::default()
        }
    }
}

/// Stores the events of an answer to `home`.
pub(super) fn store(
    branch: &mut Branch,
    home: &Cover,
    emitted: &EmittedBook,
    effect: &Effect,
) -> Consequence {
    let pages = match effect {
        Effect::Refused(failure) => return Consequence::refused(failure.clone()),
        Effect::Stored(pages) if pages.is_empty() => return Consequence::default(),
        Effect::Stored(pages) => in_stream(pages),
    };
    let foreign = named_elsewhere(home, emitted);
    let target = Cover {
        edition: home.edition.clone(),
        correlation_id: home.correlation_id.clone(),
        ..foreign.unwrap_or(home).clone()
    };
    let (expected, got) = (branch.head(&target), pages[0].sequence);
    if got < expected {
        // The sequences follow the head of the aggregate that was asked; in the other aggregate they are taken.
        return Consequence::refused(Conflict { expected, got }.failure());
    }
    Consequence {
        stored: Some(branch.append(&target, pages, emitted.snapshot.as_ref())),
        refused: None,
        note: foreign.map(|_| FlowNote::StoredElsewhere { cover: target }),
    }
}

fn in_stream(pages: &[EmittedPage]) -> Vec<Page> {
    let pages = pages.iter().map(|page| {
        let sequence = page.header.sequence().unwrap_or_default();
        stored_page(sequence, page)
    });
    pages.collect()
}

/// Stores facts. They get the next sequences, whatever their headers say.
pub(super) fn store_facts(branch: &mut Branch, home: &Cover, facts: &EmittedBook) -> Consequence {
    if facts.pages.is_empty() {
        return Consequence::default();
    }
    let pages = (branch.head(home)..=u32::MAX).zip(&facts.pages);
    let pages = pages.map(|(sequence, page)| stored_page(sequence, page));
    let pages = pages.collect();
    Consequence {
        stored: Some(branch.append(home, pages, facts.snapshot.as_ref())),
        ..Consequence::default()
    }
}

fn stored_page(sequence: u32, page: &EmittedPage) -> Page {
    Page {
        sequence,
        created_at: page.created_at,
        body: page.body.clone(),
        provisional: page.provisional,
        cascade_id: None,
        original: None,
    }
}
