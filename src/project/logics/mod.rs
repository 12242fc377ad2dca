//! The logic under test: chooses the logic for a case, starts it when it is first needed, and ends it with the project.

mod error;
mod place;
mod rust_main;
mod selected;
mod started;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::{App, Config, LogicConfig, LogicPlace};
use crate::model::{Case, Component, ComponentKind, Domain, did_you_mean};
use crate::replay::{Target, WithUpcaster};

pub use error::LogicUnavailable;
pub(super) use place::ServingError;
pub use selected::SelectedLogic;
use selected::plain_config;
use started::Launched;
pub(crate) use started::debug_command;
pub(super) use started::in_directory;

/// All logic under test.
pub struct Logics {
    registered: BTreeMap<String, Component>,
    configured: BTreeMap<String, LogicConfig>,
    /// Folder of `replay.toml`.
    root: PathBuf,
    /// Whether to mask secrets in the output of started logic.
    is_redacting: bool,
    /// Maximum size of a status, in bytes.
    status_limit: usize,
    /// Maximum size of a reply, in bytes.
    reply_limit: usize,
    /// Whether the output of started logic is no longer shown at all.
    is_output_hidden: AtomicBool,
    /// One lock per logic, so that several can start at once.
    started: BTreeMap<String, Mutex<Option<Launched>>>,
}

impl Logics {
    pub(super) fn new(app: &App, config: &Config) -> Self {
        let mut configured = config.logic.clone();
        for (name, component) in &app.in_process {
            let kind = component.kind();
            let domain = name.parse::<Domain>().ok();
            if kind == ComponentKind::Aggregate && domain.is_none() {
                continue;
            }
            // The domain of an upcaster or process manager is known only from replay.toml.
            let domain = domain.filter(|_| kind == ComponentKind::Aggregate);
            let is_answered = configured.values().any(|logic| {
                !logic.twin && logic.kind == kind && domain.is_some() && logic.domain == domain
            });
            let is_usable = kind != ComponentKind::Upcaster;
            if is_usable && !is_answered && !configured.contains_key(name) {
                let place = LogicPlace::InProcess(name.clone());
                configured.insert(name.clone(), plain_config(name, kind, domain, place));
            }
        }
        let started = configured
            .keys()
            .map(|name| (name.clone(), Mutex::new(None)))
            .collect();
        Self {
            registered: app.in_process.clone(),
            configured,
            root: config.root.clone(),
            is_redacting: config.redaction.is_some(),
            status_limit: config.status_limit,
            reply_limit: config.reply_limit,
            is_output_hidden: AtomicBool::new(false),
            started,
        }
    }

    /// The business logic of a domain; `None` if none is configured.
    #[must_use]
    pub fn of_domain(&self, domain: &Domain) -> Option<SelectedLogic> {
        self.of_kind(ComponentKind::Aggregate, domain)
    }

    fn of_kind(&self, kind: ComponentKind, domain: &Domain) -> Option<SelectedLogic> {
        let found = self.configured.values().find(|logic| {
            logic.kind == kind && logic.domain.as_ref() == Some(domain) && !logic.twin
        });
        found.cloned().map(|config| SelectedLogic { config })
    }

    /// The logic that upcasts the pages of a domain: a separate upcaster, otherwise the domain's logic if it upcasts.
    #[must_use]
    pub fn upcaster_of(&self, domain: &Domain) -> Option<SelectedLogic> {
        let own = self.of_kind(ComponentKind::Upcaster, domain);
        own.or_else(|| self.of_domain(domain).filter(|logic| logic.config.upcaster))
    }

    /// Whether configured logic answers the cases in the folder of this name.
    #[must_use]
    pub fn answers_cases_of(&self, name: &str) -> bool {
        self.configured
            .values()
            .any(|logic| logic.answers == name && !logic.twin)
    }

