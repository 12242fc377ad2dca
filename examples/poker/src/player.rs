//! The player: money that is deposited, withdrawn and reserved for tables.

use angzarr_replay::logic::{
    Answer, CommandBook, EmittedBook, EventBook, Failure, Logic, Page, Payload, Root, Snapshot,
    Timestamp,
};

use crate::aggregate::{Aggregate, Compensation, decode, encode, unknown_command};
use crate::clock::{Clock, system_clock};
use crate::messages::{
    ActionRequested, Currency, DepositFunds, FundsDeposited, FundsReleased, FundsReserved,
    FundsTransferred, FundsWithdrawn, PlayerRegistered, PlayerReturningToPlay, PlayerSittingOut,
    PlayerState, RegisterPlayer, ReleaseFunds, RequestAction, ReserveFunds, SitIn, SitOut,
    TransferFunds, WithdrawFunds,
};
use crate::notification::Rejection;
use crate::rules::{hex, positive, require, require_filled, sum};

mod facts;
mod state;

use state::{ACTIVE, SITTING_OUT};

/// Business logic of the domain `player`.
///
/// Emits one page per command, with a sequence and without a cover.
#[derive(Debug)]
pub struct Player {
    clock: Clock,
}

impl Player {
    /// Logic whose events have the time of `clock`.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock::new(clock),
        }
    }
}

impl Default for Player {
    /// Logic with the machine's clock.
    fn default() -> Self {
        Self::new(system_clock)
    }
}

impl Logic for Player {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        self.answer(prior, command)
    }

    fn handle_fact(&self, facts: &EmittedBook, prior: &EventBook) -> Result<EmittedBook, Failure> {
        facts::events_for(facts, prior)
    }

    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        Self::state(snapshot, pages).map(|state| encode(&state))
    }
}

impl Aggregate for Player {
    type State = PlayerState;

    fn apply(state: &mut PlayerState, event: &Payload) -> Result<(), Failure> {
        match event.type_name() {
            "examples.PlayerRegistered" => state.registered(decode(event)?),
            "examples.FundsDeposited" => {
                state.bankroll = decode::<FundsDeposited>(event)?.new_balance;
            }
            "examples.FundsWithdrawn" => {
                state.bankroll = decode::<FundsWithdrawn>(event)?.new_balance;
            }
            "examples.FundsTransferred" => {
                state.bankroll = decode::<FundsTransferred>(event)?.new_balance;
            }
            "examples.FundsReserved" => state.reserved(decode(event)?),
            "examples.FundsReleased" => state.released(decode(event)?),
            "examples.PlayerSittingOut" => {
                decode::<PlayerSittingOut>(event)?;
                SITTING_OUT.clone_into(&mut state.status);
            }
            "examples.PlayerReturningToPlay" => {
                decode::<PlayerReturningToPlay>(event)?;
                ACTIVE.clone_into(&mut state.status);
            }
            _ => {}
        }
        Ok(())
    }

    fn decide(
        &self,
        root: &Root,
        state: &PlayerState,
        command: &Payload,
    ) -> Result<Payload, Failure> {
        match command.type_name() {
            "examples.RegisterPlayer" => self.register(state, decode(command)?),
            "examples.DepositFunds" => self.deposit(state, &decode(command)?),
            "examples.WithdrawFunds" => self.withdraw(state, &decode(command)?),
            "examples.ReserveFunds" => self.reserve(state, decode(command)?),
            "examples.ReleaseFunds" => self.release(state, decode(command)?),
            "examples.TransferFunds" => self.transfer(root, state, decode(command)?),
            "examples.SitOut" => self.sit_out(state, decode(command)?),
            "examples.SitIn" => self.sit_in(state, decode(command)?),
            "examples.RequestAction" => self.request_action(root, state, decode(command)?),
            _ => Err(unknown_command(&command.type_url)),
        }
    }

    /// Releases money that was reserved for a table if the table refused the player.
    fn compensate(
        &self,
        state: &PlayerState,
        rejection: &Rejection,
    ) -> Result<Compensation, Failure> {
        if rejection.command != "examples.JoinTable" {
            return Ok(Compensation::Unknown);
        }
        let reserved = state.table_reservations.get(&hex(&rejection.root));
        let Some(&amount) = reserved else {
            return Ok(Compensation::Nothing);
        };
        let event = self.released(state, rejection.root.clone(), amount);
        Ok(Compensation::Event(encode(&event)))
    }
}

/// One function for each command.
impl Player {
    fn register(&self, state: &PlayerState, command: RegisterPlayer) -> Result<Payload, Failure> {
        require(*state == PlayerState::default(), "Player already exists")?;
        require_filled(command.display_name.as_bytes(), "display_name")?;
        require_filled(command.email.as_bytes(), "email")?;
        Ok(encode(&PlayerRegistered {
            display_name: command.display_name,
            email: command.email,
            player_type: command.player_type,
            ai_model_id: command.ai_model_id,
            registered_at: Some(self.clock.now()),
        }))
    }

