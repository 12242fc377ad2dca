//! The recorded deployment to capture from: its stored events and its failures.

use std::sync::Arc;

use angzarr_replay::internal::project::Embedded;
use angzarr_replay::internal::wire::Dialect;
use angzarr_replay::logic::{Domain, Timestamp};

use crate::{Player, Table};

const RECORDING: &str = include_str!("../recorded/calls.jsonl");
const FAILURES: &str = include_str!("../recorded/failures.jsonl");

/// 2026-11-23T00:01:30Z, about when the recording was made. Its stores do not have the times of insertion.
const INSERTED_AT: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};

/// The deployment of the recording: 7 roots, 55 events, 8 failed commands, in the domains player, table and hand.
/// There is no logic for the domain hand.
#[must_use]
pub fn deployment() -> Embedded {
    let domain = |name| Domain::new(name).expect("the names are written here");
    Embedded::of_recording(RECORDING, Dialect::ANGZARR, INSERTED_AT)
        .expect("the recording is part of the program and a test reads it")
        .with_failure_log(FAILURES)
        .expect("the failure log is part of the program and a test reads it")
        .with_logic(domain("player"), Arc::new(Player::default()))
        .with_logic(domain("table"), Arc::new(Table::default()))
}
