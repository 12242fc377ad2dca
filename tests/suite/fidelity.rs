//! Nothing lost: bytes that production stored are the bytes that the logic is shown, through query, fixture and
//! replay, whatever they look like.
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::capture::{
    CaseParts, FailingCommand, Labels, UpTo, assemble, fetch_single_history,
};
use angzarr_replay::internal::coordinator::{
    Append, LocalCoordinator, NewPage, Store, Stores, Stream,
};
use angzarr_replay::internal::fixture::{Folder, render};
use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, LogicClient, Methods, QueryClient, Server,
};
use angzarr_replay::internal::model::{
    CaseStimulus, Cover, Domain, Outcome, Redactions, Root, Timestamp,
};
use angzarr_replay::internal::replay::{GrpcTarget, replay_command};
use angzarr_replay::internal::wire::{self, Dialect, FailingStatus, SpokenDialect};
use bytes::Bytes;
use prost::Message;

const DIALECT: Dialect = Dialect::ANGZARR;
const TIME: Timestamp = Timestamp {
    seconds: 1_795_392_090,
    nanos: 0,
};
const ROOT: Root = Root::new([0xA5; 16]);

/// A field of wire type 2, its length written in two bytes where one would do.
fn overlong(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80);
    [&[number << 3 | 2, length | 0x80, 0x00], content].concat()
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [
        &[number << 3 | 2, u8::try_from(content.len()).unwrap()],
        content,
    ]
    .concat()
}

/// An unknown field: number 99, varint 7.
const UNKNOWN: [u8; 3] = [0x98, 0x06, 0x07];

fn any(type_url: &str, value: &[u8]) -> Vec<u8> {
    [field(1, type_url.as_bytes()), field(2, value)].concat()
}

/// Pages as no encoder of ours would write them: all are legal protobuf.
fn hostile_pages() -> Vec<Vec<u8>> {
    let header = |sequence: u8| field(1, &[0x08, sequence]);
    let registered = any(
        "type.googleapis.com/examples.PlayerRegistered",
        &field(1, b"Ada"),
    );
    let deposited_value = [
        // new_balance before amount, an amount of 5000 in three bytes instead of two, an unknown field inside.
        field(2, &[&[0x08, 0x88, 0xA7, 0x00][..], &UNKNOWN].concat()),
        field(1, &[0x08, 0x88, 0x27]),
    ]
    .concat();
    let deposited = any("/examples.FundsDeposited", &deposited_value);
    vec![
        // The event before the header, a field that nobody knows behind.
        [field(3, &registered), header(0), UNKNOWN.to_vec()].concat(),
        // An overlong length, and the value before the type URL in the Any.
        [
            header(1),
            overlong(
                3,
                &[
                    field(2, &deposited_value),
                    field(1, b"/examples.FundsDeposited"),
                ]
                .concat(),
            ),
        ]
        .concat(),
        // The header twice: the last one counts. An unknown field in the Any.
        [
            header(7),
            header(2),
            field(3, &[deposited.clone(), UNKNOWN.to_vec()].concat()),
        ]
        .concat(),
        // Provisional and with an explicit default; a type without a descriptor.
        [
            header(3),
            vec![0x12, 0x00],
            field(3, &any("type.example/no.Such", &[0xFF, 0x00, 0x80])),
        ]
        .concat(),
        // Bytes that do not decode as their type.
        [
            header(4),
            field(3, &any("/examples.FundsDeposited", &[0x0A, 0x7F])),
        ]
        .concat(),
        // No payload at all.
        header(5),
    ]
}

fn hostile_command() -> Vec<u8> {
    let withdraw = any(
        "type.googleapis.com/examples.WithdrawFunds",
        &field(1, &[0x08, 0x94, 0xA3, 0x00]),
    );
    let page = [
        field(3, &withdraw),
        vec![0x10, 0x01],
        field(1, &[0x08, 0x06]),
        UNKNOWN.to_vec(),
    ]
    .concat();
    let cover = [
        field(2, b"player"),
        field(1, &field(1, ROOT.as_bytes())),
        UNKNOWN.to_vec(),
    ]
    .concat();
    [overlong(2, &page), field(1, &cover)].concat()
}

/// Logic that keeps what it is asked and says no.
#[derive(Default)]
struct Listening(Mutex<Vec<Bytes>>);

impl Methods for Listening {
    fn call(&self, method: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        assert_eq!(method, "CommandHandlerService/Handle");
        self.0.lock().unwrap().push(request);
        Some(Ok(vec![Bytes::new()]))
    }
}

#[derive(Message)]
struct ContextualCommand {
    #[prost(message, optional, tag = "1")]
    events: Option<EventBook>,
    #[prost(bytes = "vec", tag = "2")]
    command: Vec<u8>,
}

#[derive(Message)]
struct EventBook {
    #[prost(bytes = "vec", repeated, tag = "3")]
    pages: Vec<Vec<u8>>,
}

fn connect(server: &Server) -> Connection {
    Connection::new(&server.address().to_string(), ConnectionOptions::default()).unwrap()
}

fn store_of(pages: &[Vec<u8>]) -> Store {
    let store = Store::in_memory().unwrap();
    let stream = Stream {
        domain: Domain::new("player").unwrap(),
        edition: None,
        root: ROOT,
    };
    let page = |(sequence, bytes): (u32, &Vec<u8>)| NewPage {
        sequence,
        bytes: bytes.clone(),
        created_at: "2026-11-23T00:01:30.000000000Z".into(),
    };
    let append = Append {
        pages: (0..).zip(pages).map(page).collect(),
        ..Append::default()
    };
    store.append(&stream, &append, false).unwrap().unwrap();
    store
}

