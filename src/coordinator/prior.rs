//! The history as the logic is shown it: newest snapshot and the pages after it, or every page; pages that are
//! not the logic's business as placeholders.

use super::internal;
use super::queries::{cover_of, failed};
use super::store::{Store, StoredPage, Stream};
use super::timeline::{Timeline, next_after};
use crate::model::{Body, EventBook, History, Page, Payload, Snapshot};
use crate::wire::{self, Dialect, Refused};

/// Messages by which two-phase commit keeps its books inside a history.
const MARKERS: [&str; 4] = ["Confirmation", "Revocation", "Compensate", "NoOp"];

/// What a command is handled against.
pub(super) struct Prior {
    pub(super) book: EventBook,
}

impl Prior {
    /// Loads what is below `head`, so that a command stored meanwhile is not seen in part. A command that names
    /// its divergence gets no snapshot.
    pub(super) fn load(
        timeline: Timeline<'_>,
        divergence: Option<u32>,
        head: u32,
        dialect: Dialect,
    ) -> Result<Self, Refused> {
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
        let mut book = book(timeline.stream, snapshot, &pages, Some(dialect))?;
        book.next_sequence = head;
        Ok(Self { book })
    }
}

pub(super) fn newest_snapshot(store: &Store, stream: &Stream) -> Result<Option<Snapshot>, Refused> {
    let Some((_, bytes)) = store.newest_snapshot(stream).map_err(failed)? else {
        return Ok(None);
    };
    wire::snapshot(&bytes.into())
        .map(Some)
        .map_err(|error| internal(format!("the stored snapshot is damaged: {error}")).into())
}

/// A book of stored pages; with a dialect given, provisional pages and markers are masked in its way.
pub(super) fn book(
    stream: &Stream,
    snapshot: Option<Snapshot>,
    stored: &[StoredPage],
    masking: Option<Dialect>,
) -> Result<EventBook, Refused> {
    let mut pages = Vec::with_capacity(stored.len());
    for page in stored {
        let damaged = |reason: String| {
            internal(format!(
                "stored page {} is damaged: {reason}",
                page.sequence
            ))
        };
        let mut read =
            wire::page(&page.bytes.clone().into()).map_err(|error| damaged(error.to_string()))?;
        if read.sequence != page.sequence {
            return Err(damaged(format!("it says sequence {}", read.sequence)).into());
        }
        if let Some(dialect) = masking.filter(Dialect::has_two_phase_commit) {
            mask(&mut read, dialect);
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

fn mask(page: &mut Page, dialect: Dialect) {
    let marker = page.body.event().is_some_and(|event| {
        event
            .type_name()
            .strip_prefix(dialect.package())
            .and_then(|name| name.strip_prefix('.'))
            .is_some_and(|name| MARKERS.contains(&name))
    });
    if page.provisional || marker {
        page.body = Body::Event(Payload {
            type_url: dialect.placeholder_type_url(),
            value: Vec::new(),
        });
        page.provisional = false;
        page.cascade_id = None;
        page.original = None;
    }
}
