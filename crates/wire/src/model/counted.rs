//! Counts in messages.

/// A number with its noun in the right form: `1 event`, `2 events`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
