//! The keys of a source that are about its event stores.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::access::{
    AccessConfigError, ConnectConfig, RawConnect, RawSecret, RawTls, SecretSource, TlsConfig,
};
use crate::event_store::{LocationError, StoreLocation};
use crate::model::{Domain, IdError};

/// The event stores of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreConfig {
    /// The store of each domain that is configured by name.
    pub locations: BTreeMap<Domain, StoreLocation>,
    /// The store of every other domain.
    pub default: DefaultStore,
    /// Where the password of the database comes from.
    pub password: Option<SecretSource>,
    /// TLS settings of the database.
    pub tls: Option<TlsConfig>,
    /// A command that opens the way to the database.
    pub connect: Option<ConnectConfig>,
}

/// The store of the domains that are not configured by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DefaultStore {
    /// There is none.
    #[default]
    None,
    /// One store holds all of them.
    Shared(StoreLocation),
    /// Each has its own, with `{domain}` in the location. The path is that of `replay.toml`.
    Template(String, PathBuf),
}

impl StoreConfig {
    /// Whether no store is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.locations.is_empty() && self.default == DefaultStore::None
    }

    /// The store of a domain.
    #[must_use]
    pub fn location(&self, domain: &Domain) -> Option<StoreLocation> {
        let of_default = || match &self.default {
            DefaultStore::None => None,
            DefaultStore::Shared(location) => Some(location.clone()),
            DefaultStore::Template(text, root) => {
                StoreLocation::parse(&text.replace("{domain}", domain.as_str()), root).ok()
            }
        };
        self.locations.get(domain).cloned().or_else(of_default)
    }
}

/// Keys about event stores that are not valid. No message shows a location, because it may hold a password.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreConfigError {
    #[error("`{key}`: {reason}")]
    Location { key: String, reason: LocationError },
    #[error(
        "`store_password`, `store_tls` and `store_connect` go with a `postgres://` store, and there is none"
    )]
    NoServer,
    #[error(
        "`store_connect` has {{domain}} in it, but all domains share `store`; put {{domain}} in `store` too, or leave it out"
    )]
    SharedStore,
    #[error(transparent)]
    Domain(#[from] IdError),
    #[error(transparent)]
    Access(#[from] AccessConfigError),
}

/// The keys of a source that are about its stores.
pub(super) struct RawStore {
    pub(super) store: Option<String>,
    pub(super) stores: BTreeMap<String, String>,
    pub(super) password: Option<RawSecret>,
    pub(super) tls: Option<RawTls>,
    pub(super) connect: Option<Vec<String>>,
    pub(super) start_timeout: Option<u64>,
}

impl RawStore {
    pub(super) fn check(
        self,
        domains: &[String],
        root: &Path,
    ) -> Result<StoreConfig, StoreConfigError> {
        let parse = |key: &str, text: &str| {
            StoreLocation::parse(text, root).map_err(|reason| StoreConfigError::Location {
                key: key.to_owned(),
                reason,
            })
        };
        let mut locations = BTreeMap::new();
        for (name, text) in &self.stores {
            let location = parse(&format!("stores.{name}"), text)?;
            locations.insert(Domain::new(name.as_str())?, location);
        }
        let mut default = DefaultStore::None;
        if let Some(text) = self.store {
            // A template is checked with a domain in it.
            let location = parse("store", &text.replace("{domain}", "domain"))?;
            for name in domains {
                let location = parse("store", &text.replace("{domain}", name))?;
                locations
                    .entry(Domain::new(name.as_str())?)
                    .or_insert(location);
            }
            default = if text.contains("{domain}") {
                DefaultStore::Template(text, root.to_owned())
            } else {
                DefaultStore::Shared(location)
            };
        }
        let password = self.password;
        let connect = RawConnect {
            key: "store_connect",
            command: self.connect,
            start_timeout: self.start_timeout,
        };
        let shared = match &default {
            DefaultStore::Shared(location) => location.address(),
            DefaultStore::Template(text, root) => StoreLocation::parse(text, root)
                .ok()
                .and_then(|location| location.address()),
            DefaultStore::None => None,
        };
        let own = locations.values().filter_map(StoreLocation::address);
        let addresses: Vec<String> = own.chain(shared).collect();
        let connect = connect.check(root, addresses.iter().map(String::as_str))?;
        let config = StoreConfig {
            locations,
            default,
            password: password
                .map(|secret| secret.check("store_password", root))
                .transpose()?,
            tls: self.tls.map(|tls| tls.check(root)).transpose()?,
            connect,
        };
        let has_settings =
            config.password.is_some() || config.tls.is_some() || config.connect.is_some();
        if has_settings && !config.has_server() {
            return Err(StoreConfigError::NoServer);
        }
        let words = config.connect.iter().flat_map(|it| &it.command);
        let is_per_domain = words.into_iter().any(|word| word.contains("{domain}"));
        if is_per_domain && matches!(config.default, DefaultStore::Shared(_)) {
            return Err(StoreConfigError::SharedStore);
        }
        Ok(config)
    }
}

impl StoreConfig {
    fn has_server(&self) -> bool {
        let is_server = |location: &StoreLocation| matches!(location, StoreLocation::Postgres(_));
        let of_default = match &self.default {
            DefaultStore::None => false,
            DefaultStore::Shared(location) => is_server(location),
            DefaultStore::Template(text, _) => text.starts_with("postgres"),
        };
        of_default || self.locations.values().any(is_server)
    }
}
