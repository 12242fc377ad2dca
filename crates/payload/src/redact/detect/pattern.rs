//! Patterns that are compiled when a text may first match them.
//!
//! Compiling all patterns takes longer than everything else that a short run does, and few texts contain the words that
//! a pattern needs. Searching for the words is also faster than trying the pattern.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::Regex;

/// A regular expression. Every match in ASCII text contains at least one of its words.
pub(in crate::redact) struct Pattern {
    text: Cow<'static, str>,
    words: &'static [&'static str],
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// The words are in lower case. A pattern without words is tried on every text.
    pub(in crate::redact) fn new(
        text: impl Into<Cow<'static, str>>,
        words: &'static [&'static str],
    ) -> Self {
        Self {
            text: text.into(),
            words,
            compiled: OnceLock::new(),
        }
    }

    /// The compiled pattern, or nothing if the text cannot match it.
    pub(in crate::redact) fn for_text(&self, searched: &SearchedText) -> Option<&Regex> {
        searched.may_contain(self.words).then(|| self.get())
    }

    pub(in crate::redact) fn get(&self) -> &Regex {
        let compile = || Regex::new(&self.text).expect("a test compiles every pattern");
        self.compiled.get_or_init(compile)
    }
}

/// A text in which the words of patterns are searched, ignoring case.
pub(in crate::redact) struct SearchedText {
    /// None if the text is not ASCII: a case-insensitive `s` also matches `ſ`.
    lower: Option<String>,
}

impl SearchedText {
    pub(in crate::redact) fn new(text: &str) -> Self {
        Self {
            lower: text.is_ascii().then(|| text.to_ascii_lowercase()),
        }
    }

    /// Whether the text contains one of the words. True if the text is not ASCII or there are no words.
    pub(in crate::redact) fn may_contain(&self, words: &[&str]) -> bool {
        let Some(lower) = &self.lower else {
            return true;
        };
        words.is_empty() || words.iter().any(|word| lower.contains(word))
    }
}

/// Makes texts that match a pattern, and checks that each contains one of its words.
#[cfg(test)]
pub(in crate::redact) fn check_words(pattern: &Pattern) {
    use proptest::prelude::*;
    use proptest::string::bytes_regex;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    // The generator supports neither word boundaries nor anchors. Without Unicode, its texts are mostly ASCII.
    let ascii = [
        (r"\b", ""),
        (r"\z", ""),
        (r"\p{L}", "a-z"),
        (r"\p{M}", ""),
        (r"\p{N}", "0-9"),
        ("(?im)^", "(?i)"),
        (".*)$", ".*)"),
    ];
    let ascii = ascii
        .iter()
        .fold(pattern.text.to_string(), |text, (old, new)| {
            text.replace(old, new)
        });
    let made = bytes_regex(&format!("(?-u){ascii}")).expect("the pattern can be generated");
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: 16,
            failure_persistence: None,
            ..Config::default()
        },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let result = runner.run(&made, |bytes| {
        let text: String = bytes.iter().map(|byte| char::from(byte & 0x7f)).collect();
        prop_assert!(SearchedText::new(&text).may_contain(pattern.words));
        Ok(())
    });
    assert!(result.is_ok(), "{}: {result:?}", pattern.text);
    pattern.get();
}
