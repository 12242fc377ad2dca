//! Processes: the demo's logic as a server, and this program as the test binary.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const AS_HARNESS: &str = "REPLAY_BENCHMARK_AS_HARNESS";

/// The demo's server, ended with the value.
pub(crate) struct Poker {
    process: Child,
    address: String,
}

impl Poker {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_poker"))
            .args(["--domain", "player", "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("its output is piped")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split([' ', ',']).nth(2).unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Poker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether this process was started to be the test binary.
pub(crate) fn is_harness() -> bool {
    std::env::var_os(AS_HARNESS).is_some()
}

/// Runs the test binary on a folder, from start to end. What it does is the `main` of `tests/replay.rs`.
pub(crate) fn harness(
    fixtures: &Path,
    player: Option<&str>,
    only_list: bool,
) -> Result<Duration, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .current_dir(super::repository())
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
