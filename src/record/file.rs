//! The recording file: lines are appended, and from time to time lines outside the ring are removed. At any moment every line
//! but the last is complete.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::call::{Answer, Link, RecordedCall, Subject};
use super::case::ticket_of;
use super::keep::{KeepMode, Ring};
use super::line::{RecordingLineError, parse_line, to_line};
use super::writer::CallStore;
use crate::model::Timestamp;

/// How many evicted lines may stay in the file before it is rewritten.
const SLACK: usize = 256;

/// A file that cannot be recorded to.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// An I/O error.
    #[error("cannot record to {file}: {reason}")]
    Io {
        /// The file.
        file: String,
        /// The I/O error.
        reason: io::Error,
    },
    /// Another recorder writes it.
    #[error("{file} is written by another recorder; give each a file of its own")]
    Taken {
        /// The file.
        file: String,
    },
    /// It is not a recording.
    #[error("{file} is not a recording, {reason}; name another file, or move this one away")]
    NotARecording {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: RecordingLineError,
    },
}

/// Prefix and suffix of the temporary file that replaces the recording when it is complete.
fn temporary_name(path: &Path) -> (OsString, &'static str) {
    let mut before = OsString::from(".");
    before.push(path.file_name().unwrap_or_default());
    before.push(".");
    (before, ".part")
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes the temporary files of recorders that were killed. Errors are ignored, because such a file does no harm.
fn remove_unfinished(path: &Path) {
    let (before, after) = temporary_name(path);
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(before.as_encoded_bytes()) && name.ends_with(after.as_bytes()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A recording that is being written.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    /// Length of the complete lines.
    length: u64,
    next: u64,
    ring: Ring,
    /// Calls in the ring, the oldest first.
    held: VecDeque<(u64, Timestamp)>,
    /// Number of evicted lines that are still in the file.
    left: usize,
    /// First call of this recorder; earlier recorders wrote the calls before it.
    first: u64,
    /// Number of calls of this recorder that were evicted from the ring.
    left_out: u64,
    /// Whether the file can be replaced by a shorter one; a device or a pipe cannot.
    is_plain: bool,
    /// Number of an incomplete line of an earlier recorder, which was cut off.
    cut_off: Option<usize>,
}

impl RecordingFile {
    /// Opens a new recording, or continues an existing one. An incomplete last line is cut off.
    pub fn open(path: &Path, ring: Ring) -> Result<Self, FileError> {
        let failed = |reason| FileError::Io {
            file: path.display().to_string(),
            reason,
        };
        let file = appended(path).map_err(failed)?;
        let is_plain = file.metadata().map_err(failed)?.is_file();
        let mut recording = Self {
            path: path.to_owned(),
            file,
            length: 0,
            next: 1,
            ring,
            held: VecDeque::new(),
            left: 0,
            first: 1,
            left_out: 0,
            is_plain,
            cut_off: None,
        };
        if is_plain {
            if recording.file.try_lock().is_err() {
                return Err(FileError::Taken {
                    file: path.display().to_string(),
                });
            }
            remove_unfinished(path);
            recording.continued()?;
            recording.first = recording.next;
        }
        Ok(recording)
    }

    /// Number of an incomplete line of an earlier recorder, which was cut off.
    #[must_use]
    pub const fn cut_off(&self) -> Option<usize> {
        self.cut_off
    }

    /// Reads the existing lines.
    fn continued(&mut self) -> Result<(), FileError> {
        let name = self.path.display().to_string();
        let failed = |reason| FileError::Io {
            file: name.clone(),
            reason,
        };
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut reader = BufReader::new(&self.file);
        let mut bytes = Vec::new();
        let mut length = 0;
        for line in 1.. {
            bytes.clear();
            let count = reader.read_until(b'\n', &mut bytes).map_err(failed)?;
            if bytes.last() != Some(&b'\n') {
                self.cut_off = (count > 0).then_some(line);
                break;
            }
            length += count as u64;
            let text = String::from_utf8_lossy(&bytes);
            if text.trim().is_empty() {
                continue;
            }
            let (call, kept) = parse_line(&text).map_err(|kind| FileError::NotARecording {
                file: name.clone(),
                reason: RecordingLineError { line, kind },
            })?;
            self.next = self.next.max(call.number.saturating_add(1));
            if kept == KeepMode::InRing {
                self.held.push_back((call.number, call.time));
            }
        }
        self.length = length;
        self.file.set_len(length).map_err(failed)
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let mut text = line.to_owned();
        text.push('\n');
        let written = self.file.write_all(text.as_bytes());
        if written.is_ok() {
            self.length += text.len() as u64;
        } else if self.is_plain {
            // An incomplete line would make the next one unreadable.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        written
    }

    /// Evicts calls that exceed the ring's count or age.
    fn shrink(&mut self, now: Timestamp) {
        let age = i64::try_from(self.ring.age.as_secs()).unwrap_or(i64::MAX);
        let oldest = now.seconds.saturating_sub(age);
        while let Some((call, time)) = self.held.front() {
            if self.held.len() <= self.ring.count && time.seconds >= oldest {
                break;
            }
            // Lines in a pipe cannot be removed.
            self.left_out += u64::from(self.is_plain && *call >= self.first);
            self.held.pop_front();
            self.left += 1;
        }
    }

    /// Rewrites the file without the evicted lines.
    fn cut(&mut self) -> io::Result<()> {
        if self.left == 0 || !self.is_plain {
            return Ok(());
        }
        let held: HashSet<u64> = self.held.iter().map(|(call, _)| *call).collect();
        let (before, after) = temporary_name(&self.path);
        let mut fresh = tempfile::Builder::new()
            .prefix(&before)
            .suffix(after)
            .tempfile_in(folder_of(&self.path))?;
        let mut length = 0;
        for line in BufReader::new(File::open(&self.path)?.take(self.length)).lines() {
            let line = line?;
            if was_evicted(&line, &held) {
                continue;
            }
            writeln!(fresh, "{line}")?;
            length += line.len() as u64 + 1;
        }
        fresh.as_file().sync_all()?;
        // Locked before it replaces the old file, so that it is never found without a lock.
        fresh.as_file().try_lock()?;
        let mut file = fresh.persist(&self.path).map_err(|error| error.error)?;
        file.seek(SeekFrom::End(0))?;
        self.file = file;
        self.length = length;
        self.left = 0;
        Ok(())
    }
}

/// Whether a line was evicted from the ring.
fn was_evicted(line: &str, held: &HashSet<u64>) -> bool {
    match parse_line(line) {
        Ok((call, KeepMode::InRing)) => !held.contains(&call.number),
        _ => false,
    }
}

/// Opens a file for appending. Only the owner can read a new file, because it contains production data.
fn appended(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.clone().read(true).open(path);
    // A pipe, for example, can only be written.
    file.or_else(|_| options.open(path))
}

/// Whether the last line of a file is incomplete. A device or a pipe has no last line.
fn ends_with_incomplete_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    let is_read = file.metadata().is_ok_and(|it| it.is_file())
        && file.seek(SeekFrom::End(-1)).is_ok()
        && file.read_exact(&mut last).is_ok();
    is_read && last != [b'\n']
}

impl CallStore for RecordingFile {
    fn keep(
        &mut self,
        call: &RecordedCall,
        subject: Option<&Subject>,
        kept: KeepMode,
    ) -> io::Result<()> {
        let call = RecordedCall {
            number: self.next,
            ..call.clone()
        };
        self.append(&to_line(&call, subject, kept))?;
        self.next += 1;
        if kept == KeepMode::InRing {
            self.held.push_back((call.number, call.time));
        }
        Ok(())
    }

    fn expire(&mut self, now: Timestamp) -> io::Result<()> {
        self.shrink(now);
        if self.left > SLACK.max(self.held.len()) {
            self.cut()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.cut()?;
        if self.is_plain {
            self.file.sync_all()?;
        }
        Ok(())
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Writes a failure log: a ticket for each command that a coordinator answered with a failure.
#[derive(Debug)]
pub struct FailureLogWriter {
    file: File,
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
        Ok(Self { file, is_torn })
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
        let start = if self.is_torn { "\n" } else { "" };
        let line = format!("{start}{}\n", ticket.to_line());
        self.is_torn = true;
        self.file.write_all(line.as_bytes())?;
        self.is_torn = false;
        Ok(true)
    }

    /// Flushes the log to disk.
    pub(super) fn finish(&mut self) {
        // Fails on a device or a pipe, which need no flush.
        let _ = self.file.sync_all();
    }
}
