//! `replay.toml`: found upwards, overridden by `replay.local.toml` and the environment, every key checked.

mod access;
mod coordinators;
mod file;
mod redaction;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use access::{AccessConfig, ConnectConfig, SecretSource, TlsConfig};
pub use coordinators::{CoordinatorCommand, CoordinatorConfig, CoordinatorPlace};
use file::{RawConfig, check};
pub use redaction::RedactionConfig;

use crate::audit::AuditAllowance;
use crate::files;
use crate::fixture::serde_suggestion;
use crate::grpc::Bounds;
use crate::model::{ComponentKind, Domain, Probe, ProcessRoot, Rule};
use crate::wire::Dialect;

/// Name of the configuration file.
pub(super) const FILE_NAME: &str = "replay.toml";
/// Name of the overriding file, which is not committed.
pub(super) const LOCAL_FILE_NAME: &str = "replay.local.toml";
/// Prefix of overriding environment variables: `ANGZARR_REPLAY__LOGIC__PLAYER__ADDRESS=127.0.0.1:50052`.
pub(super) const ENVIRONMENT_PREFIX: &str = "ANGZARR_REPLAY__";

/// Name of the source that is built in, where the mains bring one.
pub const EMBEDDED: &str = "embedded";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// A file that somebody else may have written.
    #[error(
        "{file}: {reason}, and it says which programs run: it is not used; where it is meant, set {variable}=1, or name it with \
         --config"
    )]
    Untrusted {
        /// The file.
        file: String,
        /// Who may have written it.
        reason: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// A file with an error; the reason has line, column and an excerpt.
    #[error("{file}: {reason}")]
    Invalid {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The files together make no sense.
    #[error("configuration ({origin}): {reason}")]
    Inconsistent {
        /// Files and variables that it came from.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

/// Where production is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Name of the source.
    pub name: String,
    /// Address of each domain's coordinator.
    pub addresses: BTreeMap<Domain, String>,
    /// Address for every other domain, with `{domain}` in it.
    pub template: Option<String>,
    /// Dialect, where it is not found out at connection.
    pub dialect: Option<Dialect>,
    /// Failure logs: files of tickets.
    pub tickets: Vec<PathBuf>,
    /// Logs of programs, which tell of failures among other things.
    pub logs: Vec<PathBuf>,
    /// Address of `angzarr-status`, which shows dead letters.
    pub status: Option<String>,
    /// Seconds that one query may take.
    pub deadline: u64,
    /// TLS, credentials, and the command that opens the way.
    pub access: AccessConfig,
    /// How often a query is asked again that failed for a reason which may pass.
    pub retries: u32,
    /// How many queries are asked in a second at most.
    pub queries_per_second: Option<u32>,
    /// How much is asked in all.
    pub bounds: Bounds,
    /// Whether references to payloads that are stored elsewhere stay as they are.
    pub keep_external: bool,
    /// Whether what cannot be read is an error in its captures; none is the default of [`RedactionConfig`].
    pub redaction_required: Option<bool>,
}

impl SourceConfig {
    /// Domains that are known to be there.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.addresses.keys()
    }

    /// Address of a domain's coordinator.
    #[must_use]
    pub fn address(&self, domain: &Domain) -> Option<String> {
        let fill = |template: &String| template.replace("{domain}", domain.as_str());
        self.addresses
            .get(domain)
            .cloned()
            .or_else(|| self.template.as_ref().map(fill))
    }
}

/// Where logic under test is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicPlace {
    /// Registered in the mains, in this process.
    InProcess(String),
    /// Serving already.
    Address(String),
    /// Started when it is needed.
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// Run once before.
        build: Option<Vec<String>>,
        /// Working directory.
        directory: PathBuf,
        /// Additional environment.
        environment: Vec<(String, String)>,
        /// A fixed port.
        port: Option<u16>,
        /// Seconds that starting may take.
        start_timeout: u64,
        /// The same under a debugger.
        debug: Option<DebugConfig>,
    },
}

/// How logic is started under its debugger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugConfig {
    /// Program and arguments; `{port}` and `{debug_port}` are filled in.
    pub command: Vec<String>,
    /// What to tell the developer to attach to.
    pub attach: String,
}

/// Which events a saga, process manager or projector is sent: patterns of type names by domain.
pub type Subscriptions = BTreeMap<Domain, Vec<String>>;

