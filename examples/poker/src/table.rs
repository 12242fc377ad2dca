//! The table: who sits where, and which hand is being played.

use std::collections::BTreeMap;

use angzarr_replay::logic::{
    Answer, CommandBook, EventBook, Failure, Logic, Page, Payload, Root, Snapshot, Timestamp,
};

use crate::aggregate::{Aggregate, Compensation, decode, encode, unknown_command};
use crate::clock::{Clock, system_clock};
use crate::messages::{
    AddChips, ChipsAdded, CreateTable, EndHand, HandEnded, HandStarted, JoinTable, LeaveTable,
    PlayerJoined, PlayerLeft, PlayerSatIn, PlayerSatOut, SeatSnapshot, TableCreated, TableState,
};
use crate::notification::Rejection;
use crate::rules::{hex, require, require_filled, require_positive, sum};

mod state;

/// Business logic of the domain `table`.
///
/// Emits one page per command, with a sequence and without a cover.
#[derive(Debug)]
pub struct Table {
    clock: Clock,
}

impl Table {
    /// Logic whose events have the time of `clock`.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock::new(clock),
        }
    }
}

impl Default for Table {
    /// Logic with the machine's clock.
    fn default() -> Self {
        Self::new(system_clock)
    }
}

impl Logic for Table {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        self.answer(prior, command)
    }

    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        Self::state(snapshot, pages).map(|state| encode(&state))
    }
}

impl Aggregate for Table {
    type State = TableState;

    fn apply(state: &mut TableState, event: &Payload) -> Result<(), Failure> {
        match event.type_name() {
            "examples.TableCreated" => state.created(decode(event)?),
            "examples.PlayerJoined" => state.joined(decode(event)?),
            "examples.PlayerLeft" => state.left(&decode(event)?),
            "examples.PlayerSatOut" => {
                state.sits_out(&decode::<PlayerSatOut>(event)?.player_root, true);
            }
            "examples.PlayerSatIn" => {
                state.sits_out(&decode::<PlayerSatIn>(event)?.player_root, false);
            }
            "examples.ChipsAdded" => state.chips_added(&decode(event)?),
            "examples.HandStarted" => state.hand_started(decode(event)?),
            "examples.HandEnded" => state.hand_ended(&decode(event)?),
            _ => {}
        }
        Ok(())
    }

    fn decide(
        &self,
        root: &Root,
        state: &TableState,
        command: &Payload,
    ) -> Result<Payload, Failure> {
        match command.type_name() {
            "examples.CreateTable" => self.create(state, decode(command)?),
            "examples.JoinTable" => self.join(state, decode(command)?),
            "examples.LeaveTable" => self.leave(state, decode(command)?),
            "examples.AddChips" => self.add_chips(state, decode(command)?),
            "examples.StartHand" => {
                decode::<crate::messages::StartHand>(command)?;
                self.start_hand(root, state)
            }
            "examples.EndHand" => self.end_hand(state, decode(command)?),
            _ => Err(unknown_command(&command.type_url)),
        }
    }

    /// Ends a hand without results if its cards were never dealt.
    fn compensate(
        &self,
        state: &TableState,
        rejection: &Rejection,
    ) -> Result<Compensation, Failure> {
        if rejection.command != "examples.DealCards" {
            return Ok(Compensation::Unknown);
        }
        if rejection.root.is_empty() || rejection.root != state.current_hand_root {
            return Ok(Compensation::Nothing);
        }
        let end = EndHand {
            hand_root: rejection.root.clone(),
            results: Vec::new(),
        };
        self.end_hand(state, end).map(Compensation::Event)
    }
}

/// One function for each command.
impl Table {
    fn create(&self, state: &TableState, command: CreateTable) -> Result<Payload, Failure> {
        require(*state == TableState::default(), "Table already exists")?;
        require_filled(command.table_name.as_bytes(), "table_name")?;
        require(command.small_blind > 0, "small_blind must be positive")?;
        require(
            command.big_blind >= command.small_blind,
            "big_blind must not be below small_blind",
        )?;
        require(command.min_buy_in > 0, "min_buy_in must be positive")?;
        require(
            command.max_buy_in >= command.min_buy_in,
            "max_buy_in must not be below min_buy_in",
        )?;
        require(
            (2..=10).contains(&command.max_players),
            "max_players must be 2 to 10",
        )?;
        Ok(encode(&TableCreated {
            table_name: command.table_name,
            game_variant: command.game_variant,
            small_blind: command.small_blind,
            big_blind: command.big_blind,
            min_buy_in: command.min_buy_in,
            max_buy_in: command.max_buy_in,
            max_players: command.max_players,
            action_timeout_seconds: command.action_timeout_seconds,
            created_at: Some(self.clock.now()),
        }))
    }

