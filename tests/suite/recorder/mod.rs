//! The recorder: what it passes on, what it notes, and what becomes of that.
mod cases;
mod files;
mod losses;
mod passing;
mod recorded;
mod redaction;
mod statuses;
mod support;
