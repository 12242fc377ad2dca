//! `angzarr-replay`: all commands, and the harness as `angzarr-replay test`, for projects whose logic is replayed over
//! gRPC. Rust logic that is replayed in process needs mains of its own, see the library's page.

use std::process::ExitCode;

fn main() -> ExitCode {
    angzarr_replay::App::new().program()
}
