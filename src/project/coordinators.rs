//! A configured coordinator, made ready for one case: started on a fresh store before the chosen logic, or asked at its
//! address in an edition of its own.

use std::net::TcpListener;
use std::time::Duration;

use super::ledger::{Ledger, LeftBehind};
use super::logics::{LogicUnavailable, SelectedLogic, in_directory};
use super::readiness::readiness;
use super::{Config, CoordinatorCommand, CoordinatorConfig, CoordinatorPlace, LogicPlace, Project};
use crate::grpc::{
    CallError, Connection, ConnectionOptions, Server, detect_dialect, serve_component,
};
use crate::model::{Case, ComponentKind, Cover, EditionName, did_you_mean};
use crate::processes::{LaunchError, ServerCommand, StartedServer};
use crate::replay::{Isolated, LeftoverRecorder, Target, debug_edition};
use crate::wire::{Dialect, UnknownDialect};

/// A coordinator that a case cannot be replayed through.
#[derive(Debug, thiserror::Error)]
pub enum CoordinatorUnavailable {
    /// No such coordinator.
    #[error(
        "there is no coordinator `{name}`; configured are: {}{}", if known.is_empty() { "none, see [coordinators.NAME] in docs/configuration.md".to_owned() } else { known.join(", ") }, did_you_mean(name, known)
    )]
    Unknown {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Of another kind than the case needs.
    #[error(
        "coordinator `{name}` is for components of kind {found}, the case is for one of kind {wanted}"
    )]
    WrongKind {
        /// Name of the coordinator.
        name: String,
        /// What it is for.
        found: &'static str,
        /// What is needed.
        wanted: &'static str,
    },
    /// Loading a history there would publish it.
    #[error(
        "coordinator `{name}` (at {address}) speaks `{dialect}`, which has no sync mode ISOLATED: the history that is loaded \
         would be published, and sagas, process managers and projectors that listen there would act on it; --force loads it \
         all the same, and a coordinator that is started by `command` has nobody that listens"
    )]
    Publishes {
        /// Name of the coordinator.
        name: String,
        /// Where it is.
        address: String,
        /// What it speaks.
        dialect: Dialect,
    },
    /// What listens there is no coordinator.
    #[error(
        "coordinator `{name}`: {address} is a gRPC server but answers no Angzarr queries in any known dialect; is it the port \
         of a coordinator?"
    )]
    NoAngzarr {
        /// Name of the coordinator.
        name: String,
        /// The address.
        address: String,
    },
    /// A dialect of the case that this version does not know.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// The logic behind it.
    #[error(transparent)]
    Logic(#[from] LogicUnavailable),
    /// It is not reached.
    #[error("coordinator `{name}`: {reason}")]
    Call {
        /// Name of the coordinator.
        name: String,
        /// The failed call.
        reason: CallError,
    },
    /// It did not come up.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// Its fresh store, or the logic in process before it.
    #[error("coordinator `{name}`: {reason}")]
    System {
        /// Name of the coordinator.
        name: String,
        /// The system's words.
        reason: std::io::Error,
    },
}

/// A coordinator ready for one case. What was started for it ends with it.
pub struct IsolatedCoordinator {
    target: Isolated,
    started: Option<StartedServer>,
    /// The edition that the logic is shown, where it is one made for this.
    edition: Option<EditionName>,
    described: String,
    /// The dialect that it is spoken to in, where nobody said which of its package that is.
    assumed_dialect: Option<Dialect>,
    // In this order: the coordinator ends before the logic in process that it asks, and both before the store.
    _logic: Option<Server>,
    _store: Option<tempfile::TempDir>,
}

impl IsolatedCoordinator {
    /// What the case is replayed on.
    #[must_use]
    pub const fn target(&self) -> &dyn Target {
        &self.target
    }

    /// Name, and where it runs.
    #[must_use]
    pub fn describe(&self) -> &str {
        &self.described
    }

    /// The edition that was made for the case, where its history is loaded into one.
    #[must_use]
    pub const fn edition(&self) -> Option<&EditionName> {
        self.edition.as_ref()
    }

    /// The dialect that it is spoken to in, where others have the same package and nobody said which is right.
    #[must_use]
    pub const fn assumed_dialect(&self) -> Option<Dialect> {
        self.assumed_dialect
    }

