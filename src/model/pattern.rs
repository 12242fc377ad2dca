//! Patterns of names, as rules and subscriptions have them.

/// Matches a whole text with a pattern in which `*` stands for anything.
#[must_use]
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        assert!(matches_pattern("examples.*", "examples.FundsReserved"));
        assert!(matches_pattern("*_at", "reserved_at"));
        assert!(matches_pattern("*", ""));
        assert!(!matches_pattern("examples.Funds", "examples.FundsReserved"));
        assert!(!matches_pattern("*_at", "reserved_at_all"));
    }
}
