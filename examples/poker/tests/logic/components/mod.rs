//! Sagas, process manager, projector and upcaster: as recorded, in process and over gRPC alike, and beyond.

use std::net::TcpListener;

use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, LogicClient, Server, serve_component,
};
use angzarr_replay::internal::model::{
    AnsweredBy, Component, Cover, Domain, Outcome, Page, Payload, Reaction, Root, Stimulus,
};
use angzarr_replay::internal::wire::Dialect;
use poker::messages::Currency;
use prost::{Message, Name};
use test_support::books;

mod defects;
mod process_manager;
mod projector;
mod sagas;
mod upcaster;

const PLAYER: Root = Root::new([0x11; 16]);
const TABLE: Root = Root::new([0x22; 16]);

/// A component served over gRPC, ended with the test.
struct Served {
    client: LogicClient,
    _server: Server,
}

fn served(component: &Component, dialect: Dialect) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = serve_component(listener, dialect, component.clone()).unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    Served {
        client: LogicClient::new(connection, dialect),
        _server: server,
    }
}

/// Demands an outcome in process and over gRPC, in the oldest dialect and the newest.
fn assert_answers(component: &Component, stimulus: &Stimulus, expected: &Outcome) {
    let direct = component.answer(stimulus);
    let direct = direct
        .or_else(|failure| Outcome::from_failure(failure, AnsweredBy::Logic))
        .unwrap();
    assert_eq!(&direct, expected, "in process");
    let prepares = matches!(stimulus, Stimulus::Prepare { .. });
    for dialect in [Dialect::ANGZARR, Dialect::IO_ANGZARR_V1] {
        if prepares && dialect != Dialect::ANGZARR {
            continue;
        }
        let served = served(component, dialect);
        let outcome = served.client.ask(stimulus).unwrap();
        assert_eq!(&outcome, expected, "over gRPC, dialect {dialect}");
    }
}

fn reaction(component: &Component, stimulus: &Stimulus) -> Reaction {
    let Outcome::Reacted(reaction) = component.answer(stimulus).unwrap() else {
        panic!("a reaction is expected");
    };
    reaction
}

fn read<M: Message + Name + Default>(payload: &Payload) -> M {
    assert_eq!(payload.type_name(), M::full_name());
    M::decode(payload.value.as_slice()).unwrap()
}

fn packed<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}

fn page(sequence: u32, event: Payload) -> Page {
    books::event(sequence, event)
}

fn cover(domain: &str, root: Root) -> Cover {
    Cover::main(Domain::new(domain).unwrap(), root)
}

#[allow(clippy::unnecessary_wraps, reason = "as the messages have it")]
fn money(amount: i64, code: &str) -> Option<Currency> {
    Some(Currency {
        amount,
        currency_code: code.to_owned(),
    })
}
