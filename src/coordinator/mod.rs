//! The local coordinator: a real gRPC server with its own store, which answers like Angzarr's coordinators. It is the
//! embedded default of capture, the playground of `serve`, and the peer of the tests.
//!
//! `docs/local-coordinator.md` lists which oddities of the real coordinator are kept, and which are left out. Knows nothing
//! of fixtures, capture or configuration; `wire` owns encodings and numbers.
//!
//! | module | owns |
//! |---|---|
//! | `store` | the tables, and the order of appends |
//! | `timeline` | which pages make up an edition |
//! | `validate` | requests that are refused before anything is looked up |
//! | `queries` | what a query returns |
//! | `commands`, `prior_history` | how a command is handled: its history, its logic, and what is stored |
//! | `facts`, `compensation` | calls that store events without the checks of a command |
//! | `reactions` | speculation with sagas, process managers and projectors |
//! | `own_events` | speculation on events in the request: our own service |
//! | `editions` | listing and deleting named editions |
//! | `recording` | recorded traffic to seed a store with |

mod backend;
mod commands;
mod compensation;
mod editions;
mod facts;
mod own_events;
mod prior_history;
mod queries;
mod reactions;
pub mod recording;
mod store;
mod stored_time;
mod timeline;
mod validate;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

pub use backend::Backend;
pub use reactions::HostedComponent;
pub use store::{Append, AppendConflict, NewPage, Part, Store, StoreError, StoredPage, Stream};

use crate::grpc::{
    AggregateSpeculation, Coordinator, DeletedEdition, DeletionRequest, FactInjection, PointInTime,
    ReactionSpeculation, ReceivedCommand, ReceivedFacts, ReceivedQuery, RefusedCall, ReplyBook,
    Server, Speculated, StoredEdition,
};
use crate::model::{
    Clock, Code, Cover, Domain, EmittedBook, Failure, Outcome, Page, Reaction, Root, Snapshot,
    Stimulus, Timestamp,
};
use crate::wire::{self, Dialect};

/// Largest message in either direction: 10 MiB, the real coordinator's default.
pub const MESSAGE_LIMIT: usize = 10 * 1024 * 1024;

/// One store for all domains, or one for each.
#[derive(Debug, Clone)]
pub enum Stores {
    /// One store for every domain.
    Shared(Arc<Store>),
    /// A store per domain; other domains are unknown.
    PerDomain(BTreeMap<Domain, Arc<Store>>),
}

impl Stores {
    /// The store of a domain.
    #[must_use]
    pub fn of(&self, domain: &Domain) -> Option<&Store> {
        match self {
            Self::Shared(store) => Some(store),
            Self::PerDomain(stores) => stores.get(domain).map(Arc::as_ref),
        }
    }

    /// Every store once.
    pub fn all(&self) -> impl Iterator<Item = &Store> {
        let (shared, stores) = match self {
            Self::Shared(store) => (Some(store), None),
            Self::PerDomain(stores) => (None, Some(stores)),
        };
        shared
            .into_iter()
            .chain(stores.into_iter().flat_map(BTreeMap::values))
            .map(Arc::as_ref)
    }
}

/// Pages and a snapshot to store unchanged, with the correlation id of the cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedBook {
    /// The stream, and the workflow.
    pub cover: Cover,
    /// The pages, in order.
    pub pages: Vec<Page>,
    /// The snapshot, if any.
    pub snapshot: Option<Snapshot>,
}

/// A seed that cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No store for this domain.
    #[error("there is no store for the domain `{0}`")]
    UnknownDomain(Domain),
    /// The pages do not continue the stream.
    #[error(
        "{domain}/{root} continues at sequence {expected}, the seed has a page with sequence {got}"
    )]
    Order {
        /// Domain.
        domain: Domain,
        /// Root.
        root: Root,
        /// The stream's head.
        expected: u32,
        /// Sequence of the page.
        got: u32,
    },
}

/// A coordinator of one dialect, with the given stores and components.
#[derive(Clone)]
pub struct LocalCoordinator {
    stores: Stores,
    backends: BTreeMap<Domain, Backend>,
    upcasters: BTreeMap<Domain, Backend>,
    reacting: Vec<HostedComponent>,
    dialect: Dialect,
    clock: Clock,
}

impl LocalCoordinator {
    /// A coordinator that only answers queries until logic is added.
    #[must_use]
    pub const fn new(stores: Stores, dialect: Dialect, clock: Clock) -> Self {
        Self {
            stores,
            backends: BTreeMap::new(),
            upcasters: BTreeMap::new(),
            reacting: Vec::new(),
            dialect,
            clock,
        }
    }

