//! What player and table do when a command that their events led to was refused.

use crate::game::{ROOT, snapshot};
use crate::recording::book;
use angzarr_replay::internal::model::{
    Body, CommandBook, CommandPage, Cover, Domain, EmittedBook, Failure, Header, Logic,
    MergeStrategy, Page, Payload, Reply, Revocation, Root, Timestamp,
};
use angzarr_replay::internal::wire::{Dialect, encode_command_book};
use poker::messages::{Currency, FundsReleased, HandEnded, PlayerState, TableState};
use poker::{Player, Table};
use prost::{Message, Name};
use test_support::books;

const TABLE: Root = Root::new([0x22; 16]);
const HAND: Root = Root::new([0x44; 16]);
const PREFIXES: [&str; 3] = [
    "type.angzarr.io/angzarr",
    "type.googleapis.com/angzarr",
    "/io.angzarr.v1",
];

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Notification {
    #[prost(message, optional, tag = "2")]
    payload: Option<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct RejectionNotification {
    #[prost(bytes = "vec", tag = "1")]
    rejected_command: Vec<u8>,
    #[prost(string, tag = "2")]
    rejection_reason: String,
}

fn book_of(command: Payload, cover: Cover) -> CommandBook {
    CommandBook {
        cover,
        pages: vec![CommandPage {
            header: Header::Absent,
            sync_mode: None,
            merge_strategy: MergeStrategy::default(),
            command: Some(command),
            external: None,
        }],
        original: None,
    }
}

/// The framework's word, under the name that a dialect gives it, that a command to a root was refused.
pub(crate) fn notification(prefix: &str, command: &str, root: Root, reason: &str) -> Payload {
    let cover = Cover::main(Domain::new("elsewhere").unwrap(), root);
    let rejected = book_of(Payload::new(command, Vec::new()), cover);
    let rejection = RejectionNotification {
        rejected_command: encode_command_book(&rejected, Dialect::ANGZARR).to_vec(),
        rejection_reason: reason.to_owned(),
    };
    told(
        prefix,
        Some(("RejectionNotification", rejection.encode_to_vec())),
    )
}

fn told(prefix: &str, payload: Option<(&str, Vec<u8>)>) -> Payload {
    let payload = payload.map(|(name, value)| Any {
        type_url: format!("{prefix}.{name}"),
        value,
    });
    Payload {
        type_url: format!("{prefix}.Notification").into(),
        value: Notification { payload }.encode_to_vec(),
    }
}

/// Tells an aggregate that begins with a state.
fn tell<S: Message + Name>(
    logic: &impl Logic,
    domain: &str,
    state: &S,
    notification: Payload,
) -> Result<Reply, Failure> {
    let cover = Cover::main(Domain::new(domain).unwrap(), ROOT);
    let mut prior = book(cover.clone(), vec![nothing(6)]);
    let state = Payload::new(&S::full_name(), state.encode_to_vec());
    prior.snapshot = Some(snapshot(5, state));
    logic.handle(&prior, &book_of(notification, cover))
}

fn nothing(sequence: u32) -> Page {
    books::page(sequence, Body::Empty)
}

fn event<M: Message + Default>(reply: &Result<Reply, Failure>) -> M {
    let Ok(Reply::Events(book)) = reply else {
        panic!("events are expected: {reply:?}");
    };
    assert_eq!(book.pages.len(), 1);
    assert_eq!(book.pages[0].header, Header::Sequence(7));
    M::decode(book.pages[0].body.event().unwrap().value.as_slice()).unwrap()
}

fn player() -> Player {
    Player::new(|| Timestamp {
        seconds: 100,
        nanos: 7,
    })
}

#[allow(clippy::unnecessary_wraps, reason = "as the messages have it")]
fn chips(amount: i64) -> Option<Currency> {
    Some(Currency {
        amount,
        currency_code: "CHIPS".into(),
    })
}

/// A player who has 600 of 1000 chips at the table.
fn ann() -> PlayerState {
    PlayerState {
        bankroll: chips(1000),
        reserved_funds: chips(600),
        table_reservations: [(TABLE.hex(), 600)].into(),
        ..PlayerState::default()
    }
}

const EMPTY: Result<Reply, Failure> = Ok(Reply::Events(EmittedBook {
    cover: None,
    snapshot: None,
    pages: Vec::new(),
    next_sequence: 0,
}));

#[test]
fn money_for_a_table_that_refused_the_player_is_released() {
    for prefix in PREFIXES {
        let refused = notification(prefix, "examples.JoinTable", TABLE, "Table is full");
        let reply = tell(&player(), "player", &ann(), refused);
        let released: FundsReleased = event(&reply);
        let expected = FundsReleased {
            amount: chips(600),
            table_root: TABLE.as_bytes().to_vec(),
            new_available_balance: chips(1000),
            new_reserved_balance: chips(0),
            released_at: Some(prost_types::Timestamp {
                seconds: 100,
                nanos: 7,
            }),
        };
        assert_eq!(released, expected, "{prefix}");
    }
}

#[test]
fn a_table_for_which_nothing_is_reserved_changes_nothing() {
    let refused = notification(PREFIXES[0], "examples.JoinTable", HAND, "Table is full");
    assert_eq!(tell(&player(), "player", &ann(), refused), EMPTY);
}

#[test]
fn a_notification_of_something_else_changes_nothing() {
    let other = told(PREFIXES[0], Some(("SagaCompensationFailed", vec![0xff])));
    assert_eq!(tell(&player(), "player", &ann(), other), EMPTY);
    let empty = told(PREFIXES[0], None);
    assert_eq!(
        tell(&Table::default(), "table", &TableState::default(), empty),
        EMPTY
    );
}

#[test]
fn a_refused_command_that_nobody_knows_is_left_to_the_framework() {
    let refused = || notification(PREFIXES[1], "examples.PostBlind", HAND, "Not your turn");
    let revoked = Ok(Reply::Revocation(Revocation {
        emit_system_revocation: true,
        reason: "No compensation for examples.PostBlind: Not your turn".into(),
        ..Revocation::default()
    }));
    assert_eq!(tell(&player(), "player", &ann(), refused()), revoked);
    assert_eq!(
        tell(
            &Table::default(),
            "table",
            &TableState::default(),
            refused()
        ),
        revoked
    );
}

#[test]
fn a_hand_whose_cards_were_never_dealt_ends_without_results() {
    let table = TableState {
        table_name: "T".into(),
        current_hand_root: HAND.as_bytes().to_vec(),
        ..TableState::default()
    };
    let refused = |hand| notification(PREFIXES[0], "examples.DealCards", hand, "No deck");
    let reply = tell(&Table::default(), "table", &table, refused(HAND));
    let ended: HandEnded = event(&reply);
    assert_eq!(ended.hand_root, HAND.as_bytes());
    assert_eq!((ended.results.len(), ended.stack_changes.len()), (0, 0));
    let another = tell(&Table::default(), "table", &table, refused(TABLE));
    assert_eq!(another, EMPTY);
}

#[test]
fn a_notification_that_does_not_decode_crashes_the_handler() {
    let crashed = |name: &str| {
        let words =
            format!("Exception calling application: Error parsing message with type '{name}'");
        Err(Failure::crashed(words))
    };
    let broken = Payload {
        type_url: "type.angzarr.io/angzarr.Notification".into(),
        value: vec![0xff],
    };
    assert_eq!(
        tell(&player(), "player", &ann(), broken),
        crashed("angzarr.Notification")
    );
    let broken = told(PREFIXES[0], Some(("RejectionNotification", vec![0xff])));
    assert_eq!(
        tell(&player(), "player", &ann(), broken),
        crashed("angzarr.RejectionNotification")
    );
}
