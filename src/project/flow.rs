//! The components of a flow: everybody who is configured, started when the flow first comes to them.

use std::sync::{Arc, OnceLock};

use super::case_run::{book_of, in_dialect};
use super::logics::dialect_of;
use super::{LogicUnavailable, Logics, Project, RunError, SelectedLogic};
use crate::fixture::{self, Book, Case, FlowCase};
use crate::model::{ComponentKind, EventBook, Outcome, Stimulus};
use crate::replay::flow::{
    FlowComponents, FlowLimits, FlowRun, FlowStart, Reacting, ReactingKind, run_flow,
};
use crate::replay::{ProcessRoot, Target, TargetError};
use crate::wire::{Dialect, Generation};

/// Logic that is made ready when it is first asked.
struct Lazy {
    logics: Arc<Logics>,
    logic: SelectedLogic,
    captured: String,
    dialect: Dialect,
    upcasts: bool,
    ready: OnceLock<Result<Box<dyn Target>, LogicUnavailable>>,
}

impl Target for Lazy {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        let ready = self
            .ready
            .get_or_init(|| self.logics.target(&self.logic, &self.captured));
        match ready {
            Ok(target) => target.ask(stimulus),
            Err(error) => Err(TargetError::Unavailable(error.to_string())),
        }
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn upcasts(&self) -> bool {
        self.upcasts
    }
}

impl Project {
    /// Replays a flow on everybody who is configured. `first` answers the domain that it begins in.
    pub(super) fn run_flow(
        &self,
        case: &Case,
        flow: &FlowCase,
        first: &dyn Target,
    ) -> Result<FlowRun, RunError> {
        let components = self.flow_components(case, first)?;
        let dialect = first.dialect();
        let start = match &flow.start {
            fixture::FlowStart::Command(command) => {
                FlowStart::Command(in_dialect(command, case, dialect))
            }
            fixture::FlowStart::Facts(facts) => FlowStart::Facts(facts.clone()),
            fixture::FlowStart::Events(trigger) => FlowStart::Events {
                cover: case.cover.clone(),
                from: trigger.from,
            },
        };
        let own = std::iter::once(book_of(case));
        let books: Vec<EventBook> = own.chain(flow.books.iter().map(Book::event_book)).collect();
        let limits = FlowLimits::default();
        Ok(run_flow(&components, &books, &start, limits, dialect)?)
    }

    /// Everybody who may be asked in the flow of a case. `first` answers the domain that it begins in.
    fn flow_components<'a>(
        &self,
        case: &Case,
        first: &'a dyn Target,
    ) -> Result<FlowComponents<'a>, LogicUnavailable> {
        let captured = &case.source.dialect;
        let mut components = FlowComponents::default();
        for (domain, logic) in self.logics.by_domain() {
            components
                .aggregates
                .insert(domain, self.lazy(logic, captured)?);
        }
        components
            .aggregates
            .insert(case.cover.domain.clone(), Box::new(first));
        for kind in [ComponentKind::Saga, ComponentKind::ProcessManager] {
            for logic in self.logics.of_component_kind(kind) {
                components.reacting.push(self.reacting(logic, captured)?);
            }
        }
        Ok(components)
    }

    /// Sagas and process managers that a flow sends nothing, since nothing says what they subscribe to.
    pub(crate) fn unsubscribed(&self) -> Vec<String> {
        let kinds = [ComponentKind::Saga, ComponentKind::ProcessManager];
        let components = kinds
            .into_iter()
            .flat_map(|kind| self.logics.of_component_kind(kind));
        components
            .filter(|logic| logic.config.subscriptions.is_empty())
            .map(|SelectedLogic { config }| {
                format!(
                    "{} `{}` is sent nothing in this flow: it has no `subscriptions` in replay.toml (section [logic.{}])",
                    config.kind.word(),
                    config.name,
                    config.name
                )
            })
            .collect()
    }

    fn reacting(
        &self,
        logic: SelectedLogic,
        captured: &str,
    ) -> Result<Reacting<'static>, LogicUnavailable> {
        let config = &logic.config;
        let dialect = dialect_of(&logic, captured)?;
        let kind = match &config.domain {
            Some(domain) if config.kind == ComponentKind::ProcessManager => {
                ReactingKind::ProcessManager {
                    domain: domain.clone(),
                    root: config
                        .process_root
                        .unwrap_or_else(|| usual_process_root(dialect)),
                }
            }
            _ => ReactingKind::Saga,
        };
        Ok(Reacting {
            name: config.name.clone(),
            kind,
            subscriptions: config.subscriptions.clone(),
            target: self.lazy(logic, captured)?,
        })
    }

    fn lazy(
        &self,
        logic: SelectedLogic,
        captured: &str,
    ) -> Result<Box<dyn Target>, LogicUnavailable> {
        let domain = logic.config.domain.as_ref();
        let is_aggregate = logic.config.kind == ComponentKind::Aggregate;
        let upcaster = domain.and_then(|domain| self.logics.upcaster_of(domain));
        Ok(Box::new(Lazy {
            logics: Arc::clone(&self.logics),
            dialect: dialect_of(&logic, captured)?,
            upcasts: is_aggregate && (logic.config.upcaster || upcaster.is_some()),
            captured: captured.to_owned(),
            logic,
            ready: OnceLock::new(),
        }))
    }
}

/// How the stream of a process manager is found in a dialect, where nothing says otherwise.
pub(crate) fn usual_process_root(dialect: Dialect) -> ProcessRoot {
    if dialect.generation() == Generation::Released {
        ProcessRoot::CorrelationId
    } else {
        ProcessRoot::Uuid5
    }
}
