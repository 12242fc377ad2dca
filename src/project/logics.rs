//! Which logic answers a case, started when it is first needed and ended with the project.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::readiness::readiness;
use super::{App, Config, LogicConfig, LogicPlace, Subscriptions};
use crate::coordinator::Backend;
use crate::grpc::{CallError, Connection, ConnectionOptions, LogicClient};
use crate::model::{Case, Component, ComponentKind, Domain, did_you_mean};
use crate::processes::{LaunchError, LaunchFailure, LineListener, ServerCommand, StartedServer};
use crate::replay::{GrpcTarget, InProcess, Target, WithUpcaster};
use crate::terminal::complain;
use crate::wire::Dialect;

/// Logic that a case cannot be replayed on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogicUnavailable {
    /// No such logic.
    #[error("there is no logic `{name}`; configured are: {}{}", known.join(", "), did_you_mean(name, known))]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Configured by a name that no main registered.
    #[error("logic `{name}`: `in_process = \"{registered}\"` names nothing that is registered in the mains (registered: {}){}", known.join(", "), did_you_mean(registered, known))]
    NotRegistered {
        /// Name of the logic.
        name: String,
        /// Name that was looked for.
        registered: String,
        /// Names that are registered.
        known: Vec<String>,
    },
    /// Of another kind than the case needs.
    #[error("logic `{name}` is of kind {found}, the case is for one of kind {wanted}")]
    WrongKind {
        /// Name of the logic.
        name: String,
        /// What it is.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// A dialect that the case names and this version does not know.
    #[error(transparent)]
    Dialect(#[from] crate::wire::UnknownDialect),
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] CallError),
    /// Logic that did not come up.
    #[error("{words}")]
    Launch {
        /// Why, with its last output as it may be shown.
        words: String,
    },
}

/// Logic chosen for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedLogic {
    /// Its configuration.
    pub config: LogicConfig,
}

impl SelectedLogic {
    /// Logic at an address, which no configuration names.
    #[must_use]
    pub fn at_address(address: &str, kind: ComponentKind, domain: &Domain) -> Self {
        let place = LogicPlace::Address(address.to_owned());
        Self {
            config: plain_config(address, kind, Some(domain.clone()), place),
        }
    }

    /// A saga, process manager or projector at an address, which no configuration names.
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
        let place = match &self.config.place {
            LogicPlace::InProcess(_) => "in process".to_owned(),
            LogicPlace::Address(address) if *address == self.config.name => {
                "given by address".to_owned()
            }
            LogicPlace::Address(address) => format!("at {address}"),
            LogicPlace::Command { command, .. } => format!("started: {}", command.join(" ")),
        };
        format!("{} ({place})", self.config.name)
    }
}

type Launched = Result<Arc<StartedServer>, Arc<LaunchError>>;

