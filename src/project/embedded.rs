//! A demo deployment: real coordinators on loopback, started for one command and stopped after it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::coordinator::recording::{Recording, RecordingError};
use crate::coordinator::{
    Backend, LocalCoordinator, SeedBook, SeedError, Store, StoreError, Stores,
};
use crate::grpc::Server;
use crate::model::{Clock, Component, Domain, Logic, Timestamp};
use crate::ticket::{Ticket, TicketError};
use crate::wire::Dialect;

/// The contents of an embedded deployment.
#[derive(Clone)]
pub struct Embedded {
    dialect: Dialect,
    books: Vec<SeedBook>,
    tickets: Vec<Ticket>,
    inserted_at: Timestamp,
    logic: BTreeMap<Domain, Arc<dyn Logic>>,
}

/// An embedded deployment that did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its store could not be opened.
    #[error("the embedded deployment did not start: {0}")]
    Store(#[from] StoreError),
    /// Its data could not be loaded.
    #[error("the embedded deployment did not start: {0}")]
    Seed(#[from] SeedError),
    /// A server did not start.
    #[error("the embedded deployment did not start: {0}")]
    Server(#[from] std::io::Error),
}

impl Embedded {
    /// A deployment with the events that accepted commands of a recording stored.
    pub fn of_recording(
        text: &str,
        dialect: Dialect,
        inserted_at: Timestamp,
    ) -> Result<Self, RecordingError> {
        Ok(Self {
            dialect,
            books: Recording::parse(text, dialect)?.stored,
            tickets: Vec::new(),
            inserted_at,
            logic: BTreeMap::new(),
        })
    }

    /// Adds a failure log, with one ticket per line.
    pub fn with_failure_log(mut self, text: &str) -> Result<Self, TicketError> {
        self.tickets = Ticket::parse_lines(text)?
            .into_iter()
            .map(|(_, ticket)| ticket)
            .collect();
        Ok(self)
    }

    /// Adds the logic behind a domain's coordinator.
    #[must_use]
    pub fn with_logic(mut self, domain: Domain, logic: Arc<dyn Logic>) -> Self {
        self.logic.insert(domain, logic);
        self
    }

    /// Its failure log.
    #[must_use]
    pub fn tickets(&self) -> Vec<Ticket> {
        self.tickets.clone()
    }

    /// Starts a coordinator with a store in memory for each domain.
    pub fn start(&self) -> Result<RunningDeployment, EmbeddedError> {
        let mut running = RunningDeployment {
            dialect: self.dialect,
            servers: BTreeMap::new(),
        };
        let domains = self
            .books
            .iter()
            .map(|book| &book.cover.domain)
            .chain(self.logic.keys());
        let domains: std::collections::BTreeSet<Domain> = domains.cloned().collect();
        for domain in domains {
            let books: Vec<SeedBook> = self
                .books
                .iter()
                .filter(|book| book.cover.domain == domain)
                .cloned()
                .collect();
            let store = Arc::new(Store::in_memory()?);
            let stores = Stores::PerDomain(BTreeMap::from([(domain.clone(), store)]));
            let mut coordinator = LocalCoordinator::new(stores, self.dialect, system_clock());
            if let Some(logic) = self.logic.get(&domain) {
                coordinator = coordinator.with_logic(
                    domain.clone(),
                    Backend::InProcess(Component::Aggregate(Arc::clone(logic))),
                );
            }
            coordinator.seed(&books, self.inserted_at)?;
            let server = coordinator.start(TcpListener::bind("127.0.0.1:0")?)?;
            running.servers.insert(domain, server);
        }
        Ok(running)
    }

    /// Loads its contents into another coordinator.
    pub fn seed(&self, coordinator: &LocalCoordinator) -> Result<(), SeedError> {
        coordinator.seed(&self.books, self.inserted_at)
    }
}

/// A deployment that runs until it is dropped.
#[derive(Debug)]
pub struct RunningDeployment {
    dialect: Dialect,
    servers: BTreeMap<Domain, Server>,
}

impl RunningDeployment {
    /// Address of each domain's coordinator.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<Domain, SocketAddr> {
        self.servers
            .iter()
            .map(|(domain, server)| (domain.clone(), server.address()))
            .collect()
    }

    /// Dialect of the coordinators.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }
}

/// The system's clock. Only mains pass it in.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let now = jiff::Timestamp::now();
        Timestamp {
            seconds: now.as_second(),
            nanos: now.subsec_nanosecond(),
        }
    })
}
