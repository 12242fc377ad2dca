//! Who takes part in a flow.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::model::{ComponentKind, Domain, EventBook, Payload, Root, matches_pattern};
use crate::replay::Target;

/// Everybody who may be asked in a flow.
#[derive(Default)]
pub struct FlowComponents {
    /// Business logic by domain.
    pub aggregates: BTreeMap<Domain, Box<dyn Target>>,
    /// Sagas and process managers, in any order.
    pub reacting: Vec<Reacting>,
}

/// A saga or process manager, and what it is sent.
pub struct Reacting {
    /// Name that it is known by; decides the order, and stands in the headers of its commands.
    pub name: String,
    /// What it is.
    pub kind: ReactingKind,
    /// Patterns of type names by domain, in which `*` stands for anything.
    pub subscriptions: BTreeMap<Domain, Vec<String>>,
    /// Its logic.
    pub target: Box<dyn Target>,
}

/// What reacts to events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReactingKind {
    /// A saga, which has no state.
    Saga,
    /// A process manager.
    ProcessManager {
        /// Domain of its own streams.
        domain: Domain,
        /// How the stream of a workflow is found.
        root: ProcessRoot,
    },
}

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

impl Reacting {
    /// The word for what it is.
    pub(super) const fn component_kind(&self) -> ComponentKind {
        match self.kind {
            ReactingKind::Saga => ComponentKind::Saga,
            ReactingKind::ProcessManager { .. } => ComponentKind::ProcessManager,
        }
    }

    /// Whether it is sent a batch: one event that it subscribes to is enough.
    pub(super) fn subscribes_to(&self, batch: &EventBook) -> bool {
        let patterns = self.subscriptions.get(&batch.cover.domain);
        patterns.is_some_and(|patterns| {
            let mut names = batch
                .history
                .pages()
                .iter()
                .filter_map(|page| page.body.event())
                .map(Payload::type_name);
            names.any(|name| {
                patterns
                    .iter()
                    .any(|pattern| matches_pattern(pattern, name))
            })
        })
    }
}
