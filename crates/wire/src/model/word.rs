//! Values that files spell as words.

use super::did_you_mean;

/// A word that is not one of the known words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {}{}", known.join(", "), did_you_mean(word, known))]
pub struct UnknownWord {
    word: String,
    known: Vec<&'static str>,
}

/// The word of a value, from the list of all values.
#[must_use]
pub fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words
        .iter()
        .find(|(known, _)| known == value)
        .map_or("", |(_, word)| word)
}

/// The value of a word, from the list of all values.
pub fn value_of<T: Copy>(words: &[(T, &'static str)], word: &str) -> Result<T, UnknownWord> {
    let found = words.iter().find(|(_, known)| *known == word);
    found.map(|(value, _)| *value).ok_or_else(|| UnknownWord {
        word: word.to_owned(),
        known: words.iter().map(|(_, known)| *known).collect(),
    })
}
