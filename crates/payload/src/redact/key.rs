//! The key that pseudonyms are derived from.

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A shorter key could be brute-forced.
const SHORTEST: usize = 16;
/// So could a key with fewer distinct bytes.
const FEWEST: usize = 8;
/// Decimal digits carry less entropy per byte, so a numeric key has to be longer.
const FEWEST_DIGITS: usize = 32;
const ADVICE: &str = "`openssl rand -hex 32` makes a good one";

/// The secret that pseudonyms are derived from: the same key gives the same pseudonyms. Never printed.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// Why a text is not accepted as a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too short.
    #[error("the key has {length} bytes and needs {SHORTEST} or more; {ADVICE}")]
    Short {
        /// Length in bytes.
        length: usize,
    },
    /// Too few distinct bytes.
    #[error(
        "the key has {count} different bytes and needs {FEWEST} or more: it could be guessed; {ADVICE}"
    )]
    Few {
        /// Number of distinct bytes.
        count: usize,
    },
    /// A short sequence, repeated.
    #[error(
        "the key repeats after {length} bytes and may repeat only after {SHORTEST} or more: it could be \
         guessed; {ADVICE}"
    )]
    Repeats {
        /// Length of the repeated sequence in bytes.
        length: usize,
    },
    /// A decimal number that is too short.
    #[error(
        "the key consists of {count} digits, and a key of digits needs {FEWEST_DIGITS} or more; {ADVICE}"
    )]
    Digits {
        /// Number of digits.
        count: usize,
    },
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key of at least 16 bytes, at least 8 of them distinct, that does not repeat itself within the first 16; a key
    /// of digits only needs at least 32. Surrounding whitespace is ignored.
    ///
    /// # Errors
    /// If the text fails one of these checks. They detect the weaknesses that can be seen without knowing how the key
    /// was made.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = text.trim().as_bytes();
        check(bytes)?;
        let mac = Hmac::<Sha256>::new_from_slice(bytes).expect("HMAC takes a key of any length");
        Ok(Self(mac))
    }

    /// 32 bytes derived from a value and its kind.
    pub(super) fn digest(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        self.block(kind, value, 0)
    }

    /// 16 hex digits that identify a text. They can be computed only with the key.
    pub(super) fn fingerprint(&self, text: &str) -> String {
        let digest = self.digest("fingerprint", text.as_bytes());
        let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        format!("{:016x}", u64::from_be_bytes(*first))
    }

    /// An endless stream of bytes that begins with those of [`Key::digest`].
    pub(super) fn stream(&self, kind: &str, value: &[u8]) -> impl Iterator<Item = u8> {
        (0..u32::MAX).flat_map(move |counter| self.block(kind, value, counter))
    }

    fn block(&self, kind: &str, value: &[u8], counter: u32) -> [u8; 32] {
        let mut mac = self.0.clone();
        // The counter comes first and has a fixed length, so different inputs never produce the same byte sequence.
        mac.update(&counter.to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        mac.finalize().into_bytes().into()
    }
}

fn check(bytes: &[u8]) -> Result<(), KeyError> {
    if bytes.len() < SHORTEST {
        return Err(KeyError::Short {
            length: bytes.len(),
        });
    }
    let different: BTreeSet<&u8> = bytes.iter().collect();
    if different.len() < FEWEST {
        return Err(KeyError::Few {
            count: different.len(),
        });
    }
    // A key that repeats only as a whole is accepted.
    let repeats = |length: &usize| bytes[*length..] == bytes[..bytes.len() - length];
    if let Some(length) = (1..SHORTEST.min(bytes.len() / 2 + 1)).find(repeats) {
        return Err(KeyError::Repeats { length });
    }
    if bytes.len() < FEWEST_DIGITS && bytes.iter().all(u8::is_ascii_digit) {
        return Err(KeyError::Digits { count: bytes.len() });
    }
    Ok(())
}
