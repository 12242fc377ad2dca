//! The speculative coordinator: captured history in, the real business logic called once, nothing persisted.
//!
//! It has no way to persist: a [`Target`] answers stimuli, and what it answers goes back to the caller. Kinds of
//! case become steps here; targets answer them; neither knows the other.

mod engine;
pub mod flow;
mod group;
mod process;
mod target;

pub use engine::{HistoryReplay, Note, Replay, replay_command, replay_history, shown_book};
pub use group::{LastOutput, end_started_logic_on_interrupt};
pub(crate) use process::free_port;
pub use process::{LaunchError, LogicCommand, StartedLogic};
pub use target::{GrpcTarget, InProcess, Target, TargetError, WithUpcaster};
