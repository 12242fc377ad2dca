//! The configuration: `replay.toml`, overridden by `replay.local.toml` and the environment, every key checked.
//!
//! Owns which file is found and whether it is trusted (`trust`), how files and variables are merged (`overrides`), how
//! TOML errors are shown without secrets (`syntax`), and what each table means (`file`, `source`, `store`, `access`, `logic`,
//! `coordinators`, `redaction`). `schema` publishes them. In each of them, a `Raw…` type is what may be written, and `check` turns it into what it
//! means. `error` has the reasons why a configuration is refused.

mod access;
mod coordinators;
mod error;
mod file;
mod logic;
mod overrides;
mod redaction;
mod schema;
mod source;
mod store;
mod syntax;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use access::{AccessConfig, ConnectConfig, SecretSource, TlsConfig};
pub use coordinators::{CoordinatorCommand, CoordinatorConfig, CoordinatorPlace};
pub use error::ConfigError;
use error::{InvalidConfig, Reason};
pub use logic::{CommandConfig, DebugConfig, LogicConfig, LogicPlace, Subscriptions};
pub(super) use overrides::ENVIRONMENT_PREFIX;
pub use redaction::RedactionConfig;
pub use schema::config_json_schema;
pub use source::SourceConfig;
pub(in crate::project) use store::DefaultStore;

use crate::audit::AuditAllowance;
use crate::files;
use crate::model::{Probe, Rule};

/// Name of the configuration file.
pub(super) const FILE_NAME: &str = "replay.toml";
/// Name of the overriding file, which is not committed.
pub(super) const LOCAL_FILE_NAME: &str = "replay.local.toml";

/// Name of the built-in source.
pub const EMBEDDED: &str = "embedded";

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of `replay.toml`, or the working directory if there is none.
    pub root: PathBuf,
    /// Names of the files and variables that it was read from, for messages.
    pub origin: String,
    /// Folder of the fixtures.
    pub fixtures: PathBuf,
    /// `.proto` folders and descriptor sets.
    pub descriptors: Vec<PathBuf>,
    /// The source that is used if none is named.
    pub source: Option<String>,
    /// Sources by name.
    pub sources: BTreeMap<String, SourceConfig>,
    /// Logic by name.
    pub logic: BTreeMap<String, LogicConfig>,
    /// Coordinators to replay through, by name.
    pub coordinators: BTreeMap<String, CoordinatorConfig>,
    /// Normalising rules.
    pub rules: Vec<Rule>,
    /// Cases that are not replayed.
    pub skip: Vec<Skip>,
    /// Whether a failing case may be replayed a second time to find nondeterministic fields.
    pub probe: Probe,
    /// Whether a twin that cannot run is a failure.
    pub demand_twins: bool,
    /// Maximum size of an error status of logic, in replay and in the recorder, in bytes.
    pub status_limit: usize,
    /// Maximum size of a reply of logic and of coordinators to replay through, in bytes.
    pub reply_limit: usize,
    /// Whether compiled descriptors are kept for the next process.
    pub cache: bool,
    /// Whether the trials report which changes of the logic's answers they would not notice.
    pub mutate: bool,
    /// Time limit of one case in a run of all; `None` is no limit beside those of single calls.
    pub case_deadline: Option<Duration>,
    /// Maximum size of a fixture, history file or descriptor set, packed or not, in bytes.
    pub file_limit: u64,
    /// How captures are redacted.
    pub redaction: Option<RedactionConfig>,
    /// Findings that an audit ignores.
    pub audit_allow: Vec<AuditAllowance>,
}

/// Cases that are not replayed, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Pattern of fixture paths without the extension; `*` matches anything.
    pub fixtures: String,
    /// If given, they are skipped on this logic only.
    pub logic: Option<String>,
    /// Why they are skipped.
    pub reason: String,
}

impl Config {
    /// Loads the configuration for a folder: the nearest `replay.toml` in the folder or above it, then
    /// `replay.local.toml` beside it, then the environment. A file that somebody else may have written is refused.
    pub fn load(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let environment: Vec<(String, String)> = environment.into_iter().collect();
        let found = folder
            .ancestors()
            .map(|folder| folder.join(FILE_NAME))
            .find(|file| file.is_file());
        let root = found.as_deref().and_then(Path::parent);
        let local = root.unwrap_or(folder).join(LOCAL_FILE_NAME);
        let local = Some(local).filter(|file| file.is_file());
        if !trust::is_set(&environment) {
            for file in found.iter().chain(&local) {
                if let Some(objection) = trust::objection(file) {
                    let file = file.display().to_string();
                    return Err(Reason::Untrusted { file, objection }.into());
                }
            }
        }
        Self::load_layers(found, folder, environment)
    }

    /// Loads the configuration file that a person named, whoever owns it, and what overrides it.
    pub fn load_named(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        Self::load_layers(Some(file), &folder, environment.into_iter().collect())
    }

    /// Checks the text of one file, for a project in `root`.
    pub fn of_text(text: &str, root: &Path) -> Result<Self, ConfigError> {
        let table = parse(text, FILE_NAME)?;
        Self::of_table(table, root.to_owned(), FILE_NAME.to_owned())
    }

    fn load_layers(
        file: Option<PathBuf>,
        folder: &Path,
        environment: Vec<(String, String)>,
    ) -> Result<Self, ConfigError> {
        let root = file
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(folder)
            .to_owned();
        let mut table = toml::Table::new();
        let mut origin = Vec::new();
        for file in file
            .into_iter()
            .chain(Some(root.join(LOCAL_FILE_NAME)).filter(|file| file.is_file()))
        {
            overrides::merge(&mut table, read(&file)?);
            origin.push(file.display().to_string());
        }
        let mut variables: Vec<_> = environment
            .into_iter()
            .filter(|(key, _)| key.starts_with(ENVIRONMENT_PREFIX))
            .collect();
        variables.sort();
        for (key, value) in variables {
            let path = &key[ENVIRONMENT_PREFIX.len()..];
            overrides::set(&mut table, path, &value)
                .map_err(|error| invalid(format!("${key}"), error))?;
            origin.push(format!("${key}"));
        }
        if origin.is_empty() {
            origin.push(format!("no {FILE_NAME} above {}", folder.display()));
        }
        Self::of_table(table, root, origin.join(", "))
    }

    fn of_table(table: toml::Table, root: PathBuf, origin: String) -> Result<Self, ConfigError> {
        let raw = syntax::read(table).map_err(|error| invalid(origin.clone(), error))?;
        raw.check(root, origin.clone())
            .map_err(|error| invalid(origin, error))
    }
}

fn read(file: &Path) -> Result<toml::Table, ConfigError> {
    let name = file.display().to_string();
    match files::read_to_string(file, files::WRITTEN) {
        Ok(text) => parse(&text, &name),
        Err(error) => Err(Reason::Unreadable { file: name, error }.into()),
    }
}

fn parse(text: &str, file: &str) -> Result<toml::Table, ConfigError> {
    syntax::parse(text).map_err(|error| {
        let file = file.to_owned();
        Reason::Syntax { file, error }.into()
    })
}

fn invalid(origin: String, error: impl Into<InvalidConfig>) -> ConfigError {
    let error = error.into();
    Reason::Invalid { origin, error }.into()
}
