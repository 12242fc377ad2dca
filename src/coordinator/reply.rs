//! What of a logic's reply is new, and where it goes.

use super::store::Conflict;
use crate::model::{EmittedBook, EmittedPage, EventBook, Header};

/// The new pages of a reply, each with its sequence, header written.
pub(super) struct Interpreted {
    pub(super) pages: Vec<(u32, EmittedPage)>,
    pub(super) next_sequence: u32,
}

/// Pages that repeat what the logic was shown are echoes and left out; pages without a place get the next one.
/// A page for a place that holds something else is a conflict: nothing is dropped in silence.
pub(super) fn interpret(emitted: &EmittedBook, prior: &EventBook) -> Result<Interpreted, Conflict> {
    let mut next = prior.next_sequence;
    let mut pages = Vec::with_capacity(emitted.pages.len());
    for page in &emitted.pages {
        let sequence = match page.header {
            Header::Sequence(sequence) => sequence,
            Header::Absent | Header::ExternalDeferred { .. } | Header::AngzarrDeferred { .. } => {
                next
            }
        };
        if sequence < next {
            if sequence < prior.next_sequence && is_echo(sequence, page, prior) {
                continue;
            }
            return Err(Conflict {
                expected: next,
                got: sequence,
                moved: false,
            });
        }
        next = sequence.saturating_add(1);
        let mut page = page.clone();
        page.header = Header::Sequence(sequence);
        pages.push((sequence, page));
    }
    Ok(Interpreted {
        pages,
        next_sequence: next,
    })
}

fn is_echo(sequence: u32, page: &EmittedPage, prior: &EventBook) -> bool {
    let pages = prior.history.pages();
    pages
        .binary_search_by_key(&sequence, |known| known.sequence)
        .is_ok_and(|position| pages[position].body == page.body)
}
