//! The prior history as it is sent to the logic: the newest snapshot and the pages after it, or every page. It is upcast if
//! the domain has an upcaster; then hidden pages become placeholders.

use super::queries::{cover_of, failed};
use super::store::{Store, StoredPage, Stream};
use super::timeline::{Timeline, next_after};
use super::{Backend, LocalCoordinator, internal};
use crate::coordination;
use crate::grpc::RefusedCall;
use crate::model::{Domain, EventBook, Failure, History, Outcome, Page, Pages, Snapshot, Stimulus};
use crate::wire::{self};

/// Prior history of a command.
pub(super) struct PriorHistory {
    pub(super) book: EventBook,
}

impl PriorHistory {
    /// Loads the history below `head`, so that events stored in the meantime are not included. A command that names its
    /// divergence gets no snapshot.
    pub(super) fn load(
        timeline: Timeline<'_>,
        divergence: Option<u32>,
        head: u32,
    ) -> Result<Self, RefusedCall> {
        let mut pages = timeline.whole(divergence).map_err(failed)?;
        let snapshot = match divergence {
            Some(_) => None,
            None => newest_snapshot(timeline.store, timeline.stream)?,
        };
        let snapshot = snapshot.filter(|snapshot| snapshot.sequence < head);
        pages.retain(|page| page.sequence < head);
        if let Some(snapshot) = &snapshot {
            pages.retain(|page| page.sequence > snapshot.sequence);
        }
        let mut book = book(timeline.stream, snapshot, &pages)?;
        book.next_sequence = head;
        Ok(Self { book })
    }
}

pub(super) fn newest_snapshot(
    store: &Store,
    stream: &Stream,
) -> Result<Option<Snapshot>, RefusedCall> {
    let Some((_, bytes)) = store.newest_snapshot(stream).map_err(failed)? else {
        return Ok(None);
    };
    wire::snapshot(&bytes.into())
        .map(Some)
        .map_err(|error| internal(format!("the stored snapshot is damaged: {error}")).into())
}

/// A book of stored pages, unchanged.
pub(super) fn book(
    stream: &Stream,
    snapshot: Option<Snapshot>,
    stored: &[StoredPage],
) -> Result<EventBook, RefusedCall> {
    let mut pages = Vec::with_capacity(stored.len());
    for page in stored {
        let damaged = |reason: String| {
            internal(format!(
                "stored page {} is damaged: {reason}",
                page.sequence
            ))
        };
        let read =
            wire::page(&page.bytes.clone().into()).map_err(|error| damaged(error.to_string()))?;
        if read.sequence != page.sequence {
            return Err(damaged(format!("it says sequence {}", read.sequence)).into());
        }
        pages.push(read);
    }
    Ok(EventBook {
        cover: cover_of(stream),
        snapshot,
        history: History::new(pages).map_err(|error| internal(error.to_string()))?,
        next_sequence: next_after(stored),
    })
}

/// The pages as the upcaster of their domain returns them.
pub(super) fn upcast(
    upcaster: &Backend,
    domain: &Domain,
    pages: Pages,
) -> Result<Vec<Page>, RefusedCall> {
    let domain = domain.clone();
    match upcaster.ask(&Stimulus::Upcast { domain, pages }) {
        Ok(Outcome::Upcast(pages)) => Ok(pages),
        Ok(_) => Err(upcaster_failed("it answered something else").into()),
        Err(refused) => Err(upcaster_failed(&refused.failure().message).into()),
    }
}

fn upcaster_failed(reason: &str) -> Failure {
    internal(format!("Upcaster failed: {reason}"))
}

impl LocalCoordinator {
    /// The book as the logic sees it: upcast, and masked if `masking` is set.
    pub(super) fn shown(
        &self,
        mut book: EventBook,
        masking: bool,
    ) -> Result<EventBook, RefusedCall> {
        if let Some(upcaster) = self.upcasters.get(&book.cover.domain)
            && !book.history.pages().is_empty()
        {
            let upcast = upcast(upcaster, &book.cover.domain, book.history.shared_pages())?;
            book.history =
                History::new(upcast).map_err(|error| upcaster_failed(&error.to_string()))?;
        }
        if masking {
            (book.history, _) = coordination::masked(self.dialect, book.history);
        }
        Ok(book)
    }
}
