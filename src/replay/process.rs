//! Client logic as a process of ours: built, started on a port, awaited.
//!
//! How a process and what it started are ended is its group's business.

use std::hash::{BuildHasher, RandomState};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use super::group::{LastOutput, OwnedGroup};
use crate::grpc::{Connection, ConnectionOptions, HealthAnswer, check_health};

/// How logic is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicCommand {
    /// Name in the configuration, for messages.
    pub name: String,
    /// Program and arguments; `{port}` stands for the port.
    pub command: Vec<String>,
    /// Run once before, and has to succeed.
    pub build: Option<Vec<String>>,
    /// Working directory.
    pub directory: PathBuf,
    /// Additional environment; `{port}` stands for the port. `PORT` is always set.
    pub environment: Vec<(String, String)>,
    /// A fixed port; a free one where none is given.
    pub port: Option<u16>,
    /// How long starting may take; none while a debugger holds it.
    pub start_timeout: Option<Duration>,
    /// Whether its output is passed on to standard error as it comes, for debugging.
    pub is_shown: bool,
}

/// Logic that did not come up.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The command is empty.
    #[error("logic `{name}`: its command is empty")]
    Empty {
        /// Name of the logic.
        name: String,
    },
    /// The program cannot be run at all.
    #[error("logic `{name}`: cannot run `{program}` in {directory}: {reason}")]
    CannotRun {
        /// Name of the logic.
        name: String,
        /// Program that was to be run.
        program: String,
        /// Its working directory.
        directory: String,
        /// The system's words.
        reason: std::io::Error,
    },
    /// The build step failed.
    #[error("logic `{name}`: its build step ended with {status}{output}")]
    Build {
        /// Name of the logic.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last output.
        output: LastOutput,
    },
    /// It ended before it served.
    #[error("logic `{name}`: it ended with {status} before it served{output}")]
    Exited {
        /// Name of the logic.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last output.
        output: LastOutput,
    },
    /// It runs and does not serve.
    #[error("logic `{name}`: it did not serve on port {port} within {seconds} s{output}")]
    Hangs {
        /// Name of the logic.
        name: String,
        /// Port that was watched.
        port: u16,
        /// How long it was waited for.
        seconds: u64,
        /// Its last output.
        output: LastOutput,
    },
    /// Its fixed port is somebody else's.
    #[error(
        "logic `{name}`: something else is already listening on port {port}; end it, or leave `port` out of the \
         configuration so that a free one is taken"
    )]
    PortTaken {
        /// Name of the logic.
        name: String,
        /// The port.
        port: u16,
    },
    /// What answers on its port is no gRPC server.
    #[error("logic `{name}`: what listens on port {port} is no gRPC server{output}")]
    NotGrpc {
        /// Name of the logic.
        name: String,
        /// The port.
        port: u16,
        /// Its last output.
        output: LastOutput,
    },
    /// No port to be had.
    #[error("logic `{name}`: no free port on 127.0.0.1: {reason}")]
    NoPort {
        /// Name of the logic.
        name: String,
        /// The system's words.
        reason: std::io::Error,
    },
}

/// Running logic. Dropping it ends its process and everything that it started.
#[derive(Debug)]
pub struct StartedLogic {
    name: String,
    port: u16,
    group: OwnedGroup,
}

const TRIES: usize = 3;
const CONNECTS_WITHIN: Duration = Duration::from_secs(1);
/// How long logic whose port somebody else took may take to notice.
const NOTICES_WITHIN: Duration = Duration::from_secs(1);

