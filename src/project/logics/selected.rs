//! Logic chosen for a case.

use crate::model::{ComponentKind, Domain};
use crate::project::{LogicConfig, LogicPlace, Project, Subscriptions};
use crate::wire::{Dialect, UnknownDialect};

/// Logic chosen for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLogic {
    /// Its configuration.
    pub config: LogicConfig,
}

impl SelectedLogic {
    /// Logic at an address, without a configuration.
    #[must_use]
    pub fn at_address(address: &str, kind: ComponentKind, domain: &Domain) -> Self {
        let place = LogicPlace::Address(address.to_owned());
        Self {
            config: plain_config(address, kind, Some(domain.clone()), place),
        }
    }

    /// A saga, process manager or projector at an address, without a configuration.
    #[must_use]
    pub fn component_at(address: &str, kind: ComponentKind) -> Self {
        let place = LogicPlace::Address(address.to_owned());
        Self {
            config: plain_config(address, kind, None, place),
        }
    }

    /// The name, and where it runs.
    #[must_use]
    pub fn describe(&self) -> String {
        let LogicConfig { name, place, .. } = &self.config;
        format!("{name} ({})", place.describe(name))
    }

    /// Dialect of its calls: its own, otherwise that of the capture.
    pub(crate) fn dialect(&self, captured: &str) -> Result<Dialect, UnknownDialect> {
        self.config.dialect.map_or_else(|| captured.parse(), Ok)
    }
}

impl LogicConfig {
    /// A message about a required file that does not exist; `None` if nothing is missing.
    pub(crate) fn missing_requirement(&self) -> Option<String> {
        let required = self.requires.as_ref().filter(|path| !path.exists())?;
        Some(format!(
            "logic `{}` needs {}, which does not exist",
            self.name,
            Project::shown(required)
        ))
    }
}

pub(super) fn plain_config(
    name: &str,
    kind: ComponentKind,
    domain: Option<Domain>,
    place: LogicPlace,
) -> LogicConfig {
    LogicConfig {
        name: name.to_owned(),
        kind,
        answers: match (&domain, kind) {
            (Some(domain), ComponentKind::Aggregate) => domain.to_string(),
            _ => name.to_owned(),
        },
        domain,
        subscriptions: Subscriptions::new(),
        process_root: None,
        place,
        dialect: None,
        upcaster: false,
        deadline: 30,
        twin: false,
        requires: None,
    }
}
