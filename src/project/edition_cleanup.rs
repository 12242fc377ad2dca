//! Takes editions that replays left behind off the ledger: deletes them at their coordinators, or forgets them.

use std::collections::BTreeSet;

use super::{Ledger, LeftBehind, OperationError};
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
    /// What was deleted, or why it was kept and how it can be deleted otherwise.
    pub result: Result<DeletedEdition, String>,
}

impl Ledger {
    /// Deletes every edition whose coordinator can do so; `watch` receives each. Returns how many there were.
    ///
    /// # Errors
    /// If the ledger cannot be read or written.
    pub fn delete_editions(
        &self,
        watch: &mut dyn FnMut(&EditionCleanup),
    ) -> Result<usize, OperationError> {
        let entries = self.read()?;
        let mut deleted: Vec<LeftBehind> = Vec::new();
        let places: BTreeSet<[&str; 3]> = entries.iter().map(place).collect();
        for place_of_edition in &places {
            let [address, domain, edition] = *place_of_edition;
            let cleanup = EditionCleanup {
                address: address.to_owned(),
                domain: domain.to_owned(),
                edition: edition.to_owned(),
                result: delete(address, domain, edition),
            };
            if cleanup.result.is_ok() {
                let same = entries
                    .iter()
                    .filter(|entry| place(entry) == *place_of_edition);
                deleted.extend(same.cloned());
            }
            watch(&cleanup);
        }
        self.remove(&deleted)?;
        Ok(places.len())
    }

    /// Forgets editions that were deleted by other means. Returns how many lines of the ledger were about them.
    ///
    /// # Errors
    /// If the ledger does not know one of them, or cannot be read or written.
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
        let forgotten: Vec<LeftBehind> = forgotten.collect();
        self.remove(&forgotten)?;
        Ok(forgotten.len())
    }
}

/// Address, domain and edition of an entry. Several aggregates may share them.
fn place(entry: &LeftBehind) -> [&str; 3] {
    [&entry.address, &entry.domain, &entry.edition]
}

fn delete(address: &str, domain: &str, edition: &str) -> Result<DeletedEdition, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let name = EditionName::new(edition).map_err(|error| words(&error))?;
    let of = Domain::new(domain).map_err(|error| words(&error))?;
    let connection =
        Connection::new(address, ConnectionOptions::default()).map_err(|error| words(&error))?;
    match EditionsClient::new(connection).delete(&of, &name) {
        Ok(deleted) => Ok(deleted),
        Err(error @ EditionsError::NotOffered { .. }) => Err(format!(
            "{error}. Delete its rows by SQL, in the tables of events and of snapshots of that store, where the domain is \
             '{domain}' and the edition '{edition}', or drop the database; then `{} editions clean --forget {edition}`",
            program()
        )),
        Err(error) => Err(words(&error)),
    }
}
