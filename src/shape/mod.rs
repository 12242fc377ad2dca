//! The shape of a text: the part that all texts from the same format string share.
//!
//! Numbers, identifiers, and quoted or redacted values become placeholders. The shape depends on the text only.

use std::sync::LazyLock;

use regex::Regex;

/// Placeholder for a value.
const HOLE: &str = "…";

/// Patterns of values, the longest first: UUIDs and hashes, quoted texts, pseudonyms, and numbers, whose units are
/// kept.
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}
        | \b[0-9a-fA-F]{16,}\b
        | "[^"]*" | '[^']*' | `[^`]*`
        | \[[^\[\]]*\]
        | [[:word:]]*\*\*\*[[:word:]]*
        | -?\b[0-9]+(?:[.,:_-][0-9]+)*\b
        | \b(?:[[:alpha:]]+[0-9]|[0-9]+[[:alpha:]])[[:word:]]*\b
        "#,
    )
    .expect("the expression is written here")
});

/// The shape of a text. A shape is its own shape.
pub(crate) fn shape(text: &str) -> String {
    VALUES.replace_all(text, HOLE).into_owned()
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn values_are_holes_and_words_stay() {
        let balance = "balance is …, need …";
        for text in ["balance is 1003, need 7", "balance is -1.5, need 1,004"] {
            assert_eq!(shape(text), balance);
        }
        assert_eq!(
            shape("table 36f675cc-81e7-4ef5-a8e2-5d940ed90475 is \"full\" for user_***"),
            "table … is … for …"
        );
        assert_eq!(shape("player p7 at 2026-11-23 00:01:30"), "player … at … …");
        assert_eq!(
            shape("Player already seated at table"),
            "Player already seated at table"
        );
    }

    #[test]
    fn a_shape_is_its_own_shape() {
        for text in ["a 1 b", "x '2' y", "[12] z9"] {
            assert_eq!(shape(&shape(text)), shape(text));
        }
    }
}
