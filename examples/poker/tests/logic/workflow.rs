//! The documentation's example by hand: a player reserves funds, the saga asks for a seat, the table takes the player or
//! does not, and then the money is free again.

use crate::compensation::notification;
use crate::recording::{book, call};
use angzarr_replay::internal::model::{
    Body, CommandBook, Destinations, EmittedBook, EventBook, Failure, Logic, Page, Reply, Saga,
};
use poker::messages::{FundsReleased, PlayerJoined, TableCreated};
use poker::{Player, PlayerTable, Table};
use prost::Message;
use test_support::books;

/// What is stored by some recorded calls of one aggregate.
fn stored(calls: &[u32]) -> EventBook {
    let pages = calls.iter().flat_map(|&n| call(n).pages());
    book(call(calls[0]).command().cover, pages.collect())
}

/// A history with what was emitted after it.
fn grown(prior: &EventBook, emitted: EmittedBook) -> EventBook {
    let mut pages = prior.history.pages().to_vec();
    for (sequence, page) in (prior.next_sequence..).zip(emitted.pages) {
        pages.push(books::page(sequence, page.body));
    }
    book(prior.cover.clone(), pages)
}

fn accepted(answer: Result<Reply, Failure>) -> EmittedBook {
    let Ok(Reply::Events(book)) = answer else {
        panic!("events are expected: {answer:?}");
    };
    book
}

fn event<M: Message + Default>(book: &EmittedBook) -> M {
    M::decode(book.pages[0].body.event().unwrap().value.as_slice()).unwrap()
}

/// Alice after the recorded reservation of 1000, and what the saga asks of the table because of it.
fn reserved() -> (EventBook, CommandBook) {
    let alice = stored(&[1, 2]);
    let reservation = accepted(Player::default().handle(&alice, &call(10).command()));
    let alice = grown(&alice, reservation);
    let new = vec![alice.history.pages().last().unwrap().clone()];
    let source = book(alice.cover.clone(), new);
    let asked = PlayerTable.react(&source, &Destinations::new()).unwrap();
    (alice, asked.commands[0].addressed().unwrap())
}

#[test]
fn a_player_who_reserves_funds_is_seated() {
    let (alice, join) = reserved();
    let table = stored(&[9]);
    assert!(join.cover.is_same_stream(&table.cover));
    let joined: PlayerJoined = event(&accepted(Table::default().handle(&table, &join)));
    assert_eq!(joined.player_root, alice.cover.root.as_bytes());
    assert_eq!((joined.seat_position, joined.stack), (0, 1000));
}

#[test]
fn a_player_whom_the_table_refuses_gets_the_funds_back() {
    let (alice, join) = reserved();
    let mut table = stored(&[9]);
    // The same table for poorer players.
    let page = table.history.pages()[0].clone();
    let mut created = TableCreated::decode(page.body.event().unwrap().value.as_slice()).unwrap();
    created.max_buy_in = 999;
    let mut changed = page.body.event().unwrap().clone();
    changed.value = created.encode_to_vec();
    let page = Page {
        body: Body::Event(changed),
        original: None,
        ..page
    };
    table = book(table.cover, vec![page]);

    let refusal = Table::default().handle(&table, &join).unwrap_err();
    assert_eq!(refusal.message, "Buy-in is above the table's maximum");
    let told = notification(
        "type.angzarr.io/angzarr",
        join.type_name(),
        table.cover.root,
        &refusal.message,
    );
    let mut delivery = join;
    delivery.cover = alice.cover.clone();
    delivery.pages[0].command = Some(told);
    let answer = accepted(Player::default().handle(&alice, &delivery));
    let released: FundsReleased = event(&answer);
    assert_eq!(released.table_root, table.cover.root.as_bytes());
    assert_eq!(released.new_available_balance.unwrap().amount, 5000);
    // Told twice, it has nothing left to release.
    let alice = grown(&alice, answer);
    let again = accepted(Player::default().handle(&alice, &delivery));
    assert_eq!(again, EmittedBook::default());
}
