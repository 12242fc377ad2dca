//! Sagas.

use std::sync::Arc;

use super::{PLAYER, TABLE, assert_answers, cover, money, packed, page, reaction, read, served};
use crate::recording::{book, call};
use angzarr_replay::internal::model::{
    Component, EventBook, Failure, Header, Modes, Outcome, Payload, Reaction, Root, Stimulus,
};
use angzarr_replay::internal::wire::Dialect;
use poker::messages::{DepositFunds, FundsReserved, HandComplete, JoinTable, PotWinner};
use poker::{HandPlayer, PlayerTable};

fn saga(source: EventBook, head: Option<u32>) -> Stimulus {
    Stimulus::Saga {
        source,
        destinations: head
            .map(|head| ("player".to_owned(), head))
            .into_iter()
            .collect(),
        modes: Modes::default(),
    }
}

#[test]
fn the_winner_of_a_recorded_hand_is_paid_as_recorded() {
    let component = Component::Saga(Arc::new(HandPlayer));
    for n in [34, 54, 74] {
        let call = call(n);
        let Outcome::Reacted(recorded) = call.outcome() else {
            panic!("call {n} is answered");
        };
        assert_eq!(recorded.commands.len(), 1, "call {n}");
        let page = &recorded.commands[0].pages[0];
        assert_eq!(page.header, Header::Sequence(4));
        let deposit: DepositFunds = read(page.command.as_ref().unwrap());
        assert_eq!(deposit.amount, money(80, "CHIPS"));
        // Newer dialects tell no destinations, so the recorded header can only be had in this one.
        let stimulus = call.stimulus();
        assert_eq!(component.answer(&stimulus).unwrap(), call.outcome());
        let served = served(&component, Dialect::ANGZARR);
        assert_eq!(served.client.ask(&stimulus).unwrap(), call.outcome());
    }
}

fn hand(winners: &[(u8, i64)]) -> EventBook {
    let winners = winners.iter().map(|&(player, amount)| PotWinner {
        player_root: vec![player; 16],
        amount,
        ..PotWinner::default()
    });
    let complete = HandComplete {
        winners: winners.collect(),
        ..HandComplete::default()
    };
    book(
        cover("hand", Root::new([9; 16])),
        vec![page(0, packed(&complete))],
    )
}

#[test]
fn each_winner_is_paid_once_and_the_header_is_what_was_told() {
    let component = Component::Saga(Arc::new(HandPlayer));
    for (told, header) in [
        (None, Header::Absent),
        (Some(0), Header::Absent),
        (Some(7), Header::Sequence(7)),
    ] {
        let stimulus = saga(hand(&[(2, 30), (1, 20), (2, 5)]), told);
        let paid: Vec<_> = reaction(&component, &stimulus)
            .commands
            .iter()
            .map(|command| {
                let page = &command.pages[0];
                assert_eq!(page.header, header);
                let deposit: DepositFunds = read(page.command.as_ref().unwrap());
                (
                    command.cover.clone().unwrap(),
                    deposit.amount.unwrap().amount,
                )
            })
            .collect();
        let player = |n| cover("player", Root::new([n; 16]));
        assert_eq!(paid, [(player(2), 35), (player(1), 20)]);
    }
}

#[test]
fn what_does_not_end_a_hand_pays_nobody() {
    let component = Component::Saga(Arc::new(HandPlayer));
    let started = call(20).stimulus();
    assert_answers(&component, &started, &Outcome::Reacted(Reaction::default()));
}

fn reserved(table_root: Vec<u8>) -> EventBook {
    let reserved = FundsReserved {
        amount: money(500, "CHIPS"),
        table_root,
        ..FundsReserved::default()
    };
    book(cover("player", PLAYER), vec![page(2, packed(&reserved))])
}

#[test]
fn money_reserved_for_a_table_asks_for_a_seat_there() {
    let component = Component::Saga(Arc::new(PlayerTable));
    let stimulus = saga(reserved(TABLE.as_bytes().to_vec()), Some(3));
    let asked = reaction(&component, &stimulus);
    let [command] = asked.commands.as_slice() else {
        panic!("one command is expected");
    };
    assert_eq!(command.cover, Some(cover("table", TABLE)));
    assert_eq!(command.pages[0].header, Header::Absent);
    let join: JoinTable = read(command.pages[0].command.as_ref().unwrap());
    let expected = JoinTable {
        player_root: PLAYER.as_bytes().to_vec(),
        preferred_seat: 0,
        buy_in_amount: 500,
    };
    assert_eq!(join, expected);
    assert_answers(&component, &stimulus, &Outcome::Reacted(asked));
}

#[test]
fn a_seat_is_asked_for_as_in_the_recording() {
    let component = Component::Saga(Arc::new(PlayerTable));
    for (reserve, join) in [(10, 11), (12, 13), (14, 15)] {
        let (reserve, join) = (call(reserve), call(join).command());
        let source = book(reserve.command().cover, reserve.pages());
        let asked = reaction(&component, &saga(source, None));
        let [command] = asked.commands.as_slice() else {
            panic!("one command is expected");
        };
        assert_eq!(command.cover.as_ref().unwrap().root, join.cover.root);
        let asked: JoinTable = read(command.pages[0].command.as_ref().unwrap());
        // The recorded players had wishes, which a reservation does not tell.
        let recorded = JoinTable {
            preferred_seat: 0,
            ..read(join.pages[0].command.as_ref().unwrap())
        };
        assert_eq!(asked, recorded);
    }
}

#[test]
fn a_root_that_is_none_addresses_nobody() {
    let component = Component::Saga(Arc::new(PlayerTable));
    let asked = reaction(&component, &saga(reserved(vec![1, 2]), None));
    assert_eq!(asked.commands[0].cover, None);
}

#[test]
fn an_event_that_does_not_decode_crashes_the_saga() {
    let broken = Payload::new("examples.HandComplete", vec![0xff]);
    let source = book(cover("hand", PLAYER), vec![page(0, broken)]);
    let words =
        "Exception calling application: Error parsing message with type 'examples.HandComplete'";
    let crashed = Outcome::Crashed(Failure::crashed(words));
    let component = Component::Saga(Arc::new(HandPlayer));
    assert_answers(&component, &saga(source, None), &crashed);
}
