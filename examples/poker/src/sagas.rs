//! The sagas: they turn events of one domain into commands for another.

use std::collections::BTreeMap;

use angzarr_replay::logic::{
    Destinations, EmittedCommand, EventBook, Failure, Header, Reaction, Saga,
};

use crate::aggregate::{decode, encode};
use crate::messages::{Currency, DepositFunds, FundsReserved, HandComplete, JoinTable};
use crate::reaction::{command, events};

/// Currency of the winnings.
const CHIPS: &str = "CHIPS";

/// The saga `hand-player`: pays the winners of a hand.
///
/// Sends one command per winner, in the order of the pots, with the sequence that the request has for the domain `player`, or
/// without a header if it has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct HandPlayer;

impl Saga for HandPlayer {
    fn react(&self, source: &EventBook, destinations: &Destinations) -> Result<Reaction, Failure> {
        let head = destinations.get("player").copied().unwrap_or_default();
        let mut commands = Vec::new();
        for event in events(source) {
            if event.type_name() == "examples.HandComplete" {
                commands.extend(payouts(&decode(event)?, head));
            }
        }
        Ok(Reaction::of_commands(commands))
    }
}

/// A winner of several pots gets one command, because two with the same sequence could not both be accepted.
fn payouts(hand: &HandComplete, head: u32) -> Vec<EmittedCommand> {
    let mut winners: Vec<&[u8]> = Vec::new();
    let mut won: BTreeMap<&[u8], i64> = BTreeMap::new();
    for pot in &hand.winners {
        let amount = won.entry(&pot.player_root).or_insert_with(|| {
            winners.push(&pot.player_root);
            0
        });
        *amount = amount.saturating_add(pot.amount);
    }
    let payout = |root: &[u8]| {
        let amount = Currency {
            amount: won.get(root).copied().unwrap_or_default(),
            currency_code: CHIPS.to_owned(),
        };
        let deposit = DepositFunds {
            amount: Some(amount),
        };
        let mut payout = command("player", root, encode(&deposit));
        if head != 0 {
            for page in &mut payout.pages {
                page.header = Header::Sequence(head);
            }
        }
        payout
    };
    winners.into_iter().map(payout).collect()
}

/// The saga `player-table`: seats a player who reserved money for a table.
///
/// It prefers no seat. The command has no header, so it applies at any head of the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlayerTable;

impl Saga for PlayerTable {
    fn react(&self, source: &EventBook, _: &Destinations) -> Result<Reaction, Failure> {
        let mut commands = Vec::new();
        for event in events(source) {
            if event.type_name() == "examples.FundsReserved" {
                let reserved: FundsReserved = decode(event)?;
                let join = JoinTable {
                    player_root: source.cover.root.as_bytes().to_vec(),
                    preferred_seat: 0,
                    buy_in_amount: reserved.amount.unwrap_or_default().amount,
                };
                commands.push(command("table", &reserved.table_root, encode(&join)));
            }
        }
        Ok(Reaction::of_commands(commands))
    }
}
