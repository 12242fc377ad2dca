//! A recording that goes to a stream, such as standard output. What was written cannot be removed, so there is no ring.

use std::io::{self, Write};

use super::call::{RecordedCall, Subject};
use super::keep::KeepMode;
use super::line::to_line;
use super::writer::CallStore;
use crate::model::Timestamp;

/// Writes one line for each call, and flushes after each.
pub struct RecordingStream<W> {
    output: W,
    next: u64,
}

impl<W: Write + Send> RecordingStream<W> {
    /// Calls are numbered from 1.
    pub const fn new(output: W) -> Self {
        Self { output, next: 1 }
    }
}

impl<W: Write + Send> CallStore for RecordingStream<W> {
    fn keep(
        &mut self,
        call: &RecordedCall,
        subject: Option<&Subject>,
        kept: KeepMode,
    ) -> io::Result<()> {
        let line = to_line(call, self.next, subject, kept);
        self.output.write_all(format!("{line}\n").as_bytes())?;
        self.output.flush()?;
        self.next += 1;
        Ok(())
    }

    fn expire(&mut self, _: Timestamp) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
