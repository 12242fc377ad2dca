//! Rules of the table beyond what the recording shows.

use crate::game::{Game, ROOT, snapshot};
use angzarr_replay::internal::model::{Payload, Timestamp};
use poker::Table;
use poker::messages::{
    AddChips, ChipsAdded, CreateTable, EndHand, GameVariant, HandEnded, HandStarted, JoinTable,
    LeaveTable, PlayerJoined, PlayerLeft, PlayerSatIn, PlayerSatOut, PotResult, StartHand,
    TableCreated, TableState,
};
use prost::{Message, Name};

fn player(number: u8) -> Vec<u8> {
    vec![number; 16]
}

fn creation() -> CreateTable {
    CreateTable {
        table_name: "Main".into(),
        game_variant: GameVariant::TexasHoldem.into(),
        small_blind: 5,
        big_blind: 10,
        min_buy_in: 200,
        max_buy_in: 2000,
        max_players: 3,
        action_timeout_seconds: 30,
    }
}

fn join(number: u8, preferred_seat: i32) -> JoinTable {
    JoinTable {
        player_root: player(number),
        preferred_seat,
        buy_in_amount: 1000,
    }
}

fn leave(number: u8) -> LeaveTable {
    LeaveTable {
        player_root: player(number),
    }
}

fn add(number: u8, amount: i64) -> AddChips {
    AddChips {
        player_root: player(number),
        amount,
    }
}

fn won(number: u8, amount: i64) -> PotResult {
    PotResult {
        winner_root: player(number),
        amount,
        ..PotResult::default()
    }
}

fn no_table() -> Game<Table> {
    let logic = Table::new(|| Timestamp {
        seconds: 100,
        nanos: 7,
    });
    Game::new(logic, "table")
}

/// A table at which these players sit, from seat 0 on.
fn table(players: &[u8]) -> Game<Table> {
    let mut game = no_table();
    game.play::<_, TableCreated>(&creation());
    for &number in players {
        game.play::<_, PlayerJoined>(&join(number, 0));
    }
    game
}

fn positions(hand: &HandStarted) -> (i32, i32, i32) {
    (
        hand.dealer_position,
        hand.small_blind_position,
        hand.big_blind_position,
    )
}

fn store<E: Message + Name>(game: &mut Game<Table>, event: &E) {
    game.store(Payload::new(&E::full_name(), event.encode_to_vec()));
}

#[test]
fn nothing_but_creation_works_without_a_table() {
    let game = no_table();
    let missing = "Table does not exist";
    assert_eq!(game.rejection(&join(1, 0)), missing);
    assert_eq!(game.rejection(&leave(1)), missing);
    assert_eq!(game.rejection(&add(1, 1)), missing);
    assert_eq!(game.rejection(&StartHand {}), missing);
    assert_eq!(game.rejection(&EndHand::default()), missing);
    assert_eq!(table(&[]).rejection(&creation()), "Table already exists");
}

#[test]
fn a_table_needs_sensible_stakes() {
    let rejection = |change: fn(&mut CreateTable)| {
        let mut command = creation();
        change(&mut command);
        no_table().rejection(&command)
    };
    assert_eq!(
        rejection(|table| table.table_name.clear()),
        "table_name must not be empty"
    );
    assert_eq!(
        rejection(|table| table.small_blind = 0),
        "small_blind must be positive"
    );
    assert_eq!(
        rejection(|table| table.big_blind = 4),
        "big_blind must not be below small_blind"
    );
    assert_eq!(
        rejection(|table| table.min_buy_in = 0),
        "min_buy_in must be positive"
    );
    assert_eq!(
        rejection(|table| table.max_buy_in = 199),
        "max_buy_in must not be below min_buy_in"
    );
    assert_eq!(
        rejection(|table| table.max_players = 11),
        "max_players must be 2 to 10"
    );
}

#[test]
fn a_player_gets_the_seat_asked_for_or_the_first_free_one() {
    let mut game = table(&[]);
    let seat = |game: &mut Game<Table>, number, wish| {
        game.play::<_, PlayerJoined>(&join(number, wish))
            .seat_position
    };
    assert_eq!(seat(&mut game, 1, 1), 1);
    assert_eq!(game.rejection(&join(2, 1)), "Seat is taken");
    assert_eq!(game.rejection(&join(2, 3)), "Seat does not exist");
    assert_eq!(game.rejection(&join(2, -1)), "Seat does not exist");
    assert_eq!(seat(&mut game, 2, 0), 0);
    assert_eq!(seat(&mut game, 3, 0), 2);
    assert_eq!(game.rejection(&join(4, 0)), "Table is full");
}

#[test]
fn a_buy_in_has_to_be_within_the_tables_limits() {
    let game = table(&[]);
    let with = |buy_in_amount| JoinTable {
        buy_in_amount,
        ..join(1, 0)
    };
    assert_eq!(
        game.rejection(&with(199)),
        "Buy-in is below the table's minimum"
    );
    assert_eq!(
        game.rejection(&with(2001)),
        "Buy-in is above the table's maximum"
    );
    let nobody = JoinTable {
        player_root: Vec::new(),
        ..join(1, 0)
    };
    assert_eq!(game.rejection(&nobody), "player_root must not be empty");
}

