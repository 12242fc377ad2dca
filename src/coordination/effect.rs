//! How a coordinator processes a reply: which pages it stores, at which sequences, and for which aggregate.

use crate::model::{Cover, EmittedBook, EmittedPage, EventBook, Failure, Header};
use crate::wire::Dialect;

/// Effect of a reply with events on a coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It stores these pages, with explicit sequences; possibly none.
    Stored(Vec<EmittedPage>),
    /// It refuses the reply, and stores nothing.
    Refused(Failure),
}

/// A page whose sequence is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// The next sequence.
    pub expected: u32,
    /// Sequence of the page.
    pub got: u32,
}

impl Conflict {
    /// The failing status, with the message of every core.
    #[must_use]
    pub fn failure(self) -> Failure {
        let Self { expected, got } = self;
        Failure::rejected(format!("Sequence conflict: expected {expected}, got {got}"))
    }
}

/// Effect of a reply on the stream of the aggregate whose book the logic received. Echoes must have been removed before
/// ([`take_out_echoes`]).
#[must_use]
pub fn effect(dialect: Dialect, shown: &EventBook, emitted: &EmittedBook) -> Effect {
    if let Err(failure) = addressee(dialect, &shown.cover, emitted) {
        return Effect::Refused(failure);
    }
    match placed(dialect, shown, &emitted.pages) {
        Ok(pages) => Effect::Stored(pages),
        Err(conflict) => Effect::Refused(conflict.failure()),
    }
}

/// The other aggregate that a reply names, if the dialect stores the reply there; otherwise such a reply is refused.
pub fn addressee<'a>(
    dialect: Dialect,
    home: &Cover,
    emitted: &'a EmittedBook,
) -> Result<Option<&'a Cover>, Failure> {
    match named_elsewhere(home, emitted) {
        Some(other) if !dialect.rules().stores_foreign_replies => {
            Err(foreign_reply(home, other, "nothing is stored"))
        }
        other => Ok(other),
    }
}

/// The other aggregate that a reply names, if any.
#[must_use]
pub fn named_elsewhere<'a>(home: &Cover, emitted: &'a EmittedBook) -> Option<&'a Cover> {
    let named = emitted.cover.as_ref();
    named.filter(|cover| (&cover.domain, cover.root) != (&home.domain, home.root))
}

/// The failing status for a reply that names another aggregate than the command.
#[must_use]
pub fn foreign_reply(home: &Cover, other: &Cover, why: &str) -> Failure {
    Failure::rejected(format!(
        "the logic answered for {}/{}, the command was for {}/{}: {why}",
        other.domain, other.root, home.domain, home.root
    ))
}

/// The pages to store, with explicit sequences. A missing header means sequence 0, as on the wire.
pub fn placed(
    dialect: Dialect,
    shown: &EventBook,
    pages: &[EmittedPage],
) -> Result<Vec<EmittedPage>, Conflict> {
    let rules = dialect.rules();
    let head = shown.next_sequence;
    // Known pages are recognised by the pages that were loaded for the logic; a snapshot alone does not show them.
    let drops = rules.drops_below_head && !shown.history.pages().is_empty();
    let mut next = head;
    let mut placed = Vec::with_capacity(pages.len());
    for page in pages {
        let got = page.header.sequence().unwrap_or_default();
        if drops && got < head {
            continue;
        }
        if got < next || (got > next && !rules.stores_gaps) {
            let expected = next;
            return Err(Conflict { expected, got });
        }
        next = got.saturating_add(1);
        placed.push(EmittedPage {
            header: Header::Sequence(got),
            ..page.clone()
        });
    }
    Ok(placed)
}

/// The sequence after the last page; `head` if there are no pages.
#[must_use]
pub fn next_after(pages: &[EmittedPage], head: u32) -> u32 {
    let last = pages.last().and_then(|page| page.header.sequence());
    last.map_or(head, |last| last.saturating_add(1))
}

/// Removes the pages that repeat prior pages, and returns their number.
pub fn take_out_echoes(pages: &mut Vec<EmittedPage>, shown: &EventBook) -> usize {
    let before = pages.len();
    pages.retain(|page| !is_echo(page, shown));
    before - pages.len()
}

/// Whether a page repeats a prior page. Only a page with an explicit sequence can be an echo.
fn is_echo(page: &EmittedPage, shown: &EventBook) -> bool {
    let Header::Sequence(sequence) = page.header else {
        return false;
    };
    let known = shown.history.pages();
    let position = known.binary_search_by_key(&sequence, |known| known.sequence);
    sequence < shown.next_sequence
        && position.is_ok_and(|position| known[position].body == page.body)
}
