//! `[logic.NAME]`: where logic under test is, and which cases it answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use crate::model::{ComponentKind, Domain, IdError, ProcessRoot};
use crate::wire::{Dialect, UnknownDialect};

/// Where logic under test is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicPlace {
    /// Registered in the mains, in this process.
    InProcess(String),
    /// Address of a running server.
    Address(String),
    /// Started when it is needed.
    Command(CommandConfig),
}

/// How logic is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandConfig {
    /// Program and arguments.
    pub command: Vec<String>,
    /// A command that is run once, before the first start.
    pub build: Option<Vec<String>>,
    /// Working directory.
    pub directory: PathBuf,
    /// Additional environment.
    pub environment: Vec<(String, String)>,
    /// A fixed port.
    pub port: Option<u16>,
    /// Time limit for starting, in seconds.
    pub start_timeout: u64,
    /// How it is started under a debugger.
    pub debug: Option<DebugConfig>,
    /// Files, folders and patterns of files that `--watch` watches, relative to the folder of `replay.toml`. `None` means
    /// the files that its command names.
    pub watch: Option<Vec<String>>,
}

/// How logic is started under its debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugConfig {
    /// Program and arguments; `{port}` and `{debug_port}` are filled in.
    pub command: Vec<String>,
    /// Tells the developer what to attach to.
    pub attach: String,
}

/// Which events a saga, process manager or projector is sent: patterns of type names by domain.
pub type Subscriptions = BTreeMap<Domain, Vec<String>>;

/// Logic under test: business logic of a domain, or a component of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicConfig {
    /// Name of the logic.
    pub name: String,
    /// Kind of component.
    pub kind: ComponentKind,
    /// Domain of an aggregate or upcaster, and of a process manager's own stream.
    pub domain: Option<Domain>,
    /// Which events it is sent in a flow.
    pub subscriptions: Subscriptions,
    /// How the root of a process manager's stream is computed; `None` means as the dialect does it.
    pub process_root: Option<ProcessRoot>,
    /// First part of the names of the cases that it answers: the domain, or the name of the component.
    pub answers: String,
    /// Where it is.
    pub place: LogicPlace,
    /// Dialect; `None` is that of each case.
    pub dialect: Option<Dialect>,
    /// Whether a coordinator would have it upcast histories.
    pub upcaster: bool,
    /// Time limit of one call, in seconds.
    pub deadline: u64,
    /// Whether it answers every case of its domain in addition to the domain's own logic.
    pub twin: bool,
    /// A file without which it cannot run.
    pub requires: Option<PathBuf>,
}

