//! Numbers of things, in words.

/// `1 event`, `2 events`: a number with its noun, which takes an `s`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