/// Logic under test: business logic of a domain, or a component of another kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicConfig {
    /// Name of the logic.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// Domain of an aggregate or upcaster, and of a process manager's own stream.
    pub domain: Option<Domain>,
    /// What it is sent in a flow.
    pub subscriptions: Subscriptions,
    /// How a process manager's stream is found; none is as the dialect has it.
    pub process_root: Option<ProcessRoot>,
    /// First part of the names of the cases that it answers: the domain, or the name of the component.
    pub answers: String,
    /// Where it is.
    pub place: LogicPlace,
    /// Dialect, where it is not the case's own.
    pub dialect: Option<Dialect>,
    /// Whether a coordinator would have it upcast histories.
    pub upcaster: bool,
    /// Seconds that one call may take.
    pub deadline: u64,
    /// Whether it answers every case of its domain in addition to the domain's own logic.
    pub twin: bool,
    /// File without which it cannot run.
    pub requires: Option<PathBuf>,
}

/// Cases that are left out, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Pattern of fixture paths without ending, `*` for anything.
    pub fixtures: String,
    /// Only on this logic.
    pub logic: Option<String>,
    /// Why.
    pub reason: String,
}

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Folder of `replay.toml`, or the working directory where there is none.
    pub root: PathBuf,
    /// The files and variables that it came from, for messages.
    pub origin: String,
    /// Folder of the fixtures.
    pub fixtures: PathBuf,
    /// `.proto` folders and descriptor sets.
    pub descriptors: Vec<PathBuf>,
    /// Source that is asked when none is named.
    pub source: Option<String>,
    /// Sources by name.
    pub sources: BTreeMap<String, SourceConfig>,
    /// Logic by name.
    pub logic: BTreeMap<String, LogicConfig>,
    /// Coordinators to replay through, by name.
    pub coordinators: BTreeMap<String, CoordinatorConfig>,
    /// Normalising rules.
    pub rules: Vec<Rule>,
    /// Cases left out.
    pub skip: Vec<Skip>,
    /// Whether a failing case may be replayed a second time to tell what is not deterministic.
    pub probe: Probe,
    /// Whether a twin that cannot run is a failure.
    pub demand_twins: bool,
    /// Largest failing status that is read of logic and noted by the recorder, in bytes.
    pub status_limit: usize,
    /// Largest reply that is read of logic and of coordinators to replay through, in bytes.
    pub reply_limit: usize,
    /// Whether the trials report which changes of the logic's answers they would not notice.
    pub mutate: bool,
    /// Largest fixture, history file and descriptor set that is read, packed or not, in bytes.
    pub file_limit: u64,
    /// How captures are redacted.
    pub redaction: Option<RedactionConfig>,
    /// What an audit passes over.
    pub audit_allow: Vec<AuditAllowance>,
}

impl Config {
    /// Reads the configuration that is in force in a folder: the nearest `replay.toml` upwards, then
    /// `replay.local.toml` beside it, then the environment.
    pub fn load(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let environment: Vec<(String, String)> = environment.into_iter().collect();
        let found = folder
            .ancestors()
            .map(|folder| folder.join(FILE_NAME))
            .find(|file| file.is_file());
        let is_trusted = environment
            .iter()
            .any(|(key, value)| key == trust::VARIABLE && !value.is_empty() && value != "0");
        let root = found.as_deref().and_then(Path::parent);
        let local = root.unwrap_or(folder).join(LOCAL_FILE_NAME);
        let local = Some(local).filter(|file| file.is_file());
        let files = found.iter().chain(&local);
        for file in files.filter(|_| !is_trusted) {
            if let Some(reason) = trust::objection(file) {
                return Err(ConfigError::Untrusted {
                    file: file.display().to_string(),
                    reason,
                    variable: trust::VARIABLE,
                });
            }
        }
        Self::of_files(found, folder, environment)
    }

    /// Reads a configuration that somebody named, whoever it belongs to, and what overrides it.
    pub fn load_named(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        Self::of_files(Some(file), &folder, environment.into_iter().collect())
    }

