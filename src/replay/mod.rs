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
//! - `process`, `group`, `way`, `private_output`: started processes.

mod component;
mod engine;
pub mod flow;
mod group;
mod history;
mod isolated;
mod note;
mod private_output;
mod process;
mod settled;
mod shown;
mod tapped;
mod target;
mod way;

pub use component::{replay_fact, replay_process, replay_projector, replay_saga, replay_upcaster};
pub use engine::{Replay, replay_command, replay_notification};
pub(crate) use group::withhold;
pub use group::{LastOutput, end_started_logic_on_interrupt};
pub use history::{HistoryReplay, replay_history};
pub use isolated::{Isolated, IsolatedError, LeftoverRecorder, debug_edition};
pub use note::{OddPlace, ReplayNote, unknown_in_replies};
pub use private_output::{PrivateOutputError, private_output};
pub(crate) use process::free_port;
pub use process::{LaunchError, LogicCommand, StartedLogic};
pub use settled::{reaction_without_echoes, without_echoes};
pub use shown::shown_book;
pub use tapped::{Tap, Tapped};
pub use target::{GrpcTarget, InProcess, Target, TargetError, WithUpcaster};
pub use way::{OpenWay, WayCommand, WayError};
