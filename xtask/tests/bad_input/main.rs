//! Bad input at the command line: one clear message, the right exit code, nothing half written, no process left.
//!
//! What is said is held in full in `tests/said/`, a transcript a test; `UPDATE_SAID=1 cargo test -p xtask` writes
//! them again.

#![allow(clippy::unwrap_used, reason = "tests, and their helpers")]

mod audit;
mod cleaning;
mod commands;
mod config;
mod dialects;
mod editions;
mod files;
mod histories;
#[path = "../hostile/mod.rs"]
mod hostile;
mod later_revision;
mod logic;
mod logs;
mod notifications;
mod privacy;
mod recordings;
mod redaction;
mod replays;
mod roots;
mod selection;
mod servers;
mod serving;
mod support;
mod terminal;
mod tickets;
