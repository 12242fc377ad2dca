//! The speculative coordinator: captured history in, the real business logic called once, nothing persisted.
//!
//! It has no way to persist anything: a [`Target`] answers stimuli, and its answers go back to the caller. Kinds of case
//! become steps here and targets answer them; neither knows the other. One target does write, but only into a store
//! that is not production's ([`Isolated`]).
//!
//! - `engine`, `component`, `history`: the steps; `shown`: the history that the logic is shown; `settled`: what becomes of
//!   emitted events; `note`: what the reader should know about a step.
//! - `flow`: a whole workflow, step by step.
//! - `target`, `isolated`, `tapped`: what answers.

mod component;
mod engine;
pub mod flow;
mod history;
mod isolated;
mod note;
mod settled;
mod shown;
mod tapped;
mod target;

pub use component::{replay_fact, replay_process, replay_projector, replay_saga, replay_upcaster};
pub use engine::{Replay, replay_command, replay_notification};
pub use history::{HistoryReplay, replay_history};
pub use isolated::{Isolated, IsolatedError, LeftoverRecorder, StoredDifference, debug_edition};
pub use note::{OddPlace, ReplayNote, unknown_in_replies};
pub use settled::{reaction_without_echoes, without_echoes};
pub use shown::shown_book;
pub use tapped::{Tap, Tapped};
pub use target::{GrpcTarget, InProcess, Target, TargetError, WithUpcaster};
