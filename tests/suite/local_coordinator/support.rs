//! A coordinator, and ways to talk to it.

use std::sync::Arc;

use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::grpc::{CallError, Connection, ConnectionOptions, Server};
use angzarr_replay::internal::model::{
    CommandBook, Component, Cover, Edition, Header, Logic, Page, Payload, Retention, Root,
    Snapshot, SyncMode,
};
use angzarr_replay::internal::wire::{
    Dialect, StoredBook, encode_command_book, encode_command_request, event_book,
    event_book_of_response,
};
pub(crate) use test_support::books::{player, seed};
pub(crate) use test_support::coordinators::{NOW, SEEDED};
use test_support::{books, coordinators};

use super::logic::Scripted;

pub(crate) const ROOT: Root = Root::new([7; 16]);

pub(crate) fn cover() -> Cover {
    Cover::main(player(), ROOT)
}

pub(crate) fn edition(name: &str) -> Cover {
    Cover {
        edition: Edition::from_name(name).unwrap(),
        ..cover()
    }
}

pub(crate) fn page(sequence: u32, value: &str) -> Page {
    books::added(sequence, value)
}

pub(crate) fn pages(count: u32) -> Vec<Page> {
    (0..count)
        .map(|sequence| page(sequence, &format!("main {sequence}")))
        .collect()
}

pub(crate) fn snapshot(sequence: u32, state: &str) -> Snapshot {
    Snapshot {
        sequence,
        state: Some(Payload::new("test.State", state.into())),
        retention: Retention::Persist,
        created_at: None,
        original: None,
    }
}

/// A running coordinator over one store.
pub(crate) struct Peer {
    pub(crate) dialect: Dialect,
    pub(crate) store: Arc<Store>,
    pub(crate) connection: Connection,
    _server: Server,
}

pub(crate) fn start(dialect: Dialect, books: &[SeedBook]) -> Peer {
    start_with(dialect, books, Some(Arc::new(Scripted::default())))
}

pub(crate) fn start_with(
    dialect: Dialect,
    books: &[SeedBook],
    logic: Option<Arc<dyn Logic>>,
) -> Peer {
    start_backend(
        dialect,
        books,
        logic.map(|logic| Backend::InProcess(Component::Aggregate(logic))),
    )
}

pub(crate) fn start_backend(
    dialect: Dialect,
    books: &[SeedBook],
    backend: Option<Backend>,
) -> Peer {
    let store = Arc::new(Store::in_memory().unwrap());
    let stores = Stores::Shared(Arc::clone(&store));
    let mut coordinator = LocalCoordinator::new(stores, dialect, Arc::new(|| NOW));
    coordinator.seed(books, SEEDED).unwrap();
    if let Some(backend) = backend {
        coordinator = coordinator.with_logic(player(), backend);
    }
    serve(dialect, coordinator, store)
}

pub(crate) fn serve(dialect: Dialect, coordinator: LocalCoordinator, store: Arc<Store>) -> Peer {
    let server = coordinator.start(coordinators::listener()).unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    Peer {
        dialect,
        store,
        connection,
        _server: server,
    }
}

impl Peer {
    pub(crate) fn call(&self, method: &str, request: Vec<u8>) -> Result<Vec<u8>, CallError> {
        let (service, method) = method.split_once('/').unwrap();
        let path = self.dialect.path(service, method);
        self.connection.call(&path, request.into()).map(Into::into)
    }

    /// Sends a command to the tests' aggregate.
    pub(crate) fn send(&self, type_name: &str, sequence: u32) -> Result<StoredBook, CallError> {
        self.send_book(&command(cover(), type_name, Header::Sequence(sequence)))
    }

    pub(crate) fn send_book(&self, book: &CommandBook) -> Result<StoredBook, CallError> {
        let request = encode_command_request(book, SyncMode::Simple, self.dialect);
        let reply = self.call(
            "CommandHandlerCoordinatorService/HandleCommand",
            request.into(),
        )?;
        Ok(event_book_of_response(reply.into()).unwrap())
    }

    /// Asks what would happen, as of a sequence.
    pub(crate) fn speculate(
        &self,
        book: &CommandBook,
        as_of: Option<u32>,
    ) -> Result<Vec<u8>, CallError> {
        let mut request = field(1, &encode_command_book(book, self.dialect));
        if let Some(sequence) = as_of {
            request.extend(field(2, &number(2, sequence)));
        }
        self.call(
            "CommandHandlerCoordinatorService/HandleSyncSpeculative",
            request,
        )
    }

    /// A query of the tests' aggregate, with an encoded selection.
    pub(crate) fn ask(&self, edition: &str, selection: &[u8]) -> Result<StoredBook, CallError> {
        self.ask_as("GetEventBook", edition, selection)
    }

    pub(crate) fn ask_as(
        &self,
        method: &str,
        edition: &str,
        selection: &[u8],
    ) -> Result<StoredBook, CallError> {
        let mut cover = field(1, &field(1, ROOT.as_bytes()));
        cover.extend(field(2, b"player"));
        if !edition.is_empty() {
            cover.extend(field(4, &field(1, edition.as_bytes())));
        }
        let mut query = field(1, &cover);
        query.extend(selection);
        let reply = self.call(&format!("EventQueryService/{method}"), query)?;
        Ok(event_book(reply.into()).unwrap())
    }
}

pub(crate) fn command(cover: Cover, type_name: &str, header: Header) -> CommandBook {
    let page = books::command_page(header, Payload::new(type_name, b"payload".to_vec()));
    CommandBook {
        cover,
        pages: vec![page],
        original: None,
    }
}

/// A length-delimited field with a number below 16.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length > 0x7f {
        encoded.push(0x80 | u8::try_from(length & 0x7f).unwrap());
        length >>= 7;
    }
    encoded.push(u8::try_from(length).unwrap());
    encoded.extend(bytes);
    encoded
}

/// A small integer field.
pub(crate) fn number(number: u8, value: u32) -> Vec<u8> {
    vec![number << 3, u8::try_from(value).unwrap()]
}

/// Selection from one sequence to another.
pub(crate) fn range(lower: u32, upper: u32) -> Vec<u8> {
    field(3, &[number(1, lower), number(2, upper)].concat())
}

/// Selection as of a sequence.
pub(crate) fn as_of(sequence: u32) -> Vec<u8> {
    field(5, &number(2, sequence))
}

pub(crate) fn sequences(book: &StoredBook) -> Vec<u32> {
    book.history
        .pages()
        .iter()
        .map(|page| page.sequence)
        .collect()
}

/// The values of a book's events as text.
pub(crate) fn texts(book: &StoredBook) -> Vec<String> {
    let text = |page: &Page| String::from_utf8(page.body.event().unwrap().value.clone()).unwrap();
    book.history.pages().iter().map(text).collect()
}

pub(crate) fn status(error: &CallError) -> (&'static str, String) {
    let failure = error.failure().unwrap_or_else(|| panic!("{error}"));
    (failure.code.name(), failure.message.clone())
}
