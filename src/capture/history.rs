//! Fetches an aggregate's history: in one reply if it fits, otherwise in windows.

use super::queries::PageNote;
use super::{CaptureError, EventQueries, StoreQueries};
use crate::grpc::Selection;
use crate::model::{Cover, Edition, History, Page, Snapshot, Timestamp};

/// The requested end of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UpTo {
    /// The head.
    #[default]
    Head,
    /// Before this sequence.
    Before(u32),
    /// As it was at a point in time.
    Time(Timestamp),
}

/// How a named edition diverges from main, as far as queries reveal it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditionShape {
    /// The main timeline.
    Main,
    /// It has its own pages from this sequence on.
    DivergesAt(u32),
    /// It has no pages of its own: the pages are those of main.
    NothingOfItsOwn,
}

/// A fetched history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The pages up to the requested end.
    pub history: History,
    /// The pages after it.
    pub later: Vec<Page>,
    /// The stored snapshots, the oldest first: all that a store has, or the one that a coordinator returns.
    pub snapshots: Vec<Snapshot>,
    /// What an event store notes about the pages; empty if a coordinator was asked.
    pub notes: Vec<PageNote>,
    /// What was read from which event store, in words; `None` if a coordinator was asked.
    pub store: Option<String>,
    /// The next sequence of the whole history.
    pub head: u32,
    /// How the edition relates to main.
    pub edition: EditionShape,
}

impl Fetched {
    /// Pages of a stream that were not fetched by root.
    pub fn of_pages(pages: Vec<Page>, notes: Vec<PageNote>) -> Result<Self, CaptureError> {
        let history = History::new(pages).map_err(|reason| CaptureError::Disordered { reason })?;
        Ok(Self {
            head: history.next_sequence(),
            history,
            later: Vec::new(),
            snapshots: Vec::new(),
            notes,
            store: None,
            edition: EditionShape::Main,
        })
    }

    /// When a page was stored: its own time, else the one that a store notes.
    #[must_use]
    pub fn time_of(&self, page: &Page) -> Option<Timestamp> {
        page.created_at
            .or_else(|| insert_time(&self.notes, page.sequence))
    }

    /// The snapshot that production started from when the next event had this sequence. A snapshot with later events did
    /// not exist yet.
    #[must_use]
    pub fn snapshot_before(&self, head: u32) -> Option<Snapshot> {
        let mut newest_first = self.snapshots.iter().rev();
        newest_first
            .find(|snapshot| snapshot.sequence < head)
            .cloned()
    }
}

/// The insert time of a page, if a store noted one.
pub(super) fn insert_time(notes: &[PageNote], sequence: u32) -> Option<Timestamp> {
    let found = notes.binary_search_by_key(&sequence, |note| note.sequence);
    notes[found.ok()?].inserted_at
}

/// Size of the first window in pages. A window that is too large for a reply is halved.
const FIRST_WINDOW: u32 = 2_048;

/// Fetches a history. `progress` receives the number of pages so far.
///
/// Asks for the whole first. A coordinator reads and encodes all of a history even if it then refuses to send it, so use
/// [`fetch_single_history`] where one more query costs little.
pub fn fetch_history(
    queries: &dyn EventQueries,
    cover: &Cover,
    up_to: UpTo,
    progress: &mut dyn FnMut(usize),
) -> Result<Fetched, CaptureError> {
    fetch(queries, cover, up_to, false, progress)
}

/// Like [`fetch_history`], but first asks a coordinator for a single page, to see whether the history is too long for one reply.
pub fn fetch_single_history(
    queries: &dyn EventQueries,
    cover: &Cover,
    up_to: UpTo,
    progress: &mut dyn FnMut(usize),
) -> Result<Fetched, CaptureError> {
    let is_too_long = queries.store().is_none() && is_too_long(queries, cover);
    fetch(queries, cover, up_to, is_too_long, progress)
}

/// A history with this sequence does not fit into a reply of 10 MiB, the limit of coordinators, unless its pages have fewer than 80
/// bytes on average. The type URL alone usually has half of that.
const TOO_LONG: u32 = 1 << 17;

fn is_too_long(queries: &dyn EventQueries, cover: &Cover) -> bool {
    let far = queries.event_book(cover, Selection::Range(TOO_LONG, Some(TOO_LONG)));
    // If this query fails or the answer is wrong, the next one reports what is the matter.
    far.is_ok_and(|book| matches!(book.history.pages(), [page] if page.sequence == TOO_LONG))
}

