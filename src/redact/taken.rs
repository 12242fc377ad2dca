//! Values that were taken out of payloads, looked for in texts: error messages repeat what a command said.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::pseudonym::hex;
use crate::model::Root;
use crate::payload::FieldValue;

/// A shorter text is found everywhere by chance.
const SHORTEST_TEXT: usize = 3;
/// A number below it too.
const SMALLEST_NUMBER: i128 = 100;
/// A text of fewer letters counts only where it is a word by itself.
const WHOLE_WORDS_BELOW: usize = 6;

/// What was taken, and what stands in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taken {
    words: BTreeMap<String, String>,
}

impl Taken {
    /// Remembers a value in every spelling that a message may have of it.
    pub(super) fn add(&mut self, old: &FieldValue<'_>, new: &FieldValue<'_>) {
        match (old, new) {
            (FieldValue::Text(old), FieldValue::Text(new)) => self.text(old, new),
            (FieldValue::Bytes(old), FieldValue::Bytes(new)) => self.bytes(old, new),
            (FieldValue::Integer { value: old, .. }, FieldValue::Integer { value: new, .. })
                if old.abs() >= SMALLEST_NUMBER =>
            {
                self.word(old.to_string(), new.to_string());
            }
            (FieldValue::Float(old), FieldValue::Float(new)) => {
                self.word(old.to_string(), new.to_string());
            }
            _ => {}
        }
    }

    /// Remembers a root, dashed and not.
    pub(super) fn root(&mut self, old: Root, new: Root) {
        self.word(old.to_string(), new.to_string());
        self.word(old.hex(), new.hex());
    }

    fn text(&mut self, old: &str, new: &str) {
        if let (Ok(old), Ok(new)) = (old.parse(), new.parse()) {
            self.root(old, new);
        }
        self.word(old.to_owned(), new.to_owned());
        let escaped = |text: &str| format!("{text:?}").trim_matches('"').to_owned();
        self.word(escaped(old), escaped(new));
        if old.len() >= WHOLE_WORDS_BELOW {
            self.word(STANDARD_NO_PAD.encode(old), STANDARD_NO_PAD.encode(new));
        }
    }

    fn bytes(&mut self, old: &[u8], new: &[u8]) {
        if let (Ok(old), Ok(new)) = (Root::from_slice(old), Root::from_slice(new)) {
            self.root(old, new);
        }
        if old.len() >= SHORTEST_TEXT {
            self.word(hex(old), hex(new));
            self.word(STANDARD_NO_PAD.encode(old), STANDARD_NO_PAD.encode(new));
        }
        if let Ok(text) = std::str::from_utf8(old) {
            self.word(text.to_owned(), STANDARD_NO_PAD.encode(new));
        }
    }

    fn word(&mut self, old: String, new: String) {
        if old.chars().count() >= SHORTEST_TEXT && old != new {
            self.words.entry(old).or_insert(new);
        }
    }

    /// The text with what stands in their place.
    pub(super) fn replaced_in(&self, text: &str) -> String {
        if text.is_empty() || self.words.is_empty() {
            return text.to_owned();
        }
        let searched = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.words.keys());
        let Ok(searched) = searched else {
            return text.to_owned();
        };
        let replacements: Vec<&String> = self.words.values().collect();
        let mut replaced = String::with_capacity(text.len());
        let mut end = 0;
        for found in searched.find_iter(text) {
            let word = &text[found.range()];
            if is_short(word) && !stands_alone(text, found.start(), found.end()) {
                continue;
            }
            let new = self.words.get(word);
            replaced += &text[end..found.start()];
            replaced += new.unwrap_or(replacements[found.pattern().as_usize()]);
            end = found.end();
        }
        replaced + &text[end..]
    }
}

/// Whether a match may be part of something else.
fn is_short(word: &str) -> bool {
    word.chars().count() < WHOLE_WORDS_BELOW || word.bytes().all(|byte| byte.is_ascii_digit())
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    ![before, after]
        .into_iter()
        .flatten()
        .any(char::is_alphanumeric)
}
