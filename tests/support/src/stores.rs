//! The event stores of a real deployment, in `tests/fixtures/stores`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::programs::repository;

/// Their domains.
pub const DOMAINS: [&str; 6] = [
    "hand",
    "player",
    "pmg-buy-in",
    "snappy",
    "table",
    "tournament",
];

/// An aggregate of `snappy`, with snapshots after sequence 4 and 9.
pub const SNAPPY: &str = "78b18107-1a61-4bd0-a2a7-7a78d6d66e3a";

/// Unpacks the store of a domain into a folder, as a SQLite file.
#[must_use]
pub fn unpacked(folder: &Path, domain: &str) -> PathBuf {
    let packed = repository().join(format!("tests/fixtures/stores/{domain}.sqlite.gz"));
    let packed = std::fs::File::open(packed).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .unwrap();
    let file = folder.join(format!("{domain}.sqlite"));
    std::fs::write(&file, bytes).unwrap();
    file
}
