//! Words in names of secrets, and words that stand where a secret would.
//!
//! Texts of programs are searched more strictly than files: a message about a password often has a word in its place.

use std::sync::LazyLock;

use regex::Regex;

/// Names of passwords, as alternatives of a pattern.
pub(in crate::redact) const PASSWORDS: &str = "password|passwd|passphrase|passcode|secret";
/// What a secret key is for, as alternatives of a pattern.
pub(in crate::redact) const KEYS: &str = "api|access|private|secret|signing|encryption|account";
/// The same, in files only: in a message they may name other keys.
pub(super) const KEYS_IN_FILES: &str =
    "auth|shared|sharedaccess|master|client|storage|service|webhook";

/// A value that is not a secret, wherever it stands.
const PLACEHOLDERS: [&str; 16] = [
    "bytes",
    "empty",
    "expired",
    "false",
    "invalid",
    "missing",
    "none",
    "null",
    "optional",
    "redacted",
    "required",
    "string",
    "true",
    "undefined",
    "unknown",
    "unset",
];
/// A value that is not a secret in a message.
const PLACEHOLDERS_IN_MESSAGES: [&str; 10] = [
    "changed",
    "default",
    "denied",
    "hidden",
    "incorrect",
    "masked",
    "mismatch",
    "nil",
    "weak",
    "wrong",
];

/// Whether a value in a file is not a secret: a mask, a pseudonym, a variable, the reason of a normalising rule, or a word
/// such as `unset`.
pub(super) fn is_placeholder(value: &str) -> bool {
    static STANDS_IN: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"^(?:p-[0-9a-f]{16}|[0-9a-f]{16}@example\.com|\$\{.*|\$\(.*|\$[A-Z_][A-Z0-9_]*|\{.*|%[A-Za-z_]+%|<.*>?|\[.*|\*\*\*.*|!!\w*|x{4,}|X{4,})$";
        Regex::new(pattern).expect("the pattern is a constant")
    });
    let word = value.trim_end_matches(['.', ',', '!']).to_lowercase();
    PLACEHOLDERS.contains(&word.as_str()) || STANDS_IN.is_match(value)
}

/// Whether a value in a message is not a secret: a mask, a pseudonym, a variable, or a word about a secret.
pub(in crate::redact) fn is_placeholder_in_message(value: &str) -> bool {
    static STANDS_IN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:p-[0-9a-f]{16}|\*+)[.!?]?$").expect("the pattern is a constant")
    });
    let word = value.trim_end_matches(['.', '!', '?', ':']).to_lowercase();
    let is_filled_in = value.starts_with(['$', '{', '<', '*', '[']) || value.starts_with("%s");
    let mut words = PLACEHOLDERS.iter().chain(&PLACEHOLDERS_IN_MESSAGES);
    is_filled_in || words.any(|known| *known == word) || STANDS_IN.is_match(value)
}
