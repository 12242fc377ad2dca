//! The demo's logic at its public edge: against the recording, rule by rule, and as a server.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests may panic like the tests themselves"
)]

mod compensation;
mod components;
mod facts;
mod game;
mod player;
mod recorded;
mod recording;
mod serve;
mod table;
mod workflow;
