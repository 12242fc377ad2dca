//! Flows: a workflow across domains, replayed on an edition in memory.
//!
//! A flow begins with one stimulus. What it leads to is delivered as coordinators and the bus would, until nothing
//! is left: events to the sagas and process managers that subscribe to them, their commands and facts to aggregates,
//! refusals back to whoever caused the command. Each step sees the effects of those before it; nothing is stored, and
//! the books that were given stay as they are.
//!
//! The order is fixed, so that the same input gives the same run:
//!
//! - Breadth first: what a step leads to is queued behind everything that is queued already.
//! - The new events of one answer are one batch, and go out as one book without the pages before them, as the bus
//!   publishes it: a component that subscribes to one of its types is shown the others too.
//! - A batch goes to every saga that it fits, then to every process manager, each in order of name.
//! - Of one reaction, the process manager's own events are stored first; then its commands go out in the order of
//!   the logic, then its facts.
//!
//! What a component is shown follows its own dialect, as with single cases; what coordinators do between components
//! follows the dialect of the flow.

mod branch;
mod components;
mod deliver;
mod error;
mod events;
mod note;
mod queue;
mod react;
mod run;
mod stamp;

pub use components::{FlowComponents, Reacting, ReactingKind};
pub use error::{Chain, FlowError};
pub use note::FlowNote;
pub use queue::{FlowLimits, run_flow};
pub use run::{Asked, Cause, FlowRun, FlowStep, NotAsked, StepAnswer, Stream, Who};
