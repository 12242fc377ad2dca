//! A server that is built, started on a port, and awaited until it is ready: client logic, or a coordinator.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::group::OwnedGroup;
use crate::launch_error::{LaunchError, LaunchFailure};
use crate::output::{LastOutput, LineListener};
use crate::port::{free_port, says_port_is_taken, with_port};

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServerCommand {
    /// Its name in messages, as in ``logic `player` ``.
    pub label: String,
    /// Program and arguments; `{port}` stands for the port.
    pub command: Vec<String>,
    /// A command that has to succeed first.
    pub build: Option<Vec<String>>,
    /// Working directory.
    pub directory: PathBuf,
    /// Additional environment; `{port}` stands for the port. `PORT` is always set.
    pub environment: Vec<(String, String)>,
    /// A fixed port. Otherwise a free one is chosen.
    pub port: Option<u16>,
    /// Time limit for becoming ready; none while a debugger may hold it.
    pub start_timeout: Option<Duration>,
    /// Receives its output, in addition to the lines that are kept for messages.
    pub listener: Option<LineListener>,
}

/// How a server answers the question whether it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It serves.
    Serving,
    /// Nothing answers yet, or it says that it is not ready.
    NotYet,
    /// What answers is not a gRPC server.
    NotGrpc,
}

/// Asks the server at an address whether it is ready, within a time limit.
pub type ReadinessCheck<'a> = &'a dyn Fn(&str, Duration) -> Readiness;

/// A running server. Dropping it ends its process and everything that it started.
#[derive(Debug)]
pub struct StartedServer {
    label: String,
    port: u16,
    group: OwnedGroup,
}

/// How often a server is started if its free port was taken meanwhile.
const TRIES: usize = 3;
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);
/// How long a server may take to notice that its port was taken.
const NOTICES_WITHIN: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(20);

impl StartedServer {
    /// Builds and starts a server, and waits until it is ready. Tries another free port if its port was taken meanwhile.
    pub fn launch(command: &ServerCommand, check: ReadinessCheck<'_>) -> Result<Self, LaunchError> {
        command.build()?;
        let mut tries = TRIES;
        loop {
            let started = Self::start(command)?;
            tries -= 1;
            let Err(error) = started.await_ready(command.start_timeout, check) else {
                return Ok(started);
            };
            let is_port_taken = match &error.failure {
                LaunchFailure::Exited { output, .. } => {
                    command.port.is_none()
                        && (says_port_is_taken(output) || listens(started.socket()))
                }
                _ => false,
            };
            if tries == 0 || !is_port_taken {
                return Err(error);
            }
        }
    }

    /// Builds and starts a server without waiting for it, because a debugger holds it at its start.
    pub fn spawn(command: &ServerCommand) -> Result<Self, LaunchError> {
        command.build()?;
        Self::start(command)
    }

    fn start(command: &ServerCommand) -> Result<Self, LaunchError> {
        let port = command.chosen_port().map_err(|it| it.of(&command.label))?;
        let words = command.command.iter().map(|word| with_port(word, port));
        let words: Vec<String> = words.collect();
        let environment = command.environment.iter();
        let environment = environment.map(|(name, value)| (name, with_port(value, port)));
        let group = command.run(&words, |process| {
            process.env("PORT", port.to_string()).envs(environment);
        })?;
        Ok(Self {
            label: command.label.clone(),
            port,
            group,
        })
    }

    /// The address that it serves on.
    #[must_use]
    pub fn address(&self) -> String {
        self.socket().to_string()
    }

    fn socket(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.exit_status().is_some()
    }

    /// Its last output, and its exit status if it has ended.
    #[must_use]
    pub fn last_words(&self) -> (LastOutput, Option<ExitStatus>) {
        let ended = self.exit_status();
        (self.group.last_output(), ended)
    }

    /// Its exit status if it has ended. A connection may break a moment before its process ends.
    fn exit_status(&self) -> Option<ExitStatus> {
        self.group.ends_within(Some(Duration::from_millis(200)))
    }

    /// Waits until it is ready.
    pub fn await_ready(
        &self,
        timeout: Option<Duration>,
        check: ReadinessCheck<'_>,
    ) -> Result<(), LaunchError> {
        let begun = Instant::now();
        let answers_within =
            timeout.map_or(CONNECTS_WITHIN, |timeout| timeout.min(CONNECTS_WITHIN));
        loop {
            if let Some(status) = self.group.ended() {
                return Err(self.exited(status));
            }
            if listens(self.socket()) {
                match check(&self.address(), answers_within) {
                    // It has to be alive after its answer: otherwise another process answered on its port.
                    Readiness::Serving if self.group.ended().is_none() => return Ok(()),
                    Readiness::NotGrpc => return Err(self.not_grpc()),
                    Readiness::NotYet | Readiness::Serving => {}
                }
            }
            if let Some(timeout) = timeout.filter(|timeout| begun.elapsed() > *timeout) {
                let failure = LaunchFailure::Hangs {
                    port: self.port,
                    seconds: timeout.as_secs(),
                    output: self.group.last_output(),
                };
                return Err(failure.of(&self.label));
            }
            std::thread::sleep(POLL);
        }
    }

    fn exited(&self, status: ExitStatus) -> LaunchError {
        let output = self.group.last_output();
        LaunchFailure::Exited { status, output }.of(&self.label)
    }

    /// Either it speaks another protocol, or another process took its port and it is about to say so and end.
    fn not_grpc(&self) -> LaunchError {
        if let Some(status) = self.group.ends_within(Some(NOTICES_WITHIN)) {
            return self.exited(status);
        }
        let (port, output) = (self.port, self.group.last_output());
        LaunchFailure::NotGrpc { port, output }.of(&self.label)
    }
}

impl ServerCommand {
    fn build(&self) -> Result<(), LaunchError> {
        let Some(words) = self.build.as_ref().filter(|words| !words.is_empty()) else {
            return Ok(());
        };
        let group = self.run(words, |_| ())?;
        match group.ends_within(None) {
            Some(status) if !status.success() => {
                let output = group.last_output();
                Err(LaunchFailure::Build { status, output }.of(&self.label))
            }
            _ => Ok(()),
        }
    }

    /// Starts a program in the working directory.
    fn run(
        &self,
        words: &[String],
        prepare: impl FnOnce(&mut Command),
    ) -> Result<OwnedGroup, LaunchError> {
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| LaunchFailure::EmptyCommand.of(&self.label))?;
        let mut process = Command::new(program);
        process.args(arguments).current_dir(&self.directory);
        prepare(&mut process);
        OwnedGroup::spawn(process, self.listener.as_ref()).map_err(|reason| {
            let failure = LaunchFailure::CannotRun {
                program: program.clone(),
                directory: self.directory.display().to_string(),
                reason,
            };
            failure.of(&self.label)
        })
    }

    fn chosen_port(&self) -> Result<u16, LaunchFailure> {
        let Some(port) = self.port else {
            return free_port().map_err(LaunchFailure::NoPort);
        };
        let is_taken = match TcpListener::bind(("127.0.0.1", port)) {
            Ok(_) => false,
            Err(reason) if reason.kind() == std::io::ErrorKind::AddrInUse => true,
            // We may not use the port, but perhaps the server may.
            Err(_) => listens(SocketAddr::from(([127, 0, 0, 1], port))),
        };
        if is_taken {
            return Err(LaunchFailure::PortTaken { port });
        }
        Ok(port)
    }
}

/// Whether anything accepts connections there.
fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, CONNECTS_WITHIN).is_ok()
}
