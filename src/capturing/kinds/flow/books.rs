//! The books of the other aggregates of a workflow.

use crate::capture::workflow::Share;
use crate::capture::{CutBook, Fetched, UpTo, cut, fetch_history};
use crate::capturing::OperationError;
use crate::capturing::stream_capture::StreamCapture;
use crate::model::{Cover, Domain, Page, Root};
use crate::project::OpenSource;

impl StreamCapture<'_> {
    /// The books of the other aggregates that take part in the workflow, and those that the request names. If it names any,
    /// only these: several flows may share one correlation id.
    pub(super) fn other_books(
        &self,
        everywhere: &OpenSource,
        others: &[&Share],
        first: Option<&Page>,
    ) -> Result<Vec<CutBook>, OperationError> {
        let named = self.context.request.kind.books();
        let mut chosen: Vec<(Domain, Root)> = if named.is_empty() {
            let others = others.iter();
            others
                .map(|share| (share.cover.domain.clone(), share.cover.root))
                .collect()
        } else {
            let named = named.iter();
            named.map(|book| (book.domain.clone(), book.root)).collect()
        };
        chosen.retain(|(domain, root)| (domain, *root) != (&self.cover.domain, self.cover.root));
        chosen.sort();
        chosen.dedup();
        let began = first.and_then(|first| self.fetched.time_of(first));
        let mut books = Vec::new();
        for (domain, root) in &chosen {
            let cover = self.of_stream(domain, *root);
            let fetched = self.fetch_other(everywhere, &cover)?;
            let share = others
                .iter()
                .find(|share| share.cover.is_same_stream(&cover));
            let pages = share.map_or(&[][..], |share| &share.pages);
            let mut named = named
                .iter()
                .filter(|book| (&book.domain, book.root) == (domain, *root));
            let cut_at = named.find_map(|book| book.cut);
            books.push(cut(as_stored(cover), &fetched, pages, cut_at, began));
        }
        Ok(books)
    }

    pub(super) fn fetch_other(
        &self,
        everywhere: &OpenSource,
        cover: &Cover,
    ) -> Result<Fetched, OperationError> {
        let queries = everywhere.domains.get(&cover.domain).ok_or_else(|| {
            OperationError::Failed(format!(
                "source `{}` has no domain `{}`, of which {} is",
                self.source.name, cover.domain, cover.root
            ))
        })?;
        Ok(fetch_history(
            queries.as_ref(),
            cover,
            UpTo::Head,
            &mut |_| {},
        )?)
    }
}

/// Commands carry a correlation id, stored books do not.
pub(super) fn as_stored(cover: Cover) -> Cover {
    Cover {
        correlation_id: String::new(),
        ..cover
    }
}
