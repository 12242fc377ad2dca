//! Angzarr's protocol in plain Rust types: the model, the messages of every dialect, and failure tickets.
//!
//! An internal part of `angzarr-replay` and `angzarr-failure-tickets`: its API may change without notice.

pub mod model;
pub mod ticket;
pub mod wire;
