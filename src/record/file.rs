//! The recording file: appended to, cut to its ring from time to time, and whole at any moment but the last line.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::case::ticket_of;
use super::keep::{Kept, Ring};
use super::line::{LineError, parse_line, to_line};
use super::note::{Answer, Between, Note, Subject};
use super::writer::NoteStore;
use crate::model::Timestamp;

/// So many lines that are out of the ring are left in the file before it is cut.
const SLACK: usize = 256;

/// A file that cannot be recorded to.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refuses.
    #[error("cannot record to {file}: {reason}")]
    Io {
        /// The file.
        file: String,
        /// The system's words.
        reason: io::Error,
    },
    /// Another recorder is at it.
    #[error("{file} is written by another recorder; give each a file of its own")]
    Taken {
        /// The file.
        file: String,
    },
    /// It is something else.
    #[error("{file} is no recording, {reason}; give another file, or move it away")]
    NoRecording {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: LineError,
    },
}

/// Name of a file that takes the place of another when it is whole: what comes before the part that makes it the only
/// one, and what comes after.
fn name_of_fresh(path: &Path) -> (OsString, &'static str) {
    let mut before = OsString::from(".");
    before.push(path.file_name().unwrap_or_default());
    before.push(".");
    (before, ".part")
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes what recorders of this file were writing when they were killed. What cannot be removed does no harm.
fn remove_unfinished(path: &Path) {
    let (before, after) = name_of_fresh(path);
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

/// A recording that is written.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    file: File,
    /// Length of what is written whole.
    length: u64,
    next: u64,
    ring: Ring,
    /// Calls of the ring, the oldest first.
    held: VecDeque<(u64, Timestamp)>,
    /// Lines in the file that are out of the ring.
    left: usize,
    /// First call of this recorder; those before are of earlier ones.
    first: u64,
    /// Calls of this recorder that are out of the ring.
    left_out: u64,
    /// Whether it may be replaced by a shorter one: a device or a pipe may not.
    is_plain: bool,
    /// Number of a line that an earlier recorder had begun, and that was cut off.
    cut_off: Option<usize>,
}

impl RecordingFile {
    /// Opens a file to record to: a new one, or one that is continued. A last line that an earlier recorder did not
    /// finish is cut off.
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

    /// Number of a line that an earlier recorder had begun when it was ended, and that is cut off.
    #[must_use]
    pub const fn cut_off(&self) -> Option<usize> {
        self.cut_off
    }

    /// Takes up what is there.
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
            let (note, kept) = parse_line(&text).map_err(|kind| FileError::NoRecording {
                file: name.clone(),
                reason: LineError { line, kind },
            })?;
            self.next = self.next.max(note.call.saturating_add(1));
            if kept == Kept::InRing {
                self.held.push_back((note.call, note.time));
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
            // A half line would make the next one unreadable.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        written
    }

    /// Lets go of what is over the ring's count or age.
    fn shrink(&mut self, now: Timestamp) {
        let age = i64::try_from(self.ring.age.as_secs()).unwrap_or(i64::MAX);
        let oldest = now.seconds.saturating_sub(age);
        while let Some((call, time)) = self.held.front() {
            if self.held.len() <= self.ring.count && time.seconds >= oldest {
                break;
            }
            // What was written to a pipe stays written.
            self.left_out += u64::from(self.is_plain && *call >= self.first);
            self.held.pop_front();
            self.left += 1;
        }
    }

    /// Writes the file anew without what is out of the ring.
    fn cut(&mut self) -> io::Result<()> {
        if self.left == 0 || !self.is_plain {
            return Ok(());
        }
        let held: HashSet<u64> = self.held.iter().map(|(call, _)| *call).collect();
        let (before, after) = name_of_fresh(&self.path);
        let mut fresh = tempfile::Builder::new()
            .prefix(&before)
            .suffix(after)
            .tempfile_in(folder_of(&self.path))?;
        let mut length = 0;
        for line in BufReader::new(File::open(&self.path)?.take(self.length)).lines() {
            let line = line?;
            if is_left(&line, &held) {
                continue;
            }
            writeln!(fresh, "{line}")?;
            length += line.len() as u64 + 1;
        }
        fresh.as_file().sync_all()?;
        // Before it takes the place of the other: nobody finds it without a lock.
        fresh.as_file().try_lock()?;
        let mut file = fresh.persist(&self.path).map_err(|error| error.error)?;
        file.seek(SeekFrom::End(0))?;
        self.file = file;
        self.length = length;
        self.left = 0;
        Ok(())
    }
}

/// Whether a line was of the ring and is no more.
fn is_left(line: &str, held: &HashSet<u64>) -> bool {
    match parse_line(line) {
        Ok((note, Kept::InRing)) => !held.contains(&note.call),
        _ => false,
    }
}

/// Opens a file at its end; a new one is its owner's alone, as it holds what production holds.
fn appended(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.clone().read(true).open(path);
    // What can only be written to, such as a pipe.
    file.or_else(|_| options.open(path))
}

/// Whether the last line of a file has no end. A device or a pipe has no last line.
fn ends_within_a_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    let is_read = file.metadata().is_ok_and(|it| it.is_file())
        && file.seek(SeekFrom::End(-1)).is_ok()
        && file.read_exact(&mut last).is_ok();
    is_read && last != [b'\n']
}

impl NoteStore for RecordingFile {
    fn keep(&mut self, note: &Note, subject: Option<&Subject>, kept: Kept) -> io::Result<()> {
        let note = Note {
            call: self.next,
            ..note.clone()
        };
        self.append(&to_line(&note, subject, kept))?;
        self.next += 1;
        if kept == Kept::InRing {
            self.held.push_back((note.call, note.time));
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

/// A failure log that is written: a ticket for each command that a coordinator answered with a failure.
#[derive(Debug)]
pub struct TicketLog {
    file: File,
    /// Whether its last line has no end: the next ticket begins on a line of its own.
    is_torn: bool,
}

impl TicketLog {
    /// Opens a log to write to its end. What an earlier recorder did not finish stays as a line of its own: the log may be
    /// written by others too.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut file = appended(path).map_err(|reason| FileError::Io {
            file: path.display().to_string(),
            reason,
        })?;
        let is_torn = ends_within_a_line(&mut file);
        Ok(Self { file, is_torn })
    }

    /// Whether the log ended within a line when it was opened.
    #[must_use]
    pub const fn is_torn(&self) -> bool {
        self.is_torn
    }
}

impl TicketLog {
    /// Adds the ticket of a failed command; says whether the call was one.
    pub fn add(&mut self, note: &Note) -> io::Result<bool> {
        // Calls to logic make no ticket, and a client's command is accepted where there is a reply.
        let is_failed_command = note.between() == Some(Between::ClientAndCoordinator)
            && matches!(note.answer, Answer::Status(_));
        if !is_failed_command {
            return Ok(false);
        }
        let ticket = ticket_of(note).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "its command does not decode")
        })?;
        let start = if self.is_torn { "\n" } else { "" };
        let line = format!("{start}{}\n", ticket.to_line());
        self.is_torn = true;
        self.file.write_all(line.as_bytes())?;
        self.is_torn = false;
        Ok(true)
    }

    /// Makes all of it lasting.
    pub(super) fn finish(&mut self) {
        // A device or a pipe has nothing to make lasting.
        let _ = self.file.sync_all();
    }
}
