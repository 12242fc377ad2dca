//! The demo's logic in a process of its own.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The demo's server; ends when it is dropped.
pub(crate) struct Poker {
    process: Child,
    address: String,
}

impl Poker {
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poker"));
        Self::run(command.args(["--domain", "player", "--port", "0"]))
    }

    /// Starts a server that first prints a line with its address, as `player on ADDRESS`.
    pub(crate) fn run(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("its output is piped")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split([' ', ',']).nth(2).unwrap_or_default().to_owned();
        Ok(Self { process, address })
    }

    #[allow(
        dead_code,
        reason = "only one of the benchmarks reads its processor time"
    )]
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
