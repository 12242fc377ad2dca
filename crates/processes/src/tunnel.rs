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
    /// Key in the configuration that gives the command, for messages.
    pub key: &'static str,
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
    #[error("`{key}` is empty")]
    Empty {
        /// Key in the configuration.
        key: &'static str,
    },
    /// The program cannot be run.
    #[error("`{key}` cannot run `{program}`: {reason}")]
    CannotRun {
        /// Key in the configuration.
        key: &'static str,
        /// The program.
        program: String,
        /// The system's error.
        reason: std::io::Error,
    },
    /// The command ended, and the address cannot be reached.
    #[error(
        "the way in ended: `{command}` ended with {status}, and {address} cannot be reached{}{output}",
        again(*restarts)
    )]
    Ended {
        /// The command, shortened.
        command: String,
        /// Exit status of the command.
        status: ExitStatus,
        /// Address that should be reachable.
        address: String,
        /// How often the command was started again since the tunnel last worked.
        restarts: u32,
        /// Its last output.
        output: LastOutput,
    },
    /// The command runs, but the tunnel was not open in time.
    #[error("`{key}` runs, but {address} could not be reached within {seconds} s{output}")]
    Hangs {
        /// Key in the configuration.
        key: &'static str,
        /// Address that should have been reachable.
        address: String,
        /// The time limit, in seconds.
        seconds: u64,
        /// Its last output.
        output: LastOutput,
    },
    /// Another process listens on the address.
    #[error(
        "something is already listening on {address}, so `{key}` was not run; end it, or write {{port}} in the address \
         and in `{key}` so that a free one is taken"
    )]
    Taken {
        /// Key in the configuration.
        key: &'static str,
        /// The address.
        address: String,
    },
    /// No port is free.
    #[error("no free port on 127.0.0.1 for `{key}`: {reason}")]
    NoPort {
        /// Key in the configuration.
        key: &'static str,
        /// The system's error.
        reason: std::io::Error,
    },
}

/// Tries whether an address accepts connections.
pub type ConnectCheck = fn(&str) -> bool;

/// A tunnel. Dropping it ends its command and everything that it started.
#[derive(Debug)]
pub struct Tunnel {
    command: TunnelCommand,
    port: u16,
    state: TunnelState,
    /// How often the command was started again since the tunnel last worked.
    restarts: u32,
    accepts_connections: ConnectCheck,
}

#[derive(Debug)]
enum TunnelState {
    /// The command was started. It may have ended meanwhile.
    Started(OwnedGroup),
    /// The command could not be started again, for this reason.
    Closed(String),
}

/// How often the command is run if its free port was taken meanwhile.
const TRIES: usize = 3;
const POLL: Duration = Duration::from_millis(20);
/// A connection may break a moment before its command ends.
const ENDS_WITHIN: Duration = Duration::from_millis(200);
/// Longest command in a message, in characters.
const SHOWN_COMMAND: usize = 200;

impl Tunnel {
    /// Runs the command and waits until its address accepts connections.
    pub fn open(
        command: &TunnelCommand,
        accepts_connections: ConnectCheck,
    ) -> Result<Self, TunnelError> {
        let is_port_free_to_choose = command.command.iter().any(|word| word.contains("{port}"));
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let mut tunnel = Self {
                command: command.clone(),
                port: free_port().map_err(|reason| TunnelError::NoPort {
                    key: command.key,
                    reason,
                })?,
                state: TunnelState::Closed(String::new()),
                restarts: 0,
                accepts_connections,
            };
            match tunnel.start() {
                Ok(()) => return Ok(tunnel),
                Err(TunnelError::Ended { output, .. })
                    if tries > 0 && is_port_free_to_choose && says_port_is_taken(&output) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends the command if it still runs, and starts it again with the same port. If it does not open the tunnel,
    /// [`Tunnel::ended`] says why.
    pub fn restart(&mut self) {
        self.restarts = self.restarts.saturating_add(1);
        // Dropped before the next one starts, because it may still have the port.
        self.state = TunnelState::Closed(String::new());
        if let Err(error) = self.start() {
            self.state = TunnelState::Closed(error.to_string());
        }
    }

    /// Notes that the tunnel works.
    pub fn note_success(&mut self) {
        self.restarts = 0;
    }

    /// Why the tunnel is not open, if its command has ended.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        let group = match &self.state {
            TunnelState::Closed(reason) => return Some(reason.clone()),
            TunnelState::Started(group) => group,
        };
        let address = with_port(&self.command.address, self.port);
        if (self.accepts_connections)(&address) {
            return None;
        }
        let status = group.ends_within(Some(ENDS_WITHIN))?;
        Some(self.end_of(group, status, address).to_string())
    }

