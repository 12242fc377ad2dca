//! The logic that captured cases are replayed on. Logic that serves gRPC is named in replay.toml and not here.

use angzarr_replay::App;

/// Both mains use it: the tests, and `cargo replay`.
pub fn app() -> App {
    // Logic that runs in process is registered under its domain: `.logic("DOMAIN", logic)`. It is a function
    // `fn logic(prior: &EventBook, command: &CommandBook) -> Answer`, or implements `angzarr_replay::logic::Logic`.
    App::new().called("cargo replay")
}
