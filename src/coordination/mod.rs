//! The rules of a coordinator: which commands it refuses before it calls the logic, which pages it hides from the logic,
//! and how it processes the reply.
//!
//! Pure functions, shared by replay, capture and the local coordinator. Differences between dialects are flags of
//! [`crate::wire::Rules`].

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
