//! The file as it is written, every key of it, and what is checked of the whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Config, DebugConfig, EMBEDDED, LogicConfig, LogicPlace, Skip, SourceConfig};
use crate::fixture::{Probe, Rule};
use crate::model::{Domain, IdError};
use crate::wire::{Dialect, UnknownDialect};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    fixtures: Option<PathBuf>,
    #[serde(default)]
    descriptors: Vec<PathBuf>,
    source: Option<String>,
    #[serde(default)]
    sources: BTreeMap<String, RawSource>,
    #[serde(default)]
    logic: BTreeMap<String, RawLogic>,
    #[serde(default)]
    rules: Vec<RawRule>,
    #[serde(default)]
    skip: Vec<RawSkip>,
    probe: Option<RawProbe>,
    #[serde(default)]
    demand_twins: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    address: Option<String>,
    #[serde(default)]
    addresses: BTreeMap<String, String>,
    #[serde(default)]
    domains: Vec<String>,
    dialect: Option<String>,
    #[serde(default)]
    tickets: Vec<PathBuf>,
    #[serde(default)]
    logs: Vec<PathBuf>,
    deadline: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLogic {
    domain: Option<String>,
    in_process: Option<String>,
    address: Option<String>,
    command: Option<Vec<String>>,
    build: Option<Vec<String>>,
    directory: Option<PathBuf>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    port: Option<u16>,
    start_timeout: Option<u64>,
    debug: Option<RawDebug>,
    dialect: Option<String>,
    #[serde(default)]
    upcaster: bool,
    deadline: Option<u64>,
    #[serde(default)]
    twin: bool,
    requires: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDebug {
    command: Vec<String>,
    attach: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    r#type: String,
    field: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSkip {
    fixtures: String,
    logic: Option<String>,
    reason: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawProbe {
    Always,
    Never,
}

pub(super) fn check(raw: RawConfig, root: PathBuf, origin: String) -> Result<Config, String> {
    let mut sources = BTreeMap::new();
    for (name, source) in raw.sources {
        let source = source
            .check(&name, &root)
            .map_err(|reason| format!("source `{name}`: {reason}"))?;
        sources.insert(name, source);
    }
    let mut logic = BTreeMap::new();
    for (name, one) in raw.logic {
        let one = one
            .check(&name, &root)
            .map_err(|reason| format!("logic `{name}`: {reason}"))?;
        logic.insert(name, one);
    }
    for one in logic.values().filter(|one: &&LogicConfig| !one.twin) {
        let rival = logic
            .values()
            .find(|other| !other.twin && other.domain == one.domain && other.name != one.name);
        if let Some(rival) = rival {
            return Err(format!(
                "logic `{}` and `{}` both answer the domain `{}`; mark one of them `twin = true`",
                one.name, rival.name, one.domain
            ));
        }
    }
    if let Some((skip, name)) = raw
        .skip
        .iter()
        .filter_map(|skip| Some((skip, skip.logic.as_ref()?)))
        .find(|(_, name)| !logic.contains_key(*name))
    {
        return Err(format!(
            "skip of `{}`: there is no logic `{name}`; leave cases out only on logic that is configured",
            skip.fixtures
        ));
    }
    Ok(Config {
        fixtures: root.join(raw.fixtures.unwrap_or_else(|| "fixtures".into())),
        descriptors: raw.descriptors.iter().map(|path| root.join(path)).collect(),
        source: raw.source,
        sources,
        logic,
        rules: raw.rules.into_iter().map(RawRule::into_rule).collect(),
        skip: raw.skip.into_iter().map(RawSkip::into_skip).collect(),
        probe: match raw.probe {
            Some(RawProbe::Never) => Probe::Never,
            Some(RawProbe::Always) | None => Probe::Always,
        },
        demand_twins: raw.demand_twins,
        root,
        origin,
    })
}

impl RawRule {
    fn into_rule(self) -> Rule {
        Rule {
            type_pattern: self.r#type,
            field: self.field,
            reason: self.reason,
        }
    }
}

impl RawSkip {
    fn into_skip(self) -> Skip {
        Skip {
            fixtures: self.fixtures,
            logic: self.logic,
            reason: self.reason,
        }
    }
}

fn dialect(name: Option<String>) -> Result<Option<Dialect>, String> {
    name.map(|name| {
        name.parse()
            .map_err(|error: UnknownDialect| error.to_string())
    })
    .transpose()
}

fn domain(name: &str) -> Result<Domain, String> {
    Domain::new(name).map_err(|error: IdError| error.to_string())
}

impl RawSource {
    fn check(self, name: &str, root: &Path) -> Result<SourceConfig, String> {
        if name == EMBEDDED {
            return Err(format!(
                "`{EMBEDDED}` is the name of the built-in source; choose another"
            ));
        }
        let mut addresses = BTreeMap::new();
        for (name, address) in self.addresses {
            addresses.insert(domain(&name)?, address);
        }
        let is_template = self
            .address
            .as_ref()
            .is_some_and(|address| address.contains("{domain}"));
        if let Some(address) = &self.address {
            if self.domains.is_empty() && !is_template {
                return Err("`address` serves one domain or several: name them in `domains`, or put {domain} in the \
                            address"
                    .into());
            }
            for name in &self.domains {
                addresses
                    .entry(domain(name)?)
                    .or_insert_with(|| address.replace("{domain}", name));
            }
        } else if addresses.is_empty() {
            return Err("it needs `address` or `addresses`".into());
        }
        Ok(SourceConfig {
            name: name.to_owned(),
            addresses,
            template: self.address.filter(|_| is_template),
            dialect: dialect(self.dialect)?,
            tickets: self.tickets.iter().map(|path| root.join(path)).collect(),
            logs: self.logs.iter().map(|path| root.join(path)).collect(),
            deadline: self.deadline.unwrap_or(30),
        })
    }
}

impl RawLogic {
    fn check(self, name: &str, root: &Path) -> Result<LogicConfig, String> {
        let of_a_command = self.build.is_some()
            || self.directory.is_some()
            || self.port.is_some()
            || self.start_timeout.is_some()
            || self.debug.is_some()
            || !self.environment.is_empty();
        let place = match (self.in_process, self.address, self.command) {
            (Some(_) | None, Some(_), None) | (Some(_), None, None) if of_a_command => {
                return Err("`build`, `directory`, `environment`, `port`, `start_timeout` and `debug` go with \
                            `command`"
                    .into());
            }
            (Some(registered), None, None) => LogicPlace::InProcess(registered),
            (None, Some(address), None) => LogicPlace::Address(address),
            (None, None, Some(command)) if !command.is_empty() => LogicPlace::Command {
                command,
                build: self.build,
                directory: self
                    .directory
                    .map_or_else(|| root.to_owned(), |directory| root.join(directory)),
                environment: self.environment.into_iter().collect(),
                port: self.port,
                start_timeout: self.start_timeout.unwrap_or(30),
                debug: self.debug.map(|debug| DebugConfig {
                    command: debug.command,
                    attach: debug.attach,
                }),
            },
            _ => {
                return Err("it needs exactly one of `in_process`, `address` and `command`".into());
            }
        };
        Ok(LogicConfig {
            name: name.to_owned(),
            domain: domain(self.domain.as_deref().unwrap_or(name))?,
            place,
            dialect: dialect(self.dialect)?,
            upcaster: self.upcaster,
            deadline: self.deadline.unwrap_or(30),
            twin: self.twin,
            requires: self.requires.map(|path| root.join(path)),
        })
    }
}
