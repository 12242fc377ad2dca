//! The file as it is written, every key of it, and what is checked of the whole.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::access::{RawAccess, RawSecret, RawTls};
use super::coordinators::RawCoordinator;
use super::redaction::{RawAudit, RawRedaction};
use super::{
    CommandConfig, Config, DebugConfig, EMBEDDED, LogicConfig, LogicPlace, Skip, SourceConfig,
    Subscriptions,
};
use crate::files;
use crate::grpc::Bounds;
use crate::model::{ComponentKind, Domain, IdError, Probe, ProcessRoot, Rule, did_you_mean};
use crate::wire::{Dialect, REPLY_LIMIT, STATUS_LIMIT, UnknownDialect};

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
    coordinators: BTreeMap<String, RawCoordinator>,
    #[serde(default)]
    rules: Vec<RawRule>,
    #[serde(default)]
    skip: Vec<RawSkip>,
    probe: Option<RawProbe>,
    #[serde(default)]
    demand_twins: bool,
    max_status_kibibytes: Option<usize>,
    max_reply_mebibytes: Option<NonZeroU32>,
    max_file_mebibytes: Option<NonZeroU32>,
    #[serde(default)]
    mutate: bool,
    redaction: Option<RawRedaction>,
    #[serde(default)]
    audit: RawAudit,
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
    status: Option<String>,
    deadline: Option<u64>,
    tls: Option<RawTls>,
    bearer: Option<RawSecret>,
    #[serde(default)]
    metadata: BTreeMap<String, RawSecret>,
    #[serde(default)]
    plaintext_credentials: bool,
    connect: Option<Vec<String>>,
    start_timeout: Option<u64>,
    retries: Option<u32>,
    queries_per_second: Option<NonZeroU32>,
    max_queries: Option<u32>,
    max_mebibytes: Option<u32>,
    max_seconds: Option<u32>,
    #[serde(default)]
    keep_external: bool,
    redaction_required: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLogic {
    kind: Option<RawKind>,
    domain: Option<String>,
    #[serde(default)]
    subscriptions: BTreeMap<String, Vec<String>>,
    root: Option<RawRoot>,
    twin_of: Option<String>,
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

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawKind {
    Aggregate,
    Saga,
    ProcessManager,
    Projector,
    Upcaster,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawRoot {
    CorrelationId,
    Uuid5,
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
    check_answers(&logic)?;
    let mut coordinators = BTreeMap::new();
    for (name, one) in raw.coordinators {
        let one = one
            .check(&name, &root)
            .map_err(|reason| format!("coordinator `{name}`: {reason}"))?;
        coordinators.insert(name, one);
    }
    if let Some((skip, name)) = raw
        .skip
        .iter()
        .filter_map(|skip| Some((skip, skip.logic.as_ref()?)))
        .find(|(_, name)| !logic.contains_key(*name))
    {
        return Err(format!(
            "skip of `{}`: there is no logic `{name}`; leave cases out only on logic that is configured{}",
            skip.fixtures,
            did_you_mean(name, logic.keys())
        ));
    }
    Ok(Config {
        fixtures: root.join(raw.fixtures.unwrap_or_else(|| "fixtures".into())),
        descriptors: raw.descriptors.iter().map(|path| root.join(path)).collect(),
        source: raw.source,
        sources,
        logic,
        coordinators,
        rules: raw.rules.into_iter().map(RawRule::into_rule).collect(),
        skip: raw.skip.into_iter().map(RawSkip::into_skip).collect(),
        probe: match raw.probe {
            Some(RawProbe::Never) => Probe::Never,
            Some(RawProbe::Always) | None => Probe::Always,
        },
        demand_twins: raw.demand_twins,
        status_limit: status_limit(raw.max_status_kibibytes)?,
        reply_limit: raw.max_reply_mebibytes.map_or(REPLY_LIMIT, |count| {
            usize::try_from(u64::from(count.get()) << 20).unwrap_or(usize::MAX)
        }),
        file_limit: raw
            .max_file_mebibytes
            .map_or(files::MADE, |count| u64::from(count.get()) << 20),
        mutate: raw.mutate,
        redaction: raw
            .redaction
            .map(|redaction| redaction.check(&root))
            .transpose()?,
        audit_allow: raw.audit.into_allowances(),
        root,
        origin,
    })
}

/// In bytes. HTTP/2 itself drops what is larger than twice the most that may be said here.
fn status_limit(kibibytes: Option<usize>) -> Result<usize, String> {
    match kibibytes {
        None => Ok(STATUS_LIMIT),
        Some(count) if (1..=8192).contains(&count) => Ok(count << 10),
        Some(count) => Err(format!(
            "`max_status_kibibytes` is {count}: from 1 to 8192 is expected"
        )),
    }
}

/// Who answers which cases has to be clear.
fn check_answers(logic: &BTreeMap<String, LogicConfig>) -> Result<(), String> {
    for one in logic.values().filter(|one| !one.twin) {
        let is_rival = |other: &&LogicConfig| {
            !other.twin
                && other.name != one.name
                && other.kind == one.kind
                && one.domain.is_some()
                && other.domain == one.domain
        };
        if let (Some(rival), Some(domain)) = (logic.values().find(is_rival), &one.domain) {
            let verb = match one.kind {
                ComponentKind::Upcaster => "upcast",
                ComponentKind::ProcessManager => "keep their stream in",
                _ => "answer",
            };
            return Err(format!(
                "logic `{}` and `{}` both {verb} the domain `{domain}`; mark one of them `twin = true`",
                one.name, rival.name
            ));
        }
    }
    for twin in logic.values().filter(|one| one.twin) {
        if twin.kind == ComponentKind::Aggregate {
            continue;
        }
        let fits = |one: &&LogicConfig| one.kind == twin.kind && !one.twin;
        if logic.get(&twin.answers).as_ref().is_none_or(|x| !fits(x)) {
            let originals = logic.values().filter(fits).map(|one| &one.name);
            return Err(format!(
                "logic `{}`: `twin_of = \"{}\"` names no {} that is configured{}",
                twin.name,
                twin.answers,
                twin.kind.word(),
                did_you_mean(&twin.answers, originals)
            ));
        }
    }
    Ok(())
}

impl RawKind {
    pub(super) const fn kind(self) -> ComponentKind {
        match self {
            Self::Aggregate => ComponentKind::Aggregate,
            Self::Saga => ComponentKind::Saga,
            Self::ProcessManager => ComponentKind::ProcessManager,
            Self::Projector => ComponentKind::Projector,
            Self::Upcaster => ComponentKind::Upcaster,
        }
    }
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

pub(super) fn dialect(name: Option<String>) -> Result<Option<Dialect>, String> {
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
        let template = self.address.filter(|_| is_template);
        // The folder of `replay.toml` is where relative paths begin, also that of a socket.
        let address = |text: String| match text.strip_prefix("unix:") {
            Some(path) if !path.starts_with('/') => format!("unix:{}", root.join(path).display()),
            _ => text,
        };
        let template = template.map(address);
        let addresses: BTreeMap<Domain, String> = addresses
            .into_iter()
            .map(|(domain, text)| (domain, address(text)))
            .collect();
        let access = RawAccess {
            tls: self.tls,
            bearer: self.bearer,
            metadata: self.metadata,
            plaintext_credentials: self.plaintext_credentials,
            connect: self.connect,
            start_timeout: self.start_timeout,
        };
        let status = self.status.map(address);
        let usual = Bounds::default();
        let written = addresses.values().chain(&template).chain(&status);
        let written = written.map(String::as_str);
        Ok(SourceConfig {
            name: name.to_owned(),
            access: access.check(root, written)?,
            retries: self.retries.unwrap_or(3),
            queries_per_second: self.queries_per_second.map(NonZeroU32::get),
            bounds: Bounds {
                queries: self.max_queries.unwrap_or(usual.queries),
                bytes: self
                    .max_mebibytes
                    .map_or(usual.bytes, |count| u64::from(count) << 20),
                time: self
                    .max_seconds
                    .map_or(usual.time, |count| Duration::from_secs(count.into())),
            },
            keep_external: self.keep_external,
            addresses,
            template,
            dialect: dialect(self.dialect)?,
            tickets: self.tickets.iter().map(|path| root.join(path)).collect(),
            logs: self.logs.iter().map(|path| root.join(path)).collect(),
            status,
            deadline: self.deadline.unwrap_or(30),
            redaction_required: self.redaction_required,
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
            (None, None, Some(command)) if !command.is_empty() => {
                LogicPlace::Command(CommandConfig {
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
                })
            }
            _ => {
                return Err("it needs exactly one of `in_process`, `address` and `command`".into());
            }
        };
        let kind = self.kind.map_or(ComponentKind::Aggregate, RawKind::kind);
        let twin = self.twin || self.twin_of.is_some();
        let answers = Role {
            kind,
            name,
            twin_of: self.twin_of.as_deref(),
            twin,
            has_subscriptions: !self.subscriptions.is_empty(),
            has_root: self.root.is_some(),
            has_upcaster: self.upcaster,
        };
        let domain = answers.domain(self.domain.as_deref())?;
        Ok(LogicConfig {
            name: name.to_owned(),
            kind,
            answers: match (&domain, kind) {
                (Some(domain), ComponentKind::Aggregate) => domain.to_string(),
                _ => self.twin_of.unwrap_or_else(|| name.to_owned()),
            },
            domain,
            subscriptions: subscriptions(self.subscriptions)?,
            process_root: self.root.map(|root| match root {
                RawRoot::CorrelationId => ProcessRoot::CorrelationId,
                RawRoot::Uuid5 => ProcessRoot::Uuid5,
            }),
            place,
            dialect: dialect(self.dialect)?,
            upcaster: self.upcaster,
            deadline: self.deadline.unwrap_or(30),
            twin,
            requires: self.requires.map(|path| root.join(path)),
        })
    }
}

fn subscriptions(raw: BTreeMap<String, Vec<String>>) -> Result<Subscriptions, String> {
    let checked = raw
        .into_iter()
        .map(|(name, types)| Ok((domain(&name)?, types)));
    checked.collect()
}

/// What a component is to be, as far as its keys have to fit its kind.
#[allow(clippy::struct_excessive_bools, reason = "which keys are there")]
struct Role<'a> {
    kind: ComponentKind,
    name: &'a str,
    twin_of: Option<&'a str>,
    twin: bool,
    has_subscriptions: bool,
    has_root: bool,
    has_upcaster: bool,
}

impl Role<'_> {
    /// Its domain, where its kind has one.
    fn domain(&self, given: Option<&str>) -> Result<Option<Domain>, String> {
        let kind = self.kind.word();
        let refuse = |key: &str, of: &str| Err(format!("`{key}` is for {of}, not for a {kind}"));
        let reacts = matches!(
            self.kind,
            ComponentKind::Saga | ComponentKind::ProcessManager | ComponentKind::Projector
        );
        if self.has_subscriptions && !reacts {
            return refuse("subscriptions", "sagas, process managers and projectors");
        }
        if self.has_root && self.kind != ComponentKind::ProcessManager {
            return refuse("root", "process managers");
        }
        if self.has_upcaster && self.kind != ComponentKind::Aggregate {
            return refuse("upcaster", "aggregates");
        }
        if self.twin_of.is_some() && !reacts {
            return Err(format!(
                "`twin_of` is for sagas, process managers and projectors; a {kind} is a twin with `twin = true` and \
                 `domain`"
            ));
        }
        if self.twin && reacts && self.twin_of.is_none() {
            return Err(format!(
                "a {kind} is a twin with `twin_of = \"…\"`: say of which"
            ));
        }
        match self.kind {
            ComponentKind::Aggregate => domain(given.unwrap_or(self.name)).map(Some),
            ComponentKind::Upcaster => match given {
                Some(given) => domain(given).map(Some),
                None => Err("an upcaster needs the `domain` whose pages it upcasts".into()),
            },
            ComponentKind::ProcessManager => match given {
                Some(given) => domain(given).map(Some),
                None if self.twin => Ok(None),
                None => Err("a process manager needs the `domain` of its own stream".into()),
            },
            ComponentKind::Saga | ComponentKind::Projector => match given {
                Some(_) => refuse("domain", "aggregates, process managers and upcasters"),
                None => Ok(None),
            },
        }
    }
}
