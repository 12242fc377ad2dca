//! Event books: histories as they were stored, and books as logic emits them.

use super::{Domain, Edition, Header, Payload, PayloadReference, Retention, Root, Timestamp};

/// Which aggregate, on which timeline, in which workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cover {
    /// Domain.
    pub domain: Domain,
    /// Root.
    pub root: Root,
    /// Correlation id of the workflow, mostly empty.
    pub correlation_id: String,
    /// Timeline.
    pub edition: Edition,
    /// Extension of newer dialects.
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
    pub fn is_same_stream(&self, other: &Self) -> bool {
        (&self.domain, self.root, self.edition.label())
            == (&other.domain, other.root, other.edition.label())
    }
}

/// What a page carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An event.
    Event(Payload),
    /// An event that is stored elsewhere.
    External(PayloadReference),
    /// Nothing.
    Empty,
}

impl Body {
    /// The event, where the page carries it itself.
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
pub struct Page {
    /// Its place in the history, from 0.
    pub sequence: u32,
    /// When it was written; many writers leave it out.
    pub created_at: Option<Timestamp>,
    /// What happened.
    pub body: Body,
    /// Not yet confirmed (two-phase commit of older dialects): logic sees a placeholder instead.
    pub provisional: bool,
    /// Two-phase commit it belongs to.
    pub cascade_id: Option<String>,
    /// The page's own encoding, kept where encoding it again would not give it back. Whoever changes the
    /// page drops it.
    pub original: Option<Vec<u8>>,
}

/// A state that an aggregate stored so that earlier pages need not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Last sequence that is folded in.
    pub sequence: u32,
    /// The state.
    pub state: Option<Payload>,
    /// How long it is kept.
    pub retention: Retention,
    /// When it was made, where the dialect has it.
    pub created_at: Option<Timestamp>,
    /// The snapshot's own encoding, kept where encoding it again would not give it back.
    pub original: Option<Vec<u8>>,
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

/// The stored pages of one aggregate, sequences strictly rising. A gap is a fact of its store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    pages: Vec<Page>,
}

impl History {
    /// Checks that sequences rise.
    pub fn new(pages: Vec<Page>) -> Result<Self, PageOrderError> {
        for (position, pair) in pages.windows(2).enumerate() {
            if pair[1].sequence <= pair[0].sequence {
                return Err(PageOrderError {
                    position: position + 1,
                    sequence: pair[1].sequence,
                    previous: pair[0].sequence,
                });
            }
        }
        Ok(Self { pages })
    }

    /// The pages in order.
    #[must_use]
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Gives the pages away.
    #[must_use]
    pub fn into_pages(self) -> Vec<Page> {
        self.pages
    }

    /// Sequence that the next event would get.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.pages
            .last()
            .map_or(0, |page| page.sequence.saturating_add(1))
    }

    /// The pages before `head`. The greatest number stands for a head that no number can say: a page may have it as its
    /// own sequence.
    #[must_use]
    pub fn before(&self, head: u32) -> Self {
        Self {
            pages: self
                .pages
                .iter()
                .filter(|page| page.sequence < head || head == u32::MAX)
                .cloned()
                .collect(),
        }
    }

    /// Sequences between 0 and the head that have no page, as inclusive ranges.
    #[must_use]
    pub fn gaps(&self) -> Vec<(u32, u32)> {
        let mut expected = 0;
        let mut gaps = Vec::new();
        for page in &self.pages {
            if page.sequence > expected {
                gaps.push((expected, page.sequence - 1));
            }
            expected = page.sequence.saturating_add(1);
        }
        gaps
    }
}

/// An aggregate's history as logic is shown it: all pages, or a snapshot and the pages after it.
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

/// A page as logic emits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedPage {
    /// What the logic says of its place; often nothing.
    pub header: Header,
    /// When, if the logic says.
    pub created_at: Option<Timestamp>,
    /// What happened.
    pub body: Body,
    /// Marked as provisional.
    pub provisional: bool,
}

impl EmittedPage {
    /// A page that says nothing but its event.
    #[must_use]
    pub const fn event(payload: Payload) -> Self {
        Self {
            header: Header::Absent,
            created_at: None,
            body: Body::Event(payload),
            provisional: false,
        }
    }
}

/// A book as logic emits it: everything but the events is optional.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EmittedBook {
    /// The aggregate it is for, if the logic says.
    pub cover: Option<Cover>,
    /// State to store.
    pub snapshot: Option<Snapshot>,
    /// Pages, which may begin with those that the logic was shown.
    pub pages: Vec<EmittedPage>,
    /// What the logic says of the next sequence, 0 where nothing.
    pub next_sequence: u32,
}
