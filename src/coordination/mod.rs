//! The rules that a coordinator applies to every command: what it refuses before the logic is asked, and which pages it
//! hides from the logic.
//!
//! Pure, and the only place for them: replay, capture and the local coordinator all use it. What differs between dialects
//! is a flag of [`crate::wire::Dialect`].

mod masking;
mod sequence;
mod validation;

pub use masking::{is_placeholder, masked};
pub use sequence::{is_held_to_head, sequence_mismatch};
pub use validation::{
    COMMAND_BYTES, COMMAND_PAGES, validate, validate_correlation_id, validate_size,
};
