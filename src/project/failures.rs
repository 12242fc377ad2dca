//! The known failures of a source, from its failure logs and from logs of other programs.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::reading::{ReadKind, ReadingProgress, WatchedFile};
use super::{EMBEDDED, Project, SourceConfig, SourceError, TicketLog};
use crate::capture::{LineError, LocalTime, LogReading, Logged, LoggedFailure};
use crate::plain;
use crate::ticket::Ticket;

/// Longer lines are skipped, because a line is read into memory as a whole.
const LONGEST_LINE: u64 = 16 << 20;

/// A failure, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureEntry {
    /// The file, as it is shown.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The ticket or failure on that line.
    pub logged: Logged,
    /// When it happened by the local clock of the log, if the log gives no time zone.
    pub local: Option<LocalTime>,
    /// Trace id of the record, as 32 hex digits, if the log has it.
    pub trace_id: Option<String>,
}

/// Failures in the order of their logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// The failures.
    pub entries: Vec<FailureEntry>,
    /// Lines that look like a failure but are not usable, as `FILE:LINE: REASON`.
    pub unusable: Vec<String>,
    /// Number of lines that were read.
    pub lines: usize,
}

impl Failures {
    /// The tickets among them.
    #[must_use]
    pub fn tickets(&self) -> Vec<Ticket> {
        let tickets = self.entries.iter().filter_map(|entry| match &entry.logged {
            Logged::Ticket(ticket) => Some(ticket.clone()),
            Logged::Failure(_) => None,
        });
        tickets.collect()
    }

    /// The failures without a command among them.
    pub fn without_command(&self) -> impl Iterator<Item = (&FailureEntry, &LoggedFailure)> {
        self.entries.iter().filter_map(|entry| match &entry.logged {
            Logged::Failure(failure) => Some((entry, failure)),
            Logged::Ticket(_) => None,
        })
    }

    /// Reads a log that may contain other lines too. Invalid UTF-8 is replaced.
    pub fn read(&mut self, log: impl std::io::Read, file: &str) -> std::io::Result<()> {
        let entries = &mut self.entries;
        let (lines, unusable) =
            each_failure(log, file, usize::MAX, &mut |entry| entries.push(entry))?;
        self.lines += lines;
        self.unusable.extend(unusable);
        Ok(())
    }

    /// Reads a log file.
    pub(crate) fn read_file(
        &mut self,
        path: &Path,
        progress: &mut ReadingProgress<'_>,
    ) -> Result<(), SourceError> {
        let file = Project::shown(path);
        let log = std::fs::File::open(path);
        let read = log.and_then(|log| {
            self.read(
                WatchedFile {
                    file: log,
                    progress,
                },
                &file,
            )
        });
        read.map_err(|reason| SourceError::UnreadableLog { file, reason })
    }

    /// Adds the entries of a failure log.
    pub(crate) fn add(&mut self, log: &TicketLog) {
        self.entries.extend(log.entries());
        self.unusable.extend(log.unusable());
    }

    /// Reads the failure logs and program logs of a source.
    pub(super) fn of_source(
        config: &SourceConfig,
        progress: &mut ReadingProgress<'_>,
    ) -> Result<Self, SourceError> {
        let mut failures = Self::default();
        for path in &config.tickets {
            failures.add(&TicketLog::read(path)?);
            progress.add(std::fs::metadata(path).map_or(0, |file| file.len()));
        }
        for path in &config.logs {
            failures.read_file(path, progress)?;
        }
        Ok(failures)
    }
}

/// Reads a log that may contain other lines too, and passes on each failure when it is read. Returns the number of lines,
/// and the first `most` of those that look like a failure but are not usable, as `FILE:LINE: REASON`.
pub(crate) fn each_failure(
    log: impl Read,
    file: &str,
    most: usize,
    found: &mut dyn FnMut(FailureEntry),
) -> std::io::Result<(usize, Vec<String>)> {
    let mut reading = LogReading::default();
    let mut log = plain::of(log)?;
    let mut line = Vec::new();
    let mut pass_on = |reading: &mut LogReading| {
        for (position, (line, logged)) in (0..).zip(std::mem::take(&mut reading.found)) {
            found(FailureEntry {
                file: file.to_owned(),
                line,
                logged,
                local: reading.local.remove(&position),
                trace_id: reading.traces.remove(&position),
            });
        }
    };
    while log
        .by_ref()
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)?
        > 0
    {
        let is_whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE;
        if is_whole {
            let text = String::from_utf8_lossy(&line);
            // Trailing blanks may be part of a message that was cut off.
            reading.read_line(text.trim_end_matches(['\n', '\r']));
        } else {
            reading.pass_over(LineError::TooLong {
                mebibytes: LONGEST_LINE >> 20,
            });
            skip_line(&mut log)?;
        }
        pass_on(&mut reading);
        reading.unusable.truncate(most);
        line.clear();
    }
    reading.finish();
    pass_on(&mut reading);
    let unusable = reading.unusable.into_iter();
    let unusable = unusable.map(|(line, reason)| format!("{file}:{line}: {reason}"));
    Ok((reading.lines, unusable.collect()))
}

/// Skips the rest of a line.
fn skip_line(log: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let bytes = log.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |end| end + 1);
        log.consume(length);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[doc(hidden)]
impl Project {
    /// The known failures of a source. Makes no connection.
    pub fn failures(&self, source: Option<&str>) -> Result<Failures, SourceError> {
        let name = self.source_name(source)?;
        let Some(config) = self.config.sources.get(&name) else {
            return Ok(self.embedded_failures());
        };
        let files = config.tickets.iter().chain(&config.logs);
        let mut progress = self.file_progress(ReadKind::Logs, files.map(PathBuf::as_path));
        Failures::of_source(config, &mut progress)
    }

    fn embedded_failures(&self) -> Failures {
        let tickets = self
            .app
            .embedded
            .map_or_else(Vec::new, |embedded| embedded().tickets());
        let entries = (1..).zip(tickets).map(|(line, ticket)| FailureEntry {
            file: EMBEDDED.to_owned(),
            line,
            logged: Logged::Ticket(ticket),
            local: None,
            trace_id: None,
        });
        Failures {
            entries: entries.collect(),
            ..Failures::default()
        }
    }
}
