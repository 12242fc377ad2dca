//! The logic does what the recorded deployment did, event for event and word for word.

mod recording;

use std::collections::BTreeMap;

use angzarr_replay::model::{
    Code, CommandBook, EmittedPage, EventBook, Failure, FailureClass, Header, Logic, Page, Payload,
    Reply, Root, Timestamp,
};
use poker::messages::{
    FundsDeposited, FundsReserved, FundsWithdrawn, HandEnded, HandStarted, PlayerJoined,
    PlayerRegistered, TableCreated,
};
use poker::{Player, Table};
use prost::Message;
use recording::{Call, book, calls, stored};

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
fn moment(event: &Payload) -> Timestamp {
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
    assert_eq!(hand_root.len(), 16);
    let message = HandStarted {
        hand_root,
        ..read(event)
    };
    Payload {
        type_url: event.type_url.clone(),
        value: message.encode_to_vec(),
    }
}

fn emitted(reply: Reply) -> Vec<EmittedPage> {
    match reply {
        Reply::Events(book) => book.pages,
        other => panic!("events are expected, not {other:?}"),
    }
}

/// Replays a command with the clock set back to the recorded moment, and demands the recorded bytes or words.
fn replay(call: &Call, prior: &EventBook, command: &CommandBook) {
    let recorded = if call.code == "OK" {
        call.events()
    } else {
        Vec::new()
    };
    let now = recorded.first().map_or(
        Timestamp {
            seconds: 0,
            nanos: 0,
        },
        |(_, event)| moment(event),
    );
    match logic(&call.server, now).handle(prior, command) {
        Ok(reply) => {
            let pages = emitted(reply);
            assert_eq!(
                pages.len(),
                recorded.len(),
                "call {}: {:?}",
                call.n,
                call.message
            );
            for (page, (sequence, event)) in pages.iter().zip(&recorded) {
                let ours = page.body.event().unwrap();
                assert_eq!(page.header, Header::Sequence(*sequence), "call {}", call.n);
                assert_eq!(ours.type_url, event.type_url, "call {}", call.n);
                assert_eq!(
                    with_hand_root_of(ours, event).value,
                    event.value,
                    "call {}: {ours:?}",
                    call.n
                );
            }
        }
        Err(Failure { code, message, .. }) => {
            assert_eq!(
                (code.name(), Some(&message)),
                (call.code.as_str(), call.message.as_ref()),
                "call {}",
                call.n
            );
        }
    }
}

/// The events of every root of the player and table domains, as the accepted commands left them.
fn histories(calls: &[Call]) -> BTreeMap<Root, Vec<Page>> {
    let mut histories: BTreeMap<Root, Vec<Page>> = BTreeMap::new();
    for call in calls
        .iter()
        .filter(|call| is_command_of_the_demo(call) && call.code == "OK")
    {
        let pages = histories.entry(call.command().cover.root).or_default();
        pages.extend(
            call.events()
                .into_iter()
                .map(|(sequence, event)| stored(sequence, event)),
        );
    }
    histories
}

fn is_command_of_the_demo(call: &Call) -> bool {
    call.method() == "HandleCommand" && matches!(call.server.as_str(), "player" | "table")
}

#[test]
fn every_recorded_command_of_player_and_table_has_its_recorded_outcome() {
    let calls = calls();
    let mut stored_so_far: BTreeMap<Root, Vec<Page>> = BTreeMap::new();
    let (mut accepted, mut rejected) = (0, 0);
    for call in calls.iter().filter(|call| is_command_of_the_demo(call)) {
        // The coordinator refuses a stale command itself; the logic never sees it.
        if call
            .message
            .as_ref()
            .is_some_and(|message| message.starts_with("Sequence mismatch:"))
        {
            continue;
        }
        let command = call.command();
        let pages = stored_so_far.entry(command.cover.root).or_default();
        replay(call, &book(command.cover.clone(), pages.clone()), &command);
        if call.code == "OK" {
            accepted += 1;
            pages.extend(
                call.events()
                    .into_iter()
                    .map(|(sequence, event)| stored(sequence, event)),
            );
        } else {
            rejected += 1;
        }
    }
    assert_eq!((accepted, rejected), (19, 4));
}

#[test]
fn recorded_speculation_has_its_recorded_outcome() {
    let calls = calls();
    let histories = histories(&calls);
    // Call, and how many pages the logic was shown: 101 asks an unknown root, 106 an edition without early pages.
    for (n, shown) in [(98, 2), (99, 3), (100, 3), (101, 0), (106, 0)] {
        let call = calls.iter().find(|call| call.n == n).unwrap();
        let command = call.command();
        let pages = histories
            .get(&command.cover.root)
            .map_or(&[][..], |pages| &pages[..shown]);
        replay(call, &book(command.cover.clone(), pages.to_vec()), &command);
    }
}

#[test]
fn recorded_direct_calls_have_their_recorded_outcome() {
    let calls = calls();
    let direct: Vec<&Call> = calls
        .iter()
        .filter(|call| call.role == "client-logic" && call.method() == "Handle")
        .collect();
    assert_eq!(
        direct.iter().map(|call| call.n).collect::<Vec<_>>(),
        [108, 109, 110, 111]
    );
    for call in direct {
        let (prior, command) = call.contextual();
        replay(call, &prior, &command);
    }
}

#[test]
fn unknown_commands_are_refused_and_malformed_ones_crash() {
    let class = |n: u32| {
        let (prior, command) = calls()
            .into_iter()
            .find(|call| call.n == n)
            .unwrap()
            .contextual();
        Player::default().handle(&prior, &command).unwrap_err()
    };
    assert_eq!(
        (class(110).code, class(110).class()),
        (Code::InvalidArgument, FailureClass::Refused)
    );
    assert_eq!(
        (class(111).code, class(111).class()),
        (Code::Unknown, FailureClass::Crashed)
    );
}
