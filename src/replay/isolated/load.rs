//! Loads a history as facts into an aggregate without events, and reads every page back.

use super::{IsolatedError, StoredDifference};
use crate::coordination;
use crate::grpc::{FactClient, FactRoute, QueryClient, Selection, encode_fact_request};
use crate::model::{Cover, EmittedBook, EmittedPage, EventBook, Header, Page};
use crate::wire::Dialect;

/// Largest message that a coordinator takes by default: 10 MiB.
const MESSAGE_BYTES: usize = 10 * 1024 * 1024;

/// Access to a coordinator's store: queries, and facts.
#[derive(Debug, Clone)]
pub(super) struct IsolatedStore {
    pub(super) queries: QueryClient,
    pub(super) facts: FactClient,
}

impl IsolatedStore {
    /// Checks that an aggregate has no events, neither on the main timeline nor in the edition. A query for the whole book
    /// reads both.
    pub(super) fn demand_absent(&self, cover: &Cover) -> Result<(), IsolatedError> {
        let found = self.queries.event_book(cover, Selection::Whole);
        let is_absent = match found {
            Ok(book) => book.history.pages().is_empty(),
            Err(crate::grpc::QueryError::Call(error)) if error.is_too_large() => false,
            Err(error) => return Err(error.into()),
        };
        if is_absent {
            return Ok(());
        }
        Err(IsolatedError::Present {
            domain: cover.domain.clone(),
            root: cover.root,
            address: self.queries.address().to_owned(),
        })
    }

    /// Appends pages, the first of which has the next sequence, and reads them back.
    pub(super) fn append(
        &self,
        cover: &Cover,
        key: &str,
        pages: &[Page],
    ) -> Result<(), IsolatedError> {
        let (Some(first), Some(last)) = (pages.first(), pages.last()) else {
            return Ok(());
        };
        let book = facts(cover, key, pages);
        let size = encode_fact_request(&book, FactRoute::Store, self.queries.dialect()).len();
        if size > MESSAGE_BYTES {
            return Err(IsolatedError::TooLarge {
                what: format!("the history has {size} bytes"),
                limit: "10 MiB in a message",
            });
        }
        let injected = self.facts.inject(&book)?;
        if injected.already_processed {
            return Err(self.unfaithful(first.sequence, StoredDifference::TakenForKnown));
        }
        let range = Selection::Range(first.sequence, Some(last.sequence));
        let stored = self.queries.event_book(cover, range)?;
        self.compare(pages, injected.book.history.pages())?;
        self.compare(pages, stored.history.pages())
    }

    fn compare(&self, loaded: &[Page], stored: &[Page]) -> Result<(), IsolatedError> {
        for (position, page) in loaded.iter().enumerate() {
            let sequence = page.sequence;
            let Some(found) = stored.get(position) else {
                return Err(self.unfaithful(sequence, StoredDifference::Missing));
            };
            if found.sequence != sequence {
                let difference = StoredDifference::Sequence(found.sequence);
                return Err(self.unfaithful(sequence, difference));
            }
            if found.body != page.body {
                return Err(self.unfaithful(sequence, StoredDifference::Event));
            }
            if page.created_at.is_some() && found.created_at != page.created_at {
                return Err(self.unfaithful(sequence, StoredDifference::Time));
            }
        }
        match stored.get(loaded.len()) {
            Some(more) => Err(self.unfaithful(more.sequence, StoredDifference::Additional)),
            None => Ok(()),
        }
    }

    fn unfaithful(&self, sequence: u32, difference: StoredDifference) -> IsolatedError {
        IsolatedError::Unfaithful {
            address: self.queries.address().to_owned(),
            sequence,
            difference,
        }
    }
}

/// The first page's key is that of the whole book; the headers of the others do not matter.
fn facts(cover: &Cover, key: &str, pages: &[Page]) -> EmittedBook {
    let fact = |(position, page): (usize, &Page)| EmittedPage {
        header: if position == 0 {
            Header::ExternalDeferred {
                external_id: format!("{key}/{}", page.sequence),
                description: String::new(),
            }
        } else {
            Header::Sequence(page.sequence)
        },
        created_at: page.created_at,
        body: page.body.clone(),
        provisional: false,
    };
    EmittedBook {
        cover: Some(cover.clone()),
        pages: pages.iter().enumerate().map(fact).collect(),
        ..EmittedBook::default()
    }
}

/// Refuses a history that facts cannot express: with gaps, provisional pages or a snapshot.
pub(super) fn demand_loadable(prior: &EventBook, dialect: Dialect) -> Result<(), IsolatedError> {
    if let Some(snapshot) = &prior.snapshot {
        return Err(IsolatedError::Snapshot {
            sequence: snapshot.sequence,
        });
    }
    for (expected, page) in (0..).zip(prior.history.pages()) {
        if page.sequence != expected {
            return Err(IsolatedError::Gap { sequence: expected });
        }
        if page.provisional || coordination::is_placeholder(dialect, page) {
            return Err(IsolatedError::Provisional {
                sequence: page.sequence,
            });
        }
    }
    let head = prior.history.next_sequence();
    if prior.next_sequence > head {
        return Err(IsolatedError::Gap { sequence: head });
    }
    Ok(())
}
