//! Whether a server that we started is ready.

use std::time::Duration;

use crate::grpc::{Connection, ConnectionOptions, HealthAnswer, check_health};
use crate::processes::Readiness;

/// Asks gRPC's health service at an address, within a time limit. A gRPC server without one is ready.
#[must_use]
pub fn readiness(address: &str, within: Duration) -> Readiness {
    let options = ConnectionOptions {
        connect_timeout: within,
        deadline: Some(within),
        ..ConnectionOptions::default()
    };
    match Connection::new(address, options).map(|connection| check_health(&connection)) {
        Ok(HealthAnswer::Serving) => Readiness::Serving,
        Ok(HealthAnswer::NotGrpc) => Readiness::NotGrpc,
        Ok(HealthAnswer::NotYet) | Err(_) => Readiness::NotYet,
    }
}
