//! Recorded commands and speculation, asked of the demo's own logic behind a coordinator.

use std::sync::{Arc, Mutex};

use angzarr_replay::internal::coordinator::recording::Recording;
use angzarr_replay::internal::coordinator::{Backend, LocalCoordinator, Store, Stores};
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, Server};
use angzarr_replay::internal::model::{Component, Payload, Timestamp};
use angzarr_replay::internal::wire::{Dialect, event_book_of_response};
use poker::messages::{FundsDeposited, FundsReserved, FundsWithdrawn, PlayerRegistered};
use prost::Message;
use serde_json::Value;
use test_support::coordinators;

use super::recorded::{CALLS, assert_status, bytes, call};
use super::support::{NOW, SEEDED, player};

/// The demo's players behind a coordinator, on a clock that is set before each call.
struct Demo {
    store: Arc<Store>,
    clock: Arc<Mutex<Timestamp>>,
    connection: Connection,
    _server: Server,
}

impl Demo {
    fn start(seeded: bool) -> Self {
        let store = Arc::new(Store::in_memory().unwrap());
        let clock = Arc::new(Mutex::new(NOW));
        let told = Arc::clone(&clock);
        let logic = poker::Player::new(move || *told.lock().unwrap());
        let stores = Stores::Shared(Arc::clone(&store));
        let coordinator = LocalCoordinator::new(stores, Dialect::ANGZARR, Arc::new(|| NOW))
            .with_logic(
                player(),
                Backend::InProcess(Component::Aggregate(Arc::new(logic))),
            );
        if seeded {
            let seed = Recording::parse(CALLS, Dialect::ANGZARR).unwrap().stored;
            coordinator.seed(&seed, SEEDED).unwrap();
        }
        let server = coordinator.start(coordinators::listener()).unwrap();
        let connection =
            Connection::new(&server.address().to_string(), ConnectionOptions::default()).unwrap();
        Self {
            store,
            clock,
            connection,
            _server: server,
        }
    }

    /// Asks at the time at which the recorded answer was given, and compares.
    fn assert_as_recorded(&self, call: &Value) {
        let recorded = call["response"]
            .is_string()
            .then(|| bytes(&call["response"]));
        if let Some(reply) = &recorded {
            *self.clock.lock().unwrap() = happened_at(reply);
        }
        let reply = self.connection.call(
            call["path"].as_str().unwrap(),
            bytes(&call["request"]).into(),
        );
        match reply {
            Ok(reply) => assert_eq!(Some(reply.to_vec()), recorded, "call {}", call["n"]),
            Err(error) => assert_status(&error, call),
        }
    }
}

/// When the recorded reply's event says that it happened.
fn happened_at(reply: &[u8]) -> Timestamp {
    let book = event_book_of_response(reply.to_vec().into()).unwrap();
    let event = book.history.pages()[0].body.event().unwrap();
    let time = match event.type_name() {
        "examples.PlayerRegistered" => read::<PlayerRegistered>(event).registered_at,
        "examples.FundsDeposited" => read::<FundsDeposited>(event).deposited_at,
        "examples.FundsReserved" => read::<FundsReserved>(event).reserved_at,
        "examples.FundsWithdrawn" => read::<FundsWithdrawn>(event).withdrawn_at,
        other => panic!("{other}"),
    };
    let time = time.unwrap();
    Timestamp {
        seconds: time.seconds,
        nanos: time.nanos,
    }
}

fn read<M: Message + Default>(event: &Payload) -> M {
    M::decode(event.value.as_slice()).unwrap()
}

#[test]
fn recorded_commands_are_answered_byte_for_byte_from_an_empty_store() {
    let demo = Demo::start(false);
    for number in [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 17] {
        demo.assert_as_recorded(&call(number));
    }
    for number in 79..=81 {
        let query = call(number);
        let reply = demo.connection.call(
            query["path"].as_str().unwrap(),
            bytes(&query["request"]).into(),
        );
        assert_eq!(
            reply.unwrap().to_vec(),
            bytes(&query["response"]),
            "call {number}"
        );
    }
}

#[test]
fn recorded_speculation_is_answered_byte_for_byte_and_stores_nothing() {
    let demo = Demo::start(true);
    let before = demo.store.dump().unwrap();
    for number in 98..=101 {
        demo.assert_as_recorded(&call(number));
    }
    assert_eq!(demo.store.dump().unwrap(), before);
}