#[test]
fn stored_bytes_reach_the_logic_unchanged() {
    let pages = hostile_pages();
    let domain = Domain::new("player").unwrap();
    let stores = Stores::PerDomain(BTreeMap::from([(
        domain.clone(),
        Arc::new(store_of(&pages)),
    )]));
    let coordinator = LocalCoordinator::new(stores, DIALECT, Arc::new(|| TIME));
    let production = coordinator
        .start(TcpListener::bind("127.0.0.1:0").unwrap())
        .unwrap();

    let queries = QueryClient::new(connect(&production), DIALECT);
    let cover = Cover::main(domain, ROOT);
    let fetched = fetch_single_history(&queries, &cover, UpTo::Head, &mut |_| {}).unwrap();
    let command = hostile_command();
    let failing = FailingCommand {
        command: wire::command_book(&Bytes::from(command.clone()), DIALECT).unwrap(),
        answered_by: angzarr_replay::internal::model::AnsweredBy::NotKnown,
        failure: None,
        accepted: None,
        head: None,
        dialect: Some(SpokenDialect::known(DIALECT)),
        redacted: Redactions::default(),
        revision: None,
    };
    let assembled = assemble(CaseParts {
        cover: &cover,
        fetched: &fetched,
        up_to: UpTo::Head,
        failing: Some(&failing),
        noted: None,
        source: "test",
        dialect: SpokenDialect::known(DIALECT),
        captured_at: TIME,
        labels: Labels::default(),
    })
    .unwrap();

    let registry = test_support::demo::registry();
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Folder::open(folder.path());
    fixtures
        .save(
            &render(&assembled.case, &registry).unwrap(),
            Path::new("player/hostile.yaml"),
            false,
        )
        .unwrap();
    let read = fixtures
        .read(&folder.path().join("player/hostile.yaml"))
        .unwrap()
        .case;
    assert_eq!(read, assembled.case);

    let logic = Arc::new(Listening::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(
        listener,
        DIALECT,
        Arc::clone(&logic) as Arc<dyn Methods>,
        None,
    )
    .unwrap();
    let target = GrpcTarget::new(LogicClient::new(connect(&server), DIALECT), false);
    let CaseStimulus::Command(stimulus) = &read.stimulus else {
        panic!("a command")
    };
    let replay = replay_command(&target, &read.event_book(), stimulus, true).unwrap();
    assert!(matches!(replay.outcome, Outcome::Accepted(_)));

    let requests = logic.0.lock().unwrap();
    let [request] = requests.as_slice() else {
        panic!("one call, not {}", requests.len())
    };
    let request = ContextualCommand::decode(request.clone()).unwrap();
    assert_eq!(request.events.unwrap().pages, pages);
    assert_eq!(request.command, command);
}

/// A coordinator with one answer to every query.
struct Fixed(Vec<u8>);

impl Methods for Fixed {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        Some(Ok(vec![self.0.clone().into()]))
    }
}

/// What capture makes of a coordinator that answers with this book, up to a sequence or the head.
fn read(book: Vec<u8>, up_to: UpTo) -> Result<usize, String> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start(listener, DIALECT, Arc::new(Fixed(book)), None).unwrap();
    let queries = QueryClient::new(connect(&server), DIALECT);
    let cover = Cover::main(Domain::new("player").unwrap(), ROOT);
    let fetched = fetch_single_history(&queries, &cover, up_to, &mut |_| {});
    fetched
        .map(|fetched| fetched.history.pages().len())
        .map_err(|error| {
            error
                .to_string()
                .replace(&server.address().to_string(), "HOST")
        })
}

/// Two pages of an aggregate, and the sequence of the next one.
fn book(domain: &str, root: u8, next: u8) -> Vec<u8> {
    let root = field(1, &field(1, &[root; 16]));
    let cover = field(1, &[root, field(2, domain.as_bytes())].concat());
    let page = |sequence| field(3, &field(1, &[0x08, sequence]));
    [cover, page(0), page(1), vec![0x30, next]].concat()
}

#[test]
fn a_reply_for_another_aggregate_is_refused() {
    assert_eq!(read(book("player", 0xA5, 2), UpTo::Head), Ok(2));
    let asked = "HOST was asked for player/a5a5a5a5-a5a5-a5a5-a5a5-a5a5a5a5a5a5 and answered with the events of";
    let hint = "; nothing of it was used: is this the coordinator of that domain?";
    assert_eq!(
        read(book("table", 0xA5, 2), UpTo::Head).unwrap_err(),
        format!("{asked} table/a5a5a5a5-a5a5-a5a5-a5a5-a5a5a5a5a5a5{hint}")
    );
    assert_eq!(
        read(book("player", 7, 2), UpTo::Head).unwrap_err(),
        format!("{asked} player/07070707-0707-0707-0707-070707070707{hint}")
    );
}

#[test]
fn a_page_with_the_greatest_sequence_is_kept() {
    let greatest = field(3, &field(1, &[0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]));
    let book = [book("player", 0xA5, 0), greatest].concat();
    assert_eq!(read(book.clone(), UpTo::Head), Ok(3));
    assert_eq!(read(book, UpTo::Before(2)), Ok(2));
}

#[test]
fn a_cut_tail_is_told_unless_it_is_not_wanted() {
    let cut = "the whole history was asked for, and the answer ends before sequence 2 though it says that the next event \
               would be 5: its tail is cut; `--to-sequence 2` takes what there is";
    assert_eq!(read(book("player", 0xA5, 5), UpTo::Head).unwrap_err(), cut);
    assert_eq!(
        read(book("player", 0xA5, 5), UpTo::Before(3)).unwrap_err(),
        cut
    );
    assert_eq!(read(book("player", 0xA5, 5), UpTo::Before(2)), Ok(2));
}
