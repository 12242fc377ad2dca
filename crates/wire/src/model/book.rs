//! Event books: stored histories, and the books that client logic emits.

use super::{
    Domain, Edition, Header, Pages, Payload, PayloadReference, Retention, Root, Timestamp, TypeUrls,
};

/// Identifies an aggregate, its timeline (edition) and the workflow (correlation id).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Domain.
    pub domain: Domain,
    /// Root.
    pub root: Root,
    /// Correlation id of the workflow; usually empty.
    pub correlation_id: String,
    /// Edition: the timeline.
    pub edition: Edition,
    /// Extension field, which only newer dialects have.
    pub ext: Option<Payload>,
}

impl Cover {
    /// The main timeline of an aggregate, without a correlation id.
    #[must_use]
    pub const fn main(domain: Domain, root: Root) -> Self {
        Self {
            domain,
            root,
            correlation_id: String::new(),
            edition: Edition::Main,
            ext: None,
        }
    }

    /// Whether both name the same timeline of the same aggregate.
    #[must_use]
    #[doc(hidden)]
    pub fn is_same_stream(&self, other: &Self) -> bool {
        (&self.domain, self.root, self.edition.label())
            == (&other.domain, other.root, other.edition.label())
    }
}

/// Content of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An event.
    Event(Payload),
    /// An event that is stored elsewhere.
    External(Box<PayloadReference>),
    /// No payload.
    Empty,
}

impl Body {
    /// The event, if the page carries it inline.
    #[must_use]
    pub const fn event(&self) -> Option<&Payload> {
        match self {
            Self::Event(payload) => Some(payload),
            Self::External(_) | Self::Empty => None,
        }
    }
}

/// A stored page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::box_collection,
    reason = "a million pages need 32 MB less if what few of them have is elsewhere"
)]
pub struct Page {
    /// Position in the history, from 0.
    pub sequence: u32,
    /// When it was written; many writers leave it out.
    pub created_at: Option<Timestamp>,
    /// The event.
    pub body: Body,
    /// Not yet confirmed (two-phase commit of older dialects): logic sees a placeholder instead.
    pub provisional: bool,
    /// Id of the two-phase commit that the page belongs to.
    pub cascade_id: Option<Box<String>>,
    /// Original encoding, kept only if encoding the page again would produce other bytes. Code that changes the page
    /// clears it.
    pub original: Option<Box<Vec<u8>>>,
}

impl Page {
    /// A page with an event and nothing else.
    #[must_use]
    pub const fn event(sequence: u32, payload: Payload) -> Self {
        Self {
            sequence,
            created_at: None,
            body: Body::Event(payload),
            provisional: false,
            cascade_id: None,
            original: None,
        }
    }
}

/// Stored state of an aggregate, which makes reading earlier pages unnecessary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Last sequence that the state includes.
    pub sequence: u32,
    /// The state.
    pub state: Option<Payload>,
    /// How long it is kept.
    pub retention: Retention,
    /// When it was made, if the dialect records it.
    pub created_at: Option<Timestamp>,
    /// Original encoding, kept only if encoding the snapshot again would produce other bytes.
    pub original: Option<Vec<u8>>,
}

impl Snapshot {
    /// A state that includes all events up to a sequence.
    #[must_use]
    pub const fn new(sequence: u32, state: Payload) -> Self {
        Self {
            sequence,
            state: Some(state),
            retention: Retention::Default,
            created_at: None,
            original: None,
        }
    }
}

/// Pages whose sequences do not rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "page {position} has sequence {sequence}, after sequence {previous}: sequences must increase"
)]
pub struct PageOrderError {
    /// Position of the offending page, from 0.
    pub position: usize,
    /// Its sequence.
    pub sequence: u32,
    /// The sequence before it.
    pub previous: u32,
}

/// The stored pages of one aggregate, in strictly rising sequence. Gaps are allowed: the store may have them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    pages: Pages,
}

impl History {
    /// Checks that sequences rise.
    pub fn new(mut pages: Vec<Page>) -> Result<Self, PageOrderError> {
        for (position, pair) in pages.windows(2).enumerate() {
            if pair[1].sequence <= pair[0].sequence {
                return Err(PageOrderError {
                    position: position + 1,
                    sequence: pair[1].sequence,
                    previous: pair[0].sequence,
                });
            }
        }
        let mut type_urls = TypeUrls::default();
        for page in &mut pages {
            type_urls.share(page);
        }
        Ok(Self {
            pages: pages.into(),
        })
    }

    /// The pages in order.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// The pages as a list that shares them with this history.
    #[must_use]
    #[doc(hidden)]
    pub fn shared_pages(&self) -> Pages {
        self.pages.clone()
    }

    /// Takes the pages out of the history. Copies them only if another history shares them.
    #[must_use]
    pub fn into_pages(self) -> Vec<Page> {
        self.pages.into_vec()
    }

