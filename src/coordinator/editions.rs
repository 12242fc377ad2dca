//! Lists and deletes named editions. The main timeline is not one of them and cannot be deleted.

use super::LocalCoordinator;
use super::queries::failed;
use crate::grpc::{DeletedEdition, DeletionRequest, RefusedCall, StoredEdition};
use crate::model::{Domain, Edition, EditionName, Failure};

impl LocalCoordinator {
    pub(super) fn stored_editions(&self) -> Result<Vec<StoredEdition>, RefusedCall> {
        let mut editions = Vec::new();
        for store in self.stores.all() {
            for found in store.editions().map_err(failed)? {
                // The store writes only valid names; rows with other names were written by another program and are ignored.
                let names = Domain::new(found.domain).and_then(|domain| {
                    EditionName::new(found.edition).map(|edition| (domain, edition))
                });
                if let Ok((domain, edition)) = names {
                    editions.push(StoredEdition {
                        domain,
                        edition,
                        roots: found.roots,
                        pages: found.pages,
                    });
                }
            }
        }
        Ok(editions)
    }

    pub(super) fn deleted_edition(
        &self,
        asked: &DeletionRequest,
    ) -> Result<DeletedEdition, RefusedCall> {
        let refused = |reason: &dyn std::fmt::Display| Failure::refused(reason.to_string());
        let edition = match Edition::from_label(&asked.edition).map_err(|error| refused(&error))? {
            Edition::Named { name, .. } => name,
            Edition::Main => {
                return Err(refused(&"the main timeline is never deleted; name an edition").into());
            }
        };
        let domain = match asked.domain.as_str() {
            "" => None,
            domain => Some(Domain::new(domain).map_err(|error| refused(&error))?),
        };
        let mut deleted = DeletedEdition::default();
        for store in self.stores.all() {
            let (pages, snapshots) = store
                .delete_edition(&edition, domain.as_ref())
                .map_err(failed)?;
            deleted.pages += pages;
            deleted.snapshots += snapshots;
        }
        Ok(deleted)
    }
}
