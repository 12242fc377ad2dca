//! Values that files spell as words.

use super::{CascadeErrorMode, MergeStrategy, Retention, Storage, SyncMode, did_you_mean};

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

/// An enum of the protocol whose known values have words, in fixtures, snapshots and drafts of commands. A value that this version does not know keeps its number.
pub trait Worded: Copy + PartialEq + 'static {
    /// Every known value with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// The value for an unknown number.
    fn unknown(number: i32) -> Self;

    /// The word, or the number of an unknown value.
    fn word(self) -> Result<&'static str, i32>;

    /// The value with this word.
    #[must_use]
    fn from_word(word: &str) -> Option<Self> {
        value_of(Self::WORDS, word).ok()
    }

    /// Every known word.
    fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(_, word)| *word)
    }
}

macro_rules! worded {
    ($type:ident, { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl Worded for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),+];

            fn unknown(number: i32) -> Self {
                Self::Unknown(number)
            }

            // A match, so that the compiler requires a word for each new variant.
            fn word(self) -> Result<&'static str, i32> {
                match self {
                    $(Self::$variant => Ok($word),)+
                    Self::Unknown(number) => Err(number),
                }
            }
        }
    };
}

worded!(Retention, { Default => "default", Persist => "persist", Transient => "transient" });
worded!(Storage, {
    Unspecified => "unspecified", Filesystem => "filesystem", Gcs => "gcs", S3 => "s3",
});
worded!(SyncMode, {
    Async => "async", Simple => "simple", Cascade => "cascade", Decision => "decision", Isolated => "isolated",
});
worded!(CascadeErrorMode, {
    FailFast => "fail-fast", Continue => "continue", Compensate => "compensate", DeadLetter => "dead-letter",
});
worded!(MergeStrategy, {
    Commutative => "commutative", Strict => "strict", AggregateHandles => "aggregate-handles", Manual => "manual",
});