    /// Sequence that the next event would get.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.pages
            .last()
            .map_or(0, |page| page.sequence.saturating_add(1))
    }

    /// Sequence that the next event would get, given the stored snapshot, which may reach further than the pages.
    #[must_use]
    #[doc(hidden)]
    pub fn next_after(&self, snapshot: Option<&Snapshot>) -> u32 {
        let after_snapshot = snapshot.map_or(0, |snapshot| snapshot.sequence.saturating_add(1));
        self.next_sequence().max(after_snapshot)
    }

    /// The pages below `head`. `u32::MAX` returns all pages: the last one may have that very sequence, and then no number
    /// could express the head above it.
    #[must_use]
    #[doc(hidden)]
    pub fn before(&self, head: u32) -> Self {
        let count = match head {
            u32::MAX => self.pages.len(),
            _ => self.count_below(head),
        };
        Self {
            pages: self.pages.part(0..count),
        }
    }

    /// The pages from `sequence` on.
    #[must_use]
    #[doc(hidden)]
    pub fn since(&self, sequence: u32) -> Self {
        let first = self.count_below(sequence);
        Self {
            pages: self.pages.part(first..self.pages.len()),
        }
    }

    /// Number of pages below a sequence.
    fn count_below(&self, sequence: u32) -> usize {
        self.pages.partition_point(|page| page.sequence < sequence)
    }

    /// Sequences between 0 and the head that have no page, as inclusive ranges.
    #[must_use]
    #[doc(hidden)]
    pub fn gaps(&self) -> Vec<(u32, u32)> {
        let mut expected = 0;
        let mut gaps = Vec::new();
        for page in &*self.pages {
            if page.sequence > expected {
                gaps.push((expected, page.sequence - 1));
            }
            expected = page.sequence.saturating_add(1);
        }
        gaps
    }
}

/// The book of one aggregate: its stored history, or the part of it that is sent to client logic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBook {
    /// The aggregate.
    pub cover: Cover,
    /// Stored state, if any.
    pub snapshot: Option<Snapshot>,
    /// The pages.
    pub history: History,
    /// Sequence that the next event would get.
    pub next_sequence: u32,
}

impl EventBook {
    /// What an aggregate has stored. The next sequence follows the last page, or the snapshot if that reaches further.
    #[must_use]
    pub fn new(cover: Cover, snapshot: Option<Snapshot>, history: History) -> Self {
        Self {
            next_sequence: history.next_after(snapshot.as_ref()),
            cover,
            snapshot,
            history,
        }
    }

    /// The book of an aggregate without a snapshot and without pages.
    #[must_use]
    #[doc(hidden)]
    pub fn empty(cover: Cover) -> Self {
        Self {
            cover,
            snapshot: None,
            history: History::default(),
            next_sequence: 0,
        }
    }

    /// The pages from `sequence` on, as a bus delivers them: without the pages before them and without the snapshot,
    /// which stands for those.
    #[must_use]
    #[doc(hidden)]
    pub fn since(&self, sequence: u32) -> Self {
        Self {
            cover: self.cover.clone(),
            snapshot: None,
            history: self.history.since(sequence),
            next_sequence: self.next_sequence,
        }
    }
}

/// A page emitted by client logic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedPage {
    /// Sequence or provenance set by the logic; often absent.
    pub header: Header,
    /// Creation time, if the logic sets one.
    pub created_at: Option<Timestamp>,
    /// The event.
    pub body: Body,
    /// Marked as provisional.
    pub provisional: bool,
}

impl EmittedPage {
    /// A page with an event and nothing else.
    #[must_use]
    pub const fn event(payload: Payload) -> Self {
        Self {
            header: Header::Absent,
            created_at: None,
            body: Body::Event(payload),
            provisional: false,
        }
    }

    /// Sets the header: a sequence or the provenance of a fact.
    #[must_use]
    pub fn with_header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }
}

/// An event book emitted by client logic: everything but the events is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmittedBook {
    /// Target aggregate, if the logic names one.
    pub cover: Option<Cover>,
    /// State to store.
    pub snapshot: Option<Snapshot>,
    /// Pages; they may begin with a copy of the prior pages.
    pub pages: Vec<EmittedPage>,
    /// Next sequence according to the logic; 0 if it sets none.
    pub next_sequence: u32,
}

impl EmittedBook {
    /// A book with these pages and nothing else.
    #[must_use]
    pub fn new(pages: Vec<EmittedPage>) -> Self {
        Self {
            pages,
            ..Self::default()
        }
    }

    /// A book with these events and nothing else.
    #[must_use]
    pub fn of_events(events: impl IntoIterator<Item = Payload>) -> Self {
        Self::new(events.into_iter().map(EmittedPage::event).collect())
    }

    /// Sets the target aggregate.
    #[must_use]
    pub fn with_cover(mut self, cover: Cover) -> Self {
        self.cover = Some(cover);
        self
    }

    /// Sets the state to store.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }
}
