//! `[sources.NAME]`: where production is, and how much is asked of it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::EMBEDDED;
use super::access::{AccessConfig, AccessConfigError, RawAccess, RawSecret, RawTls};
use super::schema;
use super::store::{RawStore, StoreConfig, StoreConfigError};
use crate::grpc::Bounds;
use crate::model::{Domain, IdError};
use crate::wire::{Dialect, UnknownDialect};

/// Where production is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Name of the source.
    pub name: String,
    /// Address of each domain's coordinator.
    pub addresses: BTreeMap<Domain, String>,
    /// Address for every other domain, with `{domain}` in it.
    pub template: Option<String>,
    /// Event stores that are read instead of asking coordinators for events.
    pub stores: StoreConfig,
    /// Dialect; `None` if it is detected when connecting.
    pub dialect: Option<Dialect>,
    /// Files of failure tickets.
    pub tickets: Vec<PathBuf>,
    /// Logs of programs, which mention failures among other things.
    pub logs: Vec<PathBuf>,
    /// Address of `angzarr-status`, which shows dead letters.
    pub status: Option<String>,
    /// Time limit of one query, in seconds.
    pub deadline: u64,
    /// TLS, credentials, and the command that connects us.
    pub access: AccessConfig,
    /// How often a query is retried after an error that may be temporary.
    pub retries: u32,
    /// Maximum number of queries per second.
    pub queries_per_second: Option<u32>,
    /// Bounds on all queries together.
    pub bounds: Bounds,
    /// Whether references to payloads that are stored elsewhere are kept as they are.
    pub keep_external: bool,
    /// Whether a payload that redaction cannot read is an error in its captures; `None` is the default of
    /// [`RedactionConfig`](super::RedactionConfig).
    pub redaction_required: Option<bool>,
}

