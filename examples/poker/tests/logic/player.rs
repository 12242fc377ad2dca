//! Rules of the player beyond what the recording shows.

use crate::game::{Game, ROOT, page, snapshot};
use angzarr_replay::internal::model::{Code, Failure, Payload, Timestamp};
use poker::Player;
use poker::messages::{
    ActionRequested, Currency, DepositFunds, FundsDeposited, FundsReleased, FundsReserved,
    FundsTransferred, FundsWithdrawn, PlayerRegistered, PlayerReturningToPlay, PlayerSittingOut,
    PlayerState, PlayerType, RegisterPlayer, ReleaseFunds, RequestAction, ReserveFunds, SitIn,
    SitOut, TransferFunds, WithdrawFunds,
};
use prost::Message;

const TABLE: [u8; 16] = [0xab; 16];

#[allow(clippy::unnecessary_wraps, reason = "as the messages have it")]
fn chips(amount: i64) -> Option<Currency> {
    Some(Currency {
        amount,
        currency_code: "CHIPS".into(),
    })
}

fn registration() -> RegisterPlayer {
    RegisterPlayer {
        display_name: "Ann".into(),
        email: "ann@example.com".into(),
        player_type: PlayerType::Ai.into(),
        ai_model_id: "m1".into(),
    }
}

fn deposit(amount: i64) -> DepositFunds {
    DepositFunds {
        amount: chips(amount),
    }
}

fn withdraw(amount: i64) -> WithdrawFunds {
    WithdrawFunds {
        amount: chips(amount),
    }
}

fn reserve(amount: i64) -> ReserveFunds {
    ReserveFunds {
        amount: chips(amount),
        table_root: TABLE.to_vec(),
    }
}

fn release() -> ReleaseFunds {
    ReleaseFunds {
        table_root: TABLE.to_vec(),
    }
}

fn nobody() -> Game<Player> {
    let logic = Player::new(|| Timestamp {
        seconds: 100,
        nanos: 7,
    });
    Game::new(logic, "player")
}

/// A registered player with 1000 chips.
fn ann() -> Game<Player> {
    let mut game = nobody();
    game.play::<_, PlayerRegistered>(&registration());
    game.play::<_, FundsDeposited>(&deposit(1000));
    game
}

#[test]
fn nothing_but_registration_works_without_a_player() {
    let game = nobody();
    let missing = "Player does not exist";
    assert_eq!(game.rejection(&deposit(1)), missing);
    assert_eq!(game.rejection(&withdraw(1)), missing);
    assert_eq!(game.rejection(&reserve(1)), missing);
    assert_eq!(game.rejection(&release()), missing);
    assert_eq!(game.rejection(&SitOut::default()), missing);
    assert_eq!(game.rejection(&SitIn::default()), missing);
    assert_eq!(game.rejection(&TransferFunds::default()), missing);
    assert_eq!(game.rejection(&RequestAction::default()), missing);
    assert_eq!(ann().rejection(&registration()), "Player already exists");
}

#[test]
fn a_registration_needs_a_name_and_an_address() {
    let unnamed = RegisterPlayer {
        display_name: String::new(),
        ..registration()
    };
    assert_eq!(
        nobody().rejection(&unnamed),
        "display_name must not be empty"
    );
    let unreachable = RegisterPlayer {
        email: String::new(),
        ..registration()
    };
    assert_eq!(nobody().rejection(&unreachable), "email must not be empty");
}

#[test]
fn amounts_have_to_be_positive_and_to_fit() {
    let game = ann();
    assert_eq!(game.rejection(&deposit(-1)), "amount must be positive");
    assert_eq!(
        game.rejection(&DepositFunds::default()),
        "amount must be positive"
    );
    assert_eq!(game.rejection(&withdraw(0)), "amount must be positive");
    assert_eq!(game.rejection(&reserve(0)), "amount must be positive");
    assert_eq!(game.rejection(&deposit(i64::MAX)), "amount is too large");
}

#[test]
fn reserved_funds_stay_in_the_bankroll_and_cannot_leave_it() {
    let mut game = ann();
    let reserved: FundsReserved = game.play(&reserve(600));
    assert_eq!(
        (
            reserved.new_available_balance,
            reserved.new_reserved_balance
        ),
        (chips(400), chips(600))
    );
    assert_eq!(game.rejection(&withdraw(401)), "Insufficient funds");
    assert_eq!(
        game.rejection(&reserve(100)),
        "Funds already reserved for table"
    );
    let withdrawn: FundsWithdrawn = game.play(&withdraw(400));
    assert_eq!(withdrawn.new_balance, chips(600));
    let released: FundsReleased = game.play(&release());
    assert_eq!(
        (
            released.amount,
            released.new_available_balance,
            released.new_reserved_balance
        ),
        (chips(600), chips(600), chips(0))
    );
    assert_eq!(game.rejection(&release()), "No funds reserved for table");
    let nowhere = ReserveFunds {
        amount: chips(1),
        ..ReserveFunds::default()
    };
    assert_eq!(game.rejection(&nowhere), "table_root must not be empty");
}

