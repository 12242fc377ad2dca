//! The components that take part in a flow.

use std::collections::BTreeMap;

use crate::model::{ComponentKind, Domain, EventBook, Payload, ProcessRoot, matches_pattern};
use crate::replay::Target;

/// The components that may be asked in a flow.
#[derive(Default)]
pub struct FlowComponents<'a> {
    /// Business logic by domain.
    pub aggregates: BTreeMap<Domain, Box<dyn Target + 'a>>,
    /// Sagas and process managers, in any order.
    pub subscribers: Vec<Subscriber<'a>>,
}

/// A saga or process manager, and the events that it is sent.
pub struct Subscriber<'a> {
    /// Its name, which decides the order and is in the headers of its commands.
    pub name: String,
    /// Its kind.
    pub kind: SubscriberKind,
    /// Patterns of type names by domain; `*` matches any text.
    pub subscriptions: BTreeMap<Domain, Vec<String>>,
    /// Its logic.
    pub target: Box<dyn Target + 'a>,
}

/// Kind of subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriberKind {
    /// A saga, which has no state.
    Saga,
    /// A process manager.
    ProcessManager {
        /// Domain of its own streams.
        domain: Domain,
        /// How the root of a workflow's stream is derived.
        root: ProcessRoot,
    },
}

impl Subscriber<'_> {
    /// Its kind among all components.
    pub(super) const fn component_kind(&self) -> ComponentKind {
        match self.kind {
            SubscriberKind::Saga => ComponentKind::Saga,
            SubscriberKind::ProcessManager { .. } => ComponentKind::ProcessManager,
        }
    }

    /// Whether it is sent a batch, for which one event that it subscribes to is enough.
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
