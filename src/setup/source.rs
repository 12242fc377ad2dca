//! What a coordinator at an address tells of itself: its dialect and its domains.

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
    /// Names of the dialects that speak its package; several where the package does not tell.
    pub(crate) dialects: Vec<String>,
}

/// A coordinator that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The address, or nobody answers there.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answers gRPC, and none of the services that a coordinator has.
    #[error(
        "{address}: a gRPC server that answers queries of no known dialect; is it a coordinator?"
    )]
    NoCoordinator {
        /// The address.
        address: String,
    },
    /// It does not list its aggregates.
    #[error("{address}: its aggregates cannot be listed: {source}")]
    NoList {
        /// The address.
        address: String,
        /// Why.
        source: QueryError,
    },
}

/// Asks a coordinator for its dialect and the domains of its aggregates. Only queries are sent.
pub(crate) fn ask(address: &str) -> Result<FoundSource, SourceError> {
    let connection = Connection::new(address, ConnectionOptions::default())?;
    let Some(found) = detect_dialect(&connection)? else {
        return Err(SourceError::NoCoordinator {
            address: address.to_owned(),
        });
    };
    let roots = QueryClient::new(connection, found)
        .aggregate_roots()
        .map_err(|source| SourceError::NoList {
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