    /// Last words of a coordinator that we started.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        let (output, ended) = self.started.as_ref()?.last_words();
        Some(match ended {
            Some(status) => format!("the coordinator ended with {status}{output}"),
            None => format!("the coordinator is still running{output}"),
        })
    }
}

/// Who replays what and when: parts of the name of an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion<'a> {
    /// The fixture, as it is shown.
    pub fixture: &'a str,
    /// The issue, or the name of the fixture.
    pub what: &'a str,
    /// The person.
    pub who: &'a str,
    /// The time, RFC 3339.
    pub time: &'a str,
    /// Whether a history may be loaded where that publishes it.
    pub may_publish: bool,
}

impl Project {
    /// Makes a configured coordinator ready for a case, with a logic behind it where it is started for that.
    pub fn coordinator(
        &self,
        name: &str,
        logic: &SelectedLogic,
        case: &Case,
        occasion: &Occasion<'_>,
    ) -> Result<IsolatedCoordinator, CoordinatorUnavailable> {
        let config = self.config.coordinators.get(name);
        let config = config.ok_or_else(|| CoordinatorUnavailable::Unknown {
            name: name.to_owned(),
            known: self.config.coordinators.keys().cloned().collect(),
        })?;
        let wanted = case.stimulus.component_kind();
        if config.kind != wanted {
            return Err(CoordinatorUnavailable::WrongKind {
                name: name.to_owned(),
                found: config.kind.word(),
                wanted: wanted.word(),
            });
        }
        match &config.place {
            CoordinatorPlace::Address(address) => self.at_address(config, address, case, occasion),
            CoordinatorPlace::Command(command) => self.started(config, command, logic, case),
        }
    }

    fn at_address(
        &self,
        config: &CoordinatorConfig,
        address: &str,
        case: &Case,
        occasion: &Occasion<'_>,
    ) -> Result<IsolatedCoordinator, CoordinatorUnavailable> {
        let connection = connected(config, address, &self.config)?;
        let dialect = dialect_at(config, address, &connection, case)?;
        let is_loaded = config.kind == ComponentKind::Aggregate && case.head() > 0;
        if is_loaded && !occasion.may_publish && !dialect.rules().isolated_mode {
            return Err(CoordinatorUnavailable::Publishes {
                name: config.name.clone(),
                address: address.to_owned(),
                dialect,
            });
        }
        let edition = debug_edition(occasion.what, occasion.who, occasion.time);
        let noted = noting(self, config, address, dialect, occasion);
        Ok(IsolatedCoordinator {
            target: Isolated::in_edition(&connection, dialect, edition.clone(), noted),
            started: None,
            edition: Some(edition),
            described: format!("{} (at {address})", config.name),
            assumed_dialect: (config.dialect.is_none() && dialect.is_ambiguous())
                .then_some(dialect),
            _logic: None,
            _store: None,
        })
    }

    fn started(
        &self,
        config: &CoordinatorConfig,
        command: &CoordinatorCommand,
        logic: &SelectedLogic,
        case: &Case,
    ) -> Result<IsolatedCoordinator, CoordinatorUnavailable> {
        let captured = || case.source.dialect.parse();
        let spoken = config.dialect.or(logic.config.dialect);
        let dialect: Dialect = spoken.map_or_else(captured, Ok)?;
        let system = |reason| CoordinatorUnavailable::System {
            name: config.name.clone(),
            reason,
        };
        let (address, served) = self.served(logic, dialect, &system)?;
        let store = tempfile::Builder::new()
            .prefix("angzarr-replay-")
            .tempdir()
            .map_err(system)?;
        let file = store.path().join("events.db");
        let placeholders = [
            ("{logic}", address),
            ("{store}", file.display().to_string()),
            ("{dialect}", dialect.name().to_owned()),
            ("{domain}", case.cover.domain.to_string()),
        ];
        let spec = launched(&config.name, command, &placeholders);
        let started = StartedServer::launch(&spec, &readiness)?;
        let connection = connected(config, &started.address(), &self.config)?;
        Ok(IsolatedCoordinator {
            target: Isolated::on_fresh_store(&connection, dialect),
            started: Some(started),
            edition: None,
            described: format!("{} (started: {})", config.name, command.command.join(" ")),
            assumed_dialect: None,
            _logic: served,
            _store: Some(store),
        })
    }

