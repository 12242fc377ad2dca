//! The in-memory edition of a flow: the captured books, and the flow's own events after them.

use std::collections::{BTreeMap, BTreeSet};

use super::{FlowError, FlowNote};
use crate::model::{
    Cover, Destinations, Domain, Edition, EventBook, History, Page, Root, Snapshot,
};

/// Domain, root and the label of the edition.
type Key = (Domain, Root, String);

/// The current books of a flow.
pub(super) struct Branch {
    books: BTreeMap<Key, EventBook>,
    /// External ids of the stored facts, by stream.
    facts: BTreeSet<(Key, String)>,
}

fn key(cover: &Cover) -> Key {
    let edition = cover.edition.label().to_owned();
    (cover.domain.clone(), cover.root, edition)
}

impl Branch {
    /// Copies the books. There may be one per stream.
    pub(super) fn new(books: &[EventBook]) -> Result<Self, FlowError> {
        let mut known = BTreeMap::new();
        for book in books {
            let mut book = book.clone();
            // A book that was read in part may state a lower sequence than its pages have.
            let after_pages = book.history.next_after(book.snapshot.as_ref());
            book.next_sequence = book.next_sequence.max(after_pages);
            let cover = book.cover.clone();
            if known.insert(key(&cover), book).is_some() {
                let cover = Box::new(cover);
                return Err(FlowError::TwoBooks { cover });
            }
        }
        Ok(Self {
            books: known,
            facts: BTreeSet::new(),
        })
    }

    /// The books in order of domain, root and edition.
    pub(super) fn into_books(self) -> Vec<EventBook> {
        self.books.into_values().collect()
    }

    /// The current book of a stream, if the flow has it.
    pub(super) fn known(&self, cover: &Cover) -> Option<&EventBook> {
        self.books.get(&key(cover))
    }

    /// The current book of a stream, with a note if the flow does not have it.
    pub(super) fn load(&self, cover: &Cover) -> (EventBook, Option<FlowNote>) {
        if let Some(book) = self.known(cover) {
            return (book.clone(), None);
        }
        if let Some((book, below)) = self.forked(cover) {
            let cover = cover.clone();
            return (book, Some(FlowNote::BranchedFromMain { cover, below }));
        }
        let book = EventBook::empty(cover.clone());
        let cover = cover.clone();
        (book, Some(FlowNote::BookMissing { cover }))
    }

    /// The book of a named edition without pages of its own: the main timeline, up to the divergence if there is one.
    fn forked(&self, cover: &Cover) -> Option<(EventBook, Option<u32>)> {
        let Edition::Named { divergences, .. } = &cover.edition else {
            return None;
        };
        let main = Cover {
            edition: Edition::Main,
            ..cover.clone()
        };
        let mut book = self.known(&main)?.clone();
        book.cover = cover.clone();
        let below = divergences
            .iter()
            .find(|divergence| divergence.domain == cover.domain)
            .map(|divergence| divergence.sequence);
        if let Some(below) = below {
            // For an explicit divergence, coordinators read only pages.
            book.snapshot = None;
            book.history = book.history.before(below);
            book.next_sequence = book.next_sequence.min(below);
        }
        Some((book, below))
    }

    /// Sequence of the next event of a stream.
    pub(super) fn head(&self, cover: &Cover) -> u32 {
        self.load(cover).0.next_sequence
    }

    /// Appends pages that follow the head, and returns them as the book that is published.
    pub(super) fn append(
        &mut self,
        cover: &Cover,
        pages: Vec<Page>,
        snapshot: Option<&Snapshot>,
    ) -> EventBook {
        let (mut book, _) = self.load(cover);
        let mut all = book.history.into_pages();
        all.extend(pages.iter().cloned());
        book.history = History::new(all).expect("appended pages follow the head");
        book.next_sequence = book.history.next_sequence();
        keep_snapshot(&mut book, snapshot);
        let batch = EventBook {
            cover: cover.clone(),
            snapshot: None,
            history: History::new(pages).expect("appended pages are in order"),
            next_sequence: book.next_sequence,
        };
        self.books.insert(key(cover), book);
        batch
    }

    /// Whether facts with this external id were stored before; remembers the id. Facts without an id are always new.
    pub(super) fn knows_facts(&mut self, cover: &Cover, external_id: &str) -> bool {
        !external_id.is_empty() && !self.facts.insert((key(cover), external_id.to_owned()))
    }

    /// The root of a domain in an edition, if there is only one.
    pub(super) fn only_root(&self, domain: &Domain, edition: &Edition) -> Option<Root> {
        let mut roots = self.roots(edition);
        roots.retain(|(known, _)| known == domain);
        let only = roots.len() == 1;
        roots
            .into_iter()
            .next()
            .filter(|_| only)
            .map(|(_, root)| root)
    }

    /// The head of each domain with one aggregate in the edition, and the domains with several, whose heads a map by domain
    /// cannot hold.
    pub(super) fn heads(&self, edition: &Edition) -> (Destinations, Vec<Domain>) {
        let mut known: BTreeMap<Domain, Vec<Root>> = BTreeMap::new();
        for (domain, root) in self.roots(edition) {
            known.entry(domain).or_default().push(root);
        }
        let mut heads = Destinations::new();
        let mut ambiguous = Vec::new();
        for (domain, roots) in known {
            let [root] = roots.as_slice() else {
                ambiguous.push(domain);
                continue;
            };
            let cover = Cover {
                edition: edition.clone(),
                ..Cover::main(domain.clone(), *root)
            };
            heads.insert(domain.to_string(), self.head(&cover));
        }
        (heads, ambiguous)
    }

    /// The aggregates of an edition: its own, and those of the main timeline.
    fn roots(&self, edition: &Edition) -> BTreeSet<(Domain, Root)> {
        let shown = |label: &str| label == edition.label() || label == Edition::Main.label();
        let keys = self.books.keys().filter(|(_, _, label)| shown(label));
        keys.map(|(domain, root, _)| (domain.clone(), *root))
            .collect()
    }
}

/// Stores an answer's snapshot with the sequence of the last page, if its state is new. Later calls begin with it.
fn keep_snapshot(book: &mut EventBook, emitted: Option<&Snapshot>) {
    let (Some(emitted), Some(last)) = (emitted, book.next_sequence.checked_sub(1)) else {
        return;
    };
    let stored = book.snapshot.as_ref();
    if stored.is_some_and(|stored| stored.state == emitted.state) {
        return;
    }
    book.snapshot = Some(Snapshot {
        sequence: last,
        original: None,
        ..emitted.clone()
    });
}
