//! What is missing from a recording although it was passed on.

use crate::record::{Counts, LastErrors};

/// Numbers of calls and tickets that are missing, with the newest reason for each kind that has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordLosses {
    /// Calls that were given up because the disk or the writer was too slow.
    pub lost: u64,
    /// Calls that could not be written.
    pub unwritten: u64,
    /// Calls that redaction refused.
    pub refused: u64,
    /// Calls whose messages could not be read.
    pub unreadable: u64,
    /// Calls whose status exceeds the limit.
    pub too_large: u64,
    /// Calls that ended without a status.
    pub unanswered: u64,
    /// Failed commands without a ticket.
    pub unwritten_tickets: u64,
    /// The newest reasons.
    pub reasons: LastErrors,
}

impl RecordLosses {
    pub(super) fn of(counts: &Counts, reasons: LastErrors) -> Self {
        Self {
            lost: counts.lost,
            unwritten: counts.unwritten,
            refused: counts.refused,
            unreadable: counts.unreadable,
            too_large: counts.too_large,
            unanswered: counts.unanswered,
            unwritten_tickets: counts.unwritten_tickets,
            reasons,
        }
    }

    /// Whether nothing is missing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lost == 0
            && self.unwritten == 0
            && self.refused == 0
            && self.unreadable == 0
            && self.too_large == 0
            && self.unanswered == 0
            && self.unwritten_tickets == 0
    }
}
