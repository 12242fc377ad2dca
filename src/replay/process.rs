//! Client logic as a process of ours: started, awaited, its output kept, ended with everything it started.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};

use crate::wire::{Connection, ConnectionOptions, HealthAnswer, ask_health};

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

/// The last lines that a process printed, worded as the end of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastOutput(pub String);

impl std::fmt::Display for LastOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it printed nothing");
        }
        f.write_str("; its last output:")?;
        self.0
            .lines()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

const KEPT_LINES: usize = 40;
const KEPT_LINE_BYTES: u64 = 2_000;

/// Output of a process, the last lines of it.
#[derive(Debug, Clone, Default)]
struct Output(Arc<Mutex<VecDeque<String>>>);

impl Output {
    fn keep(&self, source: impl Read + Send + 'static) {
        let lines = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(source);
            let mut line = Vec::new();
            // A line without an end must not fill the memory.
            while let Ok(1..) = (&mut reader)
                .take(KEPT_LINE_BYTES)
                .read_until(b'\n', &mut line)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                let mut lines = locked(&lines);
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(text);
            }
        });
    }

    fn last(&self) -> LastOutput {
        LastOutput(
            locked(&self.0)
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join("\n"),
        )
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Group = Arc<Mutex<Box<dyn ChildWrapper>>>;

/// Groups that have to end with this process.
static RUNNING: Mutex<Vec<Group>> = Mutex::new(Vec::new());

/// Whether this process is being ended by a signal.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends all started logic when this process is interrupted, and then the process. Call once, in a main.
pub fn end_started_logic_on_interrupt() {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            let running: Vec<Group> = locked(&RUNNING).drain(..).collect();
            for group in running {
                end(&group);
            }
            std::process::exit(128 + signal);
        }
    });
}

/// Where a signal is ending this process, waits for that: what fails because its logic was ended is no failure to
/// speak of, and the exit code is the signal's. Call it in a main before it reports anything.
pub fn give_way_to_interrupt() {
    if INTERRUPTED.load(Ordering::SeqCst) {
        wait_for_the_end();
    }
}

fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

/// Running logic. Dropping it ends its process and everything that it started.
#[derive(Debug)]
pub struct StartedLogic {
    name: String,
    port: u16,
    group: Group,
    output: Output,
}

impl StartedLogic {
    /// Builds, starts and awaits logic. A free port that was taken meanwhile is replaced by another.
    pub fn launch(spec: &LogicCommand) -> Result<Self, LaunchError> {
        build(spec)?;
        let mut tries = 3;
        loop {
            let port = port_of(spec)?;
            let started = Self::spawn(spec, port)?;
            match started.await_serving(spec.start_timeout) {
                Ok(()) => return Ok(started),
                Err(LaunchError::Exited { output, .. })
                    if tries > 1 && spec.port.is_none() && says_port_is_taken(&output) =>
                {
                    tries -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts logic without waiting for it, for a debugger that holds it at its start.
    pub fn spawn(spec: &LogicCommand, port: u16) -> Result<Self, LaunchError> {
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
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Held until the group is among those that an interrupt ends: one that comes between would miss it.
        let mut running = locked(&RUNNING);
        if INTERRUPTED.load(Ordering::SeqCst) {
            drop(running);
            wait_for_the_end();
        }
        let mut child = CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .spawn()
            .map_err(|reason| cannot_run(spec, program, reason))?;
        let output = Output::default();
        if let Some(stdout) = child.stdout().take() {
            output.keep(stdout);
        }
        if let Some(stderr) = child.stderr().take() {
            output.keep(stderr);
        }
        let group = Arc::new(Mutex::new(child));
        running.push(Arc::clone(&group));
        drop(running);
        Ok(Self {
            name: spec.name.clone(),
            port,
            group,
            output,
        })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its last output, and how it ended if it did.
    #[must_use]
    pub fn last_words(&self) -> (LastOutput, Option<ExitStatus>) {
        // What a dying process printed is on its way through a pipe.
        let deadline = Instant::now() + Duration::from_millis(200);
        let mut ended = None;
        while ended.is_none() && Instant::now() < deadline {
            ended = locked(&self.group).try_wait().ok().flatten();
            std::thread::sleep(Duration::from_millis(10));
        }
        (self.output.last(), ended)
    }

    /// Waits until it serves: its health service says so, or it answers as a gRPC server without one.
    pub fn await_serving(&self, timeout: Option<Duration>) -> Result<(), LaunchError> {
        let name = || self.name.clone();
        let begun = Instant::now();
        let options = ConnectionOptions {
            connect_timeout: Duration::from_secs(1),
            deadline: Some(Duration::from_secs(2)),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let connection = Connection::new(&self.address(), options).ok();
        loop {
            let exited = locked(&self.group).try_wait().ok().flatten();
            if let Some(status) = exited {
                let output = self.last_words().0;
                return Err(LaunchError::Exited {
                    name: name(),
                    status,
                    output,
                });
            }
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                match connection.as_ref().map(ask_health) {
                    Some(HealthAnswer::Serving) => return Ok(()),
                    Some(HealthAnswer::NotGrpc) => {
                        return Err(LaunchError::NotGrpc {
                            name: name(),
                            port: self.port,
                            output: self.output.last(),
                        });
                    }
                    Some(HealthAnswer::NotYet) | None => {}
                }
            }
            if timeout.is_some_and(|timeout| begun.elapsed() > timeout) {
                let seconds = timeout.unwrap_or_default().as_secs();
                let output = self.output.last();
                return Err(LaunchError::Hangs {
                    name: name(),
                    port: self.port,
                    seconds,
                    output,
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for StartedLogic {
    fn drop(&mut self) {
        // Known to an interrupt until it has ended.
        end(&self.group);
        locked(&RUNNING).retain(|group| !Arc::ptr_eq(group, &self.group));
    }
}

/// Asks the group to end, and ends it after a moment.
fn end(group: &Group) {
    let mut child = locked(group);
    let _ = child.signal(signal_hook::consts::SIGTERM);
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    // Whatever it started and left behind.
    let _ = child.start_kill();
    let _ = child.wait();
}

fn build(spec: &LogicCommand) -> Result<(), LaunchError> {
    let Some((program, arguments)) = spec.build.as_ref().and_then(|words| words.split_first())
    else {
        return Ok(());
    };
    let built = Command::new(program)
        .args(arguments)
        .current_dir(&spec.directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|reason| cannot_run(spec, program, reason))?;
    if built.status.success() {
        return Ok(());
    }
    let text = [built.stdout, built.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(KEPT_LINES)..].join("\n");
    Err(LaunchError::Build {
        name: spec.name.clone(),
        status: built.status,
        output: LastOutput(last),
    })
}

fn cannot_run(spec: &LogicCommand, program: &str, reason: std::io::Error) -> LaunchError {
    LaunchError::CannotRun {
        name: spec.name.clone(),
        program: program.to_owned(),
        directory: spec.directory.display().to_string(),
        reason,
    }
}

/// A port that nobody listens on, from below those that the system gives out by itself: one of those could be
/// another's before the logic has bound it, and the other taken for the logic.
fn free_port() -> std::io::Result<u16> {
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
    let Some(port) = spec.port else {
        return free_port().map_err(|reason| LaunchError::NoPort {
            name: spec.name.clone(),
            reason,
        });
    };
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(port),
        Err(_) => Err(LaunchError::PortTaken {
            name: spec.name.clone(),
            port,
        }),
    }
}

fn says_port_is_taken(output: &LastOutput) -> bool {
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
