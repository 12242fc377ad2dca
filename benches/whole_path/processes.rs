//! Runs this program as the test binary.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const AS_HARNESS: &str = "REPLAY_BENCHMARK_AS_HARNESS";

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