/// Logic that is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogicConfigError {
    #[error(
        "`build`, `directory`, `environment`, `port`, `start_timeout`, `debug` and `watch` go with `command`"
    )]
    NoCommand,
    #[error("it needs exactly one of `in_process`, `address` and `command`")]
    Place,
    #[error("`{key}` is for {kinds}, not for a {kind}")]
    OtherKind {
        key: &'static str,
        kinds: &'static str,
        kind: &'static str,
    },
    #[error(
        "`twin_of` is for sagas, process managers and projectors; a {kind} is a twin with `twin = true` and `domain`"
    )]
    TwinOf { kind: &'static str },
    #[error("a {kind} is a twin with `twin_of = \"…\"`: name the {kind} that it is a twin of")]
    NoOriginal { kind: &'static str },
    #[error("an upcaster needs the `domain` whose pages it upcasts")]
    UpcasterDomain,
    #[error("a process manager needs the `domain` of its own stream")]
    ProcessManagerDomain,
    #[error(transparent)]
    Domain(#[from] IdError),
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
}

/// Logic under test. One of `in_process`, `address` and `command` says where it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Logic")]
pub(super) struct RawLogic {
    /// Business logic of a domain, or another kind of component; `aggregate` by default.
    kind: Option<RawKind>,
    /// For an aggregate, the domain whose cases it answers: its name by default. For a process manager, the domain of
    /// its own stream. For an upcaster, the domain whose pages it upcasts.
    domain: Option<String>,
    /// For a saga, process manager or projector: which events it receives in a flow, as patterns of type names by
    /// domain.
    #[serde(default)]
    subscriptions: BTreeMap<String, Vec<String>>,
    /// For a process manager: how the correlation id of a workflow gives the root of its stream. As the dialect has it
    /// by default.
    root: Option<RawRoot>,
    /// For a saga, process manager or projector: name of the one whose cases it answers in addition.
    twin_of: Option<String>,
    /// Name under which a main registered it.
    in_process: Option<String>,
    /// Address of a running server.
    address: Option<String>,
    /// Program and arguments. Started when a case first needs it, with a free port in the variable `PORT` and as
    /// `{port}`.
    command: Option<Vec<String>>,
    /// A command that is run once before `command`, and must succeed.
    build: Option<Vec<String>>,
    /// Working directory of `command` and `build`; the folder of `replay.toml` by default.
    directory: Option<PathBuf>,
    /// Added to the environment of `command`.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Fixed port of `command`; a free one by default.
    port: Option<u16>,
    /// Seconds that `command` may take to be ready; 30 by default.
    start_timeout: Option<u64>,
    /// `command` under a debugger, for `replay --debug`.
    debug: Option<RawDebug>,
    /// For `--watch`: files, folders and `*` patterns whose changes start the replay again; the files that `command` names by
    /// default.
    watch: Option<Vec<String>>,
    /// Dialect that the logic speaks; that of the case by default.
    // For the schema only: without it, the key would be required there.
    #[serde(default)]
    #[schemars(schema_with = "schema::dialect")]
    dialect: Option<String>,
    /// Whether a coordinator would let it upcast histories: `Upcast` is called before `Handle`.
    #[serde(default)]
    upcaster: bool,
    /// Seconds that one call may take; 30 by default.
    deadline: Option<u64>,
    /// For an aggregate: it answers every case of its domain in addition to the domain's own logic, and must give the
    /// same snapshots.
    #[serde(default)]
    twin: bool,
    /// File that it cannot run without, such as the interpreter of a virtual environment.
    requires: Option<PathBuf>,
}

/// Logic under a debugger.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Debug")]
struct RawDebug {
    /// Program and arguments; `{port}` and `{debug_port}` are replaced.
    command: Vec<String>,
    /// What to tell the developer; the same two are replaced.
    attach: String,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Kind")]
pub(super) enum RawKind {
    Aggregate,
    Saga,
    ProcessManager,
    Projector,
    Upcaster,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Root")]
enum RawRoot {
    CorrelationId,
    Uuid5,
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

impl RawLogic {
    pub(super) fn check(
        mut self,
        name: &str,
        root: &Path,
    ) -> Result<LogicConfig, LogicConfigError> {
        let kind = self.kind.map_or(ComponentKind::Aggregate, RawKind::kind);
        let place = self.take_place(root)?;
        self.check_keys(kind)?;
        let domain = self.domain(kind, name)?;
        Ok(LogicConfig {
            name: name.to_owned(),
            kind,
            twin: self.is_twin(),
            answers: match (&domain, kind) {
                (Some(domain), ComponentKind::Aggregate) => domain.to_string(),
                _ => self.twin_of.unwrap_or_else(|| name.to_owned()),
            },
            domain,
            subscriptions: self
                .subscriptions
                .into_iter()
                .map(|(name, types)| Ok((Domain::new(name)?, types)))
                .collect::<Result<_, IdError>>()?,
            process_root: self.root.map(|root| match root {
                RawRoot::CorrelationId => ProcessRoot::CorrelationId,
                RawRoot::Uuid5 => ProcessRoot::Uuid5,
            }),
            place,
            dialect: self.dialect.map(|name| name.parse()).transpose()?,
            upcaster: self.upcaster,
            deadline: self.deadline.unwrap_or(30),
            requires: self.requires.map(|path| root.join(path)),
        })
    }

    fn is_twin(&self) -> bool {
        self.twin || self.twin_of.is_some()
    }

    fn take_place(&mut self, root: &Path) -> Result<LogicPlace, LogicConfigError> {
        let has_command_keys = self.build.is_some()
            || self.directory.is_some()
            || self.port.is_some()
            || self.start_timeout.is_some()
            || self.debug.is_some()
            || self.watch.is_some()
            || !self.environment.is_empty();
        let place = (
            self.in_process.take(),
            self.address.take(),
            self.command.take(),
        );
        match place {
            (_, Some(_), None) | (Some(_), None, None) if has_command_keys => {
                Err(LogicConfigError::NoCommand)
            }
            (Some(registered), None, None) => Ok(LogicPlace::InProcess(registered)),
            (None, Some(address), None) => Ok(LogicPlace::Address(address)),
            (None, None, Some(command)) if !command.is_empty() => {
                Ok(LogicPlace::Command(CommandConfig {
                    command,
                    build: self.build.take(),
                    directory: match &self.directory {
                        None => root.to_owned(),
                        Some(directory) => root.join(directory),
                    },
                    environment: std::mem::take(&mut self.environment).into_iter().collect(),
                    port: self.port,
                    start_timeout: self.start_timeout.unwrap_or(30),
                    debug: self.debug.take().map(|debug| DebugConfig {
                        command: debug.command,
                        attach: debug.attach,
                    }),
                    watch: self.watch.take(),
                }))
            }
            _ => Err(LogicConfigError::Place),
        }
    }

    /// Checks that its kind has all keys that are given.
    fn check_keys(&self, kind: ComponentKind) -> Result<(), LogicConfigError> {
        let word = kind.word();
        let refuse = |key, kinds| Err(LogicConfigError::other_kind(key, kinds, kind));
        let reacts = matches!(
            kind,
            ComponentKind::Saga | ComponentKind::ProcessManager | ComponentKind::Projector
        );
        if !self.subscriptions.is_empty() && !reacts {
            return refuse("subscriptions", "sagas, process managers and projectors");
        }
        if self.root.is_some() && kind != ComponentKind::ProcessManager {
            return refuse("root", "process managers");
        }
        if self.upcaster && kind != ComponentKind::Aggregate {
            return refuse("upcaster", "aggregates");
        }
        if self.twin_of.is_some() && !reacts {
            return Err(LogicConfigError::TwinOf { kind: word });
        }
        if self.twin && reacts && self.twin_of.is_none() {
            return Err(LogicConfigError::NoOriginal { kind: word });
        }
        Ok(())
    }

    /// Its domain, if its kind has one.
    fn domain(&self, kind: ComponentKind, name: &str) -> Result<Option<Domain>, LogicConfigError> {
        match (kind, self.domain.as_deref()) {
            (ComponentKind::Saga | ComponentKind::Projector, Some(_)) => {
                let kinds = "aggregates, process managers and upcasters";
                Err(LogicConfigError::other_kind("domain", kinds, kind))
            }
            (ComponentKind::Saga | ComponentKind::Projector, None) => Ok(None),
            (_, Some(domain)) => Ok(Some(Domain::new(domain)?)),
            (ComponentKind::Aggregate, None) => Ok(Some(Domain::new(name)?)),
            (ComponentKind::Upcaster, None) => Err(LogicConfigError::UpcasterDomain),
            (ComponentKind::ProcessManager, None) if self.is_twin() => Ok(None),
            (ComponentKind::ProcessManager, None) => Err(LogicConfigError::ProcessManagerDomain),
        }
    }
}

impl LogicConfigError {
    fn other_kind(key: &'static str, kinds: &'static str, kind: ComponentKind) -> Self {
        Self::OtherKind {
            key,
            kinds,
            kind: kind.word(),
        }
    }
}
