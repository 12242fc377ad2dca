//! Makes a production bug of an Angzarr system a regression test.
//!
//! A captured case is a YAML file: the aggregate's event history, the command that failed, and what production answered.
//! [`App::harness`] is the `main` of a test that replays every case on today's logic and compares the outcome with its
//! snapshot. [`App::cli`] is the `main` of the commands that capture, replay and close cases; [`capturing`] and [`replaying`]
//! do the same as calls that return data.
//!
//! Logic in any language is replayed over gRPC, as `replay.toml` says; then `App::new()` is all that is needed:
//!
//! ```no_run
//! // tests/replay.rs, with `harness = false`
//! fn main() -> std::process::ExitCode {
//!     angzarr_replay::App::new().harness()
//! }
//! ```
//!
//! Logic in Rust is replayed in process, without gRPC. Implement [`logic::Logic`] for an aggregate, or
//! [`logic::Saga`], [`logic::ProcessManager`], [`logic::Projector`] or [`logic::Upcaster`] for the other kinds of
//! component, and register it under its name:
//!
//! ```
//! use angzarr_replay::App;
//! use angzarr_replay::logic::{
//!     Answer, CommandBook, EmittedBook, EventBook, Failure, Logic, Payload, Reply,
//! };
//!
//! /// A door that opens once.
//! struct Door;
//!
//! impl Logic for Door {
//!     fn handle(&self, prior: &EventBook, _command: &CommandBook) -> Answer {
//!         if !prior.history.pages().is_empty() {
//!             return Err(Failure::rejected("the door is open already"));
//!         }
//!         let opened = Payload::new("house.DoorOpened", Vec::new());
//!         Ok(Reply::Events(EmittedBook::of_events([opened])))
//!     }
//! }
//!
//! let app = App::new().logic("door", Door);
//! # drop(app);
//! ```
//!
//! A function is enough for an aggregate without facts and snapshots:
//!
//! ```
//! use angzarr_replay::App;
//! use angzarr_replay::logic::{Answer, CommandBook, EventBook, Failure};
//!
//! fn closed_door(_prior: &EventBook, _command: &CommandBook) -> Answer {
//!     Err(Failure::rejected("this door never opens"))
//! }
//!
//! let app = App::new().logic("door", closed_door);
//! # drop(app);
//! ```
//!
//! [`capturing`] captures cases as library calls, from the sources of a [`Project`].
//!
//! Everything else in this crate is private. This repository's own tests and programs reach it through a hidden module
//! that changes without notice. A client in production that writes failure tickets uses the crate
//! `angzarr-failure-tickets` instead of this one.

mod audit;
mod auditing;
mod capture;
pub mod capturing;
mod changes;
mod cli;
mod coordination;
mod coordinator;
mod diagram;
mod doctor;
mod documentation;
mod drift;
mod event_store;
mod finding;
mod fixture;
mod git;
mod harness;
#[doc(hidden)]
pub mod internal;
mod listing;
pub mod logic;
mod mutation;
mod plain;
mod project;
mod record;
mod recording;
mod replay;
pub mod replaying;
mod review;
mod serving;
mod setup;
mod shape;
mod showing;
mod snapshot;
mod terminal;
mod watching;

use angzarr_replay_grpc as grpc;
use angzarr_replay_payload::files;
use angzarr_replay_payload::{payload, redact};
use angzarr_replay_processes as processes;
use angzarr_replay_wire::{model, ticket, wire};
use angzarr_replay_yaml as yaml;
#[doc(inline)]
pub use project::{App, Project, ProjectError};
