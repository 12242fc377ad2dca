//! The recorder: what it passes on, what it notes, and what becomes of that.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod files;
mod losses;
mod passing;
mod recorded;
mod redaction;
mod statuses;
mod support;
