//! Patterns of names, as configuration and fixtures have them.

/// Matches a whole text with a pattern in which `*` stands for anything.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(rest) = text.strip_prefix(before) else {
        return false;
    };
    (0..=rest.len())
        .filter(|&at| rest.is_char_boundary(at))
        .any(|at| matches_pattern(after, &rest[at..]))
}
