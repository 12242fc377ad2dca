//! A command's sequence, held against the head of its aggregate.

use crate::model::{CommandBook, Edition, Failure, MergeStrategy};
use crate::wire::{Dialect, SequenceCheck};

/// Whether a coordinator compares the explicit sequence of a command with the head: by its merge strategy, and not where
/// the command names the divergence of its edition.
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

/// The refusal of a command that was made for another head; a deferred command is for any.
#[must_use]
pub fn sequence_mismatch(dialect: Dialect, command: &CommandBook, head: u32) -> Option<Failure> {
    let expected = command.expected_sequence()?;
    (is_held_to_head(dialect, command) && expected != head).then(|| {
        Failure::rejected(format!(
            "Sequence mismatch: command expects {expected}, aggregate at {head}"
        ))
    })
}
