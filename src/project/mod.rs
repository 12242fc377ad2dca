//! A project: its configuration, its descriptors, its fixtures, its sources, and the logic that answers its cases.
//!
//! Shared by both mains. A main registers what only it can know: logic in this process, and an embedded deployment.

mod access;
mod case_replay;
mod config;
mod connector;
mod coordinators;
mod edition_cleanup;
mod embedded;
mod failures;
mod flow;
mod ledger;
mod logics;
mod objects;
mod operation_error;
mod readiness;
mod reading;
mod redaction;
mod sources;
mod stores;
mod ticket_log;
mod way;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use case_replay::{
    CaseResult, LogicChoice, ReadyLogic, ReplayError, ReplayErrorKind, ReplayOptions, ReplayedCase,
};
pub(crate) use case_replay::{other_build, snapshot_is_not_known};
pub use config::{
    AccessConfig, CommandConfig, Config, ConfigError, ConnectConfig, CoordinatorCommand,
    CoordinatorConfig, CoordinatorPlace, DebugConfig, EMBEDDED, LogicConfig, LogicPlace,
    RedactionConfig, SecretSource, Skip, SourceConfig, Subscriptions, TlsConfig,
    config_json_schema,
};
pub use coordinators::{CoordinatorChoice, CoordinatorUnavailable, IsolatedCoordinator, Occasion};
pub use edition_cleanup::EditionCleanup;
pub use embedded::{Embedded, EmbeddedError, RunningDeployment, system_clock};
pub(crate) use failures::each_failure;
pub use failures::{FailureEntry, Failures};
pub use ledger::{Ledger, LedgerEntry, LedgerError};
pub(crate) use logics::debug_command;
pub use logics::{LogicUnavailable, Logics, SelectedLogic};
pub use objects::Objects;
pub use operation_error::OperationError;
pub use readiness::readiness;
#[doc(hidden)]
pub use reading::{ReadAmount, ReadKind, ReadingWatcher};
pub(crate) use reading::{ReadingProgress, WatchedFile};
pub use redaction::RedactionUnavailable;
pub use sources::{OpenSource, SourceError};
pub(crate) use stores::StoreOfDomains;
pub use ticket_log::TicketLog;

use crate::fixture::{FixtureError, Folder};
use crate::model::{
    Case, Component, Logic, Probe, ProcessManager, Projector, Rule, Saga, Upcaster,
};
use crate::payload::{DescriptorCache, DescriptorError, Registry};
use crate::processes::withhold;
use crate::snapshot::{Rules, why_impossible};
use crate::terminal::one_line;
use crate::wire::{Dialect, UnreportedFields, framework_descriptors, framework_origin};

/// What a main registers: logic in this process, and an embedded deployment as a demo.
#[derive(Clone, Default)]
pub struct App {
    pub(crate) in_process: BTreeMap<String, Component>,
    pub(crate) embedded: Option<fn() -> Embedded>,
    pub(crate) command_name: Option<&'static str>,
}

impl App {
    /// Registers nothing: all logic comes from `replay.toml`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the cargo alias that runs [`App::cli`], for hints and usage; `cargo xtask` by default.
    #[must_use]
    pub const fn called(mut self, alias: &'static str) -> Self {
        self.command_name = Some(alias);
        self
    }

    /// Registers Rust logic under a name. It answers the domain of that name unless `replay.toml` says otherwise.
    #[must_use]
    pub fn logic(self, name: &str, logic: impl Logic + 'static) -> Self {
        self.registered(name, Component::Aggregate(Arc::new(logic)))
    }

    /// Registers a saga in Rust under a name.
    #[must_use]
    pub fn saga(self, name: &str, saga: impl Saga + 'static) -> Self {
        self.registered(name, Component::Saga(Arc::new(saga)))
    }

    /// Registers a process manager in Rust under a name.
    #[must_use]
    pub fn process_manager(self, name: &str, manager: impl ProcessManager + 'static) -> Self {
        self.registered(name, Component::ProcessManager(Arc::new(manager)))
    }

    /// Registers a projector in Rust under a name.
    #[must_use]
    pub fn projector(self, name: &str, projector: impl Projector + 'static) -> Self {
        self.registered(name, Component::Projector(Arc::new(projector)))
    }

    /// Registers an upcaster in Rust under a name; `replay.toml` names its domain.
    #[must_use]
    pub fn upcaster(self, name: &str, upcaster: impl Upcaster + 'static) -> Self {
        self.registered(name, Component::Upcaster(Arc::new(upcaster)))
    }

