//! The process manager `buy-in`: takes a player from a buy-in request to a seat at the table, or undoes it.
//!
//! Roots and currency follow the recorded example: a command goes to the root of the aggregate that triggered it, but in the
//! other domain, and amounts become "USD".

use angzarr_replay::logic::{
    Cover, Destinations, EmittedBook, EventBook, Failure, Payload, ProcessManager, Reaction, Root,
    Timestamp,
};

use crate::aggregate::{decode, encode};
use crate::clock::{Clock, system_clock};
use crate::messages::{
    BuyInCompleted, BuyInFailed, BuyInInitiated, BuyInOrchestratorState, BuyInPhase,
    BuyInRequested, ConfirmBuyIn, Currency, OrchestrationFailure, PlayerSeated, ReleaseBuyIn,
    SeatPlayer, SeatingRejected,
};
use crate::notification::{is_notification, rejection};
use crate::reaction::{command, domain, events};

const CURRENCY: &str = "USD";

/// The process manager of the domain `pmg-buy-in`. The root of its stream is the id of the reservation.
///
/// Ignores events that come out of order, such as a second answer of the table.
#[derive(Debug)]
pub struct BuyIn {
    clock: Clock,
}

impl BuyIn {
    /// A process manager whose events have the time of `clock`.
    pub fn new(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock::new(clock),
        }
    }
}

impl Default for BuyIn {
    /// A process manager with the machine's clock.
    fn default() -> Self {
        Self::new(system_clock)
    }
}

impl ProcessManager for BuyIn {
    fn prepare(&self, trigger: &EventBook, _: &EventBook) -> Result<Vec<Cover>, Failure> {
        let mut tables = Vec::new();
        for event in events(trigger) {
            if event.type_name() == "examples.BuyInRequested" {
                let requested: BuyInRequested = decode(event)?;
                let table = Root::from_slice(&requested.table_root).ok();
                tables.extend(table.map(|root| Cover::main(domain("table"), root)));
            }
        }
        Ok(tables)
    }

    fn react(
        &self,
        trigger: &EventBook,
        state: &EventBook,
        _: &Destinations,
    ) -> Result<Reaction, Failure> {
        let mut workflow = fold(state)?;
        let (mut own, mut commands) = (Vec::new(), Vec::new());
        for event in events(trigger) {
            let Some(step) = self.step(&trigger.cover, &workflow, event)? else {
                continue;
            };
            apply(&mut workflow, &step.event)?;
            own.push(step.event);
            let mut sent = command(step.to, &step.root, step.command);
            if let Some(cover) = &mut sent.cover {
                cover
                    .correlation_id
                    .clone_from(&trigger.cover.correlation_id);
            }
            commands.push(sent);
        }
        let process_events = (!own.is_empty()).then(|| EmittedBook::of_events(own));
        let process_events = process_events.into_iter().collect();
        Ok(Reaction::of_commands(commands).with_process_events(process_events))
    }
}

/// The reaction to one event.
struct Step {
    event: Payload,
    to: &'static str,
    root: Vec<u8>,
    command: Payload,
}

impl BuyIn {
    fn step(
        &self,
        trigger: &Cover,
        workflow: &BuyInOrchestratorState,
        event: &Payload,
    ) -> Result<Option<Step>, Failure> {
        let is_seating = workflow.phase() == BuyInPhase::BuyInSeating;
        let root = trigger.root.as_bytes();
        Ok(match event.type_name() {
            "examples.BuyInRequested" if workflow.phase() == BuyInPhase::Unspecified => {
                Some(self.requested(root, decode(event)?))
            }
            "examples.PlayerSeated" if is_seating => {
                Some(self.seated(root, workflow, decode(event)?))
            }
            "examples.SeatingRejected" if is_seating => {
                let rejected: SeatingRejected = decode(event)?;
                let (player, reservation) = (rejected.player_root, rejected.reservation_id);
                Some(self.failed(root, player, reservation, rejected.reason))
            }
            _ if is_notification(event) && is_seating => self.refused(workflow, event)?,
            _ => None,
        })
    }

