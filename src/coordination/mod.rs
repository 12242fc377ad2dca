//! The rules that a coordinator applies: what it refuses before the logic is asked, which pages it hides from the logic,
//! and what it makes of the reply.
//!
//! Pure, and the only place for them: replay, capture and the local coordinator all use it. What differs between dialects
//! is a flag of [`crate::wire::Rules`].

mod effect;
mod masking;
mod sequence;
mod validation;

pub use effect::{
    Conflict, Effect, addressee, effect, foreign_reply, named_elsewhere, next_after, placed,
    take_out_echoes,
};
pub use masking::{is_placeholder, masked};
pub use sequence::{is_held_to_head, sequence_mismatch};
pub use validation::{
    COMMAND_BYTES, COMMAND_PAGES, validate, validate_correlation_id, validate_size,
};
