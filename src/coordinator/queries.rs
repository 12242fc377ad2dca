//! Queries: the pages that are read, and the cover of the reply.

use bytes::Bytes;

use super::LocalCoordinator;
use super::store::{StoredPage, Stream};
use super::timeline::{Timeline, next_after};
use super::validate::{self, Addressed};
use crate::grpc::{PointInTime, ReceivedQuery, RefusedCall, ReplyBook, RequestedPages};
use crate::model::{Cover, Domain, Edition, Failure, Root};
use crate::wire::EventStream;

/// The released coordinator really returns this path as its message, instead of the text of the constant.
const NO_POINT_RELEASED: &str = "crate::services::errmsg::TEMPORAL_QUERY_MISSING_POINT";
const NO_POINT: &str = "a temporal query needs as_of_time or as_of_sequence";

impl LocalCoordinator {
    /// `GetEventBook`.
    pub(super) fn read_book(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall> {
        match validate::query(query)? {
            Addressed::Workflow(id) => {
                Ok(self.workflow(&id)?.into_iter().next().unwrap_or_default())
            }
            Addressed::Aggregate(stream) => self.selected(&stream, &query.pages),
        }
    }

    /// `GetEvents`; older dialects ignore the edition or the selection.
    pub(super) fn read_books(&self, query: &ReceivedQuery) -> Result<Vec<ReplyBook>, RefusedCall> {
        let stream = match validate::query(query)? {
            Addressed::Workflow(id) => return self.workflow(&id),
            Addressed::Aggregate(stream) => stream,
        };
        let book = match self.dialect.rules().event_stream {
            EventStream::WholeMain => self.selected(&stream.main(), &RequestedPages::Whole),
            EventStream::WholeEdition => self.selected(&stream, &RequestedPages::Whole),
            EventStream::Selected => self.selected(&stream, &query.pages),
        };
        Ok(vec![book?])
    }

    /// `Synchronize`; the oldest dialect excludes the upper end of a range.
    pub(super) fn synchronized(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall> {
        let mut query = query.clone();
        if let RequestedPages::Range(lower, Some(upper)) = &query.pages
            && self.dialect.rules().synchronize_excludes_end
        {
            query.pages = match upper.checked_sub(1) {
                Some(last) => RequestedPages::Range(*lower, Some(last)),
                None => RequestedPages::Sequences(Vec::new()),
            };
        }
        self.read_book(&query)
    }

    /// `GetAggregateRoots`.
    pub(super) fn all_roots(&self) -> Result<Vec<(Domain, Root)>, RefusedCall> {
        let mut roots = Vec::new();
        for store in self.stores.all() {
            roots.extend(store.roots().map_err(failed)?);
        }
        Ok(roots)
    }

    fn selected(&self, stream: &Stream, asked: &RequestedPages) -> Result<ReplyBook, RefusedCall> {
        let Some(store) = self.stores.of(&stream.domain) else {
            if matches!(asked, RequestedPages::MissingPointInTime) {
                return Err(self.no_point().into());
            }
            return Ok(book_of(stream, Vec::new()));
        };
        let timeline = Timeline { store, stream };
        let joins_main = self.dialect.rules().partial_reads_join_main;
        let pages = match asked {
            RequestedPages::Whole => {
                let mut book = book_of(stream, timeline.whole(None).map_err(failed)?);
                if self.dialect.rules().queries_return_snapshots {
                    let snapshot = store.newest_snapshot(stream).map_err(failed)?;
                    book.snapshot = snapshot.map(|(_, bytes)| bytes.into());
                }
                return Ok(book);
            }
            RequestedPages::Range(lower, upper) => {
                timeline.range(*lower, upper.unwrap_or(u32::MAX), joins_main)
            }
            RequestedPages::Sequences(wanted) => timeline.sequences(wanted),
            RequestedPages::AsOf(point) => timeline.as_of(*point, joins_main),
            RequestedPages::MissingPointInTime => return Err(self.no_point().into()),
        };
        Ok(book_of(stream, pages.map_err(failed)?))
    }

    fn no_point(&self) -> Failure {
        Failure::refused(if self.dialect.rules().leaks_constant_name {
            NO_POINT_RELEASED
        } else {
            NO_POINT
        })
    }

    /// The pages of one workflow, one book per stream. The next sequence of these books is 0.
    fn workflow(&self, correlation_id: &str) -> Result<Vec<ReplyBook>, RefusedCall> {
        let mut books = Vec::new();
        for store in self.stores.all() {
            for (stream, pages) in store.correlated(correlation_id).map_err(failed)? {
                let mut book = book_of(&stream, pages);
                book.next_sequence = 0;
                if let Some(cover) = &mut book.cover {
                    correlation_id.clone_into(&mut cover.correlation_id);
                }
                books.push(book);
            }
        }
        Ok(books)
    }

    /// Pages of a stream as they were at a point in time, for speculation.
    pub(super) fn pages_as_of(
        &self,
        stream: &Stream,
        point: PointInTime,
    ) -> Result<Vec<StoredPage>, RefusedCall> {
        match self.stores.of(&stream.domain) {
            None => Ok(Vec::new()),
            Some(store) => Timeline { store, stream }
                .as_of(point, self.dialect.rules().partial_reads_join_main)
                .map_err(failed),
        }
    }
}

/// A book for the reply to a query: the cover has no correlation id, and the next sequence follows these pages.
pub(super) fn book_of(stream: &Stream, pages: Vec<StoredPage>) -> ReplyBook {
    ReplyBook {
        cover: Some(cover_of(stream)),
        spells_main: true,
        snapshot: None,
        next_sequence: next_after(&pages),
        pages: pages
            .into_iter()
            .map(|page| Bytes::from(page.bytes))
            .collect(),
    }
}

pub(super) fn cover_of(stream: &Stream) -> Cover {
    Cover {
        edition: match &stream.edition {
            None => Edition::Main,
            Some(name) => Edition::Named {
                name: name.clone(),
                divergences: Vec::new(),
            },
        },
        ..Cover::main(stream.domain.clone(), stream.root)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
pub(super) fn failed(error: super::StoreError) -> RefusedCall {
    super::internal(error.to_string()).into()
}
