//! Bad input at the command line: one clear message, the right exit code, nothing half written, no process left.
//!
//! What is said is held in full, a transcript a test, in `snapshots/`; `cargo insta review` shows what changed.

mod audit;
mod cleaning;
pub(crate) mod commands;
mod config;
mod dialects;
pub(crate) mod editions;
mod files;
mod histories;
mod intended;
mod later_revision;
pub(crate) mod logic;
mod logs;
mod notifications;
mod privacy;
pub(crate) mod recordings;
mod redaction;
mod replays;
mod roots;
mod selection;
mod servers;
mod serving;
mod terminal;
mod tickets;
