//! Server and client of our own service that lists and deletes the editions of a local coordinator.
//!
//! Angzarr's released coordinators do not have it. `proto/editions.proto` describes it for other programs.

use bytes::Bytes;
use prost::Message;

use super::{Coordinator, RefusedCall, not_understood};
use crate::model::{Domain, EditionName, IdError};
use crate::serve::OWN_PACKAGE;
use crate::wire::messages::local as pb;
use crate::wire::{DecodeError, decode};
use crate::{CallError, Connection};

/// A named edition of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEdition {
    /// Domain.
    pub domain: Domain,
    /// Its name.
    pub edition: EditionName,
    /// Number of aggregates with pages of their own in the edition.
    pub roots: u64,
    /// Number of those pages.
    pub pages: u64,
}

/// An unchecked request to delete an edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionRequest {
    /// Name of the edition.
    pub edition: String,
    /// Domain; empty means every domain.
    pub domain: String,
}

/// Result of deleting an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeletedEdition {
    /// Number of deleted pages.
    pub pages: u64,
    /// Number of deleted snapshots.
    pub snapshots: u64,
}

/// Answers a method of this service; `None` for a method of another service.
pub(super) fn answer(
    coordinator: &dyn Coordinator,
    method: &str,
    request: Bytes,
) -> Option<Result<Vec<Bytes>, RefusedCall>> {
    let method = method.strip_prefix(OWN_PACKAGE)?.strip_prefix('.')?;
    let reply = match method {
        "Editions/List" => coordinator.editions().map(|editions| {
            let editions = editions.iter().map(message).collect();
            pb::ListEditionsResponse { editions }.encode_to_vec()
        }),
        "Editions/Delete" => delete(coordinator, request),
        _ => return None,
    };
    Some(reply.map(|reply| vec![reply.into()]))
}

fn delete(coordinator: &dyn Coordinator, request: Bytes) -> Result<Vec<u8>, RefusedCall> {
    let request: pb::DeleteEditionRequest =
        decode::message("request to delete an edition", request).map_err(not_understood)?;
    let deleted = coordinator.delete_edition(&DeletionRequest {
        edition: request.edition,
        domain: request.domain,
    })?;
    let reply = pb::DeleteEditionResponse {
        pages: deleted.pages,
        snapshots: deleted.snapshots,
    };
    Ok(reply.encode_to_vec())
}

fn message(edition: &StoredEdition) -> pb::StoredEdition {
    pb::StoredEdition {
        domain: edition.domain.to_string(),
        edition: edition.edition.to_string(),
        roots: edition.roots,
        pages: edition.pages,
    }
}

/// A call to the editions service that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditionsError {
    /// The server is not a local coordinator of this project.
    #[error(
        "{address} cannot list or delete editions: over gRPC, only the local coordinator of \
         angzarr-replay can"
    )]
    NotOffered {
        /// The address.
        address: String,
    },
    /// The call failed.
    #[error(transparent)]
    Call(CallError),
    /// The reply does not decode.
    #[error("{address} answered {method} with bytes that make no sense: {reason}")]
    Garbage {
        /// The address.
        address: String,
        /// Method that was called.
        method: &'static str,
        /// The decoding error.
        reason: DecodeError,
    },
}

/// Client that lists and deletes editions of a local coordinator.
#[derive(Debug, Clone)]
pub struct EditionsClient {
    connection: Connection,
}

impl EditionsClient {
    /// The service behind a connection.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Every named edition.
    pub fn list(&self) -> Result<Vec<StoredEdition>, EditionsError> {
        let reply: pb::ListEditionsResponse =
            self.call("Editions/List", &pb::ListEditionsRequest {})?;
        let read = |edition: pb::StoredEdition| -> Result<StoredEdition, IdError> {
            Ok(StoredEdition {
                domain: Domain::new(edition.domain)?,
                edition: EditionName::new(edition.edition)?,
                roots: edition.roots,
                pages: edition.pages,
            })
        };
        let editions = reply.editions.into_iter().map(read);
        editions
            .collect::<Result<_, _>>()
            .map_err(|error| self.garbage("Editions/List", DecodeError::new("edition", &error)))
    }

    /// Deletes an edition of a domain.
    pub fn delete(
        &self,
        domain: &Domain,
        edition: &EditionName,
    ) -> Result<DeletedEdition, EditionsError> {
        let request = pb::DeleteEditionRequest {
            edition: edition.to_string(),
            domain: domain.to_string(),
        };
        let reply: pb::DeleteEditionResponse = self.call("Editions/Delete", &request)?;
        Ok(DeletedEdition {
            pages: reply.pages,
            snapshots: reply.snapshots,
        })
    }

    fn call<M: Message + Default>(
        &self,
        method: &'static str,
        request: &impl Message,
    ) -> Result<M, EditionsError> {
        let path = format!("/{OWN_PACKAGE}.{method}");
        let reply = self.connection.call(&path, request.encode_to_vec().into());
        let reply = reply.map_err(|error| {
            if error.is_unknown_method() {
                EditionsError::NotOffered {
                    address: self.connection.address().to_owned(),
                }
            } else {
                EditionsError::Call(error)
            }
        })?;
        decode::message("reply", reply).map_err(|reason| self.garbage(method, reason))
    }

    fn garbage(&self, method: &'static str, reason: DecodeError) -> EditionsError {
        EditionsError::Garbage {
            address: self.connection.address().to_owned(),
            method,
            reason,
        }
    }
}
