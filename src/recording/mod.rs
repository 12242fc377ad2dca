//! A recording as a library call: a [`RecordRequest`] starts a recorder, which reports [`RecordProgress`] until it is stopped
//! and ends with its [`RecordResult`].
//!
//! Above `record`, which has no configuration: this module opens the redactor, the recording file and the failure log.
//! Prints nothing.

mod losses;
mod progress;
mod redaction;
mod running;

use std::path::{Path, PathBuf};

use crate::record::{Filter, KeepLimits, Ring};
use crate::wire::Dialect;
pub use losses::RecordLosses;
pub use progress::{RecordProgress, RecordWatcher};
pub use running::{RecordResult, RunningRecording, StopHandle};

/// What to record, and where.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    /// Where to listen, `HOST:PORT`.
    pub listen: String,
    /// The server that calls are passed on to, `HOST:PORT`.
    pub upstream: String,
    /// The recording; an existing one is continued. `-` is standard output.
    pub file: PathBuf,
    /// Where counters and health are shown, `HOST:PORT`.
    pub metrics: Option<String>,
    /// A failure log that receives a ticket for each command that a coordinator does not accept.
    pub tickets: Option<PathBuf>,
    /// How many accepted calls are kept, and for how long.
    pub ring: Ring,
    /// Limits of the recording and of the failure log, each.
    pub limits: KeepLimits,
    /// Accepted calls that are kept for good, within the limits.
    pub keep: Filter,
    /// The dialect of the calls, if several share a package; without it the newest is assumed.
    pub dialect: Option<Dialect>,
    /// Whether secrets and personal data may reach the file.
    pub is_unredacted: bool,
}

impl RecordRequest {
    /// Whether the recording goes to standard output.
    #[must_use]
    pub fn is_to_output(&self) -> bool {
        self.file == Path::new("-")
    }
}
