//! Stored pages as a list that is cheap to clone.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use super::{Body, Page};

/// Stored pages. Clones and parts of the list share the pages, because there may be a million of them.
#[derive(Clone, Default)]
pub struct Pages {
    shared: Arc<Vec<Page>>,
    /// The pages that belong to this list; the others belong to lists that share them.
    range: Range<usize>,
}

impl Pages {
    /// A part of this list.
    #[must_use]
    #[doc(hidden)]
    pub fn part(&self, part: Range<usize>) -> Self {
        let first = self.range.start;
        Self {
            shared: Arc::clone(&self.shared),
            range: first + part.start..first + part.end,
        }
    }

    /// The pages as a vector. Copies them only if another list shares them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Page> {
        if self.range == (0..self.shared.len()) {
            Arc::unwrap_or_clone(self.shared)
        } else {
            self.to_vec()
        }
    }
}

/// Keeps one copy of each type URL: a history of a million events has a few types.
#[derive(Default)]
#[doc(hidden)]
pub struct TypeUrls {
    known: Vec<Arc<str>>,
}

impl TypeUrls {
    /// Number of type URLs that are searched. More are not shared, so that a page takes constant time.
    const MOST: usize = 64;

    /// Makes a page share its type URL with the pages before it.
    pub fn share(&mut self, page: &mut Page) {
        let Body::Event(event) = &mut page.body else {
            return;
        };
        let is_shared = |known: &Arc<str>| Arc::ptr_eq(known, &event.type_url);
        if self.known.iter().any(is_shared) {
            return;
        }
        match self.find(&event.type_url) {
            Some(known) => event.type_url = Arc::clone(known),
            None => self.keep(&event.type_url),
        }
    }

    /// The shared copy of a type URL.
    #[must_use]
    pub fn of(&mut self, type_url: &str) -> Arc<str> {
        if let Some(known) = self.find(type_url) {
            return Arc::clone(known);
        }
        let new = Arc::from(type_url);
        self.keep(&new);
        new
    }

    fn find(&self, type_url: &str) -> Option<&Arc<str>> {
        self.known.iter().find(|known| ***known == *type_url)
    }

    fn keep(&mut self, type_url: &Arc<str>) {
        if self.known.len() < Self::MOST {
            self.known.push(Arc::clone(type_url));
        }
    }
}

impl From<Vec<Page>> for Pages {
    fn from(pages: Vec<Page>) -> Self {
        Self {
            range: 0..pages.len(),
            shared: Arc::new(pages),
        }
    }
}

impl Deref for Pages {
    type Target = [Page];

    fn deref(&self) -> &[Page] {
        &self.shared[self.range.clone()]
    }
}

impl PartialEq for Pages {
    fn eq(&self, other: &Self) -> bool {
        // Comparing a million pages with themselves takes time.
        let is_same = Arc::ptr_eq(&self.shared, &other.shared) && self.range == other.range;
        is_same || **self == **other
    }
}

impl Eq for Pages {}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
