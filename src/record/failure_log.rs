//! The failure log that a recorder writes: tickets, one per line, for `tickets` of a source. Other programs may write to it too.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::call::{Answer, Link, RecordedCall};
use super::case::ticket_of;
use super::file::{FileError, appended};
use super::keep::KeepLimits;
use crate::model::Timestamp;

/// Writes a failure log: a ticket for each command that a coordinator answered with a failure.
#[derive(Debug)]
pub struct FailureLogWriter {
    path: PathBuf,
    file: File,
    limits: KeepLimits,
    /// Bytes in the file.
    length: u64,
    /// Time of the first ticket that was written to it.
    began: Option<Timestamp>,
    /// Whether the last line is incomplete; then the next ticket begins with a line break.
    is_torn: bool,
}

impl FailureLogWriter {
    /// Opens a log for appending. An incomplete line stays, because other programs may write to the log too.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut file = appended(path).map_err(|reason| FileError::Io {
            file: path.display().to_string(),
            reason,
        })?;
        let is_torn = ends_with_incomplete_line(&mut file);
        let length = file.metadata().map_or(0, |it| it.len());
        Ok(Self {
            path: path.to_owned(),
            file,
            limits: KeepLimits::NONE,
            length,
            began: None,
            is_torn,
        })
    }

    /// Limits the log: when half of it would be too large or too old, it is moved to `FILE.1`, which replaces an earlier one.
    #[must_use]
    pub const fn with_limits(mut self, limits: KeepLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the log ended with an incomplete line when it was opened.
    #[must_use]
    pub const fn is_torn(&self) -> bool {
        self.is_torn
    }
}

impl FailureLogWriter {
    /// Adds the ticket of a failed command. Returns false if the call is not one.
    pub fn add(&mut self, call: &RecordedCall) -> io::Result<bool> {
        // Calls to logic get no ticket, and a client's command was accepted if there is a reply.
        let is_failed_command = call.link() == Some(Link::ClientAndCoordinator)
            && matches!(call.answer, Answer::Status(_));
        if !is_failed_command {
            return Ok(false);
        }
        let ticket = ticket_of(call).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "its command does not decode")
        })?;
        let text = ticket.to_line();
        if self.is_full(text.len() as u64, call.time) {
            self.rotate()?;
        }
        let start = if self.is_torn { "\n" } else { "" };
        let line = format!("{start}{text}\n");
        self.is_torn = true;
        self.file.write_all(line.as_bytes())?;
        self.is_torn = false;
        self.length += line.len() as u64;
        self.began.get_or_insert(call.time);
        Ok(true)
    }

    /// Whether another ticket belongs into a new file. A device or a pipe is never full.
    fn is_full(&self, size: u64, now: Timestamp) -> bool {
        let is_plain = self.file.metadata().is_ok_and(|it| it.is_file());
        let half = KeepLimits {
            age: self.limits.age.map(|age| age / 2),
            ..self.limits
        };
        let is_old = |began: Timestamp| {
            half.oldest(now)
                .is_some_and(|oldest| began.seconds < oldest)
        };
        let is_large = self.length > 0 && self.length + size >= self.limits.bytes / 2;
        is_plain && (is_large || self.began.is_some_and(is_old))
    }

    fn rotate(&mut self) -> io::Result<()> {
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        std::fs::rename(&self.path, older)?;
        self.file = appended(&self.path)?;
        self.length = 0;
        self.began = None;
        self.is_torn = false;
        Ok(())
    }

    /// Flushes the log to disk.
    pub(super) fn finish(&mut self) {
        // Fails on a device or a pipe, which need no flush.
        let _ = self.file.sync_all();
    }
}

/// Whether the last line of a file is incomplete. A device or a pipe has no last line.
fn ends_with_incomplete_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    let is_read = file.metadata().is_ok_and(|it| it.is_file())
        && file.seek(SeekFrom::End(-1)).is_ok()
        && file.read_exact(&mut last).is_ok();
    is_read && last != [b'\n']
}
