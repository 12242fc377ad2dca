//! What is compressed: gzip is unpacked, of other kinds it is known that they are not.

use std::io::{BufRead, Read};

use flate2::bufread::GzDecoder;

use super::LARGEST;

/// How a file that is packed with zstd begins.
pub(super) const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// All members of a gzip file, one after the other, and why that is not all, where it is not.
pub(super) fn unpacked(bytes: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut all = Vec::new();
    let mut rest = bytes;
    for member in 1.. {
        let left = LARGEST.saturating_sub(all.len() as u64);
        let mut decoder = GzDecoder::new(rest).take(left + 1);
        // What was unpacked before a flaw is there all the same.
        if let Err(reason) = decoder.read_to_end(&mut all) {
            return (
                all,
                Some(format!("gzip member {member} is damaged: {reason}")),
            );
        }
        if all.len() as u64 > LARGEST {
            let reason = "it is more than 1 GiB when unpacked; the rest was not read".to_owned();
            return (all, Some(reason));
        }
        rest = decoder.into_inner().into_inner();
        // Padding of zeros may follow the last member.
        if rest
            .fill_buf()
            .is_ok_and(|rest| rest.iter().all(|byte| *byte == 0))
        {
            break;
        }
        if !is_gzip(rest) {
            return (all, Some("what follows its gzip is none".to_owned()));
        }
    }
    (all, None)
}

/// The name of a way of packing that is not read here, or what else stands for content that is not here.
pub(super) fn not_read(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 11] = [
        // A file that is packed with it alone is unpacked.
        (
            ZSTD,
            "it is packed with zstd within gzip, which is not read",
        ),
        (b"\x1f\x9d", "it is packed with compress, which is not read"),
        (
            b"\xff\x06\x00\x00sNaPpY",
            "it is packed with snappy, which is not read",
        ),
        (b"PK\x03\x04", "it is packed as zip, which is not read"),
        (b"\xfd7zXZ\x00", "it is packed with xz, which is not read"),
        (b"BZh", "it is packed with bzip2, which is not read"),
        (
            b"7z\xbc\xaf\x27\x1c",
            "it is packed as 7z, which is not read",
        ),
        (
            b"\x04\x22\x4d\x18",
            "it is packed with lz4, which is not read",
        ),
        (b"Salted__", "it is encrypted"),
        (b"age-encryption.org/", "it is encrypted"),
        (
            b"version https://git-lfs.github.com/spec/",
            "it stands for a file of Git LFS, which is not here",
        ),
    ];
    let found = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, reason)| *reason)
}