    /// Runs the command once and waits until its address accepts connections.
    fn start(&mut self) -> Result<(), TunnelError> {
        let address = with_port(&self.command.address, self.port);
        if (self.accepts_connections)(&address) {
            let key = self.command.key;
            return Err(TunnelError::Taken { key, address });
        }
        let words = self.words();
        let (program, arguments) = words.split_first().ok_or(TunnelError::Empty {
            key: self.command.key,
        })?;
        let mut process = Command::new(program);
        process.args(arguments).current_dir(&self.command.directory);
        let group = OwnedGroup::spawn(process, None).map_err(|reason| TunnelError::CannotRun {
            key: self.command.key,
            program: program.clone(),
            reason,
        })?;
        self.await_open(&group, address, self.command.timeout)?;
        self.state = TunnelState::Started(group);
        Ok(())
    }

    /// Waits until an address of this tunnel accepts connections, and returns it with its port.
    pub fn reach(&self, address: &str, timeout: Duration) -> Result<String, TunnelError> {
        let address = with_port(address, self.port);
        if let TunnelState::Started(group) = &self.state {
            self.await_open(group, address.clone(), timeout)?;
        }
        Ok(address)
    }

    fn await_open(
        &self,
        group: &OwnedGroup,
        address: String,
        timeout: Duration,
    ) -> Result<(), TunnelError> {
        let begun = Instant::now();
        loop {
            let ended = group.ended();
            // Checked after the process: a command that goes to the background, as `ssh -f` does, has opened it by then.
            let is_open = (self.accepts_connections)(&address);
            match ended {
                Some(status) if !(is_open && status.success()) => {
                    return Err(self.end_of(group, status, address));
                }
                _ if is_open => return Ok(()),
                _ => {}
            }
            if begun.elapsed() > timeout {
                return Err(TunnelError::Hangs {
                    key: self.command.key,
                    address,
                    seconds: timeout.as_secs(),
                    output: group.last_output(),
                });
            }
            std::thread::sleep(POLL);
        }
    }

    fn end_of(&self, group: &OwnedGroup, status: ExitStatus, address: String) -> TunnelError {
        TunnelError::Ended {
            command: shown(&self.words()),
            status,
            address,
            restarts: self.restarts,
            output: group.last_output(),
        }
    }

    fn words(&self) -> Vec<String> {
        let words = self.command.command.iter();
        words.map(|word| with_port(word, self.port)).collect()
    }
}

impl TunnelError {
    /// The same end of a command that was started again this often.
    #[must_use]
    pub fn after_restarts(self, count: u32) -> Self {
        match self {
            Self::Ended {
                command,
                status,
                address,
                output,
                ..
            } => Self::Ended {
                command,
                status,
                address,
                restarts: count,
                output,
            },
            other => other,
        }
    }
}

/// A command as people write it in a shell, shortened.
fn shown(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        if word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.clone()
        }
    });
    let text = quoted.collect::<Vec<_>>().join(" ");
    let text = text.replace(char::is_control, " ");
    match text.char_indices().nth(SHOWN_COMMAND) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn again(restarts: u32) -> String {
    match restarts {
        0 => String::new(),
        1 => ", also after it was started again".to_owned(),
        count => format!(", also after it was started again {count} times"),
    }
}
