//! Removes quoted input from serde's error messages.

/// A serde error message without the text that it quotes: `string "secret"` becomes `a string`.
#[must_use]
pub fn without_values(message: &str) -> String {
    const QUOTED: &str = "string \"";
    let mut left = message;
    let mut kept = String::new();
    while let Some(at) = left.find(QUOTED) {
        kept.push_str(&left[..at]);
        kept.push_str("a string");
        left = after_quote(&left[at + QUOTED.len()..]);
    }
    kept + left
}

/// The text after the closing quote; empty if there is none.
fn after_quote(text: &str) -> &str {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return &text[at + 1..],
            '\\' => {
                letters.next();
            }
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn quoted_text_is_removed() {
        let message = r#"invalid type: string "a \" b \\", expected u32, not string "c" at line 1"#;
        let left = "invalid type: a string, expected u32, not a string at line 1";
        assert_eq!(without_values(message), left);
        assert_eq!(without_values("expected value"), "expected value");
        assert_eq!(without_values(r#"unknown string "cut"#), "unknown a string");
    }
}
