//! One unary call as its bytes pass by in a client: which method it is, its messages, its status.

use std::io::Read;

use bytes::{Buf, Bytes, BytesMut};

use super::{Dialect, event_book_of_response};
use crate::model::CommandBook;

/// Length of what stands before each message of a gRPC body: a flag and the message's length.
const PREFIX: usize = 5;

/// The dialect of whose package a path is `HandleCommand`: the likeliest where several share the package.
#[must_use]
pub fn command_dialect(path: &str) -> Option<Dialect> {
    let (dialect, method) = Dialect::of_path(path)?;
    (method == "CommandHandlerCoordinatorService/HandleCommand").then_some(dialect)
}

/// The first message of a body, collected as it passes by.
#[derive(Debug)]
pub struct FirstMessage {
    collected: BytesMut,
    limit: usize,
    is_too_large: bool,
}

/// A message that could not be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is larger than the limit.
    TooLarge,
    /// It did not pass by whole.
    Incomplete,
    /// It is compressed in a way that is not understood here.
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

    /// Takes what passes by.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.is_too_large || self.collected.len() + chunk.len() > self.limit + PREFIX {
            self.is_too_large = true;
            self.collected = BytesMut::new();
            return;
        }
        self.collected.extend_from_slice(chunk);
    }

    /// Bytes that are held.
    #[must_use]
    pub fn size(&self) -> usize {
        self.collected.len()
    }

    /// The message, where it passed by whole.
    pub fn message(self) -> Result<Bytes, Unread> {
        if self.is_too_large {
            return Err(Unread::TooLarge);
        }
        let mut bytes = self.collected.freeze();
        if bytes.len() < PREFIX {
            return Err(Unread::Incomplete);
        }
        let flag = bytes.get_u8();
        let length = usize::try_from(bytes.get_u32()).unwrap_or(usize::MAX);
        if bytes.len() < length {
            return Err(Unread::Incomplete);
        }
        let message = bytes.slice(..length);
        if flag == 0 {
            Ok(message)
        } else {
            inflated(&message, self.limit)
        }
    }
}

/// gzip is what clients that compress nearly always use.
fn inflated(message: &[u8], limit: usize) -> Result<Bytes, Unread> {
    let mut inflated = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::GzDecoder::new(message)
        .take(most)
        .read_to_end(&mut inflated)
        .map_err(|_| Unread::Compressed)?;
    if inflated.len() > limit {
        return Err(Unread::TooLarge);
    }
    Ok(inflated.into())
}

/// How many events an accepted command stored, from the head that it was sent for. None where the answer does not tell:
/// what it echoes of the history is not stored again.
pub fn stored_by(command: &CommandBook, answer: Bytes) -> Option<u32> {
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

    fn collected(chunks: &[&[u8]], limit: usize) -> Result<Bytes, Unread> {
        let mut first = FirstMessage::new(limit);
        for chunk in chunks {
            first.feed(chunk);
        }
        first.message()
    }

    #[test]
    fn a_message_is_collected_from_its_pieces() {
        let whole = framed(0, b"message");
        assert_eq!(collected(&[&whole], 7).unwrap(), "message");
        assert_eq!(
            collected(&[&whole[..2], &whole[2..6], &whole[6..]], 7).unwrap(),
            "message"
        );
        assert_eq!(collected(&[&framed(0, b"")], 0).unwrap(), "");
        assert_eq!(collected(&[&whole], 6), Err(Unread::TooLarge));
        assert_eq!(collected(&[&whole[..11]], 7), Err(Unread::Incomplete));
        assert_eq!(collected(&[], 7), Err(Unread::Incomplete));
    }

    #[test]
    fn a_compressed_message_is_inflated_within_the_limit() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&[b'a'; 4000]).unwrap();
        let whole = framed(1, &gzip.finish().unwrap());
        assert_eq!(collected(&[&whole], 4000).unwrap().len(), 4000);
        assert_eq!(collected(&[&whole], 3999), Err(Unread::TooLarge));
        assert_eq!(
            collected(&[&framed(1, b"zstd")], 99),
            Err(Unread::Compressed)
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
