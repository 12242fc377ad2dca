//! Prepares a configured coordinator for one case: either starts one on a fresh store in front of the chosen logic, or
//! uses a running one, in an edition made for the case.

mod error;

use std::time::Duration;

use super::ledger::{Ledger, LedgerEntry};
use super::logics::{SelectedLogic, ServingError, in_directory};
use super::readiness::readiness;
use super::{Config, CoordinatorCommand, CoordinatorConfig, CoordinatorPlace, Project};
use crate::grpc::{CallError, Connection, ConnectionOptions, Server, detect_dialect};
use crate::model::{Case, CaseStimulus, ComponentKind, Cover, EditionName};
use crate::processes::{ServerCommand, StartedServer};
use crate::replay::{Isolated, IsolatedError, LeftoverRecorder, Target, debug_edition};
use crate::wire::Dialect;
pub use error::CoordinatorUnavailable;

/// A coordinator that is ready for one case. Everything that was started for it ends when it is dropped.
pub struct IsolatedCoordinator {
    target: Isolated,
    started: Option<StartedServer>,
    /// The edition that was made for the case, if the coordinator is at an address.
    edition: Option<EditionName>,
    name: String,
    description: String,
    /// The dialect of its calls, if several dialects share the package and none is configured.
    assumed_dialect: Option<Dialect>,
    // Fields are dropped in this order: the coordinator ends before the logic in this process that it calls, and both
    // before the store.
    _logic: Option<Server>,
    _store: Option<tempfile::TempDir>,
}

impl IsolatedCoordinator {
    /// The target that the case is replayed on.
    #[must_use]
    pub const fn target(&self) -> &dyn Target {
        &self.target
    }

    /// Its name in `replay.toml`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name, and where it runs.
    #[must_use]
    pub fn describe(&self) -> &str {
        &self.description
    }

    /// The edition that was made for the case and holds its history.
    #[must_use]
    pub const fn edition(&self) -> Option<&EditionName> {
        self.edition.as_ref()
    }

    /// The dialect of its calls, if several dialects share the package and none is configured.
    #[must_use]
    pub const fn assumed_dialect(&self) -> Option<Dialect> {
        self.assumed_dialect
    }

    /// The last output of a coordinator that we started, and whether it still runs.
    #[must_use]
    pub fn last_output(&self) -> Option<String> {
        let (output, ended) = self.started.as_ref()?.last_words();
        Some(match ended {
            Some(status) => format!("the coordinator ended with {status}{output}"),
            None => format!("the coordinator is still running{output}"),
        })
    }
}

/// The coordinator that a case is replayed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoordinatorChoice<'a> {
    /// Its name in `replay.toml`.
    pub name: &'a str,
    /// Whether a history may be loaded even if the coordinator publishes the loaded events.
    pub may_publish: bool,
    /// Fixture, person and time, which name the edition.
    pub occasion: Occasion<'a>,
}

/// Who replays which case, and when. Part of the edition's name and of its ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occasion<'a> {
    /// The fixture, as it is shown.
    pub fixture: &'a str,
    /// The issue, or the name of the fixture.
    pub what: &'a str,
    /// The person.
    pub who: &'a str,
    /// The time, RFC 3339.
    pub time: &'a str,
}