    fn registered(mut self, name: &str, component: Component) -> Self {
        self.in_process.insert(name.to_owned(), component);
        self
    }

    /// Registers an embedded deployment, which is the source if none is configured. Commands start it and stop it
    /// again.
    #[must_use]
    #[doc(hidden)]
    pub fn embedded(mut self, embedded: fn() -> Embedded) -> Self {
        self.embedded = Some(embedded);
        self
    }
}

/// Where compiled descriptors are kept, below the folder of `replay.toml`.
const CACHE: &str = ".angzarr-replay/cache";

/// A project that cannot be opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The descriptors cannot be read.
    #[error(transparent)]
    Descriptors(#[from] Arc<DescriptorError>),
}

/// A project: its configuration, its fixtures, and the logic that answers its cases.
pub struct Project {
    app: App,
    config: Config,
    registry: OnceLock<Result<Registry, Arc<DescriptorError>>>,
    /// Registries by dialect name, each with the framework's messages.
    dialects: HashMap<&'static str, OnceLock<Registry>>,
    /// Held while a registry is filled with the framework's messages, so that one thread does it.
    filling: Mutex<()>,
    /// Registry for redaction, with the framework's messages and calls of all packages.
    every_dialect: OnceLock<Registry>,
    /// Where compiled descriptors are kept. Only runs of cases keep them; other commands write nothing that they do not announce.
    cache: Option<DescriptorCache>,
    folder: Folder,
    /// The configured rules. Every replay of the project records here which of them matched.
    rules: Rules,
    logics: Arc<Logics>,
    connectors: connector::Connectors,
    unknown: UnreportedFields,
    reading_watcher: Option<Box<ReadingWatcher>>,
}

/// The environment variables. Ignores those that are not UTF-8.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
}

impl Project {
    /// Opens the project that a folder belongs to. Only its configuration is read.
    ///
    /// ```no_run
    /// use angzarr_replay::{App, Project};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let project = Project::open(App::new(), &std::env::current_dir()?)?;
    /// # drop(project);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the configuration cannot be read, is not valid, or another user may have written it.
    pub fn open(app: App, folder: &Path) -> Result<Self, ProjectError> {
        let config = Config::load(folder, environment())?;
        Ok(Self::with_config(app, config))
    }

    /// Opens the project of a configuration file, regardless of its owner.
    ///
    /// # Errors
    /// If the configuration cannot be read or is not valid.
    #[doc(hidden)]
    pub fn open_named(app: App, file: &Path) -> Result<Self, ProjectError> {
        let config = Config::load_named(file, environment())?;
        Ok(Self::with_config(app, config))
    }
}

/// For this repository's own tests and programs.
#[doc(hidden)]
impl Project {
    /// A project with a given configuration.
    #[must_use]
    pub fn with_config(app: App, config: Config) -> Self {
        // Withhold the pseudonym key from started processes, which might print their environment.
        let redaction = config.redaction.as_ref();
        if let Some(variable) = redaction.and_then(|redaction| redaction.key_env.as_ref()) {
            withhold(variable);
        }
        let logics = Arc::new(Logics::new(&app, &config));
        let folder = Folder::open(&config.fixtures).with_limit(config.file_limit);
        Self {
            rules: Rules::new(config.rules.clone()),
            app,
            config,
            registry: OnceLock::new(),
            dialects: Dialect::all()
                .iter()
                .map(|dialect| (dialect.name(), OnceLock::new()))
                .collect(),
            filling: Mutex::default(),
            every_dialect: OnceLock::new(),
            cache: None,
            folder,
            logics,
            connectors: connector::Connectors::default(),
            unknown: UnreportedFields::default(),
            reading_watcher: None,
        }
    }

    /// The same project with another folder of fixtures.
    #[must_use]
    pub fn with_fixtures(mut self, folder: &Path) -> Self {
        self.config.fixtures = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        self.folder = Folder::open(&self.config.fixtures)
            .with_limit(self.config.file_limit)
            .with_cache(self.cache.clone());
        self
    }

    /// The same project, which keeps compiled descriptors for the next process, unless its configuration forbids it.
    #[must_use]
    pub(crate) fn with_cache(mut self) -> Self {
        let cache = || DescriptorCache::new(self.config.root.join(CACHE));
        self.cache = self.config.cache.then(cache);
        self.folder = self.folder.with_cache(self.cache.clone());
        self
    }

    /// A new project with the same configuration and another folder of fixtures.
    #[must_use]
    pub fn at_fixtures(&self, folder: &Path) -> Self {
        Self::with_config(self.app.clone(), self.config.clone()).with_fixtures(folder)
    }

