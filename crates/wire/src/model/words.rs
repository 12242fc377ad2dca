//! Words for the protocol's enums, as fixtures, snapshots and drafts of commands write them.

use super::{CascadeErrorMode, MergeStrategy, Retention, Storage, SyncMode};

/// An enum whose known values have words. A value that this version does not know keeps its number.
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
        let mut known = Self::WORDS.iter();
        known
            .find(|(_, known)| *known == word)
            .map(|(value, _)| *value)
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
