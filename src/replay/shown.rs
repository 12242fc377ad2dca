//! The history as the logic is shown it: from its snapshot on, upcast, with placeholders.

use super::{ReplayNote, Target, TargetError};
use crate::coordination;
use crate::model::{EventBook, Failure, History, Outcome, Snapshot, Stimulus};

/// Where the history that the logic is shown begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// At the snapshot, as in production.
    AtSnapshot,
    /// At the first page, without the snapshot.
    AtBeginning,
}

/// The book as the logic is shown it; `None` if its upcaster fails. Asks nothing but the upcaster, if there is one.
#[must_use]
pub fn shown_book(target: &dyn Target, book: &EventBook) -> Option<EventBook> {
    let shown = shown(target, book, Start::AtSnapshot, &mut Vec::new()).ok()?;
    shown.ok()
}

/// The book as the logic is shown it, or how its upcaster failed.
pub(super) fn shown(
    target: &dyn Target,
    book: &EventBook,
    start: Start,
    notes: &mut Vec<ReplayNote>,
) -> Result<Result<EventBook, Outcome>, TargetError> {
    let mut book = loaded(book, start);
    // Only the pages that are loaded are upcast, and only when there are any.
    if target.upcasts() && !book.history.pages().is_empty() {
        let pages = book.history.shared_pages();
        let domain = book.cover.domain.clone();
        book.history = match target.ask(&Stimulus::Upcast { domain, pages })? {
            Outcome::Upcast(pages) => match History::new(pages) {
                Ok(history) => history,
                Err(error) => {
                    let failure = Failure::crashed(format!("the upcaster answered {error}"));
                    return Ok(Err(Outcome::Crashed(failure)));
                }
            },
            failed => return Ok(Err(failed)),
        };
    }
    let (history, masked) = coordination::masked(target.dialect(), book.history);
    book.history = history;
    if masked > 0 {
        notes.push(ReplayNote::Masked { pages: masked });
    }
    Ok(Ok(book))
}

/// Whether there is a snapshot and also the pages that it includes. A recorder sees only the pages after it.
pub(super) fn has_pages_before_snapshot(book: &EventBook) -> bool {
    let first = book.history.pages().first();
    let snapshot = book.snapshot.as_ref();
    first
        .zip(snapshot)
        .is_some_and(|(first, snapshot)| first.sequence <= snapshot.sequence)
}

/// The part of a book that a coordinator loads.
fn loaded(book: &EventBook, start: Start) -> EventBook {
    let mut cover = book.cover.clone();
    // A coordinator leaves it blank here; the command carries it.
    cover.correlation_id = String::new();
    let snapshot = book.snapshot.clone().filter(|_| start == Start::AtSnapshot);
    let first = snapshot
        .as_ref()
        .map_or(0, |snapshot: &Snapshot| snapshot.sequence.saturating_add(1));
    EventBook {
        cover,
        snapshot,
        ..book.since(first)
    }
}