#[test]
fn a_transfer_goes_to_the_player_it_is_addressed_to() {
    let mut game = ann();
    let mut command = TransferFunds {
        from_player_root: vec![0x22; 16],
        amount: chips(50),
        hand_root: vec![0x33; 16],
        reason: "pot".into(),
    };
    let moved: FundsTransferred = game.play(&command);
    assert_eq!(moved.to_player_root, ROOT.as_bytes());
    assert_eq!(moved.new_balance, chips(1050));
    command.from_player_root = ROOT.as_bytes().to_vec();
    assert_eq!(
        game.rejection(&command),
        "Player cannot transfer funds to itself"
    );
    command.from_player_root.clear();
    assert_eq!(
        game.rejection(&command),
        "from_player_root must not be empty"
    );
}

#[test]
fn sitting_out_ends_by_sitting_in() {
    let mut game = ann();
    let table_root = TABLE.to_vec();
    let sit_in = SitIn {
        table_root: table_root.clone(),
    };
    let sit_out = SitOut { table_root };
    assert_eq!(game.rejection(&sit_in), "Player is not sitting out");
    game.play::<_, PlayerSittingOut>(&sit_out);
    assert_eq!(game.rejection(&sit_out), "Player is already sitting out");
    assert_eq!(game.state::<PlayerState>().status, "sitting_out");
    game.play::<_, PlayerReturningToPlay>(&sit_in);
    assert_eq!(game.state::<PlayerState>().status, "active");
}

#[test]
fn an_action_is_due_after_its_timeout() {
    let mut game = ann();
    let mut command = RequestAction {
        hand_root: vec![0x33; 16],
        timeout_seconds: 30,
        ..RequestAction::default()
    };
    let requested: ActionRequested = game.play(&command);
    assert_eq!(requested.player_root, ROOT.as_bytes());
    assert_eq!(requested.player_type(), PlayerType::Ai);
    let deadline = requested.deadline.unwrap();
    assert_eq!((deadline.seconds, deadline.nanos), (130, 7));
    command.timeout_seconds = -1;
    assert_eq!(
        game.rejection(&command),
        "timeout_seconds must not be negative"
    );
    command.hand_root.clear();
    assert_eq!(game.rejection(&command), "hand_root must not be empty");
}

#[test]
fn the_state_tells_balance_and_reservations() {
    let mut game = ann();
    game.play::<_, FundsReserved>(&reserve(600));
    game.store(Payload::new("examples.NeverHeardOf", vec![0xff]));
    let state: PlayerState = game.state();
    assert_eq!(
        (state.bankroll, state.reserved_funds),
        (chips(1000), chips(600))
    );
    let reservations: Vec<_> = state.table_reservations.into_iter().collect();
    assert_eq!(reservations, [("ab".repeat(16), 600)]);
}

#[test]
fn a_snapshot_stands_for_the_pages_up_to_it() {
    let mut game = ann();
    let stored = game.fold().unwrap();
    let full = game.attempt(&withdraw(1000)).unwrap();
    game.snapshot = Some(snapshot(1, stored));
    // With the folded pages still there, and without them.
    assert_eq!(game.attempt(&withdraw(1000)).unwrap(), full);
    game.pages.clear();
    assert_eq!(game.attempt(&withdraw(1000)).unwrap(), full);
    game.play::<_, FundsWithdrawn>(&withdraw(999));
    assert_eq!(game.rejection(&withdraw(2)), "Insufficient funds");
}

#[test]
fn a_snapshot_that_cannot_be_read_is_passed_over() {
    let mut game = ann();
    for state in [
        Payload::new("examples.PlayerState", vec![0xff]),
        Payload::new("examples.TableState", Vec::new()),
    ] {
        game.snapshot = Some(snapshot(1, state));
        assert!(game.attempt(&withdraw(1000)).is_ok());
    }
}

#[test]
fn an_event_that_does_not_decode_crashes_the_handler() {
    let mut game = ann();
    game.store(Payload::new("examples.FundsDeposited", vec![0xff]));
    let failure = game.fold().unwrap_err();
    let words =
        "Exception calling application: Error parsing message with type 'examples.FundsDeposited'";
    assert_eq!(failure, Failure::crashed(words));
    assert_eq!(game.attempt(&withdraw(1)).unwrap_err(), failure);
}

#[test]
fn a_command_book_without_a_command_is_refused() {
    let failure = ann().send(Vec::new()).unwrap_err();
    assert_eq!(failure, Failure::refused("No command pages"));
    let failure = ann().send(vec![page(None)]).unwrap_err();
    assert_eq!(
        (failure.code, failure.message.as_str()),
        (Code::InvalidArgument, "Unknown command type: ")
    );
}

#[test]
fn a_balance_keeps_its_currency() {
    let mut game = ann();
    let amount = Currency {
        amount: 1,
        currency_code: String::new(),
    };
    let event: FundsDeposited = game.play(&DepositFunds {
        amount: Some(amount),
    });
    assert_eq!(event.new_balance, chips(1001));
}

#[test]
fn the_machines_clock_is_the_default() {
    let game = Game::new(Player::default(), "player");
    let event = game.attempt(&registration()).unwrap();
    let registered = PlayerRegistered::decode(event.value.as_slice()).unwrap();
    assert!(registered.registered_at.unwrap().seconds > 1_700_000_000);
}