/// All logic under test.
pub struct Logics {
    registered: BTreeMap<String, Component>,
    configured: BTreeMap<String, LogicConfig>,
    /// Whether what started logic writes is shown only without what looks like a secret.
    is_redacting: bool,
    /// Largest status that is read, in bytes.
    status_limit: usize,
    /// Largest reply that is read, in bytes.
    reply_limit: usize,
    /// Whether nothing of it is shown any more.
    is_hushed: AtomicBool,
    /// Per logic, so that two of them can start at once.
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
            // Whose pages an upcaster is for, and which stream is a process manager's, only replay.toml says.
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
            is_redacting: config.redaction.is_some(),
            status_limit: config.status_limit,
            reply_limit: config.reply_limit,
            is_hushed: AtomicBool::new(false),
            started,
        }
    }

    /// The business logic of a domain, none where none is configured.
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

    /// What upcasts the pages of a domain: an upcaster of its own, else its logic where that is one.
    #[must_use]
    pub fn upcaster_of(&self, domain: &Domain) -> Option<SelectedLogic> {
        let own = self.of_kind(ComponentKind::Upcaster, domain);
        own.or_else(|| self.of_domain(domain).filter(|logic| logic.config.upcaster))
    }

    /// Whether a folder of fixtures is that of logic that is configured.
    #[must_use]
    pub fn answers_cases_of(&self, name: &str) -> bool {
        self.configured
            .values()
            .any(|logic| logic.answers == name && !logic.twin)
    }

    /// What is said where no logic answers the cases of a domain.
    #[must_use]
    pub fn none_for(&self, domain: &str) -> String {
        let answered = self.configured.values().filter(|logic| !logic.twin);
        let answered = answered.filter(|logic| logic.kind == ComponentKind::Aggregate);
        let hint = did_you_mean(domain, answered.map(|logic| &logic.answers));
        format!("no logic is configured for the domain `{domain}`{hint}")
    }

    /// Every component of a kind that flows go through, sorted by name.
    pub fn of_component_kind(&self, kind: ComponentKind) -> impl Iterator<Item = SelectedLogic> {
        let found = self.configured.values();
        found
            .filter(move |logic| logic.kind == kind && !logic.twin)
            .map(|config| SelectedLogic {
                config: config.clone(),
            })
    }

    /// The logic of a name.
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

    /// The logic that a case is for: the one it names, else its domain's.
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

    /// Everything that is configured or registered.
    pub fn all(&self) -> impl Iterator<Item = &LogicConfig> {
        self.configured.values()
    }

    /// Logic that answers every case of its domain in addition.
    pub fn twins(&self) -> impl Iterator<Item = &LogicConfig> {
        self.configured.values().filter(|logic| logic.twin)
    }

    /// Makes a chosen logic ready and gives what a case is replayed on. `captured` is the dialect of the case.
    pub fn target(
        &self,
        logic: &SelectedLogic,
        captured: &str,
    ) -> Result<Box<dyn Target>, LogicUnavailable> {
        let target = self.plain_target(logic, captured)?;
        if logic.config.kind != ComponentKind::Aggregate || logic.config.upcaster {
            return Ok(target);
        }
        let upcaster = logic.config.domain.as_ref();
        let upcaster = upcaster.and_then(|domain| self.of_kind(ComponentKind::Upcaster, domain));
        Ok(match upcaster {
            Some(upcaster) => Box::new(WithUpcaster::new(
                target,
                self.plain_target(&upcaster, captured)?,
            )),
            None => target,
        })
    }

    /// The logic alone, without an upcaster of its domain that serves by itself.
    fn plain_target(
        &self,
        logic: &SelectedLogic,
        captured: &str,
    ) -> Result<Box<dyn Target>, LogicUnavailable> {
        let dialect = dialect_of(logic, captured)?;
        let config = &logic.config;
        if let LogicPlace::InProcess(registered) = &config.place {
            let found = self.registered(config, registered)?;
            let target = InProcess::component(found, dialect, config.upcaster)
                .with_limits(self.reply_limit, self.status_limit);
            return Ok(Box::new(target));
        }
        let client = LogicClient::new(self.connection(config)?, dialect);
        Ok(Box::new(GrpcTarget::new(client, config.upcaster)))
    }

    /// Makes a chosen logic ready to stand behind a coordinator.
    pub fn backend(
        &self,
        logic: &SelectedLogic,
        dialect: Dialect,
    ) -> Result<Backend, LogicUnavailable> {
        if let LogicPlace::InProcess(registered) = &logic.config.place {
            return Ok(Backend::InProcess(
                self.registered(&logic.config, registered)?,
            ));
        }
        let dialect = logic.config.dialect.unwrap_or(dialect);
        Ok(Backend::Remote(LogicClient::new(
            self.connection(&logic.config)?,
            dialect,
        )))
    }

    /// The domains that have logic, with it.
    pub fn by_domain(&self) -> impl Iterator<Item = (Domain, SelectedLogic)> {
        self.of_component_kind(ComponentKind::Aggregate)
            .filter_map(|logic| Some((logic.config.domain.clone()?, logic)))
    }

    pub(super) fn registered(
        &self,
        config: &LogicConfig,
        registered: &str,
    ) -> Result<Component, LogicUnavailable> {
        let Some(component) = self.registered.get(registered) else {
            return Err(LogicUnavailable::NotRegistered {
                name: config.name.clone(),
                registered: registered.to_owned(),
                known: self.registered.keys().cloned().collect(),
            });
        };
        if component.kind() != config.kind {
            return Err(LogicUnavailable::WrongKind {
                name: registered.to_owned(),
                found: component.kind().word(),
                wanted: config.kind.word(),
            });
        }
        Ok(component.clone())
    }

    pub(super) fn connection(&self, config: &LogicConfig) -> Result<Connection, LogicUnavailable> {
        let address = match &config.place {
            LogicPlace::Address(address) => address.clone(),
            LogicPlace::InProcess(_) | LogicPlace::Command { .. } => {
                let running = self.running(config);
                let running = running.map_err(|error| LogicUnavailable::Launch {
                    words: self.shown(&error.to_string()),
                });
                running?.address()
            }
        };
        let deadline = Some(Duration::from_secs(config.deadline));
        Ok(Connection::new(
            &address,
            ConnectionOptions {
                deadline,
                status_limit: self.status_limit,
                reply_limit: Some(self.reply_limit),
                ..ConnectionOptions::default()
            },
        )?)
    }

    /// Last words of a started logic that failed a case by dying, empty where it lives or was not started.
    #[must_use]
    pub fn last_words(&self, name: &str) -> Option<String> {
        let started = self
            .started
            .get(name)?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(Ok(running)) = started.as_ref() else {
            return None;
        };
        let (output, ended) = running.last_words();
        let output = if self.is_hushed.load(Ordering::Relaxed) {
            "; its output is not shown, as it was also asked with what redaction took out"
                .to_owned()
        } else {
            output.to_string()
        };
        Some(self.shown(&match ended {
            Some(status) => format!("logic `{name}` ended with {status}{output}"),
            None => format!("logic `{name}` is still running{output}"),
        }))
    }

    /// What is said of a case, with the last words of its logic where that was started.
    #[must_use]
    pub fn with_last_words(&self, name: &str, said: &impl std::fmt::Display) -> String {
        match self.last_words(name) {
            Some(words) => format!("{said}\n{words}"),
            None => said.to_string(),
        }
    }

    /// From now on nothing that started logic writes is shown: it is asked with what must not be seen.
    pub(crate) fn hush(&self) {
        self.is_hushed.store(true, Ordering::Relaxed);
    }

    /// What started logic has written, as it may be shown.
    fn shown(&self, text: &str) -> String {
        if self.is_redacting {
            crate::redact::masked(text)
        } else {
            text.to_owned()
        }
    }

    fn running(&self, config: &LogicConfig) -> Launched {
        let launch = || {
            let spec =
                launch_spec(config).ok_or_else(|| LaunchFailure::EmptyCommand.of(&label(config)));
            spec.and_then(|spec| StartedServer::launch(&spec, &readiness))
                .map(Arc::new)
                .map_err(Arc::new)
        };
        match self.started.get(&config.name) {
            // One start for all cases; one failure for all of them too.
            Some(slot) => slot
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(launch)
                .clone(),
            None => launch(),
        }
    }
}

