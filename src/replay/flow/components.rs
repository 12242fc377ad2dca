//! Who takes part in a flow.

use std::collections::BTreeMap;

use crate::model::{ComponentKind, Domain, EventBook, Payload, ProcessRoot, matches_pattern};
use crate::replay::Target;

/// Everybody who may be asked in a flow.
#[derive(Default)]
pub struct FlowComponents<'a> {
    /// Business logic by domain.
    pub aggregates: BTreeMap<Domain, Box<dyn Target + 'a>>,
    /// Sagas and process managers, in any order.
    pub reacting: Vec<Reacting<'a>>,
}

/// A saga or process manager, and what it is sent.
pub struct Reacting<'a> {
    /// Name that it is known by; decides the order, and stands in the headers of its commands.
    pub name: String,
    /// What it is.
    pub kind: ReactingKind,
    /// Patterns of type names by domain, in which `*` stands for anything.
    pub subscriptions: BTreeMap<Domain, Vec<String>>,
    /// Its logic.
    pub target: Box<dyn Target + 'a>,
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

impl Reacting<'_> {
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
