//! What a capture reports while it runs.

use super::distinct::CapturedBug;
use crate::capture::FailureGroup;
use crate::model::Cover;

/// Something that happens before a capture is done.
pub enum Progress<'a> {
    /// A history is being read.
    Reading {
        /// Whose.
        cover: &'a Cover,
        /// How many events have been read.
        events: usize,
    },
    /// The history has been read, or cannot be.
    Read,
    /// A line of a log that looks like a failure and is not usable, and why.
    PassedOver(&'a str),
    /// Something about a file that is worth knowing.
    Remark(String),
    /// One of several bugs is being captured.
    Bug {
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
        /// The bug.
        bug: &'a FailureGroup,
        /// Its message, where it may be shown.
        message: Option<&'a str>,
    },
    /// One of several bugs is done.
    BugDone(&'a CapturedBug),
}

/// Whoever is told.
pub type CaptureWatcher<'a> = dyn FnMut(Progress<'_>) + 'a;
