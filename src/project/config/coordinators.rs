//! `[coordinators.NAME]`: real coordinators through which a case can be replayed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::logic::RawKind;
use super::schema;
use crate::model::ComponentKind;
use crate::wire::{Dialect, UnknownDialect};

/// A coordinator to replay through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorConfig {
    /// Its name.
    pub name: String,
    /// Kind of component that it coordinates.
    pub kind: ComponentKind,
    /// Where it is.
    pub place: CoordinatorPlace,
    /// Dialect; `None` is that of each case.
    pub dialect: Option<Dialect>,
    /// Time limit of one call, in seconds.
    pub deadline: u64,
}

/// Where a coordinator to replay through is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoordinatorPlace {
    /// Address of a running server, which others may use too.
    Address(String),
    /// Started for each case, on a fresh store.
    Command(CoordinatorCommand),
}

/// How a coordinator is started; `{port}`, `{store}`, `{logic}`, `{domain}` and `{dialect}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorCommand {
    /// Program and arguments.
    pub command: Vec<String>,
    /// A command that is run once, before the first start.
    pub build: Option<Vec<String>>,
    /// Working directory.
    pub directory: PathBuf,
    /// Additional environment.
    pub environment: Vec<(String, String)>,
    /// Time limit for starting, in seconds.
    pub start_timeout: u64,
}

/// A coordinator that is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum CoordinatorConfigError {
    #[error("an upcaster has no coordinator")]
    Upcaster,
    #[error("`build`, `directory`, `environment` and `start_timeout` go with `command`")]
    NoCommand,
    #[error("it needs exactly one of `address` and `command`")]
    Place,
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
}

/// A coordinator to replay through. Either `command` or `address` says where it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Coordinator")]
pub(super) struct RawCoordinator {
    /// Kind of component that it serves; `aggregate` by default.
    kind: Option<RawKind>,
    /// Address of a running coordinator, which may serve others too.
    address: Option<String>,
    /// Program and arguments, started for each case on a fresh store; `{port}`, `{store}`, `{logic}`, `{domain}` and
    /// `{dialect}` are replaced.
    command: Option<Vec<String>>,
    /// A command that is run once before each start of `command`.
    build: Option<Vec<String>>,
    /// Working directory of `command` and `build`; the folder of `replay.toml` by default.
    directory: Option<PathBuf>,
    /// Added to the environment of `command`; the same five are replaced.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Seconds that `command` may take to be ready; 30 by default.
    start_timeout: Option<u64>,
    /// Dialect that it speaks; that of the logic, or else of the case, by default.
    // For the schema only: without it, the key would be required there.
    #[serde(default)]
    #[schemars(schema_with = "schema::dialect")]
    dialect: Option<String>,
    /// Seconds that one call may take; 30 by default.
    deadline: Option<u64>,
}

impl RawCoordinator {
    pub(super) fn check(
        self,
        name: &str,
        root: &Path,
    ) -> Result<CoordinatorConfig, CoordinatorConfigError> {
        let kind = self.kind.map_or(ComponentKind::Aggregate, RawKind::kind);
        if kind == ComponentKind::Upcaster {
            return Err(CoordinatorConfigError::Upcaster);
        }
        let has_command_keys = self.build.is_some()
            || self.directory.is_some()
            || self.start_timeout.is_some()
            || !self.environment.is_empty();
        let place = match (self.address, self.command) {
            (Some(_), None) if has_command_keys => return Err(CoordinatorConfigError::NoCommand),
            (Some(address), None) => CoordinatorPlace::Address(address),
            (None, Some(command)) if !command.is_empty() => {
                CoordinatorPlace::Command(CoordinatorCommand {
                    command,
                    build: self.build,
                    directory: self
                        .directory
                        .map_or_else(|| root.to_owned(), |directory| root.join(directory)),
                    environment: self.environment.into_iter().collect(),
                    start_timeout: self.start_timeout.unwrap_or(30),
                })
            }
            _ => return Err(CoordinatorConfigError::Place),
        };
        Ok(CoordinatorConfig {
            name: name.to_owned(),
            kind,
            place,
            dialect: self.dialect.map(|name| name.parse()).transpose()?,
            deadline: self.deadline.unwrap_or(30),
        })
    }
}