#[test]
fn who_leaves_takes_the_stack_along() {
    let mut game = table(&[1]);
    let added: ChipsAdded = game.play(&add(1, 500));
    assert_eq!(added.new_stack, 1500);
    assert_eq!(
        game.rejection(&add(1, 501)),
        "Stack would be above the table's maximum"
    );
    assert_eq!(game.rejection(&add(1, 0)), "amount must be positive");
    let left: PlayerLeft = game.play(&leave(1));
    assert_eq!((left.seat_position, left.chips_cashed_out), (0, 1500));
    assert_eq!(game.rejection(&leave(1)), "Player is not seated at table");
    assert_eq!(game.rejection(&add(1, 1)), "Player is not seated at table");
}

#[test]
fn the_dealer_of_two_posts_the_small_blind() {
    let mut game = table(&[1, 2]);
    let hand: HandStarted = game.play(&StartHand {});
    assert_eq!(positions(&hand), (1, 1, 0));
}

#[test]
fn a_hand_needs_two_players_who_play() {
    let mut game = table(&[1, 2]);
    let absent = PlayerSatOut {
        player_root: player(2),
        sat_out_at: None,
    };
    store(&mut game, &absent);
    assert_eq!(
        game.rejection(&StartHand {}),
        "Not enough players to start a hand"
    );
    let back = PlayerSatIn {
        player_root: player(2),
        sat_in_at: None,
    };
    store(&mut game, &back);
    assert!(game.attempt(&StartHand {}).is_ok());
}

#[test]
fn nobody_comes_or_goes_with_chips_during_a_hand() {
    let mut game = table(&[1, 2]);
    game.play::<_, HandStarted>(&StartHand {});
    assert_eq!(game.rejection(&StartHand {}), "Hand in progress");
    assert_eq!(game.rejection(&leave(1)), "Hand in progress");
    assert_eq!(game.rejection(&add(1, 1)), "Hand in progress");
}

#[test]
fn a_hand_ends_once_and_adds_up_what_was_won() {
    let mut game = table(&[1, 2]);
    let end = |hand_root: &[u8], results: &[PotResult]| EndHand {
        hand_root: hand_root.to_vec(),
        results: results.to_vec(),
    };
    assert_eq!(game.rejection(&end(&[], &[])), "No hand in progress");
    let hand: HandStarted = game.play(&StartHand {});
    let root = &hand.hand_root;
    assert_eq!(
        game.rejection(&end(&[9; 16], &[])),
        "Another hand is in progress"
    );
    assert_eq!(
        game.rejection(&end(root, &[won(3, 1)])),
        "Player is not seated at table"
    );
    assert_eq!(
        game.rejection(&end(root, &[won(1, 0)])),
        "amount must be positive"
    );
    let ended: HandEnded = game.play(&end(root, &[won(1, 30), won(2, 5), won(1, 12)]));
    let changes: Vec<i64> = ended.stack_changes.into_values().collect();
    assert_eq!(changes, [42, 5]);
    let stacks = game.state::<TableState>().seats;
    let stacks: Vec<i64> = stacks
        .into_iter()
        .map(|seat| seat.stack.unwrap().amount)
        .collect();
    assert_eq!(stacks, [1042, 1005]);
    assert_eq!(game.rejection(&end(root, &[])), "No hand in progress");
}

#[test]
fn hand_roots_are_the_same_each_time_and_differ_by_hand() {
    let mut game = table(&[1, 2]);
    let again = game.attempt(&StartHand {}).unwrap();
    let first: HandStarted = game.play(&StartHand {});
    assert_eq!(again.value, first.encode_to_vec());
    game.play::<_, HandEnded>(&EndHand {
        hand_root: first.hand_root.clone(),
        results: Vec::new(),
    });
    let second: HandStarted = game.play(&StartHand {});
    assert_eq!((first.hand_number, second.hand_number), (1, 2));
    assert_ne!(first.hand_root, second.hand_root);
    for root in [first.hand_root, second.hand_root] {
        assert_ne!(root, ROOT.as_bytes());
        // A UUID of version 8 and the usual variant.
        assert_eq!((root.len(), root[6] >> 4, root[8] >> 6), (16, 8, 2));
    }
}

#[test]
fn the_state_tells_seats_dealer_and_hand() {
    let mut game = table(&[1, 2]);
    let hand: HandStarted = game.play(&StartHand {});
    let state: TableState = game.state();
    assert_eq!(
        (state.hand_count, state.dealer_position, &*state.status),
        (1, 1, "in_hand")
    );
    assert_eq!(state.current_hand_root, hand.hand_root);
    let seats: Vec<_> = state
        .seats
        .iter()
        .map(|seat| (seat.position, &seat.player_root))
        .collect();
    assert_eq!(seats, [(0, &player(1)), (1, &player(2))]);
}

#[test]
fn a_snapshot_stands_for_the_pages_up_to_it() {
    let mut game = table(&[1, 2]);
    let full = game.attempt(&StartHand {}).unwrap();
    game.snapshot = Some(snapshot(2, game.fold().unwrap()));
    assert_eq!(game.attempt(&StartHand {}).unwrap(), full);
    game.pages.clear();
    assert_eq!(game.attempt(&StartHand {}).unwrap(), full);
}
