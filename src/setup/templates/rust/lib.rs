//! The logic that captured cases are replayed on.

use angzarr_replay::App;

/// Both mains use it: the tests, and `cargo replay`.
pub fn app() -> App {
    // Logic that serves gRPC is named in replay.toml. Logic that implements `angzarr_replay::logic::Logic` runs in process:
    // App::new().logic("player", player::Player)
    App::new().called("cargo replay")
}
