//! What Angzarr says, in plain types: the model, the messages of every dialect, failure tickets.
//!
//! An internal part of `angzarr-replay` and `angzarr-failure-tickets`: its items change without notice.

pub mod model;
pub mod ticket;
pub mod wire;
