//! The tables of a store, which differ between releases of Angzarr's core. They are told apart by their columns.

use super::StoreError;
use super::database::Database;
use super::rows::text;
use crate::wire::Dialect;

/// The layouts that are known, for messages.
pub(super) const EXPECTED: &str = "the tables of core 0.5.1 and of May 2026";

const EVENTS: [&str; 7] = [
    "domain",
    "edition",
    "root",
    "sequence",
    "created_at",
    "event_data",
    "correlation_id",
];
const SNAPSHOTS: [&str; 5] = ["domain", "edition", "root", "sequence", "state_data"];
const PROVENANCE: [&str; 3] = ["source_domain", "source_root", "source_seq"];

/// What a store's columns reveal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Whether the main timeline is NULL, as in May 2026, rather than the text `angzarr`, as in 0.5.1.
    pub(super) main_is_null: bool,
    /// Whether it says which event caused an event.
    pub(super) has_provenance: bool,
    /// Whether it has the keys of facts.
    pub(super) has_external_ids: bool,
}

impl Layout {
    pub(super) fn of(database: &mut dyn Database, place: &str) -> Result<Self, StoreError> {
        let events = table(database, place, "events", &EVENTS)?;
        table(database, place, "snapshots", &SNAPSHOTS)?;
        let named = |wanted: &str| events.iter().find(|(name, _)| name == wanted);
        Ok(Self {
            main_is_null: named("edition").is_some_and(|(_, may_be_null)| *may_be_null),
            has_provenance: PROVENANCE.iter().all(|name| named(name).is_some()),
            has_external_ids: named("external_id").is_some(),
        })
    }

    /// The columns that say which event caused an event: domain, root and sequence.
    pub(super) fn cause(self) -> String {
        if self.has_provenance {
            let (domain, root) = (text("source_domain"), text("source_root"));
            format!("{domain}, {root}, CAST(source_seq AS BIGINT)")
        } else {
            "NULL, NULL, NULL".to_owned()
        }
    }

    /// The dialect of the core that writes this layout.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        let name = if self.main_is_null {
            "angzarr_client.proto.angzarr.v1"
        } else {
            "angzarr"
        };
        name.parse().expect("this is the name of a dialect")
    }
}

/// The columns of a table, which must include these.
fn table(
    database: &mut dyn Database,
    place: &str,
    name: &str,
    wanted: &[&str],
) -> Result<Vec<(String, bool)>, StoreError> {
    let columns = database.columns(name)?;
    let other = |found: String| StoreError::OtherTables {
        place: place.to_owned(),
        found,
    };
    if columns.is_empty() {
        return Err(other(format!("it has no table `{name}`")));
    }
    let is_missing = |wanted: &&&str| !columns.iter().any(|(column, _)| column == **wanted);
    let missing: Vec<&str> = wanted.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        return Ok(columns);
    }
    let missing = missing.join("`, `");
    Err(other(format!("its table `{name}` has no `{missing}`")))
}
