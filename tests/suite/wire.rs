//! Logic over gRPC on loopback: our client, our server, nothing in between but the wire.
use std::net::TcpListener;
use std::sync::Arc;

use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, LogicClient, LogicError, serve_logic,
};
use angzarr_replay::internal::model::{
    Answer, CommandBook, Cover, Destinations, Domain, EmittedBook, EmittedPage, EventBook, Failure,
    Header, History, Logic, Modes, Outcome, Payload, Reply, Root, Stimulus,
};
use angzarr_replay::internal::replay::{GrpcTarget, InProcess, Target};
use angzarr_replay::internal::wire::Dialect;
use test_support::books;

struct Echo;

impl Logic for Echo {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        match command.type_name() {
            "test.Reject" => Err(Failure::rejected("no")),
            "test.Panic" => panic!("a defect"),
            _ => Ok(Reply::Events(EmittedBook {
                cover: Some(prior.cover.clone()),
                pages: vec![EmittedPage::event(
                    command.pages[0].command.clone().unwrap(),
                )],
                ..EmittedBook::default()
            })),
        }
    }
}

fn stimulus(type_name: &str) -> Stimulus {
    let cover = Cover::main(Domain::new("player").unwrap(), Root::new([7; 16]));
    Stimulus::Command {
        prior: EventBook {
            cover: cover.clone(),
            snapshot: None,
            history: History::default(),
            next_sequence: 0,
        },
        command: CommandBook {
            cover,
            pages: vec![books::command_page(
                Header::Sequence(0),
                Payload::new(type_name, vec![1, 2, 3]),
            )],
            original: None,
        },
    }
}

fn ask(dialect: Dialect, type_name: &str) -> Result<Outcome, LogicError> {
    let server = serve_logic(
        TcpListener::bind("127.0.0.1:0").unwrap(),
        dialect,
        Arc::new(Echo),
    )
    .unwrap();
    let connection =
        Connection::new(&server.address().to_string(), ConnectionOptions::default()).unwrap();
    LogicClient::new(connection, dialect).ask(&stimulus(type_name))
}

#[test]
fn every_dialect_carries_a_command_and_its_events() {
    for dialect in Dialect::all() {
        let Ok(Outcome::Accepted(book)) = ask(*dialect, "test.Do") else {
            panic!("{dialect}")
        };
        assert_eq!(book.pages[0].body.event().unwrap().value, [1, 2, 3]);
        assert!(book.cover.unwrap().edition.is_main());
    }
}

#[test]
fn a_rejection_is_an_outcome() {
    assert_eq!(
        ask(Dialect::ANGZARR, "test.Reject"),
        Ok(Outcome::Rejected(Failure::rejected("no")))
    );
}

#[test]
fn a_panic_is_a_crash_and_the_server_lives_on() {
    let outcome = ask(Dialect::ANGZARR, "test.Panic").unwrap();
    assert_eq!(
        outcome,
        Outcome::Crashed(Failure::crashed("the handler panicked: a defect"))
    );
}

#[test]
fn logic_of_another_dialect_is_named_as_such() {
    let logic = Arc::new(Echo);
    let server = serve_logic(
        TcpListener::bind("127.0.0.1:0").unwrap(),
        Dialect::ANGZARR,
        logic,
    )
    .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let error = LogicClient::new(connection, Dialect::IO_ANGZARR_V1)
        .ask(&stimulus("test.Do"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{address} does not serve CommandHandlerService/Handle in the dialect io.angzarr.v1: \
             is it client logic, and is this its dialect?"
        )
    );
}

#[test]
fn nobody_listening_is_said_plainly() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let connection =
        Connection::new(&format!("127.0.0.1:{port}"), ConnectionOptions::default()).unwrap();
    let error = LogicClient::new(connection, Dialect::ANGZARR)
        .ask(&stimulus("test.Do"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot reach 127.0.0.1:{port} for CommandHandlerService/Handle: Connection refused; is it running, and is this its address?"
        )
    );
}

/// Answers OK with no message at all.
struct Silent;

impl angzarr_replay::internal::grpc::Methods for Silent {
    fn call(
        &self,
        _: &str,
        _: bytes::Bytes,
    ) -> Option<Result<Vec<bytes::Bytes>, angzarr_replay::internal::wire::FailingStatus>> {
        Some(Ok(Vec::new()))
    }
}

#[test]
fn a_reply_without_a_message_is_no_outcome() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = angzarr_replay::internal::grpc::Server::start(
        listener,
        Dialect::ANGZARR,
        Arc::new(Silent),
        None,
    )
    .unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let error = LogicClient::new(connection, Dialect::ANGZARR)
        .ask(&stimulus("test.Do"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "the connection to {address} broke during CommandHandlerService/Handle: the reply is not a message \
             (Missing response message.); is it still running, and is it a gRPC server?"
        )
    );
}

