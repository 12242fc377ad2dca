//! The components of a flow: all that are configured, each started when the flow first reaches it.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::case_replay::command_in_dialect;
use super::{LogicUnavailable, Logics, Project, ReplayErrorKind, SelectedLogic};
use crate::model::{
    Case, ComponentKind, Domain, EventBook, FlowCase, FlowStart, Outcome, Stimulus, nearest,
};
use crate::replay::flow::{
    FlowComponents, FlowLimits, FlowRun, Subscriber, SubscriberKind, run_flow,
};
use crate::replay::{Tap, Tapped, Target, TargetError};
use crate::wire::{Dialect, UnknownFields};

/// A target that makes its logic ready at the first call.
struct LazyTarget {
    logics: Arc<Logics>,
    logic: SelectedLogic,
    captured: String,
    dialect: Dialect,
    upcasts: bool,
    ready: OnceLock<Result<Box<dyn Target>, LogicUnavailable>>,
}

impl Target for LazyTarget {
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

    fn take_unknown(&self) -> UnknownFields {
        match self.ready.get() {
            Some(Ok(target)) => target.take_unknown(),
            Some(Err(_)) | None => UnknownFields::new(),
        }
    }
}

#[doc(hidden)]
impl Project {
    /// Replays a flow on all configured components. `first` answers for the domain in which the flow begins.
    pub(super) fn run_flow(
        &self,
        case: &Case,
        flow: &FlowCase,
        first: &dyn Target,
        tap: Option<&Tap<'_>>,
    ) -> Result<FlowRun, ReplayErrorKind> {
        let components = self.flow_components(case, first, tap)?;
        let dialect = first.dialect();
        let start = match &flow.start {
            FlowStart::Command(command) => {
                FlowStart::Command(command_in_dialect(command, case, dialect))
            }
            start @ (FlowStart::Facts(_) | FlowStart::Events(_)) => start.clone(),
        };
        let own = std::iter::once(case.event_book());
        let books: Vec<EventBook> = own.chain(flow.books.iter().cloned()).collect();
        let limits = FlowLimits::default();
        Ok(run_flow(&components, &books, &start, limits, dialect)?)
    }

    /// All components that the flow of a case may call. `first` answers for the domain in which the flow begins.
    fn flow_components<'a>(
        &self,
        case: &Case,
        first: &'a dyn Target,
        tap: Option<&'a Tap<'a>>,
    ) -> Result<FlowComponents<'a>, LogicUnavailable> {
        let captured = &case.source.dialect;
        let mut components = FlowComponents::default();
        for (domain, logic) in self.logics.by_domain() {
            components
                .aggregates
                .insert(domain, self.lazy(logic, captured, tap)?);
        }
        components
            .aggregates
            .insert(case.cover.domain.clone(), Box::new(first));
        for kind in ComponentKind::ALL {
            for logic in self.logics.of_component_kind(kind) {
                let subscriber = self.subscriber(logic, captured, tap)?;
                components.subscribers.extend(subscriber);
            }
        }
        Ok(components)
    }

    /// Notes about sagas and process managers that receive nothing in a flow because of missing or misspelt
    /// subscriptions.
    pub(crate) fn unsubscribed(&self) -> Vec<String> {
        let mut notes = self.without_subscriptions();
        notes.extend(self.misspelt_subscriptions());
        notes
    }

    /// Subscriptions to a domain that occurs nowhere else in the configuration and resembles one that does.
    fn misspelt_subscriptions(&self) -> Vec<String> {
        let config = self.config();
        let of_sources = config
            .sources
            .values()
            .flat_map(super::config::SourceConfig::domains);
        let of_logic = config.logic.values().filter_map(|it| it.domain.as_ref());
        let known: BTreeSet<&str> = of_sources.chain(of_logic).map(Domain::as_str).collect();
        let subscribed = config.logic.values().flat_map(|logic| {
            let domains = logic.subscriptions.keys();
            domains.map(move |domain| (logic, domain.as_str()))
        });
        let unknown = subscribed.filter(|(_, domain)| !known.contains(domain));
        let notes = unknown.filter_map(|(logic, domain)| {
            let near = nearest(domain, known.iter().copied(), 1);
            let near = near.first()?;
            Some(format!(
                "{} `{}` subscribes to the domain `{domain}`, which nothing else in replay.toml names; did you mean `{near}`? \
                 (section [logic.{}])",
                logic.kind.word(),
                logic.name,
                logic.name
            ))
        });
        notes.collect()
    }

    fn without_subscriptions(&self) -> Vec<String> {
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

    /// A component as a subscriber in a flow; `None` for kinds that do not take part in flows.
    fn subscriber<'a>(
        &self,
        logic: SelectedLogic,
        captured: &str,
        tap: Option<&'a Tap<'a>>,
    ) -> Result<Option<Subscriber<'a>>, LogicUnavailable> {
        let config = &logic.config;
        let kind = match (config.kind, &config.domain) {
            (ComponentKind::Saga, _) => SubscriberKind::Saga,
            (ComponentKind::ProcessManager, Some(domain)) => {
                let default_root = logic.dialect(captured)?.rules().process_root;
                SubscriberKind::ProcessManager {
                    domain: domain.clone(),
                    root: config.process_root.unwrap_or(default_root),
                }
            }
            // The configuration requires a domain for a process manager.
            (ComponentKind::ProcessManager, None)
            | (ComponentKind::Aggregate | ComponentKind::Projector | ComponentKind::Upcaster, _) => {
                return Ok(None);
            }
        };
        Ok(Some(Subscriber {
            name: config.name.clone(),
            kind,
            subscriptions: config.subscriptions.clone(),
            target: self.lazy(logic, captured, tap)?,
        }))
    }

    fn lazy<'a>(
        &self,
        logic: SelectedLogic,
        captured: &str,
        tap: Option<&'a Tap<'a>>,
    ) -> Result<Box<dyn Target + 'a>, LogicUnavailable> {
        let domain = logic.config.domain.as_ref();
        let is_aggregate = logic.config.kind == ComponentKind::Aggregate;
        let upcaster = domain.and_then(|domain| self.logics.upcaster_of(domain));
        let name = logic.config.name.clone();
        let lazy = Box::new(LazyTarget {
            logics: Arc::clone(&self.logics),
            dialect: logic.dialect(captured)?,
            upcasts: is_aggregate && (logic.config.upcaster || upcaster.is_some()),
            captured: captured.to_owned(),
            logic,
            ready: OnceLock::new(),
        });
        Ok(match tap {
            Some(tap) => Box::new(Tapped::new(&name, lazy, tap)),
            None => lazy,
        })
    }
}