    /// Address of a logic; one in this process is served for the occasion.
    fn served(
        &self,
        logic: &SelectedLogic,
        dialect: Dialect,
        system: &dyn Fn(std::io::Error) -> CoordinatorUnavailable,
    ) -> Result<(String, Option<Server>), CoordinatorUnavailable> {
        if let LogicPlace::InProcess(registered) = &logic.config.place {
            let component = self.logics().registered(&logic.config, registered)?;
            let listener = TcpListener::bind("127.0.0.1:0").map_err(system)?;
            let server = serve_component(listener, dialect, component).map_err(system)?;
            return Ok((server.address().to_string(), Some(server)));
        }
        let connection = self.logics().connection(&logic.config)?;
        Ok((connection.address().to_owned(), None))
    }
}

/// The dialect of a coordinator at an address: the configured one, else the one that it answers in.
fn dialect_at(
    config: &CoordinatorConfig,
    address: &str,
    connection: &Connection,
    case: &Case,
) -> Result<Dialect, CoordinatorUnavailable> {
    if let Some(dialect) = config.dialect {
        return Ok(dialect);
    }
    let detected = detect_dialect(connection)
        .map_err(|reason| failed(config, reason))?
        .ok_or_else(|| CoordinatorUnavailable::NoAngzarr {
            name: config.name.clone(),
            address: address.to_owned(),
        })?;
    Ok(same_package(detected, case.source.dialect.parse()?))
}

/// Dialects of one package cannot be told apart at a connection: there the case's own is the better guess than the
/// newest, whose enum numbers older servers take for others.
fn same_package(detected: Dialect, captured: Dialect) -> Dialect {
    if detected.package() == captured.package() {
        captured
    } else {
        detected
    }
}

fn launched(
    name: &str,
    configured: &CoordinatorCommand,
    placeholders: &[(&str, String)],
) -> ServerCommand {
    let fill = |text: &String| {
        let filled = |text: String, (name, value): &(&str, String)| text.replace(name, value);
        placeholders.iter().fold(text.clone(), filled)
    };
    let words = configured.command.iter().map(fill);
    let environment = configured.environment.iter();
    ServerCommand {
        label: format!("coordinator `{name}`"),
        command: words
            .map(|word| in_directory(&word, &configured.directory))
            .collect(),
        build: configured.build.clone(),
        directory: configured.directory.clone(),
        environment: environment
            .map(|(key, value)| (key.clone(), fill(value)))
            .collect(),
        port: None,
        start_timeout: Some(Duration::from_secs(configured.start_timeout)),
        listener: None,
    }
}

fn connected(
    config: &CoordinatorConfig,
    address: &str,
    project: &Config,
) -> Result<Connection, CoordinatorUnavailable> {
    let options = ConnectionOptions {
        deadline: Some(Duration::from_secs(config.deadline)),
        status_limit: project.status_limit,
        reply_limit: Some(project.reply_limit),
        ..ConnectionOptions::default()
    };
    Connection::new(address, options).map_err(|reason| failed(config, reason))
}

fn failed(config: &CoordinatorConfig, reason: CallError) -> CoordinatorUnavailable {
    CoordinatorUnavailable::Call {
        name: config.name.clone(),
        reason,
    }
}

/// Writes into the ledger what is about to be left behind.
fn noting(
    project: &Project,
    config: &CoordinatorConfig,
    address: &str,
    dialect: Dialect,
    occasion: &Occasion<'_>,
) -> LeftoverRecorder {
    let ledger = Ledger::of(&project.config.root);
    let entry = LeftBehind {
        ledger: LeftBehind::VERSION,
        edition: String::new(),
        coordinator: config.name.clone(),
        address: address.to_owned(),
        dialect: dialect.name().to_owned(),
        domain: String::new(),
        root: String::new(),
        made_for: occasion.fixture.to_owned(),
        made_at: occasion.time.to_owned(),
    };
    Box::new(move |edition: &EditionName, cover: &Cover| {
        let entry = LeftBehind {
            edition: edition.to_string(),
            domain: cover.domain.to_string(),
            root: cover.root.to_string(),
            ..entry.clone()
        };
        ledger.add(&entry).map_err(|error| error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_package_is_settled_by_the_case() {
        let june: Dialect = "io.angzarr.v1-2026-06".parse().expect("it is known");
        assert_eq!(same_package(Dialect::IO_ANGZARR_V1, june), june);
        let newest = Dialect::IO_ANGZARR_V1;
        assert_eq!(same_package(newest, Dialect::ANGZARR), newest);
    }
}