    /// The embedded deployment, if a main registered one.
    #[must_use]
    pub fn embedded(&self) -> Option<Embedded> {
        self.app.embedded.map(|embedded| embedded())
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether a case may be sent to its logic more than once in one replay.
    #[must_use]
    pub fn probe_of(&self, case: &Case) -> Probe {
        case.probe.unwrap_or(self.config.probe)
    }

    /// The folder of fixtures.
    #[must_use]
    pub const fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The configured normalising rules.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Logic under test.
    #[must_use]
    pub fn logics(&self) -> &Logics {
        &self.logics
    }

    /// Unknown fields in replies of sources, until a capture reports them.
    #[must_use]
    pub const fn unknown(&self) -> &UnreportedFields {
        &self.unknown
    }

    /// Today's descriptors, compiled on first use.
    pub fn registry(&self) -> Result<&Registry, ProjectError> {
        let paths = &self.config.descriptors;
        let build = || Registry::from_paths(paths).map_err(Arc::new);
        let load = || self.kept(&[], build);
        self.registry
            .get_or_init(load)
            .as_ref()
            .map_err(|error| Arc::clone(error).into())
    }

    /// Today's descriptors, with the messages that Angzarr itself puts into payloads in a dialect.
    ///
    /// The project's own descriptors take precedence. For an unknown dialect, returns only those.
    pub fn registry_for(&self, dialect: &str) -> Result<&Registry, ProjectError> {
        let (Some(filled), Ok(dialect)) = (self.dialects.get(dialect), dialect.parse()) else {
            return self.registry();
        };
        let _first = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filled) = filled.get() {
            return Ok(filled);
        }
        let fill = || -> Result<Registry, ProjectError> {
            let own = self.registry()?;
            let framework = framework_descriptors(dialect);
            // If the project defines these names in a conflicting way, their payloads stay bytes.
            Ok(own.filled_from(&framework).unwrap_or_else(|_| own.clone()))
        };
        let registry = self.kept(&framework_origin(dialect), fill)?;
        Ok(filled.get_or_init(|| registry))
    }

    /// Descriptors from the project's cache, which are otherwise built. `added` identifies what they have beside the project's own.
    fn kept<E>(
        &self,
        added: &[u8],
        build: impl FnOnce() -> Result<Registry, E>,
    ) -> Result<Registry, E> {
        match &self.cache {
            Some(cache) => cache.registry(&self.config.descriptors, added, build),
            None => build(),
        }
    }

    /// Why an unused rule can never match, because today's descriptors lack its type or field; empty if it could match.
    #[must_use]
    pub fn why_unused(&self, rule: &Rule) -> String {
        let is_described = self.registry().is_ok_and(|registry| !registry.is_empty());
        let registry = self
            .registry_of_all_dialects()
            .ok()
            .filter(|_| is_described);
        let reason = registry.and_then(|registry| why_impossible(rule, &registry));
        reason.map_or_else(String::new, |reason| format!(": {reason}"))
    }

    /// A path for messages: relative to the working directory if it is below it.
    #[must_use]
    pub fn shown(path: &Path) -> String {
        // Asked once, because a run shows the path of every case.
        static HERE: OnceLock<PathBuf> = OnceLock::new();
        let here = HERE.get_or_init(|| std::env::current_dir().unwrap_or_default());
        let path = path.strip_prefix(here).unwrap_or(path);
        one_line(&path.display().to_string()).into_owned()
    }

    /// The files of a case: its fixture, its snapshot if it has one, and the descriptor set and history files that the
    /// fixture names.
    pub fn files_of(&self, fixture: &Path) -> Result<Vec<PathBuf>, FixtureError> {
        let snapshot = Self::snapshot_path(fixture);
        let mut files = vec![fixture.to_owned()];
        files.extend(snapshot.is_file().then_some(snapshot));
        files.extend(self.folder.sidecars(fixture)?);
        Ok(files)
    }

    /// The same files as arguments for `git add`. If the fixture cannot be read, only the fixture.
    #[must_use]
    pub fn files_to_commit(&self, fixture: &Path) -> Vec<String> {
        let files = self.files_of(fixture);
        let files = files.unwrap_or_else(|_| vec![fixture.to_owned()]);
        files.iter().map(|file| Self::shown(file)).collect()
    }

    /// The snapshot beside a fixture.
    #[must_use]
    pub fn snapshot_path(fixture: &Path) -> PathBuf {
        fixture.with_extension("snap")
    }
}
