//! The recording file: lines are appended, and from time to time lines outside the ring are removed. At any moment every line
//! but the last is complete.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::call::{RecordedCall, Subject};
use super::keep::{KeepLimits, KeepMode, Ring};
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

/// A call in the file.
#[derive(Debug, Clone, Copy)]
struct HeldCall {
    number: u64,
    time: Timestamp,
    /// Where its line begins in the file, in bytes.
    start: u64,
    /// Bytes of its line, with the line break.
    size: u64,
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
    limits: KeepLimits,
    /// Calls in the ring, the oldest first.
    held: VecDeque<HeldCall>,
    /// Calls that are kept for good, within the limits, the oldest first.
    lasting: VecDeque<HeldCall>,
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
            limits: KeepLimits::NONE,
            held: VecDeque::new(),
            lasting: VecDeque::new(),
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

    /// Limits everything that is kept, failures too.
    #[must_use]
    pub const fn with_limits(mut self, limits: KeepLimits) -> Self {
        self.limits = limits;
        self
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
            let held = HeldCall {
                number: call.number,
                time: call.time,
                start: length - count as u64,
                size: count as u64,
            };
            match kept {
                KeepMode::InRing => self.held.push_back(held),
                KeepMode::Always => self.lasting.push_back(held),
            }
        }
        self.length = length;
        self.file.set_len(length).map_err(failed)
    }

    /// Another program changed the file: finds the lines of the held calls in it.
    fn find_again(&mut self) -> io::Result<()> {
        let held: HashSet<u64> = [&mut self.held, &mut self.lasting]
            .into_iter()
            .flat_map(std::mem::take)
            .map(|call| call.number)
            .collect();
        self.continued().map_err(io::Error::other)?;
        self.held.retain(|call| held.contains(&call.number));
        self.lasting.retain(|call| held.contains(&call.number));
        Ok(())
    }

    const fn lines_of(&mut self, kept: KeepMode) -> &mut VecDeque<HeldCall> {
        match kept {
            KeepMode::InRing => &mut self.held,
            KeepMode::Always => &mut self.lasting,
        }
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        let written = self.file.write_all(line.as_bytes());
        if written.is_ok() {
            self.length += line.len() as u64;
        } else if self.is_plain {
            // An incomplete line would make the next one unreadable.
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
        }
        written
    }

    /// Evicts calls that exceed the ring's count or age, or the limits.
    fn shrink(&mut self, now: Timestamp) {
        let age = i64::try_from(self.ring.age.as_secs()).unwrap_or(i64::MAX);
        let oldest_of_all = self.limits.oldest(now).unwrap_or(i64::MIN);
        let oldest = now.seconds.saturating_sub(age).max(oldest_of_all);
        while let Some(call) = self.held.front() {
            if self.held.len() <= self.ring.count && call.time.seconds >= oldest {
                break;
            }
            self.evict(KeepMode::InRing);
        }
        let is_too_old = |call: &HeldCall| call.time.seconds < oldest_of_all;
        while self.lasting.front().is_some_and(is_too_old) {
            self.evict(KeepMode::Always);
        }
        if self.is_too_large() {
            self.halve();
        }
    }

    /// Evicts calls until half of the limit is free, so that the file is not rewritten for each call: accepted ones first.
    fn halve(&mut self) {
        let all = self.held.iter().chain(&self.lasting);
        let mut size: u64 = all.map(|call| call.size).sum();
        for kept in [KeepMode::InRing, KeepMode::Always] {
            while size > self.limits.bytes / 2 {
                let Some(call) = self.evict(kept) else { break };
                size -= call.size;
            }
        }
    }

    fn evict(&mut self, kept: KeepMode) -> Option<HeldCall> {
        let call = self.lines_of(kept).pop_front()?;
        // Lines in a pipe cannot be removed.
        self.left_out += u64::from(self.is_plain && call.number >= self.first);
        self.left += 1;
        Some(call)
    }

    const fn is_too_large(&self) -> bool {
        self.is_plain && self.length > self.limits.bytes
    }

    /// Rewrites the file without the evicted lines.
    fn cut(&mut self) -> io::Result<()> {
        if self.left == 0 || !self.is_plain {
            return Ok(());
        }
        if self.file.metadata()?.len() != self.length {
            self.find_again()?;
        }
        let (before, after) = temporary_name(&self.path);
        let mut fresh = tempfile::Builder::new()
            .prefix(&before)
            .suffix(after)
            .tempfile_in(folder_of(&self.path))?;
        let runs = runs(&self.held, &self.lasting);
        let mut old = File::open(&self.path)?;
        let mut length = 0;
        for run in &runs {
            let size = run.end - run.start;
            old.seek(SeekFrom::Start(run.start))?;
            let copied = io::copy(&mut (&mut old).take(size), fresh.as_file_mut())?;
            if copied < size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            length += size;
        }
        fresh.as_file().sync_all()?;
        // Locked before it replaces the old file, so that it is never found without a lock.
        fresh.as_file().try_lock()?;
        let mut file = fresh.persist(&self.path).map_err(|error| error.error)?;
        file.seek(SeekFrom::End(0))?;
        self.file = file;
        self.length = length;
        self.left = 0;
        for calls in [&mut self.held, &mut self.lasting] {
            move_up(calls, &runs);
        }
        Ok(())
    }
}

/// The parts of the file that hold lines of these calls and nothing else, in the order of the file.
fn runs(held: &VecDeque<HeldCall>, lasting: &VecDeque<HeldCall>) -> Vec<Range<u64>> {
    let mut calls: Vec<&HeldCall> = held.iter().chain(lasting).collect();
    calls.sort_unstable_by_key(|call| call.start);
    let mut runs: Vec<Range<u64>> = Vec::new();
    for call in calls {
        match runs.last_mut() {
            Some(run) if run.end == call.start => run.end += call.size,
            _ => runs.push(call.start..call.start + call.size),
        }
    }
    runs
}

/// Corrects the positions of calls after all other parts of the file were removed.
fn move_up(calls: &mut VecDeque<HeldCall>, runs: &[Range<u64>]) {
    let mut new_starts = Vec::with_capacity(runs.len());
    let mut length = 0;
    for run in runs {
        new_starts.push(length);
        length += run.end - run.start;
    }
    for call in calls {
        let after = runs.partition_point(|run| run.start <= call.start);
        if let Some(at) = after.checked_sub(1) {
            call.start = new_starts[at] + (call.start - runs[at].start);
        }
    }
}

/// Opens a file for appending. Only the owner can read a new file, because it contains production data.
pub(super) fn appended(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.clone().read(true).open(path);
    // A pipe, for example, can only be written.
    file.or_else(|_| options.open(path))
}

impl CallStore for RecordingFile {
    fn keep(
        &mut self,
        call: &RecordedCall,
        subject: Option<&Subject>,
        kept: KeepMode,
    ) -> io::Result<()> {
        let number = self.next;
        let mut line = to_line(call, number, subject, kept);
        line.push('\n');
        let start = self.length;
        self.append(&line)?;
        self.next += 1;
        // What is written to a pipe is not held.
        if self.is_plain || kept == KeepMode::InRing {
            let held = HeldCall {
                number,
                time: call.time,
                start,
                size: line.len() as u64,
            };
            self.lines_of(kept).push_back(held);
        }
        Ok(())
    }

    fn expire(&mut self, now: Timestamp) -> io::Result<()> {
        self.shrink(now);
        let held = self.held.len() + self.lasting.len();
        if self.left > SLACK.max(held) || self.is_too_large() {
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
