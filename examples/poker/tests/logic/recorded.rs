//! The logic does what the recorded deployment did, event for event and word for word.

use std::collections::BTreeMap;

use crate::recording::{Call, book, call, calls};
use angzarr_replay::internal::model::{
    AnsweredBy, CommandBook, EmittedPage, EventBook, FailureClass, Header, Logic, Page, Payload,
    Reply, Root, Timestamp,
};
use poker::messages::{
    FundsDeposited, FundsReserved, FundsWithdrawn, HandEnded, HandStarted, PlayerJoined,
    PlayerRegistered, TableCreated,
};
use poker::{Player, Table};
use prost::Message;

const EPOCH: Timestamp = Timestamp {
    seconds: 0,
    nanos: 0,
};

/// The logic of a domain, at a moment.
fn logic(domain: &str, now: Timestamp) -> Box<dyn Logic> {
    match domain {
        "player" => Box::new(Player::new(move || now)),
        "table" => Box::new(Table::new(move || now)),
        other => panic!("no logic of {other}"),
    }
}

fn read<M: Message + Default>(event: &Payload) -> M {
    M::decode(event.value.as_slice()).unwrap()
}

/// When the deployment's clock stood as it made an event.
fn moment(page: &Page) -> Timestamp {
    let event = page.body.event().unwrap();
    let at = match event.type_name() {
        "examples.PlayerRegistered" => read::<PlayerRegistered>(event).registered_at,
        "examples.FundsDeposited" => read::<FundsDeposited>(event).deposited_at,
        "examples.FundsReserved" => read::<FundsReserved>(event).reserved_at,
        "examples.FundsWithdrawn" => read::<FundsWithdrawn>(event).withdrawn_at,
        "examples.TableCreated" => read::<TableCreated>(event).created_at,
        "examples.PlayerJoined" => read::<PlayerJoined>(event).joined_at,
        "examples.HandStarted" => read::<HandStarted>(event).started_at,
        "examples.HandEnded" => read::<HandEnded>(event).ended_at,
        other => panic!("no moment in {other}"),
    };
    let at = at.unwrap();
    Timestamp {
        seconds: at.seconds,
        nanos: at.nanos,
    }
}

/// The event with the hand root of another, whose rule the recording does not show.
fn with_hand_root_of(event: &Payload, other: &Payload) -> Payload {
    if event.type_name() != "examples.HandStarted" {
        return event.clone();
    }
    let hand_root = read::<HandStarted>(other).hand_root;
    let message = HandStarted {
        hand_root,
        ..read(event)
    };
    Payload {
        type_url: event.type_url.clone(),
        value: message.encode_to_vec(),
    }
}

fn assert_same(n: u32, ours: &[EmittedPage], recorded: &[Page]) {
    assert_eq!(ours.len(), recorded.len(), "call {n}");
    for (page, recorded) in ours.iter().zip(recorded) {
        let (ours, theirs) = (page.body.event().unwrap(), recorded.body.event().unwrap());
        assert_eq!(page.header, Header::Sequence(recorded.sequence), "call {n}");
        assert_eq!(&with_hand_root_of(ours, theirs), theirs, "call {n}");
    }
}

/// Replays a command with the clock set back to the recorded moment, and demands the recorded bytes or words.
fn replay(call: &Call, prior: &EventBook, command: &CommandBook) {
    let recorded = if call.code == "OK" {
        call.pages()
    } else {
        Vec::new()
    };
    let now = recorded.first().map_or(EPOCH, moment);
    match logic(&call.server, now).handle(prior, command) {
        Ok(Reply::Events(book)) => {
            assert_eq!(call.code, "OK", "call {}: {:?}", call.n, call.message);
            assert_same(call.n, &book.pages, &recorded);
        }
        Ok(other) => panic!("call {}: {other:?}", call.n),
        Err(failure) => assert_eq!(
            (failure.code.name(), Some(&failure.message)),
            (call.code.as_str(), call.message.as_ref()),
            "call {}",
            call.n
        ),
    }
}

/// The commands to player and table coordinators that reached the logic: a stale one does not.
fn commands(calls: &[Call]) -> impl Iterator<Item = &Call> {
    let stale = |call: &Call| {
        let message = call.message.as_deref().unwrap_or_default();
        message.starts_with("Sequence mismatch:")
    };
    calls.iter().filter(move |call| {
        call.method() == "HandleCommand"
            && matches!(call.server.as_str(), "player" | "table")
            && !stale(call)
    })
}

#[test]
fn every_recorded_command_of_player_and_table_has_its_recorded_outcome() {
    let mut stored: BTreeMap<Root, Vec<Page>> = BTreeMap::new();
    let (mut accepted, mut rejected) = (0, 0);
    for call in commands(&calls()) {
        let command = call.command();
        let pages = stored.entry(command.cover.root).or_default();
        replay(call, &book(command.cover.clone(), pages.clone()), &command);
        if call.code == "OK" {
            accepted += 1;
            pages.extend(call.pages());
        } else {
            rejected += 1;
        }
    }
    assert_eq!((accepted, rejected), (19, 4));
}

#[test]
fn recorded_speculation_has_its_recorded_outcome() {
    let calls = calls();
    let mut stored: BTreeMap<Root, Vec<Page>> = BTreeMap::new();
    for call in commands(&calls).filter(|call| call.code == "OK") {
        let pages = stored.entry(call.command().cover.root).or_default();
        pages.extend(call.pages());
    }
    // How many pages the logic was shown: 101 asks an unknown root, 106 an edition without early pages.
    for (n, shown) in [(98, 2), (99, 3), (100, 3), (101, 0), (106, 0)] {
        let call = call(n);
        let command = call.command();
        let pages = stored.get(&command.cover.root).map(|pages| &pages[..shown]);
        let prior = book(command.cover.clone(), pages.unwrap_or_default().to_vec());
        replay(&call, &prior, &command);
    }
}

#[test]
fn recorded_direct_calls_have_their_recorded_outcome() {
    let calls = calls();
    let direct = calls
        .iter()
        .filter(|call| call.role == "client-logic" && call.method() == "Handle");
    let numbers: Vec<u32> = direct
        .map(|call| {
            let (prior, command) = call.contextual();
            replay(call, &prior, &command);
            call.n
        })
        .collect();
    assert_eq!(numbers, [108, 109, 110, 111]);
}

#[test]
fn unknown_commands_are_refused_and_malformed_ones_crash() {
    let class = |n: u32| {
        let (prior, command) = call(n).contextual();
        let failure = Player::default().handle(&prior, &command).unwrap_err();
        failure.class(AnsweredBy::Logic)
    };
    assert_eq!(class(110), FailureClass::Refused);
    assert_eq!(class(111), FailureClass::Crashed);
}
