//! An open store: how it is opened, and asked again when its connection breaks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::database::{Database, Field, Parameter};
use super::layout::Layout;
use super::rows::Fields;
use super::sqlite::SqliteDatabase;
use super::{StoreError, StoreLocation};
use crate::grpc::{QueryPolicy, Secret, Tls, Way, pauses};

/// How a store is accessed.
#[derive(Clone)]
pub struct StoreAccess {
    /// Password of a database server.
    pub password: Option<Secret>,
    /// TLS settings of a database server; `None` for the default.
    pub tls: Option<Tls>,
    /// Time limit of one query.
    pub deadline: Duration,
    /// Rate limit and bounds.
    pub policy: Arc<QueryPolicy>,
    /// How often a query is repeated if the connection to a database server breaks.
    pub retries: u32,
    /// Maximum size of what is held in memory at once: of a workflow, or of the snapshots of one aggregate.
    pub held_bytes: usize,
    /// The way to a database server, if it is ours to keep open.
    pub tunnel: Option<StoreTunnel>,
}

/// Usual maximum size of what is held in memory at once.
pub const HELD_BYTES: usize = 256 << 20;

/// The way to a database server.
#[derive(Debug, Clone)]
pub struct StoreTunnel {
    /// Opens it again when it ends.
    pub way: Arc<dyn Way>,
    /// What `{port}` in the location stands for.
    pub port: String,
}

/// An open event store. All its methods read.
pub struct EventStore {
    database: Mutex<Box<dyn Database + Send>>,
    pub(super) layout: Layout,
    pub(super) place: String,
    pub(super) access: StoreAccess,
}

impl EventStore {
    /// Opens a store and checks its tables.
    pub fn open(location: &StoreLocation, access: &StoreAccess) -> Result<Self, StoreError> {
        let mut attempts = Attempts::of(access);
        loop {
            match Self::open_once(location, access) {
                Err(error) if error.is_broken() => attempts.again(error)?,
                opened => return opened,
            }
        }
    }

    fn open_once(location: &StoreLocation, access: &StoreAccess) -> Result<Self, StoreError> {
        let place = location.to_string();
        let mut database: Box<dyn Database + Send> = match location {
            StoreLocation::Sqlite { file, .. } => {
                Box::new(SqliteDatabase::open(file, &place, access.deadline)?)
            }
            #[cfg(feature = "postgres")]
            StoreLocation::Postgres(url) => Box::new(super::postgres::PostgresDatabase::open(
                url, &place, access,
            )?),
            #[cfg(not(feature = "postgres"))]
            StoreLocation::Postgres(_) => return Err(StoreError::NoPostgres { place }),
        };
        let layout = Layout::of(database.as_mut(), &place)?;
        Ok(Self {
            database: Mutex::new(database),
            layout,
            place,
            access: access.clone(),
        })
    }

    /// The layout of its tables.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The place of the store, for messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The rows of a `SELECT`, each made into a value. `what` names a row in messages. If the connection breaks, it is made
    /// again, and the statement runs again from its beginning, so callers ask for few rows at a time.
    pub(super) fn rows<T>(
        &self,
        what: &str,
        statement: &str,
        parameters: &[Parameter<'_>],
        row: &dyn Fn(Fields<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut attempts = Attempts::of(&self.access);
        loop {
            match self.rows_once(what, statement, parameters, row) {
                Err(error) if error.is_broken() => attempts.again(error)?,
                answer => {
                    if let Some(tunnel) = &self.access.tunnel {
                        tunnel.way.note_success();
                    }
                    return answer;
                }
            }
            self.database().disconnect();
        }
    }

    fn rows_once<T>(
        &self,
        what: &str,
        statement: &str,
        parameters: &[Parameter<'_>],
        row: &dyn Fn(Fields<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let policy = &self.access.policy;
        let over_bound = |bound| StoreError::OverBound {
            place: self.place.clone(),
            bound,
        };
        policy.count_query().map_err(over_bound)?;
        policy.wait_for_turn();
        let mut rows = Vec::new();
        self.database()
            .select(statement, parameters, &mut |fields| {
                let bytes = fields.iter().map(size_of_field).sum();
                policy.count_bytes(bytes).map_err(over_bound)?;
                rows.push(row(Fields::new(&self.place, what.to_owned(), fields))?);
                Ok(())
            })?;
        Ok(rows)
    }

    fn database(&self) -> MutexGuard<'_, Box<dyn Database + Send>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the database says that a column contains these bytes.
    pub(super) fn contains(&self, column: &str, bytes: &str) -> String {
        self.database().contains(column, bytes)
    }
}

/// Attempts to ask a database whose connection breaks.
struct Attempts<'a> {
    access: &'a StoreAccess,
    pauses: Box<dyn Iterator<Item = Duration>>,
    failures: u32,
}

impl<'a> Attempts<'a> {
    fn of(access: &'a StoreAccess) -> Self {
        Self {
            access,
            pauses: Box::new(pauses()),
            failures: 0,
        }
    }

    /// Waits before the next attempt, and opens the way again if it ended. Returns the error after the last attempt.
    fn again(&mut self, broken: StoreError) -> Result<(), StoreError> {
        let tunnel = self.access.tunnel.as_ref();
        if self.failures == self.access.retries {
            return Err(match tunnel.and_then(|tunnel| tunnel.way.ended()) {
                Some(reason) => StoreError::WayEnded { reason },
                None => broken,
            });
        }
        self.failures += 1;
        std::thread::sleep(self.pauses.next().unwrap_or_default());
        if let Some(tunnel) = tunnel {
            tunnel.way.restore(self.failures);
        }
        Ok(())
    }
}

fn size_of_field(field: &Field) -> usize {
    match field {
        Field::Null | Field::Integer(_) => 8,
        Field::Text(text) => text.len(),
        Field::Bytes(bytes) => bytes.len(),
    }
}
