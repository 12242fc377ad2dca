//! Roots of process manager streams.

use uuid::Uuid;

use super::Root;

/// How the root of a process manager's stream is derived from the correlation id of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRoot {
    /// The correlation id is a UUID and is itself the root; the nil UUID if it is not a UUID (core 0.5).
    CorrelationId,
    /// A version 5 UUID of the correlation id (newer coordinators).
    Uuid5,
}

impl ProcessRoot {
    /// Root of the stream of a workflow.
    #[must_use]
    pub fn of(self, correlation_id: &str) -> Root {
        let uuid = match self {
            Self::CorrelationId => Uuid::parse_str(correlation_id).unwrap_or_default(),
            Self::Uuid5 => {
                let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"angzarr.dev");
                Uuid::new_v5(&namespace, correlation_id.as_bytes())
            }
        };
        Root::new(uuid.into_bytes())
    }
}
