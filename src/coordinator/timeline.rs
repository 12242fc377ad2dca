//! Reads a timeline: all pages of an edition, or a part of them.

use super::store::{Part, Store, StoreError, StoredPage, Stream};
use super::stored_time;
use crate::grpc::PointInTime;

/// One aggregate's timeline in a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline<'a> {
    pub(super) store: &'a Store,
    pub(super) stream: &'a Stream,
}

impl Timeline<'_> {
    /// Every page: those of the main timeline below the divergence, then the edition's own. Without an explicit divergence,
    /// the lowest own sequence counts, so an edition without pages reads as main.
    pub(super) fn whole(&self, divergence: Option<u32>) -> Result<Vec<StoredPage>, StoreError> {
        self.composite(Part::WHOLE, divergence)
    }

    fn composite(
        &self,
        part: Part<'_>,
        divergence: Option<u32>,
    ) -> Result<Vec<StoredPage>, StoreError> {
        let own = self.store.pages(self.stream, part)?;
        if self.stream.edition.is_none() {
            return Ok(own);
        }
        let lowest = self.store.bounds(self.stream)?.map(|(lowest, _)| lowest);
        // A divergence above the edition's first own page would return sequences twice, so the own pages take precedence.
        let divergence = lowest
            .into_iter()
            .chain(divergence)
            .min()
            .unwrap_or(u32::MAX);
        let mut pages = self.store.pages(&self.stream.main(), part)?;
        pages.retain(|page| page.sequence < divergence);
        pages.extend(own);
        Ok(pages)
    }

    /// A range, or a state in the past. For a named edition it includes main below the divergence, or only the edition's own
    /// pages.
    fn partial(&self, part: Part<'_>, joins_main: bool) -> Result<Vec<StoredPage>, StoreError> {
        if joins_main {
            self.composite(part, None)
        } else {
            self.store.pages(self.stream, part)
        }
    }

    /// Pages between two sequences, both included.
    pub(super) fn range(
        &self,
        lower: u32,
        upper: u32,
        joins_main: bool,
    ) -> Result<Vec<StoredPage>, StoreError> {
        self.partial(Part::Range(lower, upper), joins_main)
    }

    /// Pages as they were at a point in time.
    pub(super) fn as_of(
        &self,
        point: PointInTime,
        joins_main: bool,
    ) -> Result<Vec<StoredPage>, StoreError> {
        match point {
            PointInTime::Sequence(last) => self.partial(Part::Range(0, last), joins_main),
            PointInTime::Time(time) => {
                self.partial(Part::Until(&stored_time::text(time)), joins_main)
            }
        }
    }

    /// Pages with the given sequences, from the stream's own pages.
    pub(super) fn sequences(&self, wanted: &[u32]) -> Result<Vec<StoredPage>, StoreError> {
        let (Some(lowest), Some(highest)) = (wanted.iter().min(), wanted.iter().max()) else {
            return Ok(Vec::new());
        };
        let mut pages = self
            .store
            .pages(self.stream, Part::Range(*lowest, *highest))?;
        pages.retain(|page| wanted.contains(&page.sequence));
        Ok(pages)
    }

    /// Sequence of the next event.
    pub(super) fn head(&self, divergence: Option<u32>) -> Result<u32, StoreError> {
        if let Some(head) = self.store.head(self.stream)? {
            return Ok(head);
        }
        if self.stream.edition.is_none() {
            return Ok(0);
        }
        Ok(next_after(&self.whole(divergence)?))
    }
}

/// Last sequence plus one; 0 if there are no pages.
pub(super) fn next_after(pages: &[StoredPage]) -> u32 {
    pages
        .last()
        .map_or(0, |page| page.sequence.saturating_add(1))
}
