//! The local coordinator: a real gRPC server with a store of its own, which answers as the coordinators of
//! Angzarr do. It is the embedded default of capture, the playground of `serve`, and the peer of the tests.
//!
//! Which of the real one's oddities are kept and which are left out is listed in `docs/local-coordinator.md`.
//! Knows nothing of fixtures, capture and of how it is asked for; encodings and numbers are `wire`'s business.
//!
//! | part | owns |
//! |---|---|
//! | `store` | tables, order of appends |
//! | `timeline` | which pages make up an edition |
//! | `validate` | what is refused before anything is looked up |
//! | `queries` | what a query returns |
//! | `commands`, `prior_history` | the way of a command: against what, by whom, what of the answer is stored |
//! | `facts`, `compensation` | the calls that store without a command's checks |
//! | `reactions` | speculation with sagas, process managers and projectors |
//! | `editions` | named editions, listed and deleted |
//! | `recording` | recorded traffic as seed |

mod backend;
mod commands;
mod compensation;
mod editions;
mod facts;
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
pub use reactions::ReactingComponent;
pub use store::{Append, AppendConflict, NewPage, Part, Store, StoreError, StoredPage, Stream};

use crate::grpc::{
    Coordinator, DeletedEdition, DeletionRequest, FactInjection, PointInTime, ReceivedCommand,
    ReceivedFacts, ReceivedQuery, RefusedCall, ReplyBook, Server, StoredEdition,
};
use crate::model::{
    Clock, Code, Cover, Domain, EmittedBook, Failure, Outcome, Page, Root, Snapshot, Stimulus,
    Timestamp,
};
use crate::wire::{self, Dialect};

/// Largest message in either direction, as the real coordinator has it by default: 10 MiB.
pub const MESSAGE_LIMIT: usize = 10 * 1024 * 1024;

/// Where the domains are stored: all in one place, or each in its own.
#[derive(Debug, Clone)]
pub enum Stores {
    /// One store for whatever domain comes.
    Shared(Arc<Store>),
    /// A store a domain; other domains are unknown.
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

/// Pages and snapshot to put into a store as they are, with the correlation id of the cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedBook {
    /// Which stream, in which workflow.
    pub cover: Cover,
    /// The pages, in order.
    pub pages: Vec<Page>,
    /// A snapshot beside them.
    pub snapshot: Option<Snapshot>,
}

/// A seed that does not go in.
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

/// A coordinator of one dialect over stores and business logic of our own choosing.
#[derive(Clone)]
pub struct LocalCoordinator {
    stores: Stores,
    backends: BTreeMap<Domain, Backend>,
    upcasters: BTreeMap<Domain, Backend>,
    reacting: Vec<ReactingComponent>,
    dialect: Dialect,
    clock: Clock,
}

impl LocalCoordinator {
    /// A coordinator that answers queries only, until logic is added.
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

    /// Adds what upcasts the pages of a domain before its logic sees them.
    #[must_use]
    pub fn with_upcaster(mut self, domain: Domain, backend: Backend) -> Self {
        self.upcasters.insert(domain, backend);
        self
    }

    /// Adds a saga, process manager or projector, for speculation.
    #[must_use]
    pub fn with_reacting(mut self, component: ReactingComponent) -> Self {
        self.reacting.push(component);
        self
    }

    /// The stores.
    #[must_use]
    pub const fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Puts books into the stores. Pages that say no time of their own count as created at `inserted_at`.
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