fn fetch(
    queries: &dyn EventQueries,
    cover: &Cover,
    up_to: UpTo,
    is_too_long: bool,
    progress: &mut dyn FnMut(usize),
) -> Result<Fetched, CaptureError> {
    let edition = edition_shape(queries, cover)?;
    let mut said = 0;
    let mut notes = None;
    let (pages, snapshots) = if let Some(store) = queries.store() {
        let pages = in_windows(queries, cover, &edition, progress)?;
        notes = Some(read_notes(store, cover, &edition)?);
        (pages, store.snapshots(cover)?)
    } else {
        match (!is_too_long).then(|| queries.event_book(cover, Selection::Whole)) {
            Some(Ok(book)) => {
                said = book.next_sequence;
                (
                    book.history.into_pages(),
                    book.snapshot.into_iter().collect(),
                )
            }
            Some(Err(error)) if !error.is_too_large() => return Err(error.into()),
            None | Some(Err(_)) => (in_windows(queries, cover, &edition, progress)?, Vec::new()),
        }
    };
    progress(pages.len());
    let whole = with_gaps_reread(queries, cover, pages)?;
    let head = whole.next_sequence();
    let end = match up_to {
        UpTo::Head => head,
        UpTo::Before(end) => end,
        UpTo::Time(time) => match &notes {
            Some(notes) => end_by_notes(notes, time)?,
            None => end_at(queries, cover, &edition, time)?,
        },
    };
    if said > head && (end > head || up_to == UpTo::Head) {
        return Err(CaptureError::CutTail {
            delivered: head,
            said,
        });
    }
    let history = whole.before(end);
    let later = whole.pages()[history.pages().len()..].to_vec();
    Ok(Fetched {
        history,
        later,
        snapshots: snapshots
            .into_iter()
            .filter(|snapshot| snapshot.sequence < end)
            .collect(),
        notes: notes.unwrap_or_default(),
        store: queries.store().map(StoreQueries::origin),
        head,
        edition,
    })
}

