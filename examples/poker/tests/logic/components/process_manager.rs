//! The process manager.

use std::sync::Arc;

use super::{PLAYER, TABLE, assert_answers, cover, money, packed, page, read};
use crate::compensation::notification;
use crate::recording::{book, call};
use angzarr_replay::internal::model::{
    Component, Destinations, EventBook, Header, Outcome, Payload, Reaction, Root, Stimulus,
    Timestamp,
};
use poker::BuyIn;
use poker::messages::{
    BuyInCompleted, BuyInFailed, BuyInInitiated, BuyInRequested, ConfirmBuyIn, PlayerSeated,
    ReleaseBuyIn, SeatingRejected,
};
use prost::{Message, Name};

const RESERVATION: [u8; 16] = [0x33; 16];

fn at(moment: Option<prost_types::Timestamp>) -> Component {
    let moment = moment.unwrap_or_default();
    Component::ProcessManager(Arc::new(BuyIn::new(move || Timestamp {
        seconds: moment.seconds,
        nanos: moment.nanos,
    })))
}

fn own_event<M: Message + Name + Default>(outcome: &Outcome) -> M {
    let Outcome::Reacted(reaction) = outcome else {
        panic!("a reaction is expected");
    };
    let [book] = reaction.process_events.as_slice() else {
        panic!("one book is expected");
    };
    assert_eq!((book.pages.len(), &book.cover), (1, &None));
    assert_eq!(book.pages[0].header, Header::Absent);
    read(book.pages[0].body.event().unwrap())
}

#[test]
fn the_recorded_buy_in_goes_as_recorded() {
    let (prepare, request, rejection) = (call(116), call(117), call(118));
    assert_answers(&at(None), &prepare.stimulus(), &prepare.outcome());
    let begun: BuyInInitiated = own_event(&request.outcome());
    assert_answers(
        &at(begun.initiated_at),
        &request.stimulus(),
        &request.outcome(),
    );
    let failed: BuyInFailed = own_event(&rejection.outcome());
    let moment = failed.failure.unwrap().failed_at;
    assert_answers(&at(moment), &rejection.stimulus(), &rejection.outcome());
}

/// The process manager's stream after some of its events.
fn stream(events: Vec<Payload>) -> EventBook {
    let pages = (0..)
        .zip(events)
        .map(|(sequence, event)| page(sequence, event));
    book(cover("pmg-buy-in", Root::new(RESERVATION)), pages.collect())
}

fn begun() -> Payload {
    let begun = BuyInInitiated {
        player_root: PLAYER.as_bytes().to_vec(),
        table_root: TABLE.as_bytes().to_vec(),
        reservation_id: RESERVATION.to_vec(),
        seat: 4,
        amount: money(500, "USD"),
        phase: 3,
        initiated_at: None,
    };
    packed(&begun)
}

fn seated() -> Payload {
    packed(&PlayerSeated {
        player_root: PLAYER.as_bytes().to_vec(),
        reservation_id: RESERVATION.to_vec(),
        seat_position: 4,
        stack: 500,
        seated_at: None,
    })
}

fn trigger(event: Payload, state: Vec<Payload>) -> Stimulus {
    let mut trigger = book(cover("table", TABLE), vec![page(10, event)]);
    "wf-1".clone_into(&mut trigger.cover.correlation_id);
    Stimulus::ProcessManager {
        trigger,
        state: stream(state),
        destinations: Destinations::new(),
    }
}

#[test]
fn a_seated_player_completes_the_buy_in() {
    let outcome = at(None).answer(&trigger(seated(), vec![begun()])).unwrap();
    let completed: BuyInCompleted = own_event(&outcome);
    let expected = BuyInCompleted {
        player_root: PLAYER.as_bytes().to_vec(),
        table_root: TABLE.as_bytes().to_vec(),
        reservation_id: RESERVATION.to_vec(),
        seat: 4,
        amount: money(500, "USD"),
        completed_at: Some(prost_types::Timestamp::default()),
    };
    assert_eq!(completed, expected);
    let Outcome::Reacted(reaction) = outcome else {
        unreachable!("it was one before");
    };
    let command = &reaction.commands[0];
    let addressee = command.cover.as_ref().unwrap();
    // The recorded example's own: the trigger's root, in the other domain.
    assert_eq!(
        (addressee.domain.as_str(), addressee.root),
        ("player", TABLE)
    );
    assert_eq!(addressee.correlation_id, "wf-1");
    let confirm: ConfirmBuyIn = read(command.pages[0].command.as_ref().unwrap());
    assert_eq!(confirm.reservation_id, RESERVATION);
}

#[test]
fn what_comes_out_of_turn_leads_to_nothing() {
    let rejected = || packed(&SeatingRejected::default());
    let completed = || packed(&BuyInCompleted::default());
    let failed = || packed(&BuyInFailed::default());
    let request = packed(&BuyInRequested::default());
    for (event, state) in [
        (seated(), vec![]),
        (rejected(), vec![]),
        (seated(), vec![begun(), failed()]),
        (rejected(), vec![begun(), completed()]),
        (request, vec![begun()]),
        (
            Payload::new("examples.NeverHeardOf", vec![0xff]),
            vec![begun()],
        ),
    ] {
        let nothing = Outcome::Reacted(Reaction::default());
        assert_eq!(at(None).answer(&trigger(event, state)).unwrap(), nothing);
    }
}

#[test]
fn a_refused_seat_command_fails_the_buy_in() {
    for prefix in [
        "type.angzarr.io/angzarr",
        "type.googleapis.com/angzarr",
        "/io.angzarr.v1",
    ] {
        let event = notification(prefix, "examples.SeatPlayer", TABLE, "full");
        let outcome = at(None).answer(&trigger(event, vec![begun()])).unwrap();
        let failed: BuyInFailed = own_event(&outcome);
        let failure = failed.failure.unwrap();
        assert_eq!(
            (failure.code.as_str(), failure.message.as_str()),
            ("SEATING_REJECTED", "full")
        );
        let Outcome::Reacted(reaction) = outcome else {
            unreachable!("it was one before");
        };
        let command = &reaction.commands[0];
        assert_eq!(command.cover.as_ref().unwrap().root, PLAYER);
        let release: ReleaseBuyIn = read(command.pages[0].command.as_ref().unwrap());
        assert_eq!(
            (release.reservation_id, release.reason.as_str()),
            (RESERVATION.to_vec(), "full")
        );
    }
    let other = notification("/io.angzarr.v1", "examples.JoinTable", TABLE, "");
    let nothing = Outcome::Reacted(Reaction::default());
    assert_eq!(
        at(None).answer(&trigger(other, vec![begun()])).unwrap(),
        nothing
    );
}
