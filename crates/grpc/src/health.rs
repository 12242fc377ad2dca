//! Client of gRPC's standard health service, for logic that is starting.

use bytes::Bytes;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{CallError, Connection};
use crate::wire::decode;

/// Health of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthAnswer {
    /// It is serving. A gRPC server without a health service counts as serving.
    Serving,
    /// Nothing answers yet, or the server reports that it is not ready.
    NotYet,
    /// Something other than a gRPC server answers.
    NotGrpc,
}

/// Checks the health of the server as a whole, which is the only health that coordinators report.
#[must_use]
pub fn check_health(connection: &Connection) -> HealthAnswer {
    match connection.call("/grpc.health.v1.Health/Check", Bytes::new()) {
        Ok(reply) => match decode::message::<HealthCheckResponse>("health", reply) {
            Ok(health) if health.status == i32::from(ServingStatus::Serving) => {
                HealthAnswer::Serving
            }
            _ => HealthAnswer::NotYet,
        },
        Err(CallError::Status { .. }) => HealthAnswer::Serving,
        Err(CallError::NotGrpc { .. }) => HealthAnswer::NotGrpc,
        Err(_) => HealthAnswer::NotYet,
    }
}
