//! The speculative coordinator: captured history in, the real business logic called once, nothing persisted.
//!
//! It has no way to persist: a [`Target`] answers stimuli, and what it answers goes back to the caller. Kinds of
//! case become steps here; targets answer them; neither knows the other. One target writes, into a coordinator's
//! store that is nobody's production ([`Isolated`]).

mod component;
mod engine;
pub mod flow;
mod isolated;
mod tapped;
mod target;

pub use component::{
    NewPages, reaction_without_echoes, replay_fact, replay_notification, replay_process,
    replay_projector, replay_saga, replay_upcaster,
};
pub use engine::{
    HistoryReplay, Note, OddPlace, Replay, replay_command, replay_history, shown_book,
    unknown_in_replies, without_echoes,
};
pub use isolated::{Isolated, IsolatedError, Noted, debug_edition};
pub use tapped::{Tap, Tapped};
pub use target::{GrpcTarget, InProcess, Target, TargetError, WithUpcaster};
