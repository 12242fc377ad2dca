//! Decodes compressed and encoded files: gzip, zstd and UTF-16.
//!
//! Owns how an encoding is recognised (by the first bytes, never by the file name), and the size limit of a file.
//! `open` and `read` decode text; `unpacked` decompresses bytes that may not be text, and leaves UTF-16 alone. A
//! recognised but unsupported encoding is an error with its name, so that an unread file never counts as clean. Knows
//! nothing of the content.

mod compression;
mod utf16;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use compression::{Gzip, Zstd};
use utf16::{ByteOrder, Utf16};

use crate::files;

/// Size limit of a file, compressed and decompressed: a damaged file must not exhaust the memory.
pub(crate) const LARGEST: u64 = 1 << 30;
/// Number of bytes used to recognise an encoding.
const HEAD: u64 = 4096;
/// Most nested encodings: UTF-16 text, compressed, and compressed again.
const LAYERS: usize = 4;

/// First bytes of recognised but unsupported formats.
const NOT_UNPACKED: [(&[u8], &str); 7] = [
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"BZh", "compressed with bzip2"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x9d", "compressed with compress"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy"),
];

/// The encoding indicated by a file's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Utf8WithMark,
    Gzip,
    Zstd,
    Utf16(ByteOrder),
    NotRead(&'static str),
}

impl Encoding {
    fn of(head: &[u8]) -> Self {
        if let Some(name) = not_unpacked(head) {
            return Self::NotRead(name);
        }
        match head {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::NotRead("in UTF-32"),
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or a skippable frame before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8WithMark,
            head => ByteOrder::of(head).map_or(Self::Plain, Self::Utf16),
        }
    }
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a whole file as text, up to a limit. It may be a pipe.
pub(crate) fn read_to_string(path: &Path, limit: u64) -> io::Result<String> {
    files::text(files::read_from(open(path)?, limit)?)
}

/// Opens a file for reading.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    of(File::open(path)?)
}

/// A reader of the decoded text.
pub(crate) fn of<'a>(source: impl Read + 'a) -> io::Result<Box<dyn BufRead + 'a>> {
    let mut reader: Box<dyn BufRead + 'a> = Box::new(BufReader::new(Bounded::new(source)));
    for _ in 0..LAYERS {
        let mut head = Vec::new();
        reader.by_ref().take(HEAD).read_to_end(&mut head)?;
        let encoding = Encoding::of(&head);
        if encoding == Encoding::Utf8WithMark {
            head.drain(..3);
        }
        let whole = BufReader::new(Cursor::new(head).chain(reader));
        reader = match encoding {
            Encoding::Plain | Encoding::Utf8WithMark => return Ok(Box::new(whole)),
            Encoding::Gzip => Box::new(BufReader::new(Bounded::new(Gzip::new(whole)))),
            Encoding::Zstd => Box::new(BufReader::new(Bounded::new(Zstd::new(whole)))),
            Encoding::Utf16(order) => {
                Box::new(BufReader::new(Bounded::new(Utf16::new(whole, order))))
            }
            Encoding::NotRead(name) => {
                return Err(invalid(format!(
                    "it is {name}, which is not supported; convert it to text first"
                )));
            }
        };
    }
    Err(too_many_layers())
}

/// The result of decompression.
pub(crate) struct Unpacked {
    /// The bytes, as far as they could be decompressed.
    pub(crate) bytes: Vec<u8>,
    /// Why decompression ended early.
    pub(crate) flaw: Option<io::Error>,
}

/// Decompresses gzip or zstd, each layer up to a limit. None if the bytes are not compressed.
pub(crate) fn unpacked(bytes: &[u8], limit: u64) -> Option<Unpacked> {
    let mut all: Option<Unpacked> = None;
    for layer in 0..=LAYERS {
        let packed = all.as_ref().map_or(bytes, |all| &all.bytes);
        let mut source: Box<dyn Read> = match Encoding::of(packed) {
            Encoding::Gzip => Box::new(Bounded::to(limit, Gzip::new(packed))),
            Encoding::Zstd => Box::new(Bounded::to(limit, Zstd::new(packed))),
            _ => break,
        };
        let mut inner = Vec::new();
        let read = if layer < LAYERS {
            source.read_to_end(&mut inner).err()
        } else {
            Some(too_many_layers())
        };
        drop(source);
        let flaw = all.and_then(|outer| outer.flaw).or(read);
        all = Some(Unpacked { bytes: inner, flaw });
    }
    all
}

/// Name of the compression, if it is recognised but not supported.
pub(crate) fn not_unpacked(bytes: &[u8]) -> Option<&'static str> {
    let mut ways = NOT_UNPACKED.iter();
    let found = ways.find(|(first, _)| bytes.starts_with(first));
    found.map(|(_, name)| *name)
}

/// Name of the text encoding, or of an unsupported compression.
pub(crate) fn encoding_in_words(bytes: &[u8]) -> Option<&'static str> {
    match Encoding::of(bytes) {
        Encoding::NotRead(name) => Some(name),
        Encoding::Utf16(_) => Some("in UTF-16"),
        Encoding::Utf8WithMark => Some("a text in UTF-8"),
        Encoding::Plain | Encoding::Gzip | Encoding::Zstd => None,
    }
}

