//! Demo business logic: the player and table aggregates of the recorded poker deployment, as [`Logic`].
//!
//! The rules are read off the recorded traffic (`recorded/`) and go on sensibly where it is silent. Nothing here
//! knows gRPC or how histories are stored; time comes in from whoever makes the aggregate.
//!
//! [`Logic`]: angzarr_replay::model::Logic

mod aggregate;
mod clock;
mod player;
mod rules;
mod table;

/// The messages of `proto/examples`.
#[allow(
    missing_docs,
    clippy::pedantic,
    reason = "generated; the .proto files hold the words"
)]
pub mod messages {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));
}

pub use clock::system_clock;
pub use player::Player;
pub use table::Table;
