//! The server as a process: it says where it listens and answers as the logic in process does.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::recording::call;
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, LogicClient};
use angzarr_replay::internal::model::{Header, Outcome};
use angzarr_replay::internal::wire::Dialect;
use test_support::coordinators;

/// A started server, ended with the test.
struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn poker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poker"));
    command.env_remove("PORT");
    command
}

fn started(command: &mut Command) -> Server {
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line.split([' ', ',']).nth(2).unwrap().to_owned();
    Server { process, address }
}

fn ask(server: &Server, dialect: Dialect, n: u32) -> Outcome {
    let connection = Connection::new(&server.address, ConnectionOptions::default()).unwrap();
    LogicClient::new(connection, dialect)
        .ask(&call(n).stimulus())
        .unwrap()
}

#[test]
fn recorded_calls_are_answered_in_either_dialect() {
    for dialect in [Dialect::ANGZARR, Dialect::IO_ANGZARR_V1] {
        let server = started(poker().args([
            "--domain",
            "player",
            "--port",
            "0",
            "--dialect",
            dialect.name(),
        ]));
        let Outcome::Accepted(book) = ask(&server, dialect, 108) else {
            panic!("call 108 is accepted");
        };
        assert_eq!(book.pages[0].header, Header::Sequence(3));
        for n in [109, 110, 111] {
            let outcome = ask(&server, dialect, n);
            let failure = outcome.failure().unwrap();
            assert_eq!(Some(&failure.message), call(n).message.as_ref());
            assert_eq!(failure.code.name(), call(n).code);
        }
    }
}

#[test]
fn the_port_comes_from_the_environment_too() {
    let server = started(poker().args(["--domain", "table"]).env("PORT", "0"));
    assert!(server.address.starts_with("127.0.0.1:"));
}

fn failing(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_taken_port_is_said_plainly() {
    let taken = coordinators::listener();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, words) = failing(poker().args(["--domain", "player", "--port", &port]));
    assert_eq!(code, Some(1));
    let expected = format!("error: cannot serve on port {port}: Address already in use");
    assert!(words.starts_with(&expected), "{words}");
}

#[test]
fn wrong_usage_names_what_would_be_right() {
    let (code, words) = failing(poker().args(["--domain", "hand"]));
    assert_eq!(code, Some(2));
    assert!(
        words.contains("[possible values: player, table]"),
        "{words}"
    );
    let (code, words) = failing(poker().args(["--domain", "player", "--dialect", "d1"]));
    assert_eq!(code, Some(2));
    assert!(words.contains("unknown dialect `d1`"), "{words}");
}

#[test]
fn every_component_is_served_under_its_name() {
    for name in [
        "hand-player",
        "player-table",
        "buy-in",
        "seats",
        "player-upcaster",
    ] {
        let server = started(poker().args(["--component", name, "--port", "0"]));
        let n = match name {
            "hand-player" | "player-table" => 34,
            "buy-in" => 116,
            "seats" => 36,
            _ => 114,
        };
        let connection = Connection::new(&server.address, ConnectionOptions::default()).unwrap();
        let outcome = LogicClient::new(connection, Dialect::ANGZARR).ask(&call(n).stimulus());
        assert_eq!(outcome.unwrap().failure(), None, "{name}");
    }
}

#[test]
fn one_part_is_served_and_no_more() {
    let (code, words) = failing(&mut poker());
    assert_eq!(code, Some(2));
    assert!(
        words.contains("<--domain <DOMAIN>|--component <COMPONENT>>"),
        "{words}"
    );
    let (code, words) = failing(poker().args(["--domain", "player", "--component", "seats"]));
    assert_eq!(code, Some(2));
    assert!(words.contains("cannot be used with"), "{words}");
    let (code, words) = failing(poker().args(["--component", "hand"]));
    assert_eq!(code, Some(2));
    assert!(
        words.contains(
            "[possible values: hand-player, player-table, buy-in, seats, player-upcaster]"
        ),
        "{words}"
    );
}
