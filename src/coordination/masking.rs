//! Pages that the logic is not shown, and the placeholders that it sees instead.

use crate::model::{Body, History, Page, Payload};
use crate::wire::{Dialect, placeholder};

/// Messages by which two-phase commit keeps its books inside a history.
const MARKERS: [&str; 4] = ["Confirmation", "Revocation", "Compensate", "NoOp"];

/// The pages as the logic is shown them, and how many of them became placeholders: in the dialects with two-phase commit,
/// those that are provisional or the framework's own.
#[must_use]
pub fn masked(dialect: Dialect, history: History) -> (History, usize) {
    if !dialect.rules().two_phase_commit {
        return (history, 0);
    }
    let mut count = 0;
    let pages = history.into_pages().into_iter().map(|page| {
        if !page.provisional && !is_marker(dialect, &page) {
            return page;
        }
        count += 1;
        Page {
            sequence: page.sequence,
            created_at: page.created_at,
            // A recorder saw this one as the logic did.
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

/// Whether a page is a placeholder already, as the logic is shown it.
#[must_use]
pub fn is_placeholder(dialect: Dialect, page: &Page) -> bool {
    !page.provisional && marker(dialect, page) == Some("NoOp")
}

fn is_marker(dialect: Dialect, page: &Page) -> bool {
    marker(dialect, page).is_some_and(|name| MARKERS.contains(&name))
}

/// Name of a message of the framework's own package.
fn marker(dialect: Dialect, page: &Page) -> Option<&str> {
    let name = page.body.event().map(Payload::type_name)?;
    name.strip_prefix(dialect.package())?.strip_prefix('.')
}
