//! Connects to the servers of a source. TLS, credentials, tunnels and the rate limit are shared by all its domains.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access;
use super::stores::OpenStores;
use super::way::TunnelWay;
use super::{Project, SourceConfig, SourceError};
use crate::grpc::{
    Access, CallError, ConnectionOptions, DeadLetterClient, QueryClient, QueryConnection,
    QueryPolicy, Way,
};
use crate::model::Domain;
use crate::processes::{TunnelCommand, TunnelError};
use crate::wire::Dialect;

/// The connectors of a project, by name of the source.
pub(super) type Connectors = Mutex<BTreeMap<String, Arc<SourceConnector>>>;

/// Connects to the servers of a source. Its tunnels close when it is dropped.
pub(super) struct SourceConnector {
    access: Access,
    policy: Arc<QueryPolicy>,
    /// Tunnels, each with its command.
    tunnels: Mutex<Vec<(Vec<String>, Arc<TunnelWay>)>>,
    /// Open event stores, which follow the same policy.
    pub(super) stores: OpenStores,
}

#[doc(hidden)]
impl Project {
    /// The connector of a source, created at the first request.
    pub(super) fn connector(
        &self,
        config: &SourceConfig,
    ) -> Result<Arc<SourceConnector>, SourceError> {
        let mut connectors = self
            .connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = connectors.get(&config.name) {
            return Ok(Arc::clone(connector));
        }
        let access =
            access::access(config, &self.config.root).map_err(|reason| SourceError::Access {
                source_name: config.name.clone(),
                reason,
            })?;
        let connector = Arc::new(SourceConnector {
            access,
            policy: Arc::new(QueryPolicy::new(
                config.retries,
                config.queries_per_second,
                config.bounds,
            )),
            tunnels: Mutex::default(),
            stores: OpenStores::default(),
        });
        connectors.insert(config.name.clone(), Arc::clone(&connector));
        Ok(connector)
    }
}

impl SourceConnector {
    /// Rate limit and bounds of the source.
    pub(super) const fn policy(&self) -> &Arc<QueryPolicy> {
        &self.policy
    }

    /// Connects to a domain's coordinator, and checks that it speaks the configured dialect or detects its dialect. Also
    /// returns the dialect if several share the package and it had to be assumed.
    pub(super) fn connect(
        &self,
        config: &SourceConfig,
        domain: &Domain,
    ) -> Result<(QueryClient, Option<Dialect>), SourceError> {
        let source_name = config.name.clone();
        let address = config
            .address(domain)
            .ok_or_else(|| SourceError::UnknownDomain {
                source_name: source_name.clone(),
                domain: domain.clone(),
                known: config.domains().map(ToString::to_string).collect(),
            })?;
        let (address, way) = self.tunnelled(config, domain, address)?;
        let failed = |reason| SourceError::Call {
            source_name: config.name.clone(),
            domain: domain.clone(),
            reason,
        };
        let connection = self.connection(config, &address).map_err(failed)?;
        let connection = connection.through(way);
        let Some(spoken) = connection.detect_dialect().map_err(failed)? else {
            return Err(SourceError::NoAngzarr {
                source_name,
                domain: domain.clone(),
                address,
            });
        };
        match config.dialect {
            Some(configured) if configured.package() != spoken.package() => {
                Err(SourceError::WrongDialect {
                    source_name,
                    domain: domain.clone(),
                    address,
                    configured,
                    spoken,
                })
            }
            Some(configured) => Ok((QueryClient::new(connection, configured), None)),
            None => Ok((
                QueryClient::new(connection, spoken),
                spoken.is_ambiguous().then_some(spoken),
            )),
        }
    }

    /// A client for the dead letters of a source. Sends nothing yet.
    pub(super) fn dead_letters(
        &self,
        config: &SourceConfig,
    ) -> Result<DeadLetterClient, SourceError> {
        let source_name = config.name.clone();
        let address = config.status.clone().ok_or(SourceError::NoStatus {
            source_name: source_name.clone(),
        })?;
        let place = Domain::new("status").expect("`status` is a valid name");
        let (address, way) = self.tunnelled(config, &place, address)?;
        let connection = self.connection(config, &address);
        connection
            .map(|connection| DeadLetterClient::new(connection.through(way)))
            .map_err(|reason| SourceError::DeadLetters {
                source_name,
                reason: reason.into(),
            })
    }

    fn connection(
        &self,
        config: &SourceConfig,
        address: &str,
    ) -> Result<QueryConnection, CallError> {
        let options = ConnectionOptions {
            deadline: Some(Duration::from_secs(config.deadline)),
            ..ConnectionOptions::default()
        };
        let (access, policy) = (self.access.clone(), Arc::clone(&self.policy));
        QueryConnection::new(address, options, access, policy)
    }

    /// Opens the tunnel to an address, if one is configured, and returns its near end.
    fn tunnelled(
        &self,
        config: &SourceConfig,
        domain: &Domain,
        address: String,
    ) -> Result<(String, Option<Arc<dyn Way>>), SourceError> {
        let Some(command) = access::tunnel(config, domain.as_str(), &address) else {
            return Ok((address, None));
        };
        let opened = self.open_tunnel(command, config.retries);
        let (address, way) = opened.map_err(|reason| SourceError::Tunnel {
            source_name: config.name.clone(),
            domain: domain.clone(),
            reason,
        })?;
        Ok((address, Some(way)))
    }

    /// Opens a tunnel, and returns its near end. A command runs only once, even if several addresses use it.
    pub(super) fn open_tunnel(
        &self,
        command: TunnelCommand,
        retries: u32,
    ) -> Result<(String, Arc<dyn Way>), TunnelError> {
        let (address, timeout) = (command.address.clone(), command.timeout);
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = tunnels.iter();
        let known = open.find(|(words, _)| *words == command.command);
        let way = if let Some((_, way)) = known {
            Arc::clone(way)
        } else {
            let way = Arc::new(TunnelWay::open(&command, retries)?);
            tunnels.push((command.command, Arc::clone(&way)));
            way
        };
        Ok((way.reach(&address, timeout)?, way))
    }
}
