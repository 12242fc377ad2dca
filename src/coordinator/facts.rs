//! Facts: events from elsewhere, appended to a stream once for each idempotency key.

use super::commands::emitted;
use super::prior_history::PriorHistory;
use super::queries::failed;
use super::store::{Append, NewPage, Store, StoredPage, Stream};
use super::timeline::{Timeline, next_after};
use super::{LocalCoordinator, commands, stored_time, validate};
use crate::grpc::{FactInjection, ReceivedFacts, RefusedCall, ReplyBook};
use crate::model::{Cover, EmittedBook, EmittedPage, Failure, Header, Stimulus};
use crate::wire::{self};

/// Facts in progress.
struct Facts {
    cover: Cover,
    /// Whether the request names its edition; then the reply does too.
    spells_main: bool,
    stream: Stream,
    external_id: String,
    to_logic: bool,
    book: EmittedBook,
}

impl LocalCoordinator {
    /// `HandleEvent`.
    pub(super) fn inject(&self, sent: Option<ReceivedFacts>) -> Result<FactInjection, RefusedCall> {
        let facts = checked(sent)?;
        let Some(store) = self.stores.of(&facts.stream.domain) else {
            return Err(commands::no_logic(&facts.stream).into());
        };
        let mut races = 0;
        loop {
            if let Some(pages) = known(store, &facts)? {
                let spells_main =
                    facts.spells_main || self.dialect.rules().repeated_fact_spells_edition;
                return Ok(FactInjection {
                    book: ReplyBook {
                        spells_main,
                        ..reply_book(&facts, pages)
                    },
                    already_processed: true,
                });
            }
            match self.attempt_facts(store, &facts)? {
                Ok(book) => {
                    return Ok(FactInjection {
                        book,
                        already_processed: false,
                    });
                }
                Err(conflict) if conflict.moved && races < commands::RACES => races += 1,
                Err(conflict) => return Err(commands::conflict_failure(conflict).into()),
            }
        }
    }

    fn attempt_facts(
        &self,
        store: &Store,
        facts: &Facts,
    ) -> Result<Result<ReplyBook, super::AppendConflict>, RefusedCall> {
        let timeline = Timeline {
            store,
            stream: &facts.stream,
        };
        // Divergences in the cover are ignored.
        let head = timeline.head(None).map_err(failed)?;
        let taken = if facts.to_logic {
            self.taken_up(timeline, head, facts)?
        } else {
            facts.book.clone()
        };
        let pages = self.numbered(&taken.pages, head);
        let next_sequence = pages.last().map_or(head, |page| page.sequence + 1);
        let append = Append {
            base: head,
            seen: Some(head),
            snapshot: self.snapshot_to_store(store, &facts.stream, &taken, next_sequence)?,
            correlation_id: facts.cover.correlation_id.clone(),
            external_id: facts.external_id.clone(),
            pages,
        };
        let appended = store
            .append(&facts.stream, &append, false)
            .map_err(failed)?;
        Ok(appended.map(|()| {
            let stored = append.pages.into_iter().map(|page| StoredPage {
                sequence: page.sequence,
                bytes: page.bytes,
            });
            ReplyBook {
                snapshot: taken.snapshot.as_ref().map(wire::encode_snapshot),
                ..reply_book(facts, stored.collect())
            }
        }))
    }

    /// Events that the logic returns for the facts. A failing status is passed on, including UNIMPLEMENTED.
    fn taken_up(
        &self,
        timeline: Timeline<'_>,
        head: u32,
        facts: &Facts,
    ) -> Result<EmittedBook, RefusedCall> {
        let backend = self.backend(&facts.stream)?;
        let prior = PriorHistory::load(timeline, None, head)?;
        let stimulus = Stimulus::Fact {
            facts: facts.book.clone(),
            prior: self.shown(prior.book, true)?,
        };
        emitted(backend.ask(&stimulus)?)
    }

    /// The pages numbered from `head` on, regardless of their headers; not provisional, and with a time.
    fn numbered(&self, pages: &[EmittedPage], head: u32) -> Vec<NewPage> {
        (head..=u32::MAX)
            .zip(pages)
            .map(|(sequence, page)| {
                let created_at = page.created_at.unwrap_or_else(|| (self.clock)());
                let page = EmittedPage {
                    header: Header::Sequence(sequence),
                    created_at: Some(created_at),
                    provisional: false,
                    ..page.clone()
                };
                NewPage {
                    sequence,
                    bytes: wire::encode_emitted_page(&page, self.dialect).into(),
                    created_at: stored_time::text(created_at),
                }
            })
            .collect()
    }
}

fn checked(sent: Option<ReceivedFacts>) -> Result<Facts, Failure> {
    let sent = sent.ok_or_else(|| Failure::refused("the request has no facts"))?;
    let stream = validate::facts(&sent)?;
    let spells_main = sent
        .cover
        .as_ref()
        .is_some_and(|cover| !cover.edition.is_empty());
    let book = sent
        .book
        .map_err(|error| Failure::refused(error.to_string()))?;
    let cover = book
        .cover
        .clone()
        .ok_or_else(|| Failure::refused("the facts have no cover"))?;
    Ok(Facts {
        external_id: external_id(&book)?,
        stream,
        cover,
        spells_main,
        to_logic: sent.to_logic,
        book,
    })
}

/// Idempotency key of the book, from the first page. One page with a key anywhere is enough.
fn external_id(book: &EmittedBook) -> Result<String, Failure> {
    let id = |page: &EmittedPage| match &page.header {
        Header::ExternalDeferred { external_id, .. } => Some(external_id.clone()),
        _ => None,
    };
    if !book.pages.iter().any(|page| id(page).is_some()) {
        return Err(Failure::refused(
            "Fact events must have ExternalDeferredSequence markers",
        ));
    }
    Ok(book.pages.first().and_then(id).unwrap_or_default())
}

fn known(store: &Store, facts: &Facts) -> Result<Option<Vec<StoredPage>>, RefusedCall> {
    if facts.external_id.is_empty() {
        return Ok(None);
    }
    store
        .pages_of_fact(&facts.stream, &facts.external_id)
        .map_err(failed)
}

/// The reply, with the cover of the request.
fn reply_book(facts: &Facts, pages: Vec<StoredPage>) -> ReplyBook {
    ReplyBook {
        cover: Some(facts.cover.clone()),
        spells_main: facts.spells_main,
        snapshot: None,
        next_sequence: next_after(&pages),
        pages: pages.into_iter().map(|page| page.bytes.into()).collect(),
    }
}
