//! A workflow across aggregates: its books by correlation id, where it began, and what production did.

use std::collections::BTreeMap;

use super::history::insert_time;
use super::{CaptureError, CutBook, EventQueries, PageNote};
use crate::model::{Cover, Domain, Edition, HopOutcome, ObservedHop, Page};
use crate::ticket::Ticket;

/// The pages of one aggregate with the correlation id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The aggregate.
    pub cover: Cover,
    /// The pages, in order; never empty.
    pub pages: Vec<Page>,
    /// What an event store notes about them; empty if a coordinator was asked.
    pub notes: Vec<PageNote>,
}

/// All aggregates with a page of a workflow on one timeline, sorted by domain and root. Coordinators that share a store
/// all return the same pages.
pub fn gather(
    domains: &BTreeMap<Domain, Box<dyn EventQueries>>,
    id: &str,
    edition: &Edition,
) -> Result<Vec<Share>, CaptureError> {
    let mut found: BTreeMap<_, Share> = BTreeMap::new();
    for (domain, queries) in domains {
        for book in queries.workflow(domain, id)? {
            let Some(cover) = book.cover else { continue };
            if cover.edition.label() != edition.label() {
                continue;
            }
            let mut share = Share {
                notes: Vec::new(),
                cover: Cover {
                    edition: edition.clone(),
                    ..Cover::main(cover.domain, cover.root)
                },
                pages: book.history.into_pages(),
            };
            let key = (share.cover.domain.clone(), share.cover.root);
            let (Some(first), Some(last)) = (share.pages.first(), share.pages.last()) else {
                continue;
            };
            if found.contains_key(&key) {
                continue;
            }
            if let Some(store) = queries.store() {
                share.notes = store.notes(&share.cover, first.sequence, last.sequence)?;
            }
            found.insert(key, share);
        }
    }
    Ok(found.into_values().collect())
}

/// The aggregate where a workflow began: the only one, or else the one with the oldest event, provided that every event
/// has a time.
pub fn began_at<'a>(shares: &'a [Share], id: &str) -> Result<&'a Share, CaptureError> {
    let first = |share: &Share| {
        let page = share.pages.first()?;
        let noted = || insert_time(&share.notes, page.sequence);
        page.created_at.or_else(noted)
    };
    match shares {
        [] => {
            return Err(CaptureError::UnknownWorkflow { id: id.to_owned() });
        }
        [only] => return Ok(only),
        _ => {}
    }
    let mut times: Vec<_> = shares
        .iter()
        .filter_map(|share| Some((first(share)?, share)))
        .collect();
    times.sort_by_key(|(time, _)| *time);
    match times.as_slice() {
        [(oldest, share), (next, _), ..] if times.len() == shares.len() && oldest < next => {
            Ok(share)
        }
        _ => Err(CaptureError::AmbiguousStart {
            id: id.to_owned(),
            candidates: shares
                .iter()
                .map(|share| format!("{}/{}", share.cover.domain, share.cover.root))
                .collect(),
        }),
    }
}

/// What production did in a workflow, by aggregate: the events stored after each cut, and the logged failures with the
/// correlation id, each at the head that its command was addressed to. Their commands are not part of a case, so their
/// messages must already be redacted.
#[must_use]
pub fn observed_hops(
    start: (&Cover, &[Page]),
    books: &[CutBook],
    tickets: &[Ticket],
) -> Vec<ObservedHop> {
    let streams = std::iter::once(start).chain(
        books
            .iter()
            .map(|cut| (&cut.book.cover, cut.after.as_slice())),
    );
    let mut hops = Vec::new();
    for (cover, pages) in streams {
        let failed = tickets
            .iter()
            .filter(|ticket| ticket.command.cover.is_same_stream(cover) && !ticket.is_accepted());
        let mut failed: Vec<&Ticket> = failed.collect();
        failed.sort_by_key(|ticket| sent_for(ticket));
        let mut rest = pages;
        for ticket in failed {
            let before = match sent_for(ticket) {
                Some(head) => rest.partition_point(|page| page.sequence < head),
                None => rest.len(),
            };
            let (earlier, later) = rest.split_at(before);
            push_events(cover, earlier, &mut hops);
            hops.push(hop(cover, HopOutcome::Failed(ticket.failure.clone())));
            rest = later;
        }
        push_events(cover, rest, &mut hops);
    }
    hops
}

/// The head that a command was addressed to, as far as it is known.
fn sent_for(ticket: &Ticket) -> Option<u32> {
    ticket.head.or_else(|| ticket.command.expected_sequence())
}

fn push_events(cover: &Cover, pages: &[Page], hops: &mut Vec<ObservedHop>) {
    if pages.is_empty() {
        return;
    }
    let events = pages.iter().map(|page| page.body.clone()).collect();
    hops.push(hop(cover, HopOutcome::Events(events)));
}

fn hop(cover: &Cover, outcome: HopOutcome) -> ObservedHop {
    ObservedHop {
        domain: cover.domain.clone(),
        root: cover.root,
        outcome,
    }
}