    fn join(&self, state: &TableState, command: JoinTable) -> Result<Payload, Failure> {
        state.require_exists()?;
        require_filled(&command.player_root, "player_root")?;
        require(
            state.seat_of(&command.player_root).is_none(),
            "Player already seated at table",
        )?;
        require(
            command.buy_in_amount >= state.min_buy_in,
            "Buy-in is below the table's minimum",
        )?;
        require(
            command.buy_in_amount <= state.max_buy_in,
            "Buy-in is above the table's maximum",
        )?;
        let seat_position = state.seat_for(command.preferred_seat)?;
        Ok(encode(&PlayerJoined {
            player_root: command.player_root,
            seat_position,
            buy_in_amount: command.buy_in_amount,
            stack: command.buy_in_amount,
            joined_at: Some(self.clock.now()),
        }))
    }

    fn leave(&self, state: &TableState, command: LeaveTable) -> Result<Payload, Failure> {
        state.require_exists()?;
        let seat = state.require_seated(&command.player_root)?;
        state.require_no_hand()?;
        Ok(encode(&PlayerLeft {
            seat_position: seat.position,
            chips_cashed_out: seat.chips(),
            player_root: command.player_root,
            left_at: Some(self.clock.now()),
        }))
    }

    fn add_chips(&self, state: &TableState, command: AddChips) -> Result<Payload, Failure> {
        state.require_exists()?;
        let seat = state.require_seated(&command.player_root)?;
        require_positive(command.amount)?;
        state.require_no_hand()?;
        let new_stack = sum(seat.chips(), command.amount)?;
        require(
            new_stack <= state.max_buy_in,
            "Stack would be above the table's maximum",
        )?;
        Ok(encode(&ChipsAdded {
            player_root: command.player_root,
            amount: command.amount,
            new_stack,
            added_at: Some(self.clock.now()),
        }))
    }

    fn start_hand(&self, root: &Root, state: &TableState) -> Result<Payload, Failure> {
        state.require_exists()?;
        state.require_no_hand()?;
        let players = state.players();
        require(players.len() >= 2, "Not enough players to start a hand")?;
        let hand_number = sum(state.hand_count, 1)?;
        let positions: Vec<i32> = players.iter().map(|seat| seat.position).collect();
        let dealer_position = next_of(&positions, state.dealer_position);
        // Two players: the dealer posts the small blind.
        let small_blind_position = if positions.len() == 2 {
            dealer_position
        } else {
            next_of(&positions, dealer_position)
        };
        let big_blind_position = next_of(&positions, small_blind_position);
        let active_players = players.iter().map(|seat| SeatSnapshot {
            position: seat.position,
            player_root: seat.player_root.clone(),
            stack: seat.chips(),
        });
        Ok(encode(&HandStarted {
            hand_root: hand_root(root, hand_number).to_vec(),
            hand_number,
            dealer_position,
            small_blind_position,
            big_blind_position,
            active_players: active_players.collect(),
            game_variant: state.game_variant,
            small_blind: state.small_blind,
            big_blind: state.big_blind,
            started_at: Some(self.clock.now()),
        }))
    }

    fn end_hand(&self, state: &TableState, command: EndHand) -> Result<Payload, Failure> {
        state.require_exists()?;
        require(!state.current_hand_root.is_empty(), "No hand in progress")?;
        require(
            command.hand_root == state.current_hand_root,
            "Another hand is in progress",
        )?;
        let mut stack_changes = BTreeMap::new();
        for result in &command.results {
            state.require_seated(&result.winner_root)?;
            require_positive(result.amount)?;
            let change = stack_changes.entry(hex(&result.winner_root)).or_insert(0);
            *change = sum(*change, result.amount)?;
        }
        Ok(encode(&HandEnded {
            hand_root: command.hand_root,
            results: command.results,
            stack_changes,
            ended_at: Some(self.clock.now()),
        }))
    }
}

/// The next of the sorted positions after `position`, starting again at the first.
fn next_of(positions: &[i32], position: i32) -> i32 {
    let after = positions.iter().copied().find(|&other| other > position);
    after.or(positions.first().copied()).unwrap_or(position)
}

/// Root of a hand: the table's root with the number of the hand mixed into its last seven bytes, marked as a version 8 UUID.
/// This is the demo's own rule, because the recording does not show how the deployment derives its roots.
fn hand_root(table: &Root, hand_number: i64) -> [u8; 16] {
    let mut root = *table.as_bytes();
    for (byte, number) in root[9..].iter_mut().zip(&hand_number.to_be_bytes()[1..]) {
        *byte ^= number;
    }
    root[6] = 0x80 | (root[6] & 0x0f);
    root[8] = 0x80 | (root[8] & 0x3f);
    root
}
