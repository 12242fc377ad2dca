//! Opens the event stores of a source. A store that several domains share is opened once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::config::DefaultStore;
use super::connector::SourceConnector;
use super::{Project, SourceConfig, SourceError, access};
use crate::capture::EventQueries;
use crate::event_store::{DomainStore, EventStore, StoreAccess, StoreLocation};
use crate::model::Domain;
use crate::wire::Dialect;

/// The open stores of a source. Each closes, and ends its transaction, with the last source that uses it.
pub(super) type OpenStores = Mutex<BTreeMap<StoreLocation, Weak<EventStore>>>;

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
                let store = self.store(config, connector, location)?;
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
        let store = self.store(config, connector, &location)?;
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

    fn store(
        &self,
        config: &SourceConfig,
        connector: &SourceConnector,
        location: &StoreLocation,
    ) -> Result<Arc<EventStore>, SourceError> {
        let mut stores = connector
            .stores
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(location).and_then(Weak::upgrade) {
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
        let access = StoreAccess {
            password,
            tls,
            deadline: Duration::from_secs(config.deadline),
            policy: Arc::clone(connector.policy()),
        };
        let store = EventStore::open(location, &access).map_err(|reason| failed(config, reason))?;
        let store = Arc::new(store);
        stores.insert(location.clone(), Arc::downgrade(&store));
        Ok(store)
    }
}

fn failed(config: &SourceConfig, reason: crate::event_store::StoreError) -> SourceError {
    SourceError::Store {
        source_name: config.name.clone(),
        reason,
    }
}
