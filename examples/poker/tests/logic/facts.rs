//! Facts of the player: money that came in elsewhere.

use std::net::TcpListener;
use std::sync::Arc;

use crate::recording::{book, call};
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, LogicClient, serve_component};
use angzarr_replay::internal::model::{
    AnsweredBy, Body, Component, Cover, EmittedBook, EmittedPage, EventBook, Failure, Header,
    Outcome, Payload, Stimulus,
};
use angzarr_replay::internal::wire::Dialect;
use poker::Player;
use poker::messages::{Currency, FundsDeposited};
use prost::{Message, Name};

/// The recorded Alice after registration and deposit: 5000 chips, head 2.
fn alice() -> EventBook {
    let pages = [1, 2].into_iter().flat_map(|n| call(n).pages());
    book(call(1).command().cover, pages.collect())
}

fn deposit(amount: i64) -> FundsDeposited {
    FundsDeposited {
        amount: Some(Currency {
            amount,
            currency_code: "CHIPS".into(),
        }),
        // What the sender thinks of the balance; it cannot know.
        new_balance: None,
        deposited_at: Some(prost_types::Timestamp {
            seconds: 5,
            nanos: 0,
        }),
    }
}

fn fact(event: Payload, id: &str) -> EmittedPage {
    EmittedPage {
        header: Header::ExternalDeferred {
            external_id: id.into(),
            description: "a bank transfer".into(),
        },
        ..EmittedPage::event(event)
    }
}

fn packed<M: Message + Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}

fn facts(cover: &Cover, pages: Vec<EmittedPage>) -> EmittedBook {
    EmittedBook {
        cover: Some(cover.clone()),
        pages,
        ..EmittedBook::default()
    }
}

/// What the player does about facts, in process and over gRPC.
fn answer(pages: Vec<EmittedPage>) -> Outcome {
    let prior = alice();
    let stimulus = Stimulus::Fact {
        facts: facts(&prior.cover, pages),
        prior,
    };
    let component = Component::Aggregate(Arc::new(Player::default()));
    let direct = component.answer(&stimulus);
    let direct = direct
        .or_else(|failure| Outcome::from_failure(failure, AnsweredBy::Logic))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = serve_component(listener, Dialect::ANGZARR, component).unwrap();
    let address = server.address().to_string();
    let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
    let remote = LogicClient::new(connection, Dialect::ANGZARR).ask(&stimulus);
    assert_eq!(remote.unwrap(), direct);
    direct
}

#[test]
fn deposits_made_elsewhere_are_taken_up_with_the_balance_here() {
    let pages = vec![
        fact(packed(&deposit(100)), "bank-1"),
        fact(packed(&deposit(-30)), "bank-2"),
    ];
    let Outcome::Accepted(stored) = answer(pages) else {
        panic!("facts are taken up");
    };
    let events = stored.pages.iter().map(|page| {
        let event = page.body.event().unwrap();
        let event = FundsDeposited::decode(event.value.as_slice()).unwrap();
        assert_eq!(event.deposited_at.unwrap().seconds, 5);
        (page.header.clone(), event.new_balance.unwrap().amount)
    });
    let expected = [(Header::Sequence(2), 5100), (Header::Sequence(3), 5070)];
    assert_eq!(events.collect::<Vec<_>>(), expected);
}

#[test]
fn other_facts_are_refused() {
    let refused = |words: &str| Outcome::Refused(Failure::refused(words));
    let other = Payload::new("examples.FundsWithdrawn", Vec::new());
    assert_eq!(
        answer(vec![fact(packed(&deposit(1)), "a"), fact(other, "b")]),
        refused("Unknown fact type: type.googleapis.com/examples.FundsWithdrawn")
    );
    let empty = EmittedPage {
        body: Body::Empty,
        ..fact(packed(&deposit(1)), "a")
    };
    assert_eq!(answer(vec![empty]), refused("Unknown fact type: "));
}
