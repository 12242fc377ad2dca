//! How far reading has come that may take long: logs, recordings, event stores.

use std::io::{self, Read};
use std::path::Path;

use super::Project;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// Bytes of logs.
    Logs,
    /// Bytes of recordings.
    Recordings,
    /// Events of an event store.
    StoredEvents,
}

/// How much has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAmount {
    /// What is counted.
    pub kind: ReadKind,
    /// How much has been read.
    pub read: u64,
    /// How much there is, if that is known.
    pub of: Option<u64>,
}

/// Receives how much has been read, and nothing once that is done.
pub type ReadingWatcher = dyn Fn(Option<ReadAmount>) + Send + Sync;

/// How far something has been read. Reports it to whoever watches the project.
pub(crate) struct ReadingProgress<'p> {
    amount: ReadAmount,
    watch: Option<&'p ReadingWatcher>,
}

impl ReadingProgress<'_> {
    pub(crate) fn add(&mut self, more: u64) {
        self.amount.read += more;
        if let Some(watch) = self.watch {
            watch(Some(self.amount));
        }
    }
}

impl Drop for ReadingProgress<'_> {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            watch(None);
        }
    }
}

#[doc(hidden)]
impl Project {
    /// Reports the progress whenever something is read that may take long.
    pub fn watch_reading(&mut self, watch: Box<ReadingWatcher>) {
        self.reading_watcher = Some(watch);
    }

    /// The progress of reading these files. The size of standard input and of pipes is not known.
    pub(crate) fn file_progress<'f>(
        &self,
        kind: ReadKind,
        files: impl IntoIterator<Item = &'f Path>,
    ) -> ReadingProgress<'_> {
        let sizes = files.into_iter().map(|file| {
            let file = std::fs::metadata(file).ok()?;
            file.is_file().then_some(file.len())
        });
        self.progress(kind, sizes.sum())
    }

    /// The progress of reading an event store. It cannot cheaply be asked how many events it has.
    pub(crate) fn event_progress(&self) -> ReadingProgress<'_> {
        self.progress(ReadKind::StoredEvents, None)
    }

    fn progress(&self, kind: ReadKind, of: Option<u64>) -> ReadingProgress<'_> {
        ReadingProgress {
            amount: ReadAmount { kind, read: 0, of },
            watch: self.reading_watcher.as_deref(),
        }
    }
}

/// A file whose reading is watched.
pub(crate) struct WatchedFile<'p, 'w, R> {
    pub(crate) file: R,
    pub(crate) progress: &'p mut ReadingProgress<'w>,
}

impl<R: Read> Read for WatchedFile<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.progress.add(bytes as u64);
        Ok(bytes)
    }
}