impl StartedLogic {
    /// Builds, starts and awaits logic. A free port that was taken meanwhile is replaced by another.
    pub fn launch(spec: &LogicCommand) -> Result<Self, LaunchError> {
        build(spec)?;
        let mut tries = TRIES;
        loop {
            let started = Self::start(spec)?;
            tries -= 1;
            match started.await_serving(spec.start_timeout) {
                Ok(()) => return Ok(started),
                Err(LaunchError::Exited { output, .. })
                    if tries > 0
                        && spec.port.is_none()
                        && (says_port_is_taken(&output) || listens(started.socket())) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Builds and starts logic without waiting for it, for a debugger that holds it at its start.
    pub fn spawn(spec: &LogicCommand) -> Result<Self, LaunchError> {
        build(spec)?;
        Self::start(spec)
    }

    fn start(spec: &LogicCommand) -> Result<Self, LaunchError> {
        let port = port_of(spec)?;
        let fill = |text: &String| text.replace("{port}", &port.to_string());
        let words: Vec<String> = spec.command.iter().map(fill).collect();
        let (program, arguments) = words.split_first().ok_or_else(|| LaunchError::Empty {
            name: spec.name.clone(),
        })?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&spec.directory)
            .env("PORT", port.to_string())
            .envs(
                spec.environment
                    .iter()
                    .map(|(key, value)| (key, fill(value))),
            );
        let group = OwnedGroup::spawn(command, spec.is_shown.then_some(spec.name.as_str()))
            .map_err(|reason| cannot_run(spec, program, reason))?;
        Ok(Self {
            name: spec.name.clone(),
            port,
            group,
        })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> String {
        self.socket().to_string()
    }

    fn socket(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its last output, and how it ended if it did. A connection may break a moment before its process ends.
    #[must_use]
    pub fn last_words(&self) -> (LastOutput, Option<ExitStatus>) {
        let ended = self.group.ends_within(Some(Duration::from_millis(200)));
        (self.group.last_output(), ended)
    }

    /// Waits until it serves: its health service says so, or it answers as a gRPC server without one.
    pub fn await_serving(&self, timeout: Option<Duration>) -> Result<(), LaunchError> {
        let begun = Instant::now();
        let options = ConnectionOptions {
            connect_timeout: CONNECTS_WITHIN,
            deadline: Some(timeout.map_or(CONNECTS_WITHIN, |timeout| timeout.min(CONNECTS_WITHIN))),
            ..ConnectionOptions::default()
        };
        let connection = Connection::new(&self.address(), options).ok();
        loop {
            if let Some(status) = self.group.ended() {
                return Err(self.exited(status));
            }
            if listens(self.socket()) {
                match connection.as_ref().map(check_health) {
                    // Asked once more whether it lives: it may be somebody else's server that answers.
                    Some(HealthAnswer::Serving) if self.group.ended().is_none() => return Ok(()),
                    Some(HealthAnswer::NotGrpc) => return Err(self.not_grpc()),
                    Some(HealthAnswer::NotYet | HealthAnswer::Serving) | None => {}
                }
            }
            if let Some(timeout) = timeout.filter(|timeout| begun.elapsed() > *timeout) {
                return Err(LaunchError::Hangs {
                    name: self.name.clone(),
                    port: self.port,
                    seconds: timeout.as_secs(),
                    output: self.group.last_output(),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn exited(&self, status: ExitStatus) -> LaunchError {
        LaunchError::Exited {
            name: self.name.clone(),
            status,
            output: self.group.last_output(),
        }
    }

    /// It answers as something else, or something else took its port and it is about to say so.
    fn not_grpc(&self) -> LaunchError {
        if let Some(status) = self.group.ends_within(Some(NOTICES_WITHIN)) {
            return self.exited(status);
        }
        LaunchError::NotGrpc {
            name: self.name.clone(),
            port: self.port,
            output: self.group.last_output(),
        }
    }
}

fn build(spec: &LogicCommand) -> Result<(), LaunchError> {
    let Some((program, arguments)) = spec.build.as_ref().and_then(|words| words.split_first())
    else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&spec.directory);
    let group = OwnedGroup::spawn(command, spec.is_shown.then_some(spec.name.as_str()))
        .map_err(|reason| cannot_run(spec, program, reason))?;
    match group.ends_within(None) {
        Some(status) if !status.success() => Err(LaunchError::Build {
            name: spec.name.clone(),
            status,
            output: group.last_output(),
        }),
        _ => Ok(()),
    }
}

fn cannot_run(spec: &LogicCommand, program: &str, reason: std::io::Error) -> LaunchError {
    LaunchError::CannotRun {
        name: spec.name.clone(),
        program: program.to_owned(),
        directory: spec.directory.display().to_string(),
        reason,
    }
}

/// Whether anything accepts connections there.
fn listens(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, CONNECTS_WITHIN).is_ok()
}

/// A port that nobody listens on, from below those that the system gives out by itself: one of those could be
/// another's before the logic has bound it, and the other taken for the logic.
pub(crate) fn free_port() -> std::io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let random = RandomState::new();
    let candidates = (0..50_u8).map(|attempt| {
        let offset = random.hash_one(attempt) % u64::from(COUNT);
        FIRST + u16::try_from(offset).expect("it is below a number of 16 bits")
    });
    for port in candidates {
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

fn port_of(spec: &LogicCommand) -> Result<u16, LaunchError> {
    let name = || spec.name.clone();
    let Some(port) = spec.port else {
        return free_port().map_err(|reason| LaunchError::NoPort {
            name: name(),
            reason,
        });
    };
    let is_taken = match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => false,
        Err(reason) if reason.kind() == std::io::ErrorKind::AddrInUse => true,
        // A port that we may not use, but perhaps the logic may.
        Err(_) => listens(SocketAddr::from(([127, 0, 0, 1], port))),
    };
    if is_taken {
        return Err(LaunchError::PortTaken { name: name(), port });
    }
    Ok(port)
}

pub(super) fn says_port_is_taken(output: &LastOutput) -> bool {
    let text = output.0.to_lowercase();
    [
        "address already in use",
        "eaddrinuse",
        "failed to bind",
        "bind: ",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
