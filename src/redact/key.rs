//! The key of a team's pseudonyms.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A shorter key could be found by trying.
const SHORTEST: usize = 16;

/// A secret that pseudonyms are made with: the same key gives the same pseudonyms. Never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// A text that is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key has {length} bytes and needs {SHORTEST} or more; `openssl rand -hex 32` makes a good one"
)]
pub struct KeyError {
    /// Bytes that it has.
    pub length: usize,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A key of at least 16 bytes; blanks and line ends around it do not count.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = text.trim().as_bytes();
        if bytes.len() < SHORTEST {
            return Err(KeyError {
                length: bytes.len(),
            });
        }
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
