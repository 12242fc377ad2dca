//! Observes a unary call in a client from its bytes: the method, and the request and reply messages.

use std::io::Read;

use bytes::{Buf, Bytes, BytesMut};

use super::{Dialect, event_book_of_response};
use crate::model::CommandBook;

/// Length of the prefix of each message in a gRPC body: a flag and the message's length.
const PREFIX: usize = 5;

/// Dialect of a path, if the path is `HandleCommand`; the most likely one if several dialects share the package.
#[must_use]
pub fn command_dialect(path: &str) -> Option<Dialect> {
    let (dialect, method) = Dialect::of_path(path)?;
    (method == "CommandHandlerCoordinatorService/HandleCommand").then_some(dialect)
}

/// Collects the first message of a body from its chunks.
#[derive(Debug)]
pub struct FirstMessage {
    collected: BytesMut,
    limit: usize,
    is_too_large: bool,
}

/// A message that could not be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableMessage {
    /// It is larger than the limit.
    TooLarge,
    /// The body ended before the message was complete.
    Incomplete,
    /// Its compression is not supported.
    Compressed,
}

impl FirstMessage {
    /// Collects no more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            collected: BytesMut::new(),
            limit,
            is_too_large: false,
        }
    }

    /// Adds a chunk of the body.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.is_too_large || self.collected.len() + chunk.len() > self.limit + PREFIX {
            self.is_too_large = true;
            self.collected = BytesMut::new();
            return;
        }
        self.collected.extend_from_slice(chunk);
    }

    /// Number of bytes collected.
    #[must_use]
    pub fn size(&self) -> usize {
        self.collected.len()
    }

    /// The message, if it is complete.
    pub fn message(self) -> Result<Bytes, UnreadableMessage> {
        if self.is_too_large {
            return Err(UnreadableMessage::TooLarge);
        }
        let mut bytes = self.collected.freeze();
        if bytes.len() < PREFIX {
            return Err(UnreadableMessage::Incomplete);
        }
        let flag = bytes.get_u8();
        let length = usize::try_from(bytes.get_u32()).unwrap_or(usize::MAX);
        if bytes.len() < length {
            return Err(UnreadableMessage::Incomplete);
        }
        let message = bytes.slice(..length);
        if flag == 0 {
            Ok(message)
        } else {
            decompress(&message, self.limit)
        }
    }
}

/// Only gzip is supported: clients that compress nearly always use it.
fn decompress(message: &[u8], limit: usize) -> Result<Bytes, UnreadableMessage> {
    let mut inflated = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::GzDecoder::new(message)
        .take(most)
        .read_to_end(&mut inflated)
        .map_err(|_| UnreadableMessage::Compressed)?;
    if inflated.len() > limit {
        return Err(UnreadableMessage::TooLarge);
    }
    Ok(inflated.into())
}

/// How many events an accepted command stored, starting at the head that it was sent for. `None` if the reply does not
/// show it, for example because it echoes pages of the history.
pub fn stored_event_count(command: &CommandBook, answer: Bytes) -> Option<u32> {
    let head = command.expected_sequence()?;
    let book = event_book_of_response(answer).ok()?;
    let pages = book.history.pages();
    let are_next = (head..=u32::MAX)
        .zip(pages)
        .all(|(sequence, page)| page.sequence == sequence);
    are_next.then(|| u32::try_from(pages.len()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[flag], &length.to_be_bytes()[..], message].concat()
    }

    fn collected(chunks: &[&[u8]], limit: usize) -> Result<Bytes, UnreadableMessage> {
        let mut first = FirstMessage::new(limit);
        for chunk in chunks {
            first.feed(chunk);
        }
        first.message()
    }

    #[test]
    fn a_message_is_collected_from_chunks() {
        let whole = framed(0, b"message");
        assert_eq!(collected(&[&whole], 7).unwrap(), "message");
        assert_eq!(
            collected(&[&whole[..2], &whole[2..6], &whole[6..]], 7).unwrap(),
            "message"
        );
        assert_eq!(collected(&[&framed(0, b"")], 0).unwrap(), "");
        assert_eq!(collected(&[&whole], 6), Err(UnreadableMessage::TooLarge));
        assert_eq!(
            collected(&[&whole[..11]], 7),
            Err(UnreadableMessage::Incomplete)
        );
        assert_eq!(collected(&[], 7), Err(UnreadableMessage::Incomplete));
    }

    #[test]
    fn a_compressed_message_is_decompressed_within_the_limit() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&[b'a'; 4000]).unwrap();
        let whole = framed(1, &gzip.finish().unwrap());
        assert_eq!(collected(&[&whole], 4000).unwrap().len(), 4000);
        assert_eq!(collected(&[&whole], 3999), Err(UnreadableMessage::TooLarge));
        assert_eq!(
            collected(&[&framed(1, b"zstd")], 99),
            Err(UnreadableMessage::Compressed)
        );
    }

    #[test]
    fn only_handle_command_of_a_known_package_is_watched() {
        for dialect in Dialect::all() {
            let path = dialect.path("CommandHandlerCoordinatorService", "HandleCommand");
            let found = command_dialect(&path).unwrap();
            assert_eq!(found.package(), dialect.package());
        }
        for path in [
            "/angzarr.CommandHandlerCoordinatorService/HandleSyncSpeculative",
            "/angzarr.EventQueryService/GetEventBook",
            "/bank.CommandHandlerCoordinatorService/HandleCommand",
            "/",
        ] {
            assert_eq!(command_dialect(path), None, "{path}");
        }
    }
}
