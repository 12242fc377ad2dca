//! Makes a production bug of an Angzarr system a regression test.

pub mod audit;
pub mod capture;
pub mod capturing;
mod cli;
pub mod coordination;
pub mod coordinator;
pub mod diagram;
pub mod fixture;
pub mod harness;
pub mod mutation;
mod plain;
pub mod project;
pub mod record;
pub mod replay;
pub mod snapshot;
mod terminal;

pub use angzarr_replay_grpc as grpc;
use angzarr_replay_payload::files;
pub use angzarr_replay_payload::{payload, redact};
pub use angzarr_replay_wire::{model, ticket, wire};
pub use project::App;