/// Decodes UTF-16, with or without a byte order mark.
pub(crate) fn utf16_text(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut source = BufReader::new(Utf16::new(bytes, ByteOrder::of(bytes)?));
    source.read_to_string(&mut text).ok()?;
    Some(text)
}

fn too_many_layers() -> io::Error {
    invalid("it is compressed too many times".to_owned())
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// A reader that fails at the size limit.
struct Bounded<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R> Bounded<R> {
    const fn new(inner: R) -> Self {
        Self::to(LARGEST, inner)
    }

    const fn to(limit: u64, inner: R) -> Self {
        Self {
            inner,
            limit,
            left: limit,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let limit = files::in_units(self.limit);
            invalid(format!(
                "it is larger than {limit}, compressed or decompressed; split it into parts"
            ))
        })?;
        Ok(read)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::Write;

    use super::*;

    fn plain(bytes: &[u8]) -> io::Result<String> {
        let mut text = Vec::new();
        of(bytes)?.read_to_end(&mut text)?;
        Ok(String::from_utf8(text).unwrap())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn every_way_to_write_a_text_reads_as_the_text() {
        let text = "root=1 error=\"zu wenig für Ålice 😀\"\r\nsecond line\n";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            gzip(text.as_bytes()),
            gzip(&utf16(&marked, u16::to_le_bytes)),
            gzip(&gzip(text.as_bytes())),
            zstd(text.as_bytes()),
            zstd(&gzip(text.as_bytes())),
        ] {
            assert_eq!(plain(&bytes).unwrap(), text);
        }
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let members = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
        assert_eq!(plain(&members).unwrap(), "one\ntwo\n");
        // Padding of a tape or block device.
        assert_eq!(
            plain(&[members.as_slice(), &[0; 700]].concat()).unwrap(),
            "one\ntwo\n"
        );
        let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9];
        let frames = [&skipped[..], &zstd(b"one\n"), &skipped, &zstd(b"two\n")].concat();
        assert_eq!(plain(&frames).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_large_text_in_utf_16_keeps_every_character() {
        let text = "a😀ß".repeat(50_000);
        let marked = format!("\u{feff}{text}");
        assert!(plain(&utf16(&marked, u16::to_le_bytes)).unwrap() == text);
    }

    #[test]
    fn what_is_not_read_or_damaged_is_an_error_with_its_name() {
        let in_utf32 = [&b"\xff\xfe\0\0"[..], b"\0\0\xfe\xff"].map(|mark| (mark, "in UTF-32"));
        for (first, name) in NOT_UNPACKED.into_iter().chain(in_utf32) {
            let error = plain(&[first, b"more of it"].concat()).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        let whole = gzip(b"a text that is long enough to be cut somewhere in its middle");
        let cut = &whole[..whole.len() - 9];
        assert!(plain(cut).unwrap_err().to_string().contains("gzip"));
        let trailing = [whole.as_slice(), b"more"].concat();
        assert!(plain(&trailing).unwrap_err().to_string().contains("gzip"));
        let whole = zstd(b"a text that is long enough to be cut somewhere in its middle");
        for end in 4..whole.len() {
            let error = plain(&whole[..end]).unwrap_err();
            assert!(error.to_string().contains("zstd"), "{end}: {error}");
        }
        let error = plain(&[0x1f, 0x8b]).unwrap_err();
        assert!(error.to_string().contains("gzip"), "{error}");
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        for bytes in [
            &b""[..],
            b"\0",
            b"\0\0\0\0",
            b"\x0a\x07example\x12\0\x1a\0",
            b"a\0b\0\0\0\0\0\0\0\0\0",
        ] {
            let mut read = Vec::new();
            of(bytes).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
    }

    #[test]
    fn bytes_are_unpacked_as_far_as_they_go_and_otherwise_left_alone() {
        let utf16 = utf16("plain", u16::to_le_bytes);
        assert!(unpacked(&utf16, LARGEST).is_none());
        let whole = unpacked(&zstd(&gzip(&utf16)), LARGEST).unwrap();
        assert!(whole.bytes == utf16 && whole.flaw.is_none());
        let text: String = (0..50_000)
            .flat_map(|number: u32| [number.to_string(), "\n".to_owned()])
            .collect();
        let packed = gzip(text.as_bytes());
        let cut = unpacked(&gzip(&packed[..packed.len() / 2]), LARGEST).unwrap();
        assert!(!cut.bytes.is_empty() && text.as_bytes().starts_with(&cut.bytes));
        assert!(cut.flaw.unwrap().to_string().contains("gzip"));
        let large = unpacked(&packed, 1 << 10).unwrap();
        assert!(large.flaw.unwrap().to_string().contains("1 KiB"));
        let deep = (0..=LAYERS).fold(b"core".to_vec(), |bytes, _| gzip(&bytes));
        let flaw = unpacked(&deep, LARGEST).unwrap().flaw.unwrap();
        assert_eq!(flaw.to_string(), "it is compressed too many times");
    }

    #[test]
    fn more_than_a_file_may_hold_is_refused_without_keeping_it() {
        let error = io::copy(&mut Bounded::new(io::repeat(b'a')), &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("1 GiB"), "{error}");
    }
}
