//! A tunnel to a source, opened by a command of the user's, such as a port forward. It closes when it is dropped.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::group::OwnedGroup;
use crate::output::LastOutput;
use crate::port::{free_port, says_port_is_taken, with_port};

/// How a tunnel is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelCommand {
    /// Program and arguments; `{port}` stands for a free local port.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// Address of the tunnel's near end; `{port}` stands for the port.
    pub address: String,
    /// Time limit for opening.
    pub timeout: Duration,
}

/// A tunnel that did not open.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// There is no command.
    #[error("`connect` is empty")]
    Empty,
    /// The program cannot be run.
    #[error("`connect` cannot run `{program}`: {reason}")]
    CannotRun {
        /// The program.
        program: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The command ended before the tunnel was open.
    #[error("`connect` ended with {status} before {address} could be reached{output}")]
    Exited {
        /// Exit status of the command.
        status: ExitStatus,
        /// Address that should have been reachable.
        address: String,
        /// Its last output.
        output: LastOutput,
    },
    /// The command runs, but the tunnel was not open in time.
    #[error("`connect` runs, but {address} could not be reached within {seconds} s{output}")]
    Hangs {
        /// Address that should have been reachable.
        address: String,
        /// The time limit, in seconds.
        seconds: u64,
        /// Its last output.
        output: LastOutput,
    },
    /// Another process listens on the address.
    #[error(
        "something is already listening on {address}, so `connect` was not run; end it, or write {{port}} in the address \
         and in `connect` so that a free one is taken"
    )]
    Taken {
        /// The address.
        address: String,
    },
    /// No port is free.
    #[error("no free port on 127.0.0.1 for `connect`: {0}")]
    NoPort(std::io::Error),
}

/// Tries whether an address accepts connections.
pub type ConnectCheck = fn(&str) -> bool;

/// An open tunnel. Dropping it ends its command and everything that it started.
#[derive(Debug)]
pub struct Tunnel {
    port: u16,
    group: OwnedGroup,
    accepts_connections: ConnectCheck,
}

/// How often the command is run if its free port was taken meanwhile.
const TRIES: usize = 3;
const POLL: Duration = Duration::from_millis(20);

impl Tunnel {
    /// Runs the command and waits until its address accepts connections. Also returns that address, with its port.
    pub fn open(
        command: &TunnelCommand,
        accepts_connections: ConnectCheck,
    ) -> Result<(Self, String), TunnelError> {
        let is_port_free_to_choose = command.command.iter().any(|word| word.contains("{port}"));
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let opened = Self::start(command, accepts_connections)?;
            match opened.reach(&command.address, command.timeout) {
                Ok(address) => return Ok((opened, address)),
                Err(TunnelError::Exited { output, .. })
                    if tries > 0 && is_port_free_to_choose && says_port_is_taken(&output) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn start(
        command: &TunnelCommand,
        accepts_connections: ConnectCheck,
    ) -> Result<Self, TunnelError> {
        let port = free_port().map_err(TunnelError::NoPort)?;
        let address = with_port(&command.address, port);
        if accepts_connections(&address) {
            return Err(TunnelError::Taken { address });
        }
        let words = command.command.iter().map(|word| with_port(word, port));
        let words: Vec<String> = words.collect();
        let (program, arguments) = words.split_first().ok_or(TunnelError::Empty)?;
        let mut process = Command::new(program);
        process.args(arguments).current_dir(&command.directory);
        let group = OwnedGroup::spawn(process, None).map_err(|reason| TunnelError::CannotRun {
            program: program.clone(),
            reason,
        })?;
        Ok(Self {
            port,
            group,
            accepts_connections,
        })
    }

    /// Waits until an address of this tunnel accepts connections, and returns it with its port.
    pub fn reach(&self, address: &str, timeout: Duration) -> Result<String, TunnelError> {
        let address = with_port(address, self.port);
        let begun = Instant::now();
        loop {
            let ended = self.group.ended();
            // Checked after the process: a command that goes to the background, as `ssh -f` does, has opened it by then.
            let is_open = (self.accepts_connections)(&address);
            match ended {
                Some(status) if !(is_open && status.success()) => {
                    return Err(TunnelError::Exited {
                        status,
                        address,
                        output: self.group.last_output(),
                    });
                }
                _ if is_open => return Ok(address),
                _ => {}
            }
            if begun.elapsed() > timeout {
                return Err(TunnelError::Hangs {
                    address,
                    seconds: timeout.as_secs(),
                    output: self.group.last_output(),
                });
            }
            std::thread::sleep(POLL);
        }
    }
}
