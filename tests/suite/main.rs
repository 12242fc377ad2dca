//! The tests that share one program: linked once, and run in parallel.
//!
//! What needs a main of its own, since it starts itself again, stands beside this folder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capturing;
#[cfg(feature = "claim-check-cloud")]
mod claim_check_cloud;
mod client_tickets;
mod coordination;
mod docs;
mod drift;
mod event_store;
mod failure_tickets;
mod fidelity;
mod fixture_format;
mod flow;
mod golden_bytes;
mod isolated_coordinator;
mod local_coordinator;
mod log_reading;
mod matrix;
mod model;
mod mutants;
mod operations;
mod payload;
mod program;
mod python_client;
mod python_logging;
mod python_peer;
mod recorded_traffic;
mod recorder;
mod redaction;
mod replaying;
mod schemas;
mod snapshot;
mod speculation;
mod windows;
mod wire;
