//! Which logic answers a case, started when it is first needed and ended with the project.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{App, Config, LogicConfig, LogicPlace};
use crate::coordinator::Backend;
use crate::fixture::Case;
use crate::model::{Domain, Logic};
use crate::replay::{GrpcTarget, InProcess, LaunchError, LogicCommand, StartedLogic, Target};
use crate::wire::{CallError, Connection, ConnectionOptions, Dialect, LogicClient};

/// Logic that a case cannot be replayed on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogicUnavailable {
    /// No such logic.
    #[error("there is no logic `{name}`; configured are: {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Configured by a name that no main registered.
    #[error("logic `{name}`: `in_process = \"{registered}\"` names nothing that is registered in the mains (registered: {})", known.join(", "))]
    NotRegistered {
        /// Name of the logic.
        name: String,
        /// Name that was looked for.
        registered: String,
        /// Names that are registered.
        known: Vec<String>,
    },
    /// A dialect that the case names and this version does not know.
    #[error(transparent)]
    Dialect(#[from] crate::wire::UnknownDialect),
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] CallError),
    /// Logic that did not come up.
    #[error(transparent)]
    Launch(#[from] Arc<LaunchError>),
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
    pub fn at_address(address: &str, domain: &Domain) -> Self {
        Self {
            config: LogicConfig {
                name: address.to_owned(),
                domain: domain.clone(),
                place: LogicPlace::Address(address.to_owned()),
                dialect: None,
                upcaster: false,
                deadline: 30,
                twin: false,
                requires: None,
            },
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

type Launched = Result<Arc<StartedLogic>, Arc<LaunchError>>;

/// All logic under test.
pub struct Logics {
    registered: BTreeMap<String, Arc<dyn Logic>>,
    configured: BTreeMap<String, LogicConfig>,
    /// Per logic, so that two of them can start at once.
    started: BTreeMap<String, Mutex<Option<Launched>>>,
}

impl Logics {
    pub(super) fn new(app: &App, config: &Config) -> Self {
        let mut configured = config.logic.clone();
        for name in app.in_process.keys() {
            let Ok(domain) = name.parse::<Domain>() else {
                continue;
            };
            let is_answered = configured
                .values()
                .any(|logic| logic.domain == domain && !logic.twin);
            if !is_answered && !configured.contains_key(name) {
                configured.insert(name.clone(), registered_logic(name, domain));
            }
        }
        let started = configured
            .keys()
            .map(|name| (name.clone(), Mutex::new(None)))
            .collect();
        Self {
            registered: app.in_process.clone(),
            configured,
            started,
        }
    }

    /// The logic that a domain's cases are for, none where none is configured.
    #[must_use]
    pub fn of_domain(&self, domain: &Domain) -> Option<SelectedLogic> {
        let found = self
            .configured
            .values()
            .find(|logic| logic.domain == *domain && !logic.twin);
        found.cloned().map(|config| SelectedLogic { config })
    }

    /// Whether a folder of fixtures is that of a domain without logic.
    #[must_use]
    pub fn answers_domain_named(&self, name: &str) -> bool {
        self.configured
            .values()
            .any(|logic| logic.domain.as_str() == name && !logic.twin)
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
        match &case.logic {
            Some(name) => self.named(name).map(Some),
            None => Ok(self.of_domain(&case.cover.domain)),
        }
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
        let dialect = dialect_of(logic, captured)?;
        let config = &logic.config;
        if let LogicPlace::InProcess(registered) = &config.place {
            let found = self.registered(config, registered)?;
            return Ok(Box::new(InProcess::new(found, dialect, config.upcaster)));
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
    pub fn by_domain(&self) -> impl Iterator<Item = SelectedLogic> {
        self.configured
            .values()
            .filter(|logic| !logic.twin)
            .map(|config| SelectedLogic {
                config: config.clone(),
            })
    }

    fn registered(
        &self,
        config: &LogicConfig,
        registered: &str,
    ) -> Result<Arc<dyn Logic>, LogicUnavailable> {
        self.registered
            .get(registered)
            .cloned()
            .ok_or_else(|| LogicUnavailable::NotRegistered {
                name: config.name.clone(),
                registered: registered.to_owned(),
                known: self.registered.keys().cloned().collect(),
            })
    }

    fn connection(&self, config: &LogicConfig) -> Result<Connection, LogicUnavailable> {
        let address = match &config.place {
            LogicPlace::Address(address) => address.clone(),
            LogicPlace::InProcess(_) | LogicPlace::Command { .. } => {
                self.running(config)?.address()
            }
        };
        let deadline = Some(Duration::from_secs(config.deadline));
        Ok(Connection::new(
            &address,
            ConnectionOptions {
                deadline,
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
        Some(match ended {
            Some(status) => format!("logic `{name}` ended with {status}{output}"),
            None => format!("logic `{name}` is still running{output}"),
        })
    }

    fn running(&self, config: &LogicConfig) -> Launched {
        let launch = || {
            let spec = launch_spec(config).ok_or_else(|| LaunchError::Empty {
                name: config.name.clone(),
            });
            spec.and_then(|spec| StartedLogic::launch(&spec))
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

/// How a configured command is launched, none where the logic is no command.
fn launch_spec(config: &LogicConfig) -> Option<LogicCommand> {
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
    Some(LogicCommand {
        name: config.name.clone(),
        command: command
            .iter()
            .map(|word| in_directory(word, directory))
            .collect(),
        build: build.clone(),
        directory: directory.clone(),
        environment: environment.clone(),
        port: *port,
        start_timeout: Some(Duration::from_secs(*start_timeout)),
        is_shown: false,
    })
}

/// How a configured command is launched under its debugger, and what to tell the developer; none where there is
/// no debug command.
pub(crate) fn debug_spec(
    config: &LogicConfig,
    port: u16,
    debug_port: u16,
) -> Option<(LogicCommand, String)> {
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
    let spec = LogicCommand {
        command: command.map(|word| in_directory(&word, directory)).collect(),
        port: Some(port),
        start_timeout: None,
        is_shown: true,
        ..spec
    };
    Some((spec, fill(&debug.attach)))
}

/// A relative program path means one in the logic's directory: the system would take it from ours.
fn in_directory(word: &str, directory: &Path) -> String {
    let is_relative_path =
        word.contains('/') && !word.starts_with('/') && directory.join(word).is_file();
    if is_relative_path {
        directory.join(word).display().to_string()
    } else {
        word.to_owned()
    }
}

fn registered_logic(name: &str, domain: Domain) -> LogicConfig {
    LogicConfig {
        name: name.to_owned(),
        domain,
        place: LogicPlace::InProcess(name.to_owned()),
        dialect: None,
        upcaster: false,
        deadline: 30,
        twin: false,
        requires: None,
    }
}
