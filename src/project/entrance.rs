//! What all domains of a source are entered with, each gathered once a run: TLS, credentials, opened ways, the rate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access;
use super::{Project, SourceConfig, SourceError};
use crate::grpc::{
    Access, CallError, ConnectionOptions, DeadLetterClient, QueryClient, QueryConnection,
    QueryPolicy, accepts_connections,
};
use crate::model::Domain;
use crate::processes::Tunnel;
use crate::wire::Dialect;

/// The entrances of a project's sources, by name.
pub(super) type Entrances = Mutex<BTreeMap<String, Arc<Entrance>>>;

/// How a source is entered. Its tunnels close when it is dropped.
pub(super) struct Entrance {
    access: Access,
    policy: Arc<QueryPolicy>,
    /// Open tunnels, each with its command.
    tunnels: Mutex<Vec<(Vec<String>, Tunnel)>>,
}

#[doc(hidden)]
impl Project {
    /// The entrance of a source, made when it is first asked for.
    pub(super) fn entrance(&self, config: &SourceConfig) -> Result<Arc<Entrance>, SourceError> {
        let mut entrances = self
            .entrances
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(entrance) = entrances.get(&config.name) {
            return Ok(Arc::clone(entrance));
        }
        let access =
            access::access(config, &self.config.root).map_err(|reason| SourceError::Access {
                source_name: config.name.clone(),
                reason,
            })?;
        let entrance = Arc::new(Entrance {
            access,
            policy: Arc::new(QueryPolicy::new(
                config.retries,
                config.queries_per_second,
                config.bounds,
            )),
            tunnels: Mutex::default(),
        });
        entrances.insert(config.name.clone(), Arc::clone(&entrance));
        Ok(entrance)
    }
}

impl Entrance {
    /// Connects to a domain's coordinator and makes sure that it speaks the configured dialect, or finds it out.
    /// Gives the dialect too where it had to be assumed.
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
        let address = self.opened(config, domain, address)?;
        let failed = |reason| SourceError::Call {
            source_name: config.name.clone(),
            domain: domain.clone(),
            reason,
        };
        let connection = self.connection(config, &address).map_err(failed)?;
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

    /// Connects to what shows dead letters. Nothing is asked yet.
    pub(super) fn dead_letters(
        &self,
        config: &SourceConfig,
    ) -> Result<DeadLetterClient, SourceError> {
        let source_name = config.name.clone();
        let address = config.status.clone().ok_or(SourceError::NoStatus {
            source_name: source_name.clone(),
        })?;
        let place = Domain::new("status").expect("it is a name");
        let address = self.opened(config, &place, address)?;
        let connection = self.connection(config, &address);
        connection
            .map(DeadLetterClient::new)
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

    /// The address once its way is open. The same command is run once for all that it leads to.
    fn opened(
        &self,
        config: &SourceConfig,
        domain: &Domain,
        address: String,
    ) -> Result<String, SourceError> {
        let Some(command) = access::tunnel(config, domain.as_str(), &address) else {
            return Ok(address);
        };
        let closed = |reason| SourceError::Way {
            source_name: config.name.clone(),
            domain: domain.clone(),
            reason,
        };
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = tunnels.iter();
        if let Some((_, tunnel)) = open.find(|(words, _)| *words == command.command) {
            return tunnel
                .reach(&command.address, command.timeout)
                .map_err(closed);
        }
        let (tunnel, address) = Tunnel::open(&command, accepts_connections).map_err(closed)?;
        tunnels.push((command.command, tunnel));
        Ok(address)
    }
}