    /// Says that no logic is configured for a domain.
    #[must_use]
    pub fn none_for(&self, domain: &str) -> String {
        let answered = self.configured.values().filter(|logic| !logic.twin);
        let answered = answered.filter(|logic| logic.kind == ComponentKind::Aggregate);
        let hint = did_you_mean(domain, answered.map(|logic| &logic.answers));
        format!("no logic is configured for the domain `{domain}`{hint}")
    }

    /// All components of a kind, without twins, sorted by name.
    pub fn of_component_kind(&self, kind: ComponentKind) -> impl Iterator<Item = SelectedLogic> {
        let found = self.configured.values();
        found
            .filter(move |logic| logic.kind == kind && !logic.twin)
            .map(|config| SelectedLogic {
                config: config.clone(),
            })
    }

    /// The logic with this name.
    pub fn named(&self, name: &str) -> Result<SelectedLogic, LogicUnavailable> {
        match self.configured.get(name) {
            Some(config) => Ok(SelectedLogic {
                config: config.clone(),
            }),
            None => Err(LogicUnavailable::Unknown {
                name: name.to_owned(),
                known: self.configured.keys().cloned().collect(),
            }),
        }
    }

    /// The logic for a case: the one that the case names, otherwise that of its domain.
    pub fn of_case(&self, case: &Case) -> Result<Option<SelectedLogic>, LogicUnavailable> {
        let wanted = case.stimulus.component_kind();
        let Some(name) = &case.logic else {
            return Ok(match wanted {
                ComponentKind::Upcaster => self.upcaster_of(&case.cover.domain),
                kind => self.of_kind(kind, &case.cover.domain),
            });
        };
        let found = self.named(name)?;
        let is_upcaster = wanted == ComponentKind::Upcaster && found.config.upcaster;
        if found.config.kind == wanted || is_upcaster {
            return Ok(Some(found));
        }
        Err(LogicUnavailable::WrongKind {
            name: name.clone(),
            found: found.config.kind.word(),
            wanted: wanted.word(),
        })
    }

    /// All configured or registered logic.
    pub fn all(&self) -> impl Iterator<Item = &LogicConfig> {
        self.configured.values()
    }

    /// Whether logic is compiled into this program.
    pub(crate) fn is_compiled_in(&self, logic: &LogicConfig) -> bool {
        match &logic.place {
            LogicPlace::InProcess(registered) => self.registered.contains_key(registered),
            LogicPlace::Address(_) | LogicPlace::Command(_) => false,
        }
    }

    /// Logic that also answers every case of its domain.
    pub fn twins(&self) -> impl Iterator<Item = &LogicConfig> {
        self.configured.values().filter(|logic| logic.twin)
    }

    /// Makes logic ready and returns the target of a replay. If the domain has a separate upcaster, the target calls it
    /// first. `captured` is the dialect of the case.
    pub fn target(
        &self,
        logic: &SelectedLogic,
        captured: &str,
    ) -> Result<Box<dyn Target>, LogicUnavailable> {
        let ready = |logic: &SelectedLogic| {
            let dialect = logic.dialect(captured)?;
            self.target_without_upcaster(logic, dialect)
        };
        let target = ready(logic)?;
        if logic.config.kind != ComponentKind::Aggregate || logic.config.upcaster {
            return Ok(target);
        }
        let upcaster = logic.config.domain.as_ref();
        let upcaster = upcaster.and_then(|domain| self.of_kind(ComponentKind::Upcaster, domain));
        Ok(match upcaster {
            Some(upcaster) => Box::new(WithUpcaster::new(target, ready(&upcaster)?)),
            None => target,
        })
    }

    /// All domains that have logic, each with its logic.
    pub fn by_domain(&self) -> impl Iterator<Item = (Domain, SelectedLogic)> {
        self.of_component_kind(ComponentKind::Aggregate)
            .filter_map(|logic| Some((logic.config.domain.clone()?, logic)))
    }
}
