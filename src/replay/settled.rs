//! Events that logic emitted: what a coordinator makes of them, and how they are compared.

use super::{OddPlace, ReplayNote};
use crate::coordination::{self, Effect};
use crate::model::{EmittedBook, EmittedPage, EventBook, Header, Reaction};
use crate::wire::Dialect;

/// The events of an aggregate as they are compared: without echoes, and with the next sequences on pages that have no
/// header.
#[must_use]
pub fn without_echoes(mut emitted: EmittedBook, shown: &EventBook) -> EmittedBook {
    let head = shown.next_sequence;
    coordination::take_out_echoes(&mut emitted.pages, shown);
    number(&mut emitted.pages, head);
    emitted
}

/// The reaction of a process manager as it is compared: its own events as [`without_echoes`] gives them.
#[must_use]
pub fn reaction_without_echoes(mut reaction: Reaction, state: &EventBook) -> Reaction {
    let mut next = state.clone();
    for book in &mut reaction.process_events {
        *book = without_echoes(std::mem::take(book), &next);
        next.next_sequence = coordination::next_after(&book.pages, next.next_sequence);
    }
    reaction
}

/// Emitted events, and what becomes of them.
pub(super) struct Settled {
    /// The events as they are compared.
    pub(super) emitted: EmittedBook,
    /// What a coordinator makes of them.
    pub(super) effect: Effect,
    pub(super) notes: Vec<ReplayNote>,
}

/// What coordinators take a missing header for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingHeader {
    /// Sequence 0, as on the wire: in answers of aggregates.
    IsZero,
    /// The next sequence: in a process manager's own events, which have no header in recordings.
    IsNext,
}

/// Settles events that logic emitted when it was shown a book of its stream.
pub(super) fn settled(
    dialect: Dialect,
    mut emitted: EmittedBook,
    shown: &EventBook,
    missing: MissingHeader,
) -> Settled {
    let head = shown.next_sequence;
    let mut notes = Vec::new();
    let echoes = coordination::take_out_echoes(&mut emitted.pages, shown);
    if echoes > 0 {
        notes.push(ReplayNote::EchoesLeftOut { pages: echoes });
    }
    if missing == MissingHeader::IsNext {
        number(&mut emitted.pages, head);
    }
    let effect = coordination::effect(dialect, shown, &emitted);
    notes.extend(odd_places(&emitted.pages, head, &effect));
    number(&mut emitted.pages, head);
    Settled {
        emitted,
        effect,
        notes,
    }
}

/// A note for each page whose sequence is not the next one.
fn odd_places(
    pages: &[EmittedPage],
    head: u32,
    effect: &Effect,
) -> impl Iterator<Item = ReplayNote> {
    let pages = (head..=u32::MAX).zip(pages).enumerate();
    pages.filter_map(move |(position, (next, page))| {
        let sequence = page.header.sequence().unwrap_or_default();
        let becomes = match effect {
            _ if sequence == next => return None,
            Effect::Refused(_) => OddPlace::Refused,
            Effect::Stored(_) if sequence < head => OddPlace::Dropped,
            Effect::Stored(_) => OddPlace::Stored,
        };
        let says = (page.header != Header::Absent).then_some(sequence);
        Some(ReplayNote::OddPlace {
            position,
            says,
            next,
            becomes,
        })
    })
}

/// Gives pages without an explicit sequence the one of their position, counted from the head.
fn number(pages: &mut [EmittedPage], head: u32) {
    for (next, page) in (head..=u32::MAX).zip(pages) {
        if page.header.sequence().is_none() || page.header == Header::Absent {
            page.header = Header::Sequence(next);
        }
    }
}
