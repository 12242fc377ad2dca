//! The projector `seats`: shows who sits where at a table, and with how many chips.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use angzarr_replay::logic::{EventBook, Failure, Projection, Projector, Root};

use crate::Table;
use crate::aggregate::{Aggregate, encode};
use crate::messages::TableState;
use crate::messages::views::{SeatView, Seats as View};

/// The projector of the demo.
///
/// It keeps no state between calls, so a book without its beginning and without a snapshot only shows its own pages. Its only
/// side effect is to count the calls that ask for effects; clones share the count.
#[derive(Debug, Clone, Default)]
pub struct Seats {
    written: Arc<AtomicU64>,
}

impl Seats {
    /// How many views it would have written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }
}

impl Projector for Seats {
    fn project(&self, events: &EventBook, with_effects: bool) -> Result<Projection, Failure> {
        let pages = events.history.pages();
        let state = Table::state(events.snapshot.as_ref(), pages)?;
        let last = pages.last().map(|page| page.sequence);
        let stored = events.snapshot.as_ref().map(|snapshot| snapshot.sequence);
        if with_effects {
            self.written.fetch_add(1, Ordering::SeqCst);
        }
        let sequence = last.or(stored).unwrap_or_default();
        let payload = encode(&view(state));
        Ok(Projection::new(
            events.cover.clone(),
            "seats",
            sequence,
            payload,
        ))
    }
}

fn view(table: TableState) -> View {
    let seats = table.seats.iter().map(|seat| SeatView {
        position: seat.position,
        player: Root::from_slice(&seat.player_root)
            .map_or_else(|_| "nobody".to_owned(), |root| root.to_string()),
        chips: seat.stack.as_ref().map_or(0, |stack| stack.amount),
        sits_out: seat.is_sitting_out,
    });
    View {
        seats: seats.collect(),
        table_name: table.table_name,
        hands_started: table.hand_count,
    }
}
