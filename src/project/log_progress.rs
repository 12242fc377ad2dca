//! How far the reading of logs has come.

use std::io::{self, Read};
use std::path::Path;

use super::Project;

/// How much of some logs has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBytes {
    /// Bytes that have been read.
    pub read: u64,
    /// How many there are, if that is known.
    pub of: Option<u64>,
}

/// Receives how much of some logs has been read, and nothing once they are done.
pub type LogWatcher = dyn Fn(Option<LogBytes>) + Send + Sync;

/// How far the reading of several logs has come. Reports it to whoever watches the project.
pub(crate) struct LogProgress<'p> {
    bytes: LogBytes,
    watch: Option<&'p LogWatcher>,
}

impl LogProgress<'_> {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes.read += bytes;
        if let Some(watch) = self.watch {
            watch(Some(self.bytes));
        }
    }
}

impl Drop for LogProgress<'_> {
    fn drop(&mut self) {
        if let Some(watch) = self.watch {
            watch(None);
        }
    }
}

#[doc(hidden)]
impl Project {
    /// Reports the progress whenever logs are read.
    pub fn watch_logs(&mut self, watch: Box<LogWatcher>) {
        self.log_watcher = Some(watch);
    }

    /// The progress of reading these files. The size of standard input and of pipes is not known.
    pub(crate) fn log_progress<'f>(
        &self,
        files: impl IntoIterator<Item = &'f Path>,
    ) -> LogProgress<'_> {
        let sizes = files.into_iter().map(|file| {
            let file = std::fs::metadata(file).ok()?;
            file.is_file().then_some(file.len())
        });
        LogProgress {
            bytes: LogBytes {
                read: 0,
                of: sizes.sum(),
            },
            watch: self.log_watcher.as_deref(),
        }
    }
}

/// A log whose reading is watched.
pub(crate) struct WatchedLog<'p, 'w, R> {
    pub(crate) log: R,
    pub(crate) progress: &'p mut LogProgress<'w>,
}

impl<R: Read> Read for WatchedLog<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.log.read(buffer)?;
        self.progress.add(bytes as u64);
        Ok(bytes)
    }
}
