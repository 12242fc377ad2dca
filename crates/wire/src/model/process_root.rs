//! How a process manager's stream is found.

use uuid::Uuid;

use super::Root;

/// How a process manager's stream is found from the correlation id of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRoot {
    /// The correlation id is a UUID, and that is the root; of another one it is nil (core 0.5).
    CorrelationId,
    /// A UUID of version 5 made of the correlation id (newer coordinators).
    Uuid5,
}

impl ProcessRoot {
    /// The root of the stream that serves a workflow.
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