#[doc(hidden)]
impl Project {
    /// Prepares a configured coordinator for a case, with the logic behind it if the coordinator has to be started.
    pub fn coordinator(
        &self,
        logic: &SelectedLogic,
        case: &Case,
        choice: &CoordinatorChoice<'_>,
    ) -> Result<IsolatedCoordinator, CoordinatorUnavailable> {
        let name = choice.name;
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
            CoordinatorPlace::Address(address) => self.at_address(config, address, case, choice),
            CoordinatorPlace::Command(command) => self.started(config, command, logic, case),
        }
    }

    fn at_address(
        &self,
        config: &CoordinatorConfig,
        address: &str,
        case: &Case,
        choice: &CoordinatorChoice<'_>,
    ) -> Result<IsolatedCoordinator, CoordinatorUnavailable> {
        let occasion = &choice.occasion;
        let connection = connect(config, address, &self.config)?;
        let dialect = dialect_at(config, address, &connection, case)?;
        let is_loaded = config.kind == ComponentKind::Aggregate && case.head() > 0;
        if is_loaded && !choice.may_publish && !dialect.rules().isolated_mode {
            return Err(CoordinatorUnavailable::Publishes {
                name: config.name.clone(),
                address: address.to_owned(),
                dialect,
            });
        }
        let edition = debug_edition(occasion.what, occasion.who, occasion.time);
        let recorder = ledger_recorder(self, config, address, dialect, occasion);
        Ok(IsolatedCoordinator {
            target: Isolated::in_edition(&connection, dialect, edition.clone(), recorder),
            started: None,
            edition: Some(edition),
            name: config.name.clone(),
            description: format!("{} (at {address})", config.name),
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
        let served = self.logics().address(logic, dialect);
        let (address, served) = served.map_err(|error| match error {
            ServingError::Logic(error) => error.into(),
            ServingError::Server(error) => system(error),
        })?;
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
        let spec = server_command(&config.name, command, &placeholders);
        let started = StartedServer::launch(&spec, &readiness)?;
        let connection = connect(config, &started.address(), &self.config)?;
        Ok(IsolatedCoordinator {
            target: Isolated::on_fresh_store(&connection, dialect),
            started: Some(started),
            edition: None,
            name: config.name.clone(),
            description: format!("{} (started: {})", config.name, command.command.join(" ")),
            assumed_dialect: None,
            _logic: served,
            _store: Some(store),
        })
    }
}

/// Why no coordinator can answer a case of this kind. Known without starting anything.
pub(super) const fn why_unanswered(stimulus: &CaseStimulus) -> Option<IsolatedError> {
    match stimulus {
        CaseStimulus::Flow(_) => Some(IsolatedError::Flow),
        CaseStimulus::Fact(_) => Some(IsolatedError::FACTS),
        CaseStimulus::History => Some(IsolatedError::FOLD),
        CaseStimulus::Upcaster => Some(IsolatedError::UPCASTER),
        CaseStimulus::Command(_)
        | CaseStimulus::Compensation(_)
        | CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::ProcessCompensation(_)
        | CaseStimulus::Projector { .. } => None,
    }
}

/// The dialect of a coordinator at an address: the configured one, otherwise the detected one.
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
    Ok(preferred_dialect(detected, case.source.dialect.parse()?))
}

/// A connection cannot tell dialects of one package apart. The dialect of the case is then a better guess than the
/// newest, whose enum numbers an older server would misread.
fn preferred_dialect(detected: Dialect, captured: Dialect) -> Dialect {
    if detected.package() == captured.package() {
        captured
    } else {
        detected
    }
}

fn server_command(
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

fn connect(
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

/// Returns a function that records an edition in the ledger before a history is loaded into it.
fn ledger_recorder(
    project: &Project,
    config: &CoordinatorConfig,
    address: &str,
    dialect: Dialect,
    occasion: &Occasion<'_>,
) -> LeftoverRecorder {
    let ledger = Ledger::of(&project.config.root);
    let entry = LedgerEntry {
        ledger: LedgerEntry::VERSION,
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
        let entry = LedgerEntry {
            edition: edition.to_string(),
            domain: cover.domain.to_string(),
            root: cover.root.to_string(),
            ..entry.clone()
        };
        Ok(ledger.add(&entry)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_decides_between_dialects_of_one_package() {
        let june: Dialect = "io.angzarr.v1-2026-06".parse().expect("it is known");
        assert_eq!(preferred_dialect(Dialect::IO_ANGZARR_V1, june), june);
        let newest = Dialect::IO_ANGZARR_V1;
        assert_eq!(preferred_dialect(newest, Dialect::ANGZARR), newest);
    }
}
