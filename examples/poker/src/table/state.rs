//! The table's state: how events change it, and the checks of its commands.
//!
//! Pages have no root, so `table_id` stays empty unless a snapshot has it.

use angzarr_replay::logic::Failure;

use crate::messages::TableState;
use crate::messages::{
    ChipsAdded, Currency, HandEnded, HandStarted, PlayerJoined, PlayerLeft, Seat, TableCreated,
};
use crate::rules::{hex, require};

const WAITING: &str = "waiting";
const IN_HAND: &str = "in_hand";
/// Currency of stacks, which are plain numbers in events.
const CHIPS: &str = "CHIPS";

impl Seat {
    /// The stack.
    pub(super) fn chips(&self) -> i64 {
        self.stack.as_ref().map_or(0, |stack| stack.amount)
    }

    fn put(&mut self, amount: i64) {
        self.stack = Some(Currency {
            amount,
            currency_code: CHIPS.to_owned(),
        });
    }
}

/// Events.
impl TableState {
    pub(super) fn created(&mut self, event: TableCreated) {
        self.table_name = event.table_name;
        self.game_variant = event.game_variant;
        self.small_blind = event.small_blind;
        self.big_blind = event.big_blind;
        self.min_buy_in = event.min_buy_in;
        self.max_buy_in = event.max_buy_in;
        self.max_players = event.max_players;
        self.action_timeout_seconds = event.action_timeout_seconds;
        WAITING.clone_into(&mut self.status);
    }

    /// Keeps seats sorted by position.
    pub(super) fn joined(&mut self, event: PlayerJoined) {
        let mut seat = Seat {
            position: event.seat_position,
            player_root: event.player_root,
            is_active: true,
            ..Seat::default()
        };
        seat.put(event.stack);
        let at = self
            .seats
            .partition_point(|other| other.position < seat.position);
        self.seats.insert(at, seat);
    }

    pub(super) fn left(&mut self, event: &PlayerLeft) {
        self.seats
            .retain(|seat| seat.player_root != event.player_root);
    }

    pub(super) fn sits_out(&mut self, player: &[u8], sits_out: bool) {
        if let Some(seat) = self
            .seats
            .iter_mut()
            .find(|seat| seat.player_root == player)
        {
            seat.is_sitting_out = sits_out;
        }
    }

    pub(super) fn chips_added(&mut self, event: &ChipsAdded) {
        if let Some(seat) = self
            .seats
            .iter_mut()
            .find(|seat| seat.player_root == event.player_root)
        {
            seat.put(event.new_stack);
        }
    }

    pub(super) fn hand_started(&mut self, event: HandStarted) {
        self.hand_count = event.hand_number;
        self.dealer_position = event.dealer_position;
        self.current_hand_root = event.hand_root;
        IN_HAND.clone_into(&mut self.status);
    }

    pub(super) fn hand_ended(&mut self, event: &HandEnded) {
        for seat in &mut self.seats {
            if let Some(change) = event.stack_changes.get(&hex(&seat.player_root)) {
                seat.put(seat.chips().saturating_add(*change));
            }
        }
        self.current_hand_root.clear();
        WAITING.clone_into(&mut self.status);
    }
}

/// Queries and checks.
impl TableState {
    pub(super) fn require_exists(&self) -> Result<(), Failure> {
        require(*self != Self::default(), "Table does not exist")
    }

    pub(super) fn require_no_hand(&self) -> Result<(), Failure> {
        require(self.current_hand_root.is_empty(), "Hand in progress")
    }

    pub(super) fn seat_of(&self, player: &[u8]) -> Option<&Seat> {
        self.seats.iter().find(|seat| seat.player_root == player)
    }

    pub(super) fn require_seated(&self, player: &[u8]) -> Result<&Seat, Failure> {
        self.seat_of(player)
            .ok_or_else(|| Failure::rejected("Player is not seated at table"))
    }

    /// The seat that a player gets. Seat 0 cannot be distinguished from no preference, so a player who asks for it gets the
    /// first free seat.
    pub(super) fn seat_for(&self, preferred: i32) -> Result<i32, Failure> {
        let taken = |position: i32| self.seats.iter().any(|seat| seat.position == position);
        let first_free = (0..self.max_players).find(|&position| !taken(position));
        let first_free = first_free.ok_or_else(|| Failure::rejected("Table is full"))?;
        if preferred == 0 {
            return Ok(first_free);
        }
        require(
            (0..self.max_players).contains(&preferred),
            "Seat does not exist",
        )?;
        require(!taken(preferred), "Seat is taken")?;
        Ok(preferred)
    }

    /// Seats that take part in the next hand.
    pub(super) fn players(&self) -> Vec<&Seat> {
        self.seats
            .iter()
            .filter(|seat| seat.is_active && !seat.is_sitting_out && seat.chips() > 0)
            .collect()
    }
}
