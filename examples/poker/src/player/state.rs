//! The player's state: how events change it, and the checks of its commands.
//!
//! Pages have no root, so `player_id` stays empty unless a snapshot has it.

use angzarr_replay::logic::Failure;

use crate::messages::{Currency, FundsReleased, FundsReserved, PlayerRegistered, PlayerState};
use crate::rules::{hex, require};

pub(super) const ACTIVE: &str = "active";
pub(super) const SITTING_OUT: &str = "sitting_out";

impl PlayerState {
    pub(super) fn registered(&mut self, event: PlayerRegistered) {
        self.display_name = event.display_name;
        self.email = event.email;
        self.player_type = event.player_type;
        self.ai_model_id = event.ai_model_id;
        ACTIVE.clone_into(&mut self.status);
    }

    pub(super) fn reserved(&mut self, event: FundsReserved) {
        let amount = event.amount.map_or(0, |amount| amount.amount);
        self.table_reservations
            .insert(hex(&event.table_root), amount);
        self.reserved_funds = event.new_reserved_balance;
    }

    pub(super) fn released(&mut self, event: FundsReleased) {
        self.table_reservations.remove(&hex(&event.table_root));
        self.reserved_funds = event.new_reserved_balance;
    }

    pub(super) fn require_exists(&self) -> Result<(), Failure> {
        require(*self != Self::default(), "Player does not exist")
    }

    pub(super) fn balance(&self) -> i64 {
        self.bankroll.as_ref().map_or(0, |bankroll| bankroll.amount)
    }

    pub(super) fn bound(&self) -> i64 {
        self.reserved_funds
            .as_ref()
            .map_or(0, |reserved| reserved.amount)
    }

    pub(super) fn require_available(&self, amount: i64) -> Result<(), Failure> {
        require(
            self.balance().saturating_sub(self.bound()) >= amount,
            "Insufficient funds",
        )
    }

    /// An amount in the bankroll's currency, or in the command's if the bankroll has none yet.
    pub(super) fn money(&self, amount: i64, command: &Currency) -> Currency {
        let own = self
            .bankroll
            .as_ref()
            .map(|bankroll| &bankroll.currency_code)
            .filter(|code| !code.is_empty());
        Currency {
            amount,
            currency_code: own.unwrap_or(&command.currency_code).clone(),
        }
    }
}
