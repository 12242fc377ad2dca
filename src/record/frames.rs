//! Reads messages in gRPC's framing from a copy of the bytes that passed.

use std::io::Read;

use bytes::{Buf, Bytes, BytesMut};

/// One flag byte and a length of four bytes.
const PREFIX: usize = 5;
/// Size limit of a decompressed message. Coordinators accept messages of 10 MiB.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Why no message could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The bytes end within a message, or are not gRPC.
    Torn,
    /// There are several messages, so the method is not unary.
    Several,
    /// The compression is unknown or damaged.
    Compressed,
}

/// The message of one direction of a unary call; none if nothing was sent.
pub(super) fn message(
    chunks: Vec<Bytes>,
    encoding: Option<&str>,
) -> Result<Option<Bytes>, Unreadable> {
    let mut bytes = joined(chunks);
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() < PREFIX {
        return Err(Unreadable::Torn);
    }
    let flag = bytes.get_u8();
    let length = usize::try_from(bytes.get_u32()).unwrap_or(usize::MAX);
    if bytes.len() < length {
        return Err(Unreadable::Torn);
    }
    let message = bytes.split_to(length);
    if !bytes.is_empty() {
        return Err(Unreadable::Several);
    }
    match flag {
        0 => Ok(Some(message)),
        1 => decompressed(&message, encoding).map(Some),
        _ => Err(Unreadable::Torn),
    }
}

fn joined(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    let mut whole = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        whole.extend_from_slice(&chunk);
    }
    whole.freeze()
}

fn decompressed(message: &[u8], encoding: Option<&str>) -> Result<Bytes, Unreadable> {
    let mut whole = Vec::new();
    let read = match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(message)
            .take(LARGEST)
            .read_to_end(&mut whole),
        Some("deflate") => flate2::read::ZlibDecoder::new(message)
            .take(LARGEST)
            .read_to_end(&mut whole),
        _ => return Err(Unreadable::Compressed),
    };
    read.map_err(|_| Unreadable::Compressed)?;
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).expect("a short message");
        let mut bytes = vec![flag];
        bytes.extend(length.to_be_bytes());
        bytes.extend(message);
        bytes
    }

    fn read(bytes: &[u8], encoding: Option<&str>) -> Result<Option<Bytes>, Unreadable> {
        // In every possible pair of chunks: the network may split the bytes anywhere.
        let mut results = (0..=bytes.len()).map(|at| {
            let (first, second) = bytes.split_at(at);
            let pieces = [first, second].map(Bytes::copy_from_slice);
            message(pieces.to_vec(), encoding)
        });
        let first = results.next().expect("there is at least one split");
        assert!(results.all(|other| other == first));
        first
    }

    #[test]
    fn a_message_is_read_however_it_was_cut() {
        assert_eq!(
            read(&framed(0, b"abc"), None),
            Ok(Some(Bytes::from_static(b"abc")))
        );
        assert_eq!(read(&framed(0, b""), None), Ok(Some(Bytes::new())));
        assert_eq!(read(b"", None), Ok(None));
    }

    #[test]
    fn anything_but_a_single_message_is_refused() {
        let twice = [framed(0, b"a"), framed(0, b"b")].concat();
        assert_eq!(read(&twice, None), Err(Unreadable::Several));
        assert_eq!(read(&framed(0, b"abc")[..7], None), Err(Unreadable::Torn));
        assert_eq!(read(&[0, 0], None), Err(Unreadable::Torn));
        assert_eq!(read(&framed(7, b"a"), None), Err(Unreadable::Torn));
    }

    #[test]
    fn messages_in_a_known_compression_are_read() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"abc").expect("memory takes it");
        let gzip = gzip.finish().expect("memory takes it");
        let whole = Ok(Some(Bytes::from_static(b"abc")));
        assert_eq!(read(&framed(1, &gzip), Some("gzip")), whole);
        for encoding in [None, Some("zstd"), Some("deflate")] {
            assert_eq!(
                read(&framed(1, &gzip), encoding),
                Err(Unreadable::Compressed)
            );
        }
    }
}