    fn requested(&self, player: &[u8; 16], wish: BuyInRequested) -> Step {
        let amount = wish.amount.unwrap_or_default().amount;
        let seat_player = SeatPlayer {
            player_root: player.to_vec(),
            reservation_id: wish.reservation_id.clone(),
            seat: wish.seat,
            amount,
        };
        Step {
            event: encode(&BuyInInitiated {
                player_root: player.to_vec(),
                table_root: wish.table_root,
                reservation_id: wish.reservation_id,
                seat: wish.seat,
                amount: money(amount),
                phase: BuyInPhase::BuyInSeating.into(),
                initiated_at: Some(self.clock.now()),
            }),
            to: "table",
            root: player.to_vec(),
            command: encode(&seat_player),
        }
    }

    fn seated(
        &self,
        trigger: &[u8; 16],
        workflow: &BuyInOrchestratorState,
        seated: PlayerSeated,
    ) -> Step {
        let confirm = ConfirmBuyIn {
            reservation_id: seated.reservation_id.clone(),
        };
        Step {
            event: encode(&BuyInCompleted {
                player_root: seated.player_root,
                table_root: workflow.table_root.clone(),
                reservation_id: seated.reservation_id,
                seat: seated.seat_position,
                amount: money(seated.stack),
                completed_at: Some(self.clock.now()),
            }),
            to: "player",
            root: trigger.to_vec(),
            command: encode(&confirm),
        }
    }

    /// Does not name the table, as in the recorded example.
    fn failed(&self, to: &[u8], player: Vec<u8>, reservation: Vec<u8>, reason: String) -> Step {
        let release = ReleaseBuyIn {
            reservation_id: reservation.clone(),
            reason: reason.clone(),
        };
        let failure = OrchestrationFailure {
            code: "SEATING_REJECTED".to_owned(),
            message: reason,
            failed_at_phase: "SEATING".to_owned(),
            failed_at: Some(self.clock.now()),
        };
        Step {
            event: encode(&BuyInFailed {
                player_root: player,
                table_root: Vec::new(),
                reservation_id: reservation,
                failure: Some(failure),
            }),
            to: "player",
            root: to.to_vec(),
            command: encode(&release),
        }
    }

    /// The table refused the command, so there is no event, only the framework's notification.
    fn refused(
        &self,
        workflow: &BuyInOrchestratorState,
        event: &Payload,
    ) -> Result<Option<Step>, Failure> {
        let told = rejection(event)?.filter(|told| told.command == "examples.SeatPlayer");
        Ok(told.map(|told| {
            let player = workflow.player_root.clone();
            let reservation = workflow.reservation_id.clone();
            self.failed(&workflow.player_root, player, reservation, told.reason)
        }))
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as the messages have it")]
fn money(amount: i64) -> Option<Currency> {
    Some(Currency {
        amount,
        currency_code: CURRENCY.to_owned(),
    })
}

fn fold(stream: &EventBook) -> Result<BuyInOrchestratorState, Failure> {
    let mut state = BuyInOrchestratorState::default();
    for event in events(stream) {
        apply(&mut state, event)?;
    }
    Ok(state)
}

fn apply(state: &mut BuyInOrchestratorState, event: &Payload) -> Result<(), Failure> {
    match event.type_name() {
        "examples.BuyInInitiated" => {
            let begun: BuyInInitiated = decode(event)?;
            *state = BuyInOrchestratorState {
                phase: begun.phase,
                reservation_id: begun.reservation_id,
                player_root: begun.player_root,
                table_root: begun.table_root,
                seat: begun.seat,
                amount: begun.amount.unwrap_or_default().amount,
                started_at: begun.initiated_at,
            };
        }
        "examples.BuyInCompleted" => {
            decode::<BuyInCompleted>(event)?;
            state.set_phase(BuyInPhase::BuyInCompleted);
        }
        "examples.BuyInFailed" => {
            decode::<BuyInFailed>(event)?;
            state.set_phase(BuyInPhase::BuyInFailed);
        }
        _ => {}
    }
    Ok(())
}