/// Dialect in which a logic is spoken to: its own, else that of the capture.
pub(crate) fn dialect_of(
    logic: &SelectedLogic,
    captured: &str,
) -> Result<Dialect, crate::wire::UnknownDialect> {
    logic.config.dialect.map_or_else(|| captured.parse(), Ok)
}

/// Its name in messages about its start.
fn label(config: &LogicConfig) -> String {
    format!("logic `{}`", config.name)
}

/// How a configured command is launched, none where the logic is no command.
fn launch_spec(config: &LogicConfig) -> Option<ServerCommand> {
    let LogicPlace::Command {
        command,
        build,
        directory,
        environment,
        port,
        start_timeout,
        ..
    } = &config.place
    else {
        return None;
    };
    Some(ServerCommand {
        label: label(config),
        command: command
            .iter()
            .map(|word| in_directory(word, directory))
            .collect(),
        build: build.clone(),
        directory: directory.clone(),
        environment: environment.clone(),
        port: *port,
        start_timeout: Some(Duration::from_secs(*start_timeout)),
        listener: None,
    })
}

/// How a configured command is launched under its debugger, and what to tell the developer; none where there is
/// no debug command.
pub(crate) fn debug_spec(
    config: &LogicConfig,
    port: u16,
    debug_port: u16,
) -> Option<(ServerCommand, String)> {
    let spec = launch_spec(config)?;
    let LogicPlace::Command {
        debug: Some(debug),
        directory,
        port: fixed,
        ..
    } = &config.place
    else {
        return None;
    };
    let port = fixed.unwrap_or(port);
    let fill = |text: &String| {
        text.replace("{debug_port}", &debug_port.to_string())
            .replace("{port}", &port.to_string())
    };
    let command = debug.command.iter().map(fill);
    let name = config.name.clone();
    let spec = ServerCommand {
        command: command.map(|word| in_directory(&word, directory)).collect(),
        port: Some(port),
        start_timeout: None,
        listener: Some(LineListener::new(move |line| {
            complain(format_args!("{name} | {line}"));
        })),
        ..spec
    };
    Some((spec, fill(&debug.attach)))
}

/// A relative program path means one in the logic's directory: the system would take it from ours.
pub(super) fn in_directory(word: &str, directory: &Path) -> String {
    let is_relative_path =
        word.contains('/') && !word.starts_with('/') && directory.join(word).is_file();
    if is_relative_path {
        directory.join(word).display().to_string()
    } else {
        word.to_owned()
    }
}

fn plain_config(
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
