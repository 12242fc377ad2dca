//! Payloads described at run time, and what is taken out of them before anything is written.
//!
//! An internal part of `angzarr-replay` and `angzarr-failure-tickets`: its items change without notice.

pub mod files;
pub mod payload;
pub mod redact;

use angzarr_replay_wire::{model, ticket, wire};
