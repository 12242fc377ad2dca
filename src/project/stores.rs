//! Opens the event stores of a source. A store that several domains share is opened once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::config::DefaultStore;
use super::connector::SourceConnector;
use super::{Project, SourceConfig, SourceError, access};
use crate::capture::EventQueries;
use crate::event_store::{
    DomainStore, EventStore, HELD_BYTES, StoreAccess, StoreLocation, StoreTunnel,
};
use crate::model::Domain;
use crate::wire::Dialect;

/// The open stores of a source, by their location and the command that opens the way there. Each closes, and ends its
/// transaction, with the last source that uses it.
pub(super) type OpenStores = Mutex<BTreeMap<(StoreLocation, Vec<String>), Weak<EventStore>>>;

/// The queries of a domain, and the dialect if it had to be assumed.
pub(super) type OpenDomain = (Box<dyn EventQueries>, Option<Dialect>);

#[doc(hidden)]
impl Project {
    /// The domains of a source: those that are configured, else those in its store.
    pub(super) fn domains_of(
        &self,
        config: &SourceConfig,
        connector: &SourceConnector,
    ) -> Result<Vec<Domain>, SourceError> {
        let configured: Vec<Domain> = config.domains().cloned().collect();
        match &config.stores.default {
            DefaultStore::Shared(location) if configured.is_empty() => {
                let store = self.store(config, connector, location, None)?;
                let domains = store.domains();
                domains.map_err(|reason| failed(config, reason))
            }
            _ => Ok(configured),
        }
    }

    /// Opens a domain: its store if it has one, else its coordinator. With both, the coordinator tells the dialect.
    pub(super) fn open_domain(
        &self,
        config: &SourceConfig,
        connector: &SourceConnector,
        domain: &Domain,
    ) -> Result<OpenDomain, SourceError> {
        let Some(location) = config.stores.location(domain) else {
            let (queries, assumed) = connector.connect(config, domain)?;
            let queries = queries.collecting_unknown(self.unknown.clone());
            return Ok((Box::new(queries), assumed));
        };
        let store = self.store(config, connector, &location, Some(domain))?;
        let (dialect, from, assumed) = if let Some(dialect) = config.dialect {
            (dialect, "as configured".to_owned(), None)
        } else if config.address(domain).is_some() {
            let (queries, assumed) = connector.connect(config, domain)?;
            let from = format!("from {}", queries.address());
            (queries.dialect(), from, assumed)
        } else {
            let dialect = store.layout().dialect();
            let from = format!("{dialect} by its columns (`dialect` in replay.toml overrides it)");
            (dialect, from, None)
        };
        Ok((Box::new(DomainStore::new(store, dialect, from)), assumed))
    }

    /// Opens the store of a domain, or one that all domains share.
    fn store(
        &self,
        config: &SourceConfig,
        connector: &SourceConnector,
        location: &StoreLocation,
        domain: Option<&Domain>,
    ) -> Result<Arc<EventStore>, SourceError> {
        let tunnel = access::store_tunnel(config, domain, location);
        let words = tunnel.as_ref().map(|tunnel| tunnel.command.clone());
        let key = (location.clone(), words.unwrap_or_default());
        let mut stores = connector
            .stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&key).and_then(Weak::upgrade) {
            return Ok(store);
        }
        let access = |reason| SourceError::Access {
            source_name: config.name.clone(),
            reason,
        };
        let is_server = matches!(location, StoreLocation::Postgres(_));
        let (password, tls) = if is_server {
            access::of_store(config, &self.config.root).map_err(access)?
        } else {
            (None, None)
        };
        let tunnel = tunnel.map(|command| connector.open_tunnel(command, config.retries));
        let tunnel = tunnel
            .transpose()
            .map_err(|reason| SourceError::StoreTunnel {
                source_name: config.name.clone(),
                reason,
            })?;
        let access = StoreAccess {
            password,
            tls,
            deadline: Duration::from_secs(config.deadline),
            policy: Arc::clone(connector.policy()),
            retries: config.retries,
            held_bytes: HELD_BYTES,
            tunnel: tunnel.map(|(address, way)| StoreTunnel {
                way,
                port: address.rsplit(':').next().unwrap_or_default().to_owned(),
            }),
        };
        let store = EventStore::open(location, &access).map_err(|reason| failed(config, reason))?;
        let store = Arc::new(store);
        stores.insert(key, Arc::downgrade(&store));
        Ok(store)
    }

    /// The event stores of a source, each with the domains that are read from it: all of them, or this one. A store that
    /// cannot be opened does not hide the others.
    pub(crate) fn event_stores(
        &self,
        source: &str,
        domain: Option<&Domain>,
    ) -> Result<Vec<StoreOfDomains>, SourceError> {
        let Some(config) = self.config.sources.get(source) else {
            return Ok(Vec::new());
        };
        if config.stores.is_empty() {
            return Ok(Vec::new());
        }
        let connector = self.connector(config)?;
        let domains = match domain {
            Some(domain) => vec![domain.clone()],
            None => self.domains_of(config, &connector)?,
        };
        let mut all: Vec<StoreOfDomains> = Vec::new();
        for domain in domains {
            let Some(location) = config.stores.location(&domain) else {
                continue;
            };
            let store = self.store(config, &connector, &location, Some(&domain));
            let known = all.iter_mut().find(|known| match (&known.store, &store) {
                (Ok(known), Ok(store)) => Arc::ptr_eq(known, store),
                _ => false,
            });
            match known {
                Some(known) => known.domains.push(domain),
                None => all.push(StoreOfDomains {
                    place: location.to_string(),
                    domains: vec![domain],
                    store,
                }),
            }
        }
        Ok(all)
    }
}

/// An event store, and the domains that are read from it.
pub(crate) struct StoreOfDomains {
    /// Where it is.
    pub(crate) place: String,
    /// The domains.
    pub(crate) domains: Vec<Domain>,
    /// The store, or why it cannot be opened.
    pub(crate) store: Result<Arc<EventStore>, SourceError>,
}

fn failed(config: &SourceConfig, reason: crate::event_store::StoreError) -> SourceError {
    SourceError::Store {
        source_name: config.name.clone(),
        reason,
    }
}
