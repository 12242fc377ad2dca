//! Demo business logic: the player and table aggregates of the recorded poker deployment, as [`Logic`], and the sagas,
//! process manager, projector and upcaster around them.
//!
//! The rules follow the recorded traffic (`recorded/`), with plausible additions for cases that it does not show. Knows
//! neither gRPC nor how histories are stored. Whoever creates an aggregate provides its clock.
//!
//! [`Logic`]: angzarr_replay::logic::Logic

mod aggregate;
mod buy_in;
mod clock;
mod deployment;
mod notification;
mod player;
mod reaction;
mod rules;
mod sagas;
mod seats;
mod table;
mod upcaster;

/// The messages of `proto/examples` and `hand_proto/examples`.
#[allow(
    missing_docs,
    clippy::pedantic,
    reason = "generated; the .proto files have the comments"
)]
pub mod messages {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));

    /// Old events.
    pub mod legacy {
        include!(concat!(env!("OUT_DIR"), "/examples.legacy.rs"));
    }

    /// The views of projectors.
    pub mod views {
        include!(concat!(env!("OUT_DIR"), "/examples.views.rs"));
    }
}

pub use buy_in::BuyIn;
pub use clock::system_clock;
pub use deployment::deployment;
pub use player::Player;
pub use sagas::{HandPlayer, PlayerTable};
pub use seats::Seats;
pub use table::Table;
pub use upcaster::PlayerUpcaster;

/// The app of the mains in this repository: logic and components in process, and the recorded deployment to capture from.
#[must_use]
pub fn app() -> angzarr_replay::App {
    angzarr_replay::App::new()
        .logic("player", Player::default())
        .logic("table", Table::default())
        .saga("hand-player", HandPlayer)
        .saga("player-table", PlayerTable)
        .process_manager("buy-in", BuyIn::default())
        .projector("seats", Seats::default())
        .upcaster("player-upcaster", PlayerUpcaster)
        .embedded(deployment)
}
