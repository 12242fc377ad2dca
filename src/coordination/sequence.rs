//! Checks a command's sequence against the head of its aggregate.

use crate::model::{CommandBook, Edition, Failure, MergeStrategy};
use crate::wire::{Dialect, SequenceCheck};

/// Whether a coordinator compares the explicit sequence of a command with the head. This depends on the merge strategy; a
/// command that names the divergence of its edition is not checked.
#[must_use]
pub fn is_held_to_head(dialect: Dialect, command: &CommandBook) -> bool {
    let first = command.pages.first();
    let strategy = first.map_or(MergeStrategy::default(), |page| page.merge_strategy);
    let is_checked = match dialect.rules().sequence_check {
        SequenceCheck::UnlessAggregateHandles => strategy != MergeStrategy::AggregateHandles,
        SequenceCheck::StrictOnly => strategy == MergeStrategy::Strict,
    };
    let diverges = matches!(
        &command.cover.edition,
        Edition::Named { divergences, .. }
            if divergences.iter().any(|divergence| divergence.domain == command.cover.domain)
    );
    is_checked && !diverges
}

/// The failing status for a command that expects another head. A deferred command expects none.
#[must_use]
pub fn sequence_mismatch(dialect: Dialect, command: &CommandBook, head: u32) -> Option<Failure> {
    let expected = command.expected_sequence()?;
    (is_held_to_head(dialect, command) && expected != head).then(|| {
        Failure::rejected(format!(
            "Sequence mismatch: command expects {expected}, aggregate at {head}"
        ))
    })
}
