//! What a capture reports while it runs.

use super::distinct::CapturedBug;
use crate::capture::FailureGroup;
use crate::model::Cover;

/// Something that happens before a capture is done.
pub enum Progress<'a> {
    /// A history is being read.
    Reading {
        /// The aggregate.
        cover: &'a Cover,
        /// How many events have been read.
        events: usize,
    },
    /// The history has been read, or cannot be.
    Read,
    /// A line of a log that looks like a failure and is not usable, with the reason.
    PassedOver(&'a str),
    /// A remark about a file.
    Remark(String),
    /// One of several bugs is being captured.
    Bug {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The bug.
        bug: &'a FailureGroup,
        /// Its message, if it may be shown.
        message: Option<&'a str>,
    },
    /// One of several bugs is done.
    BugDone(&'a CapturedBug),
}

/// Receives the progress of a capture.
pub type CaptureWatcher<'a> = dyn FnMut(Progress<'_>) + 'a;