fn edition_shape(queries: &dyn EventQueries, cover: &Cover) -> Result<EditionShape, CaptureError> {
    if cover.edition.is_main() {
        return Ok(EditionShape::Main);
    }
    // A range query on an edition returns only its own pages; newer coordinators prepend those of main. In both cases
    // the first page that differs from main is the divergence, so both are read side by side until it is found.
    let mut next = 0_u32;
    let mut window = FIRST_WINDOW;
    loop {
        let last = next.saturating_add(window - 1);
        let range = Selection::Range(next, Some(last));
        let read = queries.event_book(cover, range).and_then(|own| {
            Ok((
                own.history,
                queries.event_book(&main_of(cover), range)?.history,
            ))
        });
        let (own, main) = match read {
            Ok(read) => read,
            Err(error) if error.is_too_large() && window > 1 => {
                window /= 2;
                continue;
            }
            Err(error) if error.is_too_large() => {
                return Err(CaptureError::PageTooLarge { sequence: next });
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(first) = own.pages().iter().find(|page| !main.pages().contains(page)) {
            return Ok(EditionShape::DivergesAt(first.sequence));
        }
        if last == u32::MAX || (own.pages().is_empty() && !more_after(queries, cover, last)?) {
            return Ok(EditionShape::NothingOfItsOwn);
        }
        next = last + 1;
    }
}

fn main_of(cover: &Cover) -> Cover {
    Cover {
        edition: Edition::Main,
        ..cover.clone()
    }
}

/// What a store notes about the pages of a history.
fn read_notes(
    store: &dyn StoreQueries,
    cover: &Cover,
    edition: &EditionShape,
) -> Result<Vec<PageNote>, CaptureError> {
    let main = main_of(cover);
    Ok(match edition {
        EditionShape::Main | EditionShape::NothingOfItsOwn => store.notes(&main, 0, u32::MAX)?,
        EditionShape::DivergesAt(divergence) => {
            let mut notes = match divergence.checked_sub(1) {
                Some(last) => store.notes(&main, 0, last)?,
                None => Vec::new(),
            };
            notes.extend(store.notes(cover, *divergence, u32::MAX)?);
            notes
        }
    })
}

/// The sequence after the last page that was inserted at or before a point in time.
fn end_by_notes(notes: &[PageNote], time: Timestamp) -> Result<u32, CaptureError> {
    if let Some(note) = notes.iter().find(|note| note.inserted_at.is_none()) {
        return Err(CaptureError::NoInsertTime {
            sequence: note.sequence,
        });
    }
    let existed = |note: &&PageNote| note.inserted_at.is_some_and(|at| at <= time);
    let last = notes.iter().rfind(existed);
    Ok(last.map_or(0, |note| note.sequence.saturating_add(1)))
}

/// The sequence after the last page that existed at a point in time.
fn end_at(
    queries: &dyn EventQueries,
    cover: &Cover,
    edition: &EditionShape,
    time: Timestamp,
) -> Result<u32, CaptureError> {
    let ask = |cover: &Cover| {
        queries.head_at(cover, time).map_err(|error| {
            if error.is_too_large() {
                CaptureError::PastTooLarge
            } else {
                error.into()
            }
        })
    };
    let end = ask(cover)?;
    // Released coordinators return only the edition's own pages: before the first of them, main applies.
    match edition {
        EditionShape::DivergesAt(divergence) if end <= *divergence => {
            Ok(ask(&main_of(cover))?.min(*divergence))
        }
        EditionShape::NothingOfItsOwn => ask(&main_of(cover)),
        EditionShape::DivergesAt(_) | EditionShape::Main => Ok(end),
    }
}

/// Fetches windows by range. For a named edition, main's prefix and then its own pages.
fn in_windows(
    queries: &dyn EventQueries,
    cover: &Cover,
    edition: &EditionShape,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<Page>, CaptureError> {
    let main = main_of(cover);
    let mut pages = Vec::new();
    match edition {
        EditionShape::Main | EditionShape::NothingOfItsOwn => {
            windows(queries, &main, 0, None, &mut pages, progress)?;
        }
        EditionShape::DivergesAt(divergence) => {
            windows(queries, &main, 0, Some(*divergence), &mut pages, progress)?;
            windows(queries, cover, *divergence, None, &mut pages, progress)?;
        }
    }
    Ok(pages)
}

/// Fetches from `next` up to but excluding `end`, or to the head. After a full window, two are fetched at once, so that the
/// coordinator reads pages while others are decoded. Windows that had to shrink have large replies, and are fetched one by
/// one.
fn windows(
    queries: &dyn EventQueries,
    cover: &Cover,
    mut next: u32,
    end: Option<u32>,
    pages: &mut Vec<Page>,
    progress: &mut dyn FnMut(usize),
) -> Result<(), CaptureError> {
    let mut window = FIRST_WINDOW;
    let mut reads_ahead = false;
    while let Some(first) = window_from(next, window, end) {
        let following = first.last.checked_add(1).filter(|_| reads_ahead);
        let following = following.and_then(|next| window_from(next, window, end));
        let (answer, ahead) = match following {
            Some(second) => {
                let both = [first.selection(), second.selection()];
                let [answer, ahead] = queries.event_books(cover, both);
                (answer, Some((second, ahead)))
            }
            None => (queries.event_book(cover, first.selection()), None),
        };
        // A failure of the window ahead is left to its turn.
        let ahead = ahead.filter(|(_, answer)| answer.is_ok());
        for (read, answer) in std::iter::once((first, answer)).chain(ahead) {
            let found = match answer {
                Ok(book) => book.history.into_pages(),
                Err(error) if error.is_too_large() && window > 1 => {
                    window /= 2;
                    reads_ahead = false;
                    break;
                }
                Err(error) if error.is_too_large() => {
                    return Err(CaptureError::PageTooLarge { sequence: next });
                }
                Err(error) => return Err(error.into()),
            };
            if found.is_empty() && end.is_none() && !more_after(queries, cover, read.last)? {
                return Ok(());
            }
            reads_ahead = window == FIRST_WINDOW && found.len() == FIRST_WINDOW as usize;
            pages.extend(found);
            progress(pages.len());
            if read.last == u32::MAX {
                return Ok(());
            }
            next = read.last + 1;
        }
    }
    Ok(())
}

/// Sequences that are requested together, both included.
#[derive(Clone, Copy)]
struct Window {
    first: u32,
    last: u32,
}

impl Window {
    const fn selection(self) -> Selection {
        Selection::Range(self.first, Some(self.last))
    }
}

/// The window from a sequence on, unless that is the end.
fn window_from(first: u32, length: u32, end: Option<u32>) -> Option<Window> {
    let last = first.saturating_add(length - 1);
    let last = match end {
        Some(end) if end <= first => return None,
        Some(end) => last.min(end - 1),
        None => last,
    };
    Some(Window { first, last })
}

/// Whether an empty window was a gap rather than the end.
fn more_after(queries: &dyn EventQueries, cover: &Cover, last: u32) -> Result<bool, CaptureError> {
    match queries.event_book(cover, Selection::Range(last.saturating_add(1), None)) {
        Ok(book) => Ok(!book.history.pages().is_empty()),
        Err(error) if error.is_too_large() => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Reads each gap again. A gap that remains exists in production.
fn with_gaps_reread(
    queries: &dyn EventQueries,
    cover: &Cover,
    pages: Vec<Page>,
) -> Result<History, CaptureError> {
    let history = |pages| History::new(pages).map_err(|reason| CaptureError::Disordered { reason });
    let read = history(pages)?;
    let gaps = read.gaps();
    if gaps.is_empty() {
        return Ok(read);
    }
    let mut pages = read.into_pages();
    for (first, last) in gaps {
        let reread = queries.event_book(cover, Selection::Range(first, Some(last)))?;
        let reread = reread.history.into_pages().into_iter();
        pages.extend(reread.filter(|page| (first..=last).contains(&page.sequence)));
    }
    pages.sort_by_key(|page| page.sequence);
    history(pages)
}