impl SourceConfig {
    /// Domains that are configured by name.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        let stores = self.stores.locations.keys();
        let only_stored = stores.filter(|domain| !self.addresses.contains_key(*domain));
        self.addresses.keys().chain(only_stored)
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

/// A source that is not valid.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceConfigError {
    #[error("`{EMBEDDED}` is the name of the built-in source; choose another")]
    ReservedName,
    #[error(
        "`address` serves one domain or several: name them in `domains`, or put {{domain}} in the address"
    )]
    NoDomains,
    #[error("it needs `address`, `addresses`, `store` or `stores`")]
    NoAddress,
    #[error(transparent)]
    Store(#[from] StoreConfigError),
    #[error(transparent)]
    Domain(#[from] IdError),
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    #[error(transparent)]
    Access(#[from] AccessConfigError),
}

/// Where production is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub(super) struct RawSource {
    /// An address with `{domain}` in it, for every domain; or a plain address that serves all `domains`. `HOST:PORT`,
    /// `http://HOST:PORT`, `https://HOST[:PORT]` or `unix:/PATH`.
    address: Option<String>,
    /// Address of each domain's coordinator. Overrides `address`.
    #[serde(default)]
    addresses: BTreeMap<String, String>,
    /// The event store of every domain, as `postgres://…` or `sqlite:FILE`, read in place of a coordinator or beside it.
    store: Option<String>,
    /// Event store of each domain. Overrides `store`.
    #[serde(default)]
    stores: BTreeMap<String, String>,
    /// Password of the stores.
    store_password: Option<RawSecret>,
    /// TLS of the stores.
    store_tls: Option<RawTls>,
    /// Command that opens the way to the stores, like `kubectl port-forward`; `{domain}` and `{port}` are replaced.
    store_connect: Option<Vec<String>>,
    /// Domains of `address` or `store`. Required if `address` has no `{domain}`.
    #[serde(default)]
    domains: Vec<String>,
    /// Dialect of Angzarr's protocol; found out at connection by default.
    // For the schema only: without it, the key would be required there.
    #[serde(default)]
    #[schemars(schema_with = "schema::dialect")]
    dialect: Option<String>,
    /// Failure logs: files of failure tickets, one per line.
    #[serde(default)]
    tickets: Vec<PathBuf>,
    /// Logs of programs, which contain tickets and failures among other text.
    #[serde(default)]
    logs: Vec<PathBuf>,
    /// Address of `angzarr-status`, which shows dead letters.
    status: Option<String>,
    /// Seconds that one query may take; 30 by default.
    deadline: Option<u64>,
    /// TLS, also if the address does not begin with `https://`.
    tls: Option<RawTls>,
    /// Token that is sent with every query as `authorization: Bearer …`.
    bearer: Option<RawSecret>,
    /// Other metadata of every query, by name.
    #[serde(default)]
    metadata: BTreeMap<String, RawSecret>,
    /// Whether credentials may be sent to another machine without TLS. Only for a mesh that encrypts what this tool
    /// does not.
    #[serde(default)]
    plaintext_credentials: bool,
    /// Command that opens the connection, like `kubectl port-forward`; `{domain}` and `{port}` are replaced.
    connect: Option<Vec<String>>,
    /// Seconds that `connect` and `store_connect` may take; 30 by default.
    start_timeout: Option<u64>,
    /// How often a query is repeated if the server cannot be reached, breaks off, or answers UNAVAILABLE; 3 by default.
    retries: Option<u32>,
    /// How many queries are sent per second at most, over all domains of the source; no limit by default.
    queries_per_second: Option<NonZeroU32>,
    /// How many queries one command sends to the source at most; 10000 by default.
    max_queries: Option<u32>,
    /// How many MiB of replies one command reads at most; 4096 by default.
    max_mebibytes: Option<u32>,
    /// How many seconds may pass from the first query of a command to its last; 3600 by default.
    max_seconds: Option<u32>,
    /// Whether references to payloads that are stored elsewhere are kept, as with `--keep-external`.
    #[serde(default)]
    keep_external: bool,
    /// Whether a capture from this source fails if something cannot be read and therefore not redacted. By default as
    /// `required` of `redaction` says.
    redaction_required: Option<bool>,
}

impl RawSource {
    pub(super) fn check(
        mut self,
        name: &str,
        root: &Path,
    ) -> Result<SourceConfig, SourceConfigError> {
        if name == EMBEDDED {
            return Err(SourceConfigError::ReservedName);
        }
        let raw_store = RawStore {
            store: self.store.take(),
            stores: std::mem::take(&mut self.stores),
            password: self.store_password.take(),
            tls: self.store_tls.take(),
            start_timeout: self.start_timeout,
            connect: self.store_connect.take(),
        };
        // It holds for both commands.
        let has_store_connect = raw_store.connect.is_some();
        if has_store_connect && self.connect.is_none() {
            self.start_timeout = None;
        }
        let stores = raw_store.check(&self.domains, root)?;
        let (addresses, template) = self.take_addresses(root, !stores.is_empty())?;
        let bounds = self.bounds();
        let access = RawAccess {
            tls: self.tls,
            bearer: self.bearer,
            metadata: self.metadata,
            plaintext_credentials: self.plaintext_credentials,
            connect: self.connect,
            start_timeout: self.start_timeout,
        };
        let status = self.status.map(|address| resolved(address, root));
        let all_addresses = addresses.values().chain(&template).chain(&status);
        Ok(SourceConfig {
            name: name.to_owned(),
            access: access.check(root, all_addresses.map(String::as_str))?,
            retries: self.retries.unwrap_or(3),
            queries_per_second: self.queries_per_second.map(NonZeroU32::get),
            bounds,
            keep_external: self.keep_external,
            addresses,
            template,
            stores,
            dialect: self.dialect.map(|name| name.parse()).transpose()?,
            tickets: self.tickets.iter().map(|path| root.join(path)).collect(),
            logs: self.logs.iter().map(|path| root.join(path)).collect(),
            status,
            deadline: self.deadline.unwrap_or(30),
            redaction_required: self.redaction_required,
        })
    }

    /// The address of each domain, and the template for all others.
    fn take_addresses(
        &mut self,
        root: &Path,
        has_stores: bool,
    ) -> Result<(BTreeMap<Domain, String>, Option<String>), SourceConfigError> {
        let mut addresses = BTreeMap::new();
        for (name, address) in std::mem::take(&mut self.addresses) {
            addresses.insert(Domain::new(name)?, resolved(address, root));
        }
        let Some(address) = self.address.take() else {
            return if addresses.is_empty() && !has_stores {
                Err(SourceConfigError::NoAddress)
            } else {
                Ok((addresses, None))
            };
        };
        let is_template = address.contains("{domain}");
        if self.domains.is_empty() && !is_template {
            return Err(SourceConfigError::NoDomains);
        }
        for name in &self.domains {
            addresses
                .entry(Domain::new(name)?)
                .or_insert_with(|| resolved(address.replace("{domain}", name), root));
        }
        Ok((addresses, is_template.then(|| resolved(address, root))))
    }

    fn bounds(&self) -> Bounds {
        let default = Bounds::default();
        Bounds {
            queries: self.max_queries.unwrap_or(default.queries),
            bytes: self
                .max_mebibytes
                .map_or(default.bytes, |count| u64::from(count) << 20),
            time: self
                .max_seconds
                .map_or(default.time, |count| Duration::from_secs(count.into())),
        }
    }
}

/// An address; the path of a socket is relative to the folder of `replay.toml`.
fn resolved(address: String, root: &Path) -> String {
    match address.strip_prefix("unix:") {
        Some(path) if !path.starts_with('/') => format!("unix:{}", root.join(path).display()),
        _ => address,
    }
}
