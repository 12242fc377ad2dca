//! Name patterns, as used in rules and subscriptions.

/// Whether a pattern, in which `*` stands for any text, matches a whole text.
#[must_use]
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else {
        return pattern == text;
    };
    let inner = text
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last));
    // Matching each part at its earliest position leaves most text for the rest, so no backtracking is needed.
    inner.is_some_and(|inner| {
        parts
            .try_fold(inner, |rest, part| Some(rest.split_once(part)?.1))
            .is_some()
    })
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
        assert!(matches_pattern("a*b*c", "a b b c c"));
        assert!(matches_pattern("**", ""));
        assert!(!matches_pattern("ab*ba", "aba"));
        assert!(!matches_pattern("a*bc*bc", "abc"));
        assert!(matches_pattern("*é*", "café"));
        // With backtracking this would never finish.
        assert!(!matches_pattern(
            &format!("{}x", "*a".repeat(40)),
            &"a".repeat(10_000)
        ));
    }
}
