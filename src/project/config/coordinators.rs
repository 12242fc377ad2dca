//! `[coordinators.NAME]`: real coordinators that a case can be replayed through.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::file::{RawKind, dialect};
use crate::model::ComponentKind;
use crate::wire::Dialect;

/// A coordinator to replay through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorConfig {
    /// Its name.
    pub name: String,
    /// Kind of component that it stands before.
    pub kind: ComponentKind,
    /// Where it is.
    pub place: CoordinatorPlace,
    /// Dialect, where it is not the case's own.
    pub dialect: Option<Dialect>,
    /// Seconds that one call may take.
    pub deadline: u64,
}

/// Where a coordinator to replay through is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoordinatorPlace {
    /// Serving already, for others too.
    Address(String),
    /// Started for each case, on a fresh store.
    Command(CoordinatorCommand),
}

/// How a coordinator is started; `{port}`, `{store}`, `{logic}`, `{domain}` and `{dialect}` are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoordinatorCommand {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Run once before.
    pub build: Option<Vec<String>>,
    /// Working directory.
    pub directory: PathBuf,
    /// Additional environment.
    pub environment: Vec<(String, String)>,
    /// Seconds that starting may take.
    pub start_timeout: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCoordinator {
    kind: Option<RawKind>,
    address: Option<String>,
    command: Option<Vec<String>>,
    build: Option<Vec<String>>,
    directory: Option<PathBuf>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    start_timeout: Option<u64>,
    dialect: Option<String>,
    deadline: Option<u64>,
}

impl RawCoordinator {
    pub(super) fn check(self, name: &str, root: &Path) -> Result<CoordinatorConfig, String> {
        let kind = self.kind.map_or(ComponentKind::Aggregate, RawKind::kind);
        if kind == ComponentKind::Upcaster {
            return Err("an upcaster has no coordinator".into());
        }
        let of_a_command = self.build.is_some()
            || self.directory.is_some()
            || self.start_timeout.is_some()
            || !self.environment.is_empty();
        let place = match (self.address, self.command) {
            (Some(_), None) if of_a_command => {
                return Err(
                    "`build`, `directory`, `environment` and `start_timeout` go with `command`"
                        .into(),
                );
            }
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
            _ => return Err("it needs exactly one of `address` and `command`".into()),
        };
        Ok(CoordinatorConfig {
            name: name.to_owned(),
            kind,
            place,
            dialect: dialect(self.dialect)?,
            deadline: self.deadline.unwrap_or(30),
        })
    }
}
