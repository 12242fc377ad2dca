//! Runs this program as the test binary and as a server, and logic in Python.

use std::error::Error;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use angzarr_replay::internal::grpc::serve_logic_on_unix_socket;
use angzarr_replay::internal::wire::Dialect;
use poker::Player;

use super::server::Poker;

const AS_HARNESS: &str = "REPLAY_BENCHMARK_AS_HARNESS";
const AS_SERVER: &str = "REPLAY_BENCHMARK_AS_SERVER";

/// Whether this process was started to be the test binary.
pub(crate) fn is_harness() -> bool {
    std::env::var_os(AS_HARNESS).is_some()
}

/// Runs the test binary on a folder. It does the same as the `main` of `tests/replay.rs`.
pub(crate) fn harness(
    fixtures: &Path,
    player: Option<&str>,
    only_list: bool,
) -> Result<Duration, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .current_dir(super::corpus::benches())
        .env(AS_HARNESS, "")
        .env("ANGZARR_REPLAY__FIXTURES", fixtures)
        .stdout(Stdio::null());
    if let Some(address) = player {
        command.env("ANGZARR_REPLAY__LOGIC__PLAYER__ADDRESS", address);
    }
    if only_list {
        command.arg("--list");
    }
    let start = Instant::now();
    let status = command.status()?;
    let took = start.elapsed();
    if status.success() {
        Ok(took)
    } else {
        Err(format!("the test binary ended with {status}").into())
    }
}

/// The Unix socket that this process was started to serve the demo's logic on.
pub(crate) fn socket_to_serve_on() -> Option<PathBuf> {
    std::env::var_os(AS_SERVER).map(PathBuf::from)
}

/// Serves the demo's logic on a Unix socket until the process ends.
pub(crate) fn serve(socket: &Path) -> ExitCode {
    let logic = Arc::new(Player::default());
    let serving = UnixListener::bind(socket)
        .and_then(|listener| serve_logic_on_unix_socket(listener, Dialect::ANGZARR, logic));
    match serving {
        Ok(threads) => {
            println!("player on unix:{},", socket.display());
            threads.wait();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts a process that serves the demo's logic on a Unix socket.
pub(crate) fn serving_on_socket(socket: &Path) -> Result<Poker, Box<dyn Error>> {
    Poker::run(Command::new(std::env::current_exe()?).env(AS_SERVER, socket))
}

/// Starts the demo's logic in Python. The interpreter has its requirements.
pub(crate) fn python_logic(interpreter: &str) -> Result<Poker, Box<dyn Error>> {
    let examples = super::corpus::benches().join("../examples/poker-python");
    Poker::run(
        Command::new(interpreter)
            .arg(examples.join("player.py"))
            .env("PORT", "0"),
    )
}
