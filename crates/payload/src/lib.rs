//! Payload descriptors, the conversion of payloads to readable values and back, and redaction.
//!
//! An internal part of `angzarr-replay` and `angzarr-failure-tickets`: its items change without notice.

pub mod files;
pub mod payload;
pub mod redact;

use angzarr_replay_wire::{model, ticket, wire};
