//! The key of a team's pseudonyms.

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A shorter key could be found by trying.
const SHORTEST: usize = 16;
/// One of fewer different bytes too.
const FEWEST: usize = 8;
/// A digit is worth less than half of a byte's letter.
const FEWEST_DIGITS: usize = 32;
const ADVICE: &str = "`openssl rand -hex 32` makes a good one";

/// A secret that pseudonyms are made with: the same key gives the same pseudonyms. Never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is short.
    #[error("the key has {length} bytes and needs {SHORTEST} or more; {ADVICE}")]
    Short {
        /// Bytes that it has.
        length: usize,
    },
    /// It is made of few different bytes.
    #[error(
        "the key has {count} different bytes and needs {FEWEST} or more: it could be guessed; {ADVICE}"
    )]
    Few {
        /// Different bytes that it has.
        count: usize,
    },
    /// It says the same again and again.
    #[error(
        "the key repeats its first {length} bytes, and {SHORTEST} or more have to come before it repeats itself: it could be \
         guessed; {ADVICE}"
    )]
    Repeats {
        /// Bytes that it repeats.
        length: usize,
    },
    /// It is a number.
    #[error(
        "the key has {count} digits and nothing else, and of digits it needs {FEWEST_DIGITS} or more; {ADVICE}"
    )]
    Digits {
        /// Digits that it has.
        count: usize,
    },
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key of at least 16 bytes, of which at least 8 are different, and 16 come before it repeats itself; of digits alone at
    /// least 32. Blanks and line ends around it do not count.
    ///
    /// # Errors
    /// Where it is none of those. That is what can be told without knowing how it was made.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = text.trim().as_bytes();
        check(bytes)?;
        let mac = Hmac::<Sha256>::new_from_slice(bytes).expect("HMAC takes a key of any length");
        Ok(Self(mac))
    }

    /// The 32 bytes that stand for a value of a kind.
    pub(super) fn digest(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        self.block(kind, value, 0)
    }

    /// 16 hex digits that tell texts apart, for those who have the key.
    pub(super) fn fingerprint(&self, text: &str) -> String {
        let digest = self.digest("fingerprint", text.as_bytes());
        let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        format!("{:016x}", u64::from_be_bytes(*first))
    }

    /// As many bytes as are asked for, beginning with those of [`Key::digest`].
    pub(super) fn stream(&self, kind: &str, value: &[u8]) -> impl Iterator<Item = u8> {
        (0..u32::MAX).flat_map(move |counter| self.block(kind, value, counter))
    }

    fn block(&self, kind: &str, value: &[u8], counter: u32) -> [u8; 32] {
        let mut mac = self.0.clone();
        // Of fixed length first: no two inputs run together into the same bytes.
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
    // The whole of it is no repetition.
    let repeats = |length: &usize| bytes[*length..] == bytes[..bytes.len() - length];
    if let Some(length) = (1..SHORTEST.min(bytes.len() / 2 + 1)).find(repeats) {
        return Err(KeyError::Repeats { length });
    }
    if bytes.len() < FEWEST_DIGITS && bytes.iter().all(u8::is_ascii_digit) {
        return Err(KeyError::Digits { count: bytes.len() });
    }
    Ok(())
}
