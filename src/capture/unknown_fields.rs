//! Unknown fields in the original encodings of a case.

use std::collections::BTreeMap;

use crate::model::{Case, Observed, Page, Snapshot};
use crate::wire::{
    UnknownField, UnknownFields, unknown_in_command, unknown_in_page, unknown_in_snapshot,
};

/// The unknown fields of each part of a case that keeps its original bytes.
#[must_use]
pub fn kept_unknown_fields(case: &Case) -> Vec<UnknownField> {
    let mut kept: Vec<UnknownField> = Vec::new();
    let mut stored = |snapshot: Option<&Snapshot>, pages: &[Page]| {
        kept.extend(snapshot.into_iter().flat_map(unknown_in_snapshot));
        kept.extend(pages.iter().flat_map(unknown_in_page));
    };
    stored(case.snapshot.as_ref(), case.history.pages());
    for book in case.stimulus.books() {
        stored(book.snapshot.as_ref(), book.history.pages());
    }
    if let Some(facts) = case.stimulus.facts() {
        stored(facts.snapshot.as_ref(), &[]);
    }
    if let Some(Observed::Upcast(pages)) = &case.observed {
        stored(None, pages);
    }
    kept.extend(
        case.stimulus
            .command()
            .into_iter()
            .flat_map(unknown_in_command),
    );
    kept
}

/// Unknown fields that were present before and are now in fewer parts of a case.
#[must_use]
pub fn lost_unknown_fields(before: &[UnknownField], case: &Case) -> UnknownFields {
    let mut counts: BTreeMap<UnknownField, i64> = BTreeMap::new();
    for field in before {
        *counts.entry(*field).or_default() += 1;
    }
    for field in kept_unknown_fields(case) {
        *counts.entry(field).or_default() -= 1;
    }
    let lost = counts.into_iter().filter(|(_, count)| *count > 0);
    lost.map(|(field, _)| field).collect()
}
