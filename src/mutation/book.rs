//! Mutants of emitted events, and of upcast pages.

use super::Vary;
use super::change::{Change, LONG, list};
use super::values;
use crate::model::{Cover, EmittedBook, EmittedPage, Header, Page, Retention, Snapshot};

/// Mutants of a book of events; `own` is the stream that they belong to.
pub(super) fn changes(
    book: &EmittedBook,
    own: Option<&Cover>,
    vary: Vary<'_>,
) -> Vec<Change<EmittedBook>> {
    let mut found = Vec::new();
    for change in values::cover(book.cover.as_ref(), own) {
        found.push(change.map(|cover| EmittedBook {
            cover,
            ..book.clone()
        }));
    }
    let with_pages = |pages| EmittedBook {
        pages,
        ..book.clone()
    };
    for change in list(&book.pages, "event", |page| self::page(page, vary)) {
        found.push(change.map(with_pages));
    }
    for bodies in other_orders(&book.pages) {
        found.push(Change::new("events: in another order", with_pages(bodies)));
    }
    let mut push = |what, edit: &dyn Fn(&mut EmittedBook)| {
        let mut book = book.clone();
        edit(&mut book);
        found.push(Change::new(what, book));
    };
    push("an event more", &|book| {
        book.pages.push(EmittedPage::event(values::event()));
    });
    push("another next sequence", &|book| {
        book.next_sequence = book.next_sequence.wrapping_add(1);
    });
    push("another snapshot", &|book| {
        book.snapshot = match &book.snapshot {
            Some(_) => None,
            None => Some(Snapshot {
                sequence: 0,
                state: Some(values::event()),
                retention: Retention::Default,
                created_at: None,
                original: None,
            }),
        };
    });
    if *book != EmittedBook::default() {
        found.push(Change::new("an empty reply", EmittedBook::default()));
    }
    found
}

fn page(page: &EmittedPage, vary: Vary<'_>) -> Vec<Change<EmittedPage>> {
    let mut found = Vec::new();
    for change in values::body(&page.body, vary) {
        found.push(change.map(|body| EmittedPage {
            body,
            ..page.clone()
        }));
    }
    for change in values::header(&page.header) {
        found.push(change.map(|header| EmittedPage {
            header,
            ..page.clone()
        }));
    }
    let mut push = |what, edit: &dyn Fn(&mut EmittedPage)| {
        let mut page = page.clone();
        edit(&mut page);
        found.push(Change::new(what, page));
    };
    push("another time", &|page| {
        page.created_at = Some(values::other_time(page.created_at));
    });
    push("provisional or not", &|page| {
        page.provisional = !page.provisional;
    });
    found
}

/// The events in another order; the sequences stay in order.
fn other_orders(pages: &[EmittedPage]) -> Vec<Vec<EmittedPage>> {
    let pairs = pages.windows(2).enumerate();
    let differing = pairs.filter(|(_, pair)| {
        pair[0].body != pair[1].body && matches!(pair[0].header, Header::Sequence(_))
    });
    let swapped = differing.map(|(at, pair)| {
        let mut pages = pages.to_vec();
        pages[at].body = pair[1].body.clone();
        pages[at + 1].body = pair[0].body.clone();
        pages
    });
    swapped.take(LONG).collect()
}

/// Mutants of upcast pages.
pub(super) fn upcast(pages: &[Page], vary: Vary<'_>) -> Vec<Change<Vec<Page>>> {
    let mut found = list(pages, "page", |page| {
        let mut found = Vec::new();
        for change in values::body(&page.body, vary) {
            found.push(change.map(|body| Page {
                body,
                original: None,
                ..page.clone()
            }));
        }
        let mut push = |what, edit: &dyn Fn(&mut Page)| {
            let mut page = page.clone();
            page.original = None;
            edit(&mut page);
            found.push(Change::new(what, page));
        };
        push("another sequence", &|page| {
            page.sequence = page.sequence.wrapping_add(1);
        });
        push("another time", &|page| {
            page.created_at = Some(values::other_time(page.created_at));
        });
        push("provisional or not", &|page| {
            page.provisional = !page.provisional;
        });
        push("another cascade", &|page| {
            page.cascade_id.get_or_insert_default().push('X');
        });
        found
    });
    if !pages.is_empty() {
        found.push(Change::new("an empty reply", Vec::new()));
    }
    found
}
