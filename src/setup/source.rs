//! Asks a coordinator at an address for its dialect and domains.

use std::collections::BTreeSet;

use crate::grpc::{
    CallError, Connection, ConnectionOptions, QueryClient, QueryError, detect_dialect,
};
use crate::wire::Dialect;

/// A coordinator that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundSource {
    pub(crate) address: String,
    /// Sorted.
    pub(crate) domains: Vec<String>,
    /// Names of the dialects with its package; several if they share it.
    pub(crate) dialects: Vec<String>,
}

/// A coordinator that could not be queried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CoordinatorQueryError {
    /// The address is invalid, or nothing answers there.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A gRPC server without the services of a coordinator.
    #[error(
        "{address}: a gRPC server that answers queries of no known dialect; is it a coordinator?"
    )]
    NoCoordinator {
        /// The address.
        address: String,
    },
    /// It is the location of an event store. It may hold a password, so it is not shown.
    #[error(
        "--source takes the address of a coordinator, and this is an event store: run `init` without --source, and name the store in \
         replay.toml, under `store`"
    )]
    EventStore,
    /// It does not list its aggregates.
    #[error("{address}: its aggregates cannot be listed: {source}")]
    NoList {
        /// The address.
        address: String,
        /// The reason.
        source: QueryError,
    },
}

/// Asks a coordinator for its dialect and the domains of its aggregates. Sends only queries.
pub(crate) fn ask(address: &str) -> Result<FoundSource, CoordinatorQueryError> {
    if ["postgres:", "postgresql:", "sqlite:"]
        .iter()
        .any(|scheme| address.starts_with(scheme))
    {
        return Err(CoordinatorQueryError::EventStore);
    }
    let connection = Connection::new(address, ConnectionOptions::default())?;
    let Some(found) = detect_dialect(&connection)? else {
        return Err(CoordinatorQueryError::NoCoordinator {
            address: address.to_owned(),
        });
    };
    let roots = QueryClient::new(connection, found)
        .aggregate_roots()
        .map_err(|source| CoordinatorQueryError::NoList {
            address: address.to_owned(),
            source,
        })?;
    let domains: BTreeSet<String> = roots
        .into_iter()
        .map(|(domain, _)| domain.as_str().to_owned())
        .collect();
    let same = |dialect: &&Dialect| dialect.package() == found.package();
    Ok(FoundSource {
        address: address.to_owned(),
        domains: domains.into_iter().collect(),
        dialects: Dialect::all()
            .iter()
            .filter(same)
            .map(|dialect| dialect.name().to_owned())
            .collect(),
    })
}