    fn of_files(
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
            merge(&mut table, read(&file)?);
            origin.push(file.display().to_string());
        }
        let mut overrides: Vec<_> = environment
            .into_iter()
            .filter(|(key, _)| key.starts_with(ENVIRONMENT_PREFIX))
            .collect();
        overrides.sort();
        for (key, value) in overrides {
            override_by(&mut table, &key[ENVIRONMENT_PREFIX.len()..], &value).map_err(
                |reason| ConfigError::Inconsistent {
                    origin: format!("${key}"),
                    reason,
                },
            )?;
            origin.push(format!("${key}"));
        }
        if origin.is_empty() {
            origin.push(format!("no {FILE_NAME} above {}", folder.display()));
        }
        let origin = origin.join(", ");
        let inconsistent = |reason: String| ConfigError::Inconsistent {
            origin: origin.clone(),
            reason,
        };
        Self::of_table(table, root, origin.clone()).map_err(inconsistent)
    }

    /// Checks the text of one file, for a project in `root`.
    pub fn of_text(text: &str, root: &Path) -> Result<Self, ConfigError> {
        let table = parse(text, FILE_NAME)?;
        Self::of_table(table, root.to_owned(), FILE_NAME.to_owned()).map_err(|reason| {
            ConfigError::Inconsistent {
                origin: FILE_NAME.to_owned(),
                reason,
            }
        })
    }

    fn of_table(table: toml::Table, root: PathBuf, origin: String) -> Result<Self, String> {
        let raw: RawConfig = table.try_into().map_err(|error: toml::de::Error| {
            let words = error.to_string().trim_end().replace('\n', " ");
            let hint = serde_suggestion(&words);
            if words.contains("in `redaction") {
                without_value(&words) + &hint
            } else {
                words + &hint
            }
        })?;
        check(raw, root, origin)
    }
}

fn read(file: &Path) -> Result<toml::Table, ConfigError> {
    let name = file.display().to_string();
    let text =
        files::read_to_string(file, files::WRITTEN).map_err(|reason| ConfigError::Unreadable {
            file: name.clone(),
            reason,
        })?;
    parse(&text, &name)
}

fn parse(text: &str, name: &str) -> Result<toml::Table, ConfigError> {
    let invalid = |error: toml::de::Error| ConfigError::Invalid {
        file: name.to_owned(),
        reason: match files::merge_conflict(text) {
            Some(line) => files::conflict_message(line),
            None => words(&error, text),
        },
    };
    // Each file by itself first: only then does an error have a line and a column.
    toml::from_str::<RawConfig>(text).map_err(invalid)?;
    toml::from_str(text).map_err(invalid)
}

/// What is wrong with a file, with an excerpt, unless a secret may be in that.
fn words(error: &toml::de::Error, text: &str) -> String {
    let hint = serde_suggestion(error.message());
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before.filter(|before| may_hold_a_secret(text, before)) else {
        return error.to_string().trim_end().to_owned() + &hint;
    };
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|it| *it != '\n').count() + 1;
    let reason = without_value(error.message());
    format!(
        "TOML parse error at line {line}, column {column} (not shown, a secret may be in it): {reason}{hint}"
    )
}

/// Whether a line is of `[redaction]`, or names something secret.
fn may_hold_a_secret(text: &str, before: &str) -> bool {
    const NAMES: [&str; 7] = [
        "redaction",
        "key",
        "secret",
        "token",
        "password",
        "bearer",
        "metadata",
    ];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let is_table = |line: &&str| line.trim_start().starts_with('[');
    let table = before[..start].lines().rev().find(is_table);
    let is_of_redaction = table.is_some_and(|table| table.trim_start().starts_with("[redaction"));
    let line = line.to_lowercase();
    is_of_redaction || NAMES.iter().any(|name| line.contains(name))
}

/// Without what stands where something else is expected.
fn without_value(words: &str) -> String {
    match words.split_once(", expected") {
        Some((start, expected)) if start.starts_with("invalid ") => {
            format!("something else is expected:{expected}")
        }
        _ => words.to_owned(),
    }
}

fn merge(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// `LOGIC__PLAYER_PYTHON__PORT` sets `logic.player-python.port`: names are matched without case, `_` for `-`.
fn override_by(table: &mut toml::Table, path: &str, value: &str) -> Result<(), String> {
    let spelled = |table: &toml::Table, part: &str| {
        let part = part.to_lowercase();
        let known = table
            .keys()
            .find(|key| key.to_lowercase().replace('-', "_") == part)
            .cloned();
        known.unwrap_or(part)
    };
    let mut parts: Vec<&str> = path.split("__").collect();
    let last = parts.pop().unwrap_or_default();
    if last.is_empty() || parts.contains(&"") {
        return Err(format!(
            "it names no key; {ENVIRONMENT_PREFIX}LOGIC__PLAYER__ADDRESS is `logic.player.address`"
        ));
    }
    let mut table = table;
    for part in parts {
        let key = spelled(table, part);
        let entry = table
            .entry(key.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        match entry {
            toml::Value::Table(inner) => table = inner,
            _ => {
                return Err(format!(
                    "`{key}` is no table: there is nothing below it to set"
                ));
            }
        }
    }
    let key = spelled(table, last);
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    table.insert(key, parsed);
    Ok(())
}