/// A saga of a later revision: unknown fields in its reply, in a command of it, and in the page of that command.
struct Later;

impl angzarr_replay::internal::grpc::Methods for Later {
    fn call(
        &self,
        _: &str,
        _: bytes::Bytes,
    ) -> Option<Result<Vec<bytes::Bytes>, angzarr_replay::internal::wire::FailingStatus>> {
        let unknown = b"\x48\x01";
        let page = [&b"\x12\x02"[..], unknown].concat();
        let command = [&b"\x0a\x06"[..], &page, unknown].concat();
        Some(Ok(vec![[&command[..], unknown].concat().into()]))
    }
}

#[test]
fn unknown_fields_of_a_reply_are_named_once_and_then_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = angzarr_replay::internal::grpc::Server::start(
        listener,
        Dialect::ANGZARR,
        Arc::new(Later),
        None,
    )
    .unwrap();
    let connection =
        Connection::new(&server.address().to_string(), ConnectionOptions::default()).unwrap();
    let client = LogicClient::new(connection, Dialect::ANGZARR);
    let Stimulus::Command { prior: source, .. } = stimulus("test.Do") else {
        panic!("it is a command")
    };
    let outcome = client.ask(&Stimulus::Saga {
        source,
        destinations: Destinations::new(),
        modes: Modes::default(),
    });
    assert!(matches!(outcome, Ok(Outcome::Reacted(_))), "{outcome:?}");
    let unknown = client.take_unknown();
    let told: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    let expected = [
        "field 9 of CommandBook",
        "field 9 of CommandPage",
        "field 9 of SagaResponse",
    ];
    assert_eq!(told, expected);
    assert!(client.take_unknown().is_empty());
}

/// Answers with more than anybody wants to hold.
struct Generous;

impl Logic for Generous {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Answer {
        let pages = |count: usize, size: usize| {
            let page = EmittedPage::event(Payload::new("test.Done", vec![0; size]));
            Ok(Reply::Events(EmittedBook {
                pages: vec![page; count],
                ..EmittedBook::default()
            }))
        };
        match command.type_name() {
            "test.Large" => pages(1, 1 << 20),
            "test.Huge" => pages(1, 8 << 20),
            // Few bytes on the wire, many pages in memory.
            "test.Pages" => pages(10_000, 0),
            "test.Words" => Err(Failure::rejected("no".repeat(1 << 10))),
            "test.Flood" => Err(Failure::rejected("no".repeat(1 << 20))),
            _ => pages(500, 100),
        }
    }
}

#[test]
fn an_answer_over_a_limit_is_an_error_that_names_the_key_wherever_the_logic_is() {
    let dialect = Dialect::ANGZARR;
    let (reply, status) = (1 << 20, 1 << 10);
    let local = InProcess::new(Arc::new(Generous), dialect, false).with_limits(reply, status);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = serve_logic(listener, dialect, Arc::new(Generous)).unwrap();
    let options = ConnectionOptions {
        status_limit: status,
        reply_limit: Some(reply),
        ..ConnectionOptions::default()
    };
    let connection = Connection::new(&server.address().to_string(), options).unwrap();
    let remote = GrpcTarget::new(LogicClient::new(connection, dialect), false);
    let targets: [(&dyn Target, String); 2] = [
        (&local, "the logic answered ".to_owned()),
        (
            &remote,
            format!(
                "{} answered CommandHandlerService/Handle ",
                server.address()
            ),
        ),
    ];
    for (target, who) in targets {
        for type_name in ["test.Large", "test.Huge", "test.Pages"] {
            let error = target.ask(&stimulus(type_name)).unwrap_err().to_string();
            assert!(error.starts_with(&who), "{error}");
            assert!(error.contains("with more than 1 MiB, "), "{error}");
            assert!(
                error.ends_with("raise `max_reply_mebibytes` in replay.toml"),
                "{error}"
            );
        }
        let error = target.ask(&stimulus("test.Words")).unwrap_err().to_string();
        assert!(error.starts_with(&who), "{error}");
        assert!(
            error.contains("a failing status of more than 1024 bytes"),
            "{error}"
        );
        assert!(
            error.ends_with("raise `max_status_kibibytes` in replay.toml"),
            "{error}"
        );
        // HTTP/2 itself drops such a status over gRPC: whatever that is, it is no outcome.
        assert!(target.ask(&stimulus("test.Flood")).is_err());
        let outcome = target.ask(&stimulus("test.Within")).unwrap();
        assert!(matches!(outcome, Outcome::Accepted(book) if book.pages.len() == 500));
    }
}
