//! Pages that are hidden from the logic, and the placeholders that it sees instead.

use crate::model::{Body, History, Page, Payload};
use crate::wire::{Dialect, placeholder};

/// The framework's messages that two-phase commit stores in a history.
const MARKERS: [&str; 4] = ["Confirmation", "Revocation", "Compensate", "NoOp"];

/// The pages as they are sent to the logic, and the number of placeholders. In dialects with two-phase commit, provisional
/// pages and the framework's own pages become placeholders.
#[must_use]
pub fn masked(dialect: Dialect, history: History) -> (History, usize) {
    if !dialect.rules().two_phase_commit {
        return (history, 0);
    }
    let is_hidden = |page: &Page| page.provisional || is_marker(dialect, page);
    // A long history is not copied if it stays as it is.
    if !history.pages().iter().any(is_hidden) {
        return (history, 0);
    }
    let mut count = 0;
    let pages = history.into_pages().into_iter().map(|page| {
        if !is_hidden(&page) {
            return page;
        }
        count += 1;
        Page {
            sequence: page.sequence,
            created_at: page.created_at,
            // It is a placeholder already, from a recorded request to the logic.
            body: if is_placeholder(dialect, &page) {
                page.body
            } else {
                Body::Event(placeholder(dialect, &page))
            },
            provisional: false,
            cascade_id: None,
            original: None,
        }
    });
    let pages = pages.collect();
    (
        History::new(pages).expect("the same sequences as before"),
        count,
    )
}

/// Whether a page is already a placeholder.
#[must_use]
pub fn is_placeholder(dialect: Dialect, page: &Page) -> bool {
    !page.provisional && marker(dialect, page) == Some("NoOp")
}

fn is_marker(dialect: Dialect, page: &Page) -> bool {
    marker(dialect, page).is_some_and(|name| MARKERS.contains(&name))
}

/// Name of the page's message, if it is one of the framework's own.
fn marker(dialect: Dialect, page: &Page) -> Option<&str> {
    let name = page.body.event().map(Payload::type_name)?;
    name.strip_prefix(dialect.package())?.strip_prefix('.')
}
