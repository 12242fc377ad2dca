//! Flows: a workflow across domains, replayed on an edition in memory.
//!
//! A flow begins with one stimulus. Everything that follows is delivered as coordinators and the bus would, until nothing
//! is left: events to the sagas and process managers that subscribe to them, their commands and facts to aggregates, and
//! rejections back to the component that caused the command. Each step sees the effects of the steps before it. The flow
//! works on copies of the books; nothing is stored.
//!
//! The order is fixed, so the same input always gives the same run:
//!
//! - Breadth first: the deliveries that a step leads to are queued after all others.
//! - The new events of one answer are one batch, delivered as one book without the earlier pages, as the bus publishes
//!   it. A component that subscribes to one of its types receives the whole batch.
//! - A batch goes to the subscribed sagas, then to the subscribed process managers, each in order of name.
//! - A process manager's own events are stored first. Then its commands are sent in the order of the logic, then its
//!   facts.
//!
//! What a component is shown depends on its own dialect, as in a case of one step. What coordinators do between
//! components depends on the dialect of the flow.

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

pub use components::{FlowComponents, Subscriber, SubscriberKind};
pub use error::{Chain, FlowError};
pub use note::FlowNote;
pub use queue::{FlowLimits, run_flow};
pub use run::{Asked, Cause, FlowRun, FlowStep, NotAsked, StepAnswer, StreamPosition, Who};
