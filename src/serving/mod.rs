//! The local coordinator, served for any client, as one call: a [`ServeRequest`] becomes a [`ServedCoordinator`].
//!
//! Above `coordinator`, which knows no project: this module chooses the logic, makes it ready (`backends`), and fills
//! the store. Prints nothing.

mod backends;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::coordinator::{LocalCoordinator, SeedBook, SeedError, Store, Stores};
use crate::grpc::Server;
use crate::harness::{DiscoveryError, discover};
use crate::model::{ComponentKind, Domain};
use crate::project::{OperationError, Project, system_clock};
use crate::terminal::words;
use crate::wire::Dialect;
use backends::Backends;

/// The kinds of component that a coordinator speculates with.
pub const SPECULATIVE_KINDS: [ComponentKind; 3] = [
    ComponentKind::Saga,
    ComponentKind::ProcessManager,
    ComponentKind::Projector,
];

/// What to serve.
#[derive(Debug, Clone)]
pub struct ServeRequest {
    /// The port on 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// What the store holds.
    pub store: RequestedStore,
    /// The dialect that the coordinator speaks.
    pub dialect: Dialect,
    /// Business logic behind it. If neither logic nor a component is named, everything that is configured stands behind it.
    pub logic: Vec<RequestedLogic>,
    /// Sagas, process managers and projectors behind it.
    pub components: Vec<RequestedComponent>,
}

/// What the store of the coordinator holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RequestedStore {
    /// The embedded demo, in memory.
    #[default]
    Demo,
    /// A SQLite file, which is created if it does not exist.
    File(PathBuf),
    /// The histories of a folder's fixtures, in memory.
    Fixtures(PathBuf),
}

/// Business logic behind the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedLogic {
    /// Of this name in the configuration.
    Named(String),
    /// Running at an address.
    Running {
        /// Its domain.
        domain: Domain,
        /// Its address.
        address: String,
    },
}

/// A saga, process manager or projector behind the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedComponent {
    /// Of this name in the configuration.
    Named(String),
    /// Running at an address.
    Running {
        /// Its kind, one of [`SPECULATIVE_KINDS`].
        kind: ComponentKind,
        /// Its address.
        address: String,
    },
}

/// A coordinator that is being served.
pub struct ServedCoordinator {
    /// What stands behind it, a line each.
    pub behind: Vec<String>,
    /// What its store holds, in words.
    pub contents: String,
    server: Server,
}

/// Serves the local coordinator on 127.0.0.1.
///
/// # Errors
/// If the port is taken, the logic is not configured or cannot be started, or the store cannot be opened or filled.
pub fn serve(
    project: &Project,
    request: &ServeRequest,
) -> Result<ServedCoordinator, OperationError> {
    let listener = TcpListener::bind(("127.0.0.1", request.port)).map_err(|error| {
        OperationError::Failed(format!(
            "cannot listen on 127.0.0.1:{}: {}; choose another with --port",
            request.port,
            words(&error)
        ))
    })?;
    // Opening the store creates its file, so the logic is chosen first.
    let backends = Backends::choose(project, request)?;
    let store = match &request.store {
        RequestedStore::File(file) => Store::open(file),
        RequestedStore::Demo | RequestedStore::Fixtures(_) => Store::in_memory(),
    };
    let store = store.map_err(|error| failed(&error))?;
    let coordinator = LocalCoordinator::new(
        Stores::Shared(Arc::new(store)),
        request.dialect,
        system_clock(),
    );
    let behind = backends.described();
    let coordinator = backends.put_behind(coordinator);
    let contents = fill(project, &request.store, &coordinator)?;
    let server = coordinator
        .start(listener)
        .map_err(|error| failed(&error))?;
    Ok(ServedCoordinator {
        behind,
        contents,
        server,
    })
}

impl ServedCoordinator {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits until it ends.
    pub fn wait(self) {
        self.server.wait();
    }
}

fn failed(error: &dyn std::fmt::Display) -> OperationError {
    OperationError::Failed(error.to_string())
}

/// Fills the store, and describes its contents.
fn fill(
    project: &Project,
    store: &RequestedStore,
    coordinator: &LocalCoordinator,
) -> Result<String, OperationError> {
    let failed = |error: SeedError| failed(&error);
    match store {
        RequestedStore::File(file) => Ok(Project::shown(file)),
        RequestedStore::Fixtures(folder) => {
            let books = longest_histories(project, folder)?;
            let count = books.len();
            let now = system_clock()();
            coordinator.seed(&books, now).map_err(failed)?;
            let noun = if count == 1 { "history" } else { "histories" };
            Ok(format!("{count} {noun} of {}", Project::shown(folder)))
        }
        RequestedStore::Demo => match project.embedded() {
            Some(embedded) => {
                embedded.seed(coordinator).map_err(failed)?;
                Ok("the embedded demo, in memory,".into())
            }
            None => Ok("an empty store, in memory,".into()),
        },
    }
}

/// The longest history of each aggregate, because several fixtures may hold the same aggregate.
fn longest_histories(project: &Project, folder: &Path) -> Result<Vec<SeedBook>, OperationError> {
    let project = project.at_fixtures(folder);
    let entries = discover(&project).map_err(|error| match error {
        DiscoveryError::Empty { folder } => {
            OperationError::Failed(format!("there is no fixture in {folder} to serve"))
        }
        DiscoveryError::Unreadable(_) => OperationError::Failed(error.to_string()),
    })?;
    let mut books: Vec<SeedBook> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.twin.is_none()) {
        let case = project.folder().read(&entry.path)?.case;
        let book = SeedBook {
            cover: case.cover,
            pages: case.history.into_pages(),
            snapshot: case.snapshot,
        };
        let same = |other: &SeedBook| other.cover.is_same_stream(&book.cover);
        match books.iter_mut().find(|other| same(other)) {
            Some(other) if other.pages.len() >= book.pages.len() => {}
            Some(other) => *other = book,
            None => books.push(book),
        }
    }
    Ok(books)
}
