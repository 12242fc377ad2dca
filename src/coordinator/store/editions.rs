//! Lists and deletes named editions. The main timeline has no name, so it cannot be deleted here.

use rusqlite::{TransactionBehavior, params};

use super::{Store, StoreError};
use crate::model::{Domain, EditionName};

/// The size of a named edition of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionCount {
    /// Domain.
    pub domain: String,
    /// Its name.
    pub edition: String,
    /// Number of aggregates with their own pages or snapshots in it.
    pub roots: u64,
    /// Number of their pages.
    pub pages: u64,
}

impl Store {
    /// Every named edition that has a page or a snapshot, by domain and name.
    pub fn editions(&self) -> Result<Vec<EditionCount>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT domain, edition, count(DISTINCT root), sum(is_page) FROM (
                 SELECT domain, edition, root, 1 AS is_page FROM pages WHERE edition <> ''
                 UNION ALL SELECT domain, edition, root, 0 FROM snapshots WHERE edition <> ''
             ) GROUP BY domain, edition ORDER BY domain, edition",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(EditionCount {
                domain: row.get(0)?,
                edition: row.get(1)?,
                roots: count(row.get(2)?),
                pages: count(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Deletes a named edition, in one domain or in all. Returns the number of deleted pages and snapshots.
    pub fn delete_edition(
        &self,
        edition: &EditionName,
        domain: Option<&Domain>,
    ) -> Result<(u64, u64), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut deleted = [0, 0, 0];
        for (count, table) in deleted.iter_mut().zip(["pages", "snapshots", "facts"]) {
            *count = transaction.execute(
                &format!("DELETE FROM {table} WHERE edition = ?1 AND (?2 IS NULL OR domain = ?2)"),
                params![edition.as_str(), domain.map(Domain::as_str)],
            )?;
        }
        transaction.commit()?;
        let [pages, snapshots, _] = deleted.map(|count| count.try_into().unwrap_or(u64::MAX));
        Ok((pages, snapshots))
    }
}

fn count(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}
