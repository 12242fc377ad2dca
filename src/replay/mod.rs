//! The speculative coordinator: captured history in, the real business logic called once, nothing persisted.
//!
//! It has no way to persist: a [`Target`] answers stimuli, and what it answers goes back to the caller. Kinds of
//! case become steps here; targets answer them; neither knows the other.

mod engine;
mod process;
mod target;

pub use engine::{HistoryReplay, Note, Replay, replay_command, replay_history, shown_book};
pub use process::{
    LaunchError, LogicCommand, StartedLogic, end_started_logic_on_interrupt, give_way_to_interrupt,
};
pub use target::{GrpcTarget, InProcess, Target, TargetError};
