//! The tests that run the tool: linked once, and run in parallel.
//!
//! What needs a main of its own, since it starts itself as the harness of another project, stands beside this folder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod coordinator_dialect;
mod finding;
mod isolated;
mod json_page;
mod production;
mod replay_debugging;
mod schemas;
mod support;
mod terminal;
