//! The way to a source, opened by a command of the user's, such as a port forward: started, awaited, ended with the run.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use super::group::{LastOutput, OwnedGroup};
use super::process::{free_port, says_port_is_taken};
use crate::grpc::accepts_connections;

/// How a way is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayCommand {
    /// Program and arguments; `{port}` stands for a free port of this machine.
    pub command: Vec<String>,
    /// Working directory.
    pub directory: PathBuf,
    /// Address that the way leads from, where it is awaited; `{port}` is filled in.
    pub address: String,
    /// How long opening may take.
    pub timeout: Duration,
}

/// A way that did not open.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// There is no command.
    #[error("`connect` is empty")]
    Empty,
    /// The program cannot be run at all.
    #[error("`connect` cannot run `{program}`: {reason}")]
    CannotRun {
        /// The program.
        program: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// It ended before there was a way.
    #[error("`connect` ended with {status} before {address} could be reached{output}")]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Address that was awaited.
        address: String,
        /// Its last output.
        output: LastOutput,
    },
    /// It runs, and there is no way.
    #[error("`connect` runs, but {address} could not be reached within {seconds} s{output}")]
    Hangs {
        /// Address that was awaited.
        address: String,
        /// How long it was waited for.
        seconds: u64,
        /// Its last output.
        output: LastOutput,
    },
    /// Somebody else listens there.
    #[error(
        "something is already listening on {address}, so `connect` was not run; end it, or write {{port}} in the address \
         and in `connect` so that a free one is taken"
    )]
    Taken {
        /// The address.
        address: String,
    },
    /// No port to be had.
    #[error("no free port on 127.0.0.1 for `connect`: {reason}")]
    NoPort {
        /// The system's words.
        reason: std::io::Error,
    },
}

/// An open way. Dropping it ends its command and everything that it started.
#[derive(Debug)]
pub struct OpenWay {
    port: u16,
    group: OwnedGroup,
}

const TRIES: usize = 3;
const POLL: Duration = Duration::from_millis(20);

impl OpenWay {
    /// Runs the command and waits until its address accepts connections. Gives the address with its port too.
    pub fn open(way: &WayCommand) -> Result<(Self, String), WayError> {
        let is_free_choice = way.command.iter().any(|word| word.contains("{port}"));
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let opened = Self::start(way)?;
            match opened.reach(&way.address, way.timeout) {
                Ok(address) => return Ok((opened, address)),
                Err(WayError::Exited { output, .. })
                    if tries > 0 && is_free_choice && says_port_is_taken(&output) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn start(way: &WayCommand) -> Result<Self, WayError> {
        let port = free_port().map_err(|reason| WayError::NoPort { reason })?;
        let address = filled(&way.address, port);
        if accepts_connections(&address) {
            return Err(WayError::Taken { address });
        }
        let words: Vec<String> = way.command.iter().map(|word| filled(word, port)).collect();
        let (program, arguments) = words.split_first().ok_or(WayError::Empty)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&way.directory);
        let group = OwnedGroup::spawn(command, None).map_err(|reason| WayError::CannotRun {
            program: program.clone(),
            reason,
        })?;
        Ok(Self { port, group })
    }

    /// Waits until an address of this way accepts connections, and gives it with the port filled in.
    pub fn reach(&self, address: &str, timeout: Duration) -> Result<String, WayError> {
        let address = filled(address, self.port);
        let begun = Instant::now();
        loop {
            let ended = self.group.ended();
            // Asked after the process: one that goes to the background, as `ssh -f` does, has opened it by then.
            let is_open = accepts_connections(&address);
            match ended {
                Some(status) if !(is_open && status.success()) => {
                    return Err(WayError::Exited {
                        status,
                        address,
                        output: self.group.last_output(),
                    });
                }
                _ if is_open => return Ok(address),
                _ => {}
            }
            if begun.elapsed() > timeout {
                return Err(WayError::Hangs {
                    address,
                    seconds: timeout.as_secs(),
                    output: self.group.last_output(),
                });
            }
            std::thread::sleep(POLL);
        }
    }
}

fn filled(text: &str, port: u16) -> String {
    text.replace("{port}", &port.to_string())
}
