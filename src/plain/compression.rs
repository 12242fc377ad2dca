//! Readers for gzip and zstd, with any number of concatenated members or frames.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::invalid;

/// Description of an invalid frame.
const NO_FRAME: &str = "it cannot be decompressed, or ends early";

/// Adds the name of the compression, which the libraries' messages lack.
fn damaged(name: &str, reason: &dyn std::fmt::Display) -> io::Error {
    invalid(format!(
        "it is compressed with {name} and damaged: {reason}"
    ))
}

/// A gzip reader. A log that is compressed piece by piece has one member per piece.
pub(super) enum Gzip<R> {
    Member(Box<GzDecoder<R>>),
    Ended,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(source: R) -> Self {
        Self::Member(Box::new(GzDecoder::new(source)))
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Self::Member(member) = self else {
                return Ok(0);
            };
            let read = member.read(buffer);
            let read = read.map_err(|error| damaged("gzip", &error))?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Self::Member(member) = std::mem::replace(self, Self::Ended) else {
                return Ok(0);
            };
            let mut rest = member.into_inner();
            if !is_at_padding(&mut rest)? {
                *self = Self::new(rest);
            }
        }
    }
}

/// Whether only zero padding follows.
fn is_at_padding(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = rest.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(true);
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        rest.consume(length);
    }
}

/// A zstd reader.
pub(super) struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
            is_in_frame: false,
        }
    }

    /// Starts the next frame. Returns false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let skipped = self.source.by_ref().take(u64::from(length));
                    io::copy(&mut { skipped }, &mut io::sink())?;
                }
                Err(_) => return Err(damaged("zstd", &NO_FRAME)),
            }
        }
        Ok(false)
    }

    fn check(&self) -> io::Result<()> {
        let (told, found) = (
            self.decoder.get_checksum_from_data(),
            self.decoder.get_calculated_checksum(),
        );
        if told.is_some() && told != found {
            return Err(damaged("zstd", &"its checksum does not match"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_in_frame && !self.next_frame()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|_| damaged("zstd", &NO_FRAME))?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.check()?;
            self.is_in_frame = false;
        }
    }
}
