//! The standard health service, asked of logic that is starting.

use bytes::Bytes;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{CallError, Connection};
use crate::wire::decode;

/// What a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthAnswer {
    /// It serves. A gRPC server without a health service serves too.
    Serving,
    /// Nothing answers yet, or it says that it is not ready.
    NotYet,
    /// Something else answers.
    NotGrpc,
}

/// Asks for the health of the server as a whole: coordinators know no other name.
#[must_use]
pub fn ask_health(connection: &Connection) -> HealthAnswer {
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
