//! A real peer: the demo's player in Python on the released client library, started as logic under test.
//!
//! Needs `.venv` (examples/poker-python/README.md): `cargo test --test python_peer -- --ignored`, as
//! `cargo xtask check` does. Without it the tests fail when they are asked for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use angzarr_replay::model::{CommandBook, EventBook, FailureClass, Outcome, Payload, Stimulus};
use angzarr_replay::payload::Registry;
use angzarr_replay::replay::{LogicCommand, StartedLogic};
use angzarr_replay::wire::{self, Connection, ConnectionOptions, Dialect, LogicClient};
