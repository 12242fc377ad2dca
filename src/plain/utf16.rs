//! Decodes UTF-16, which Windows `PowerShell` writes, to UTF-8.

use std::io::{self, BufRead, Read};

/// The byte order of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// Detects the byte order from a mark, or without a mark from zeros in every other byte, as in text that is mostly
    /// ASCII. None if it is not UTF-16.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => return Some(Self::Little),
            [0xfe, 0xff, ..] => return Some(Self::Big),
            _ => {}
        }
        let units = head.chunks_exact(2);
        let count = units.len();
        let zeros = |at: usize| units.clone().filter(|unit| unit[at] == 0).count();
        let (first, second) = (zeros(0), zeros(1));
        let is_mostly =
            |zeros: usize, others: usize| zeros * 5 >= count * 2 && others * 20 <= zeros;
        if count < 4 {
            None
        } else if is_mostly(second, first) {
            Some(Self::Little)
        } else if is_mostly(first, second) {
            Some(Self::Big)
        } else {
            None
        }
    }

    const fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }
}

/// Decodes UTF-16 to UTF-8. Drops the byte order mark; an unpaired surrogate becomes the replacement character.
pub(super) struct Utf16<R> {
    source: R,
    order: ByteOrder,
    is_first: bool,
    /// A unit that belongs to the next character.
    pushed_back: Option<u16>,
    /// Bytes of the last character that did not fit into the buffer.
    waiting: Vec<u8>,
}

const MARK: u16 = 0xfeff;

impl<R: BufRead> Utf16<R> {
    pub(super) const fn new(source: R, order: ByteOrder) -> Self {
        Self {
            source,
            order,
            is_first: true,
            pushed_back: None,
            waiting: Vec::new(),
        }
    }

    fn unit(&mut self) -> io::Result<Option<u16>> {
        if let Some(unit) = self.pushed_back.take() {
            return Ok(Some(unit));
        }
        let mut bytes = [0; 2];
        let mut filled = 0;
        while filled < 2 {
            let read = self.source.read(&mut bytes[filled..])?;
            if read == 0 {
                break;
            }
            filled += read;
        }
        Ok(match filled {
            0 => None,
            // The file ends within a unit.
            1 => Some(0xfffd),
            _ => Some(self.order.unit(bytes)),
        })
    }

    fn character(&mut self) -> io::Result<Option<char>> {
        let Some(mut unit) = self.unit()? else {
            return Ok(None);
        };
        if std::mem::take(&mut self.is_first) && unit == MARK {
            match self.unit()? {
                Some(next) => unit = next,
                None => return Ok(None),
            }
        }
        let is_high = (0xd800..0xdc00).contains(&unit);
        let second = if is_high { self.unit()? } else { None };
        let units = [unit, second.unwrap_or_default()];
        if let Some(Ok(c)) = char::decode_utf16(units).next() {
            return Ok(Some(c));
        }
        self.pushed_back = second;
        Ok(Some(char::REPLACEMENT_CHARACTER))
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.waiting.is_empty() {
                let Some(c) = self.character()? else {
                    break;
                };
                self.waiting
                    .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            let count = self.waiting.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&self.waiting[..count]);
            self.waiting.drain(..count);
            filled += count;
        }
        Ok(filled)
    }
}