    fn deposit(&self, state: &PlayerState, command: &DepositFunds) -> Result<Payload, Failure> {
        state.require_exists()?;
        let amount = positive(command.amount.as_ref())?;
        let balance = sum(state.balance(), amount.amount)?;
        Ok(encode(&FundsDeposited {
            new_balance: Some(state.money(balance, &amount)),
            amount: Some(amount),
            deposited_at: Some(self.clock.now()),
        }))
    }

    fn withdraw(&self, state: &PlayerState, command: &WithdrawFunds) -> Result<Payload, Failure> {
        state.require_exists()?;
        let amount = positive(command.amount.as_ref())?;
        state.require_available(amount.amount)?;
        Ok(encode(&FundsWithdrawn {
            new_balance: Some(state.money(state.balance().saturating_sub(amount.amount), &amount)),
            amount: Some(amount),
            withdrawn_at: Some(self.clock.now()),
        }))
    }

    fn reserve(&self, state: &PlayerState, command: ReserveFunds) -> Result<Payload, Failure> {
        state.require_exists()?;
        let amount = positive(command.amount.as_ref())?;
        require_filled(&command.table_root, "table_root")?;
        let reserved_here = state
            .table_reservations
            .contains_key(&hex(&command.table_root));
        require(!reserved_here, "Funds already reserved for table")?;
        state.require_available(amount.amount)?;
        let bound = sum(state.bound(), amount.amount)?;
        Ok(encode(&FundsReserved {
            table_root: command.table_root,
            new_available_balance: Some(
                state.money(state.balance().saturating_sub(bound), &amount),
            ),
            new_reserved_balance: Some(state.money(bound, &amount)),
            amount: Some(amount),
            reserved_at: Some(self.clock.now()),
        }))
    }

    fn release(&self, state: &PlayerState, command: ReleaseFunds) -> Result<Payload, Failure> {
        state.require_exists()?;
        require_filled(&command.table_root, "table_root")?;
        let amount = *state
            .table_reservations
            .get(&hex(&command.table_root))
            .ok_or_else(|| Failure::rejected("No funds reserved for table"))?;
        Ok(encode(&self.released(state, command.table_root, amount)))
    }

    fn released(&self, state: &PlayerState, table_root: Vec<u8>, amount: i64) -> FundsReleased {
        let bound = state.bound().saturating_sub(amount);
        let money = |amount| Some(state.money(amount, &Currency::default()));
        FundsReleased {
            amount: money(amount),
            table_root,
            new_available_balance: money(state.balance().saturating_sub(bound)),
            new_reserved_balance: money(bound),
            released_at: Some(self.clock.now()),
        }
    }

    /// The command is addressed to the player who receives the money.
    fn transfer(
        &self,
        root: &Root,
        state: &PlayerState,
        command: TransferFunds,
    ) -> Result<Payload, Failure> {
        state.require_exists()?;
        let amount = positive(command.amount.as_ref())?;
        require_filled(&command.from_player_root, "from_player_root")?;
        require(
            command.from_player_root != root.as_bytes(),
            "Player cannot transfer funds to itself",
        )?;
        let balance = sum(state.balance(), amount.amount)?;
        Ok(encode(&FundsTransferred {
            from_player_root: command.from_player_root,
            to_player_root: root.as_bytes().to_vec(),
            new_balance: Some(state.money(balance, &amount)),
            amount: Some(amount),
            hand_root: command.hand_root,
            reason: command.reason,
            transferred_at: Some(self.clock.now()),
        }))
    }

    fn sit_out(&self, state: &PlayerState, command: SitOut) -> Result<Payload, Failure> {
        state.require_exists()?;
        require_filled(&command.table_root, "table_root")?;
        require(state.status != SITTING_OUT, "Player is already sitting out")?;
        Ok(encode(&PlayerSittingOut {
            table_root: command.table_root,
            sat_out_at: Some(self.clock.now()),
        }))
    }

    fn sit_in(&self, state: &PlayerState, command: SitIn) -> Result<Payload, Failure> {
        state.require_exists()?;
        require_filled(&command.table_root, "table_root")?;
        require(state.status == SITTING_OUT, "Player is not sitting out")?;
        Ok(encode(&PlayerReturningToPlay {
            table_root: command.table_root,
            sat_in_at: Some(self.clock.now()),
        }))
    }

    fn request_action(
        &self,
        root: &Root,
        state: &PlayerState,
        command: RequestAction,
    ) -> Result<Payload, Failure> {
        state.require_exists()?;
        require_filled(&command.hand_root, "hand_root")?;
        require(
            command.timeout_seconds >= 0,
            "timeout_seconds must not be negative",
        )?;
        let mut deadline = self.clock.now();
        deadline.seconds = deadline
            .seconds
            .saturating_add(i64::from(command.timeout_seconds));
        Ok(encode(&ActionRequested {
            hand_root: command.hand_root,
            table_root: command.table_root,
            player_root: root.as_bytes().to_vec(),
            player_type: state.player_type,
            amount_to_call: command.amount_to_call,
            min_raise: command.min_raise,
            max_raise: command.max_raise,
            hole_cards: command.hole_cards,
            community_cards: command.community_cards,
            pot_size: command.pot_size,
            phase: command.phase,
            deadline: Some(deadline),
        }))
    }
}
