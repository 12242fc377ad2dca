//! The system's notices that something in a folder changed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use notify::{ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher, recommended_watcher};

use super::WatchError;
use crate::project::Project;

/// A change is complete once nothing more happens for so long: an editor writes a file in several steps.
const QUIET: Duration = Duration::from_millis(50);
/// How often to wait for quiet in a folder where something is always written.
const PATIENCE: usize = 10;

/// Notices about some folders.
pub(super) struct Notices {
    watcher: RecommendedWatcher,
    /// One notice stands for any number of changes.
    changes: Receiver<()>,
    folders: BTreeSet<PathBuf>,
}

impl Notices {
    pub(super) fn new() -> Result<Self, WatchError> {
        let (sender, changes) = sync_channel(1);
        let watcher = recommended_watcher(move |event: notify::Result<Event>| {
            // Reading changes nothing, and we read the folders ourselves.
            let is_reading = event.is_ok_and(|event| event.kind.is_access());
            if !is_reading {
                let _ = sender.try_send(());
            }
        });
        Ok(Self {
            watcher: watcher.map_err(|error| WatchError::NoNotices(words(&error)))?,
            changes,
            folders: BTreeSet::new(),
        })
    }

    /// Listens in these folders, and no others.
    pub(super) fn listen_in(&mut self, folders: &BTreeSet<PathBuf>) -> Result<(), WatchError> {
        for gone in self.folders.difference(folders) {
            // It fails for a folder that was deleted, which is no longer watched anyway.
            let _ = self.watcher.unwatch(gone);
        }
        for folder in folders {
            // Known folders too: the path may lead to a new folder by now.
            match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Err(error) if !is_gone(&error) => {
                    return Err(WatchError::Folder {
                        folder: Project::shown(folder),
                        reason: words(&error),
                    });
                }
                _ => {}
            }
        }
        self.folders.clone_from(folders);
        Ok(())
    }

    /// Waits until something changed in these folders, and is complete.
    pub(super) fn wait(&self) -> Result<(), WatchError> {
        let stopped = || WatchError::NoNotices("the system sends no more notices".to_owned());
        self.changes.recv().map_err(|_| stopped())?;
        for _ in 0..PATIENCE {
            match self.changes.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(stopped()),
            }
        }
        Ok(())
    }
}

fn is_gone(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn words(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::MaxFilesWatch => {
            "the system's limit is reached; raise fs.inotify.max_user_watches, or name fewer files with `watch`".to_owned()
        }
        ErrorKind::Io(error) => crate::terminal::words(error),
        _ => error.to_string(),
    }
}