    /// Adds the logic of a domain.
    #[must_use]
    pub fn with_logic(mut self, domain: Domain, backend: Backend) -> Self {
        self.backends.insert(domain, backend);
        self
    }

    /// Adds an upcaster for the pages of a domain, which its logic sees upcast.
    #[must_use]
    pub fn with_upcaster(mut self, domain: Domain, backend: Backend) -> Self {
        self.upcasters.insert(domain, backend);
        self
    }

    /// Adds a saga, process manager or projector, for speculation.
    #[must_use]
    pub fn with_reacting(mut self, component: HostedComponent) -> Self {
        self.reacting.push(component);
        self
    }

    /// The stores.
    #[must_use]
    pub const fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Stores books. Pages without a time count as created at `inserted_at`.
    pub fn seed(&self, books: &[SeedBook], inserted_at: Timestamp) -> Result<(), SeedError> {
        for book in books {
            let stream = validate::stream_of(&book.cover);
            let store = self
                .stores
                .of(&stream.domain)
                .ok_or_else(|| SeedError::UnknownDomain(stream.domain.clone()))?;
            let append = Append {
                pages: book
                    .pages
                    .iter()
                    .map(|page| new_page(page, inserted_at))
                    .collect(),
                correlation_id: book.cover.correlation_id.clone(),
                snapshot: book
                    .snapshot
                    .as_ref()
                    .map(|snapshot| (snapshot.sequence, wire::encode_snapshot(snapshot).into())),
                ..Append::default()
            };
            store
                .append(&stream, &append, false)?
                .map_err(|conflict| SeedError::Order {
                    domain: stream.domain.clone(),
                    root: stream.root,
                    expected: conflict.expected,
                    got: conflict.got,
                })?;
        }
        Ok(())
    }

    /// Serves on a listener that is already bound.
    pub fn start(self, listener: TcpListener) -> std::io::Result<Server> {
        let dialect = self.dialect;
        crate::grpc::serve_coordinator(listener, dialect, Arc::new(self), Some(MESSAGE_LIMIT))
    }
}

fn new_page(page: &Page, inserted_at: Timestamp) -> NewPage {
    NewPage {
        sequence: page.sequence,
        bytes: wire::encode_page(page).into(),
        created_at: stored_time::text(page.created_at.unwrap_or(inserted_at)),
    }
}

impl Coordinator for LocalCoordinator {
    fn event_book(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall> {
        self.read_book(query)
    }

    fn events(&self, query: &ReceivedQuery) -> Result<Vec<ReplyBook>, RefusedCall> {
        self.read_books(query)
    }

    fn synchronize(&self, query: &ReceivedQuery) -> Result<ReplyBook, RefusedCall> {
        self.synchronized(query)
    }

    fn aggregate_roots(&self) -> Result<Vec<(Domain, Root)>, RefusedCall> {
        self.all_roots()
    }

    fn handle_command(&self, command: Option<ReceivedCommand>) -> Result<ReplyBook, RefusedCall> {
        self.execute(command)
    }

    fn speculate(
        &self,
        command: Option<ReceivedCommand>,
        point: Option<PointInTime>,
    ) -> Result<EmittedBook, RefusedCall> {
        self.speculated(command, point)
    }

    fn handle_event(&self, facts: Option<ReceivedFacts>) -> Result<FactInjection, RefusedCall> {
        self.inject(facts)
    }

    fn compensate(&self, command: Option<ReceivedCommand>) -> Result<Outcome, RefusedCall> {
        self.compensated(command)
    }

    fn speculate_reaction(&self, stimulus: Stimulus) -> Result<Outcome, RefusedCall> {
        self.reaction(stimulus)
    }

    fn speculate_aggregate(
        &self,
        request: AggregateSpeculation,
    ) -> Result<Speculated<EmittedBook>, RefusedCall> {
        self.aggregate_on_events(request)
    }

    fn speculate_on_events(
        &self,
        request: ReactionSpeculation,
    ) -> Result<Speculated<Reaction>, RefusedCall> {
        self.reaction_on_events(request)
    }

    fn editions(&self) -> Result<Vec<StoredEdition>, RefusedCall> {
        self.stored_editions()
    }

    fn delete_edition(&self, asked: &DeletionRequest) -> Result<DeletedEdition, RefusedCall> {
        self.deleted_edition(asked)
    }
}

/// A failure of the coordinator itself.
fn internal(message: impl Into<String>) -> Failure {
    Failure {
        code: Code::Internal,
        message: message.into(),
        info: None,
    }
}
