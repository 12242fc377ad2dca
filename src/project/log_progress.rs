//! How far the reading of logs has come.

use std::io::{self, Read};
use std::path::Path;

/// Receives how many bytes of logs have been read, and how many there are if that is known.
pub type LogWatcher<'a> = dyn FnMut(u64, Option<u64>) + 'a;

/// How far the reading of several logs has come.
pub(crate) struct LogProgress<'w, 'a> {
    read: u64,
    of: Option<u64>,
    watch: Option<&'w mut LogWatcher<'a>>,
}

impl<'w, 'a> LogProgress<'w, 'a> {
    /// Of files. The size of standard input and of pipes is not known.
    pub(crate) fn of<'p>(
        files: impl IntoIterator<Item = &'p Path>,
        watch: &'w mut LogWatcher<'a>,
    ) -> Self {
        let sizes = files.into_iter().map(|file| {
            let file = std::fs::metadata(file).ok()?;
            file.is_file().then_some(file.len())
        });
        Self {
            read: 0,
            of: sizes.sum(),
            watch: Some(watch),
        }
    }

    /// Reading that nobody watches.
    pub(crate) const fn unwatched() -> Self {
        Self {
            read: 0,
            of: None,
            watch: None,
        }
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.read += bytes as u64;
        if let Some(watch) = &mut self.watch {
            watch(self.read, self.of);
        }
    }
}

/// A log whose reading is watched.
pub(crate) struct WatchedLog<'p, 'w, 'a, R> {
    pub(crate) log: R,
    pub(crate) progress: &'p mut LogProgress<'w, 'a>,
}

impl<R: Read> Read for WatchedLog<'_, '_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.log.read(buffer)?;
        self.progress.add(bytes);
        Ok(bytes)
    }
}
