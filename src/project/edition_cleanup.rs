//! Removes editions that replays left behind from the ledger, after deleting them at their coordinators or because the
//! user deleted them.

use std::collections::BTreeSet;

use super::{Ledger, LedgerEntry, OperationError};
use crate::grpc::{Connection, ConnectionOptions, DeletedEdition, EditionsClient, EditionsError};
use crate::model::{Domain, EditionName};
use crate::terminal::program;

/// An edition of a domain at a coordinator, and whether it was deleted.
#[derive(Debug)]
pub struct EditionCleanup {
    /// Address of the coordinator.
    pub address: String,
    /// The domain.
    pub domain: String,
    /// Name of the edition.
    pub edition: String,
    /// What was deleted, or why nothing was and how to delete it by hand.
    pub result: Result<DeletedEdition, String>,
}

impl Ledger {
    /// Deletes every edition whose coordinator supports it, and passes each result to `watch`. Returns the number of
    /// editions.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub fn delete_editions(
        &self,
        watch: &mut dyn FnMut(&EditionCleanup),
    ) -> Result<usize, OperationError> {
        let entries = self.read()?;
        let mut deleted: Vec<LedgerEntry> = Vec::new();
        let places: BTreeSet<[&str; 3]> = entries.iter().map(place).collect();
        for current in &places {
            let [address, domain, edition] = *current;
            let cleanup = EditionCleanup {
                address: address.to_owned(),
                domain: domain.to_owned(),
                edition: edition.to_owned(),
                result: delete(address, domain, edition),
            };
            if cleanup.result.is_ok() {
                let same = entries.iter().filter(|entry| place(entry) == *current);
                deleted.extend(same.cloned());
            }
            watch(&cleanup);
        }
        self.remove(&deleted)?;
        Ok(places.len())
    }

    /// Removes editions that were deleted by other means from the ledger. Returns the number of removed entries.
    ///
    /// # Errors
    /// If an edition is not in the ledger, or the ledger cannot be read or written.
    pub fn forget_editions(&self, names: &[String]) -> Result<usize, OperationError> {
        let entries = self.read()?;
        for name in names {
            if !entries.iter().any(|entry| entry.edition == *name) {
                return Err(OperationError::Failed(format!(
                    "no edition `{name}` is noted; `{} editions list` says which are",
                    program()
                )));
            }
        }
        let forgotten = entries.into_iter();
        let forgotten = forgotten.filter(|entry| names.contains(&entry.edition));
        let forgotten: Vec<LedgerEntry> = forgotten.collect();
        self.remove(&forgotten)?;
        Ok(forgotten.len())
    }
}

/// Address, domain and edition of an entry. Several aggregates may share them.
fn place(entry: &LedgerEntry) -> [&str; 3] {
    [&entry.address, &entry.domain, &entry.edition]
}

fn delete(address: &str, domain: &str, edition: &str) -> Result<DeletedEdition, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let name = EditionName::new(edition).map_err(|error| words(&error))?;
    let domain = Domain::new(domain).map_err(|error| words(&error))?;
    let connection =
        Connection::new(address, ConnectionOptions::default()).map_err(|error| words(&error))?;
    match EditionsClient::new(connection).delete(&domain, &name) {
        Ok(deleted) => Ok(deleted),
        Err(error @ EditionsError::NotOffered { .. }) => Err(format!(
            "{error}. Delete its rows by SQL, in the tables of events and of snapshots of that store, where the domain is \
             '{domain}' and the edition '{edition}', or drop the database; then `{} editions clean --forget {edition}`",
            program()
        )),
        Err(error) => Err(words(&error)),
    }
}
