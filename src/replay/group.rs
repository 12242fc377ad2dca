//! A process group of ours: its output kept, ended with everything that it started, also on interrupt.
//!
//! Knows nothing of logic and ports. What leaves its group, as a daemon does, is not ended.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::terminal::complain;

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
/// What a dying process printed is on its way through a pipe; something that it started may keep the pipe open.
const OUTPUT_ARRIVES_WITHIN: Duration = Duration::from_millis(200);
const ENDS_WITHIN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    open_pipes: usize,
}

/// Output of a process, the last lines of it.
#[derive(Debug, Default)]
struct Output {
    kept: Mutex<Kept>,
    closed: Condvar,
}

impl Output {
    /// Reads a pipe to its end; `shown_as` passes each line on to standard error, after this name.
    fn keep(self: &Arc<Self>, pipe: impl Read + Send + 'static, shown_as: Option<String>) {
        locked(&self.kept).open_pipes += 1;
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            // A line without an end must not fill the memory.
            while let Ok(1..) = (&mut reader)
                .take(KEPT_LINE_BYTES)
                .read_until(b'\n', &mut line)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if let Some(name) = &shown_as {
                    complain(format_args!("{name} | {text}"));
                }
                let lines = &mut locked(&output.kept).lines;
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(text);
            }
            locked(&output.kept).open_pipes -= 1;
            output.closed.notify_all();
        });
    }

    fn last(&self) -> LastOutput {
        let lines = &locked(&self.kept).lines;
        LastOutput(lines.iter().cloned().collect::<Vec<_>>().join("\n"))
    }

    /// The last lines once both pipes are at their end.
    fn complete(&self) -> LastOutput {
        let is_open = |kept: &mut Kept| kept.open_pipes > 0;
        let kept = locked(&self.kept);
        let waited = self
            .closed
            .wait_timeout_while(kept, OUTPUT_ARRIVES_WITHIN, is_open);
        drop(waited);
        self.last()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Running {
    groups: Vec<Arc<Group>>,
    is_interrupted: bool,
}

/// Groups that have to end with this process.
static RUNNING: Mutex<Running> = Mutex::new(Running {
    groups: Vec::new(),
    is_interrupted: false,
});

/// The list, for as long as nothing interrupts this process. After that it ends, and a thread that found its logic
/// ended must neither report that as a failure nor end the process before everything else is ended.
fn running() -> MutexGuard<'static, Running> {
    let running = locked(&RUNNING);
    if running.is_interrupted {
        drop(running);
        loop {
            std::thread::park();
        }
    }
    running
}

/// Ends all started logic when this process is interrupted, and then the process. Call once, in a main.
pub fn end_started_logic_on_interrupt() {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    std::thread::spawn(move || {
        let Some(signal) = signals.forever().next() else {
            return;
        };
        let groups = {
            let mut running = locked(&RUNNING);
            running.is_interrupted = true;
            std::mem::take(&mut running.groups)
        };
        for group in &groups {
            let _ = locked(&group.child).signal(SIGTERM);
        }
        for group in groups {
            group.end();
        }
        std::process::exit(128 + signal);
    });
}

/// A running group.
#[derive(Debug)]
pub(super) struct Group {
    child: Mutex<Box<dyn ChildWrapper>>,
    output: Arc<Output>,
    watcher: Mutex<Option<Watcher>>,
}

/// A process that ends a group when this one is gone, also where it was killed and could not do so itself: it waits for
/// the end of a pipe that only we hold. In a group of its own, so that no Ctrl-C ends it first.
#[derive(Debug)]
struct Watcher(Child);

impl Watcher {
    #[cfg(unix)]
    fn of(group: u32) -> Option<Self> {
        use std::os::unix::process::CommandExt;
        let script = format!("read -r _; kill -TERM -{group}; sleep 2; kill -KILL -{group}");
        let watcher = Command::new("/bin/sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        // Without a shell there is no watcher, and only a killed tool leaves something behind.
        watcher.ok().map(Self)
    }

    #[cfg(not(unix))]
    fn of(_: u32) -> Option<Self> {
        None
    }

    /// Ends it: its group is gone, and the number may be another's soon.
    fn end(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A group of ours, ended when this is dropped.
#[derive(Debug)]
pub(super) struct OwnedGroup(Arc<Group>);

/// Variables of ours that nothing gets which is started here.
static WITHHELD: Mutex<BTreeSet<OsString>> = Mutex::new(BTreeSet::new());

/// Withholds a variable from everything that is started from now on, but for what is given one of that name.
pub(crate) fn withhold(variable: &str) {
    locked(&WITHHELD).insert(variable.into());
}

/// Takes away what is withheld, and what `cargo run` and `cargo test` say of the package that we are of: it means nothing
/// to what we start, and a cargo among that would build all over what watches it.
fn forget_what_is_ours(command: &mut Command) {
    let given: Vec<OsString> = command
        .get_envs()
        .map(|(name, _)| name.to_owned())
        .collect();
    let withheld = locked(&WITHHELD);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_ours = text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || withheld.contains(&name);
        if is_ours && !given.contains(&name) {
            command.env_remove(&name);
        }
    }
}

impl OwnedGroup {
    /// Starts a command as the leader of a group.
    pub(super) fn spawn(mut command: Command, shown_as: Option<&str>) -> std::io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::start(command, |child| {
            let output = Arc::new(Output::default());
            if let Some(stdout) = child.stdout().take() {
                output.keep(stdout, shown_as.map(str::to_owned));
            }
            if let Some(stderr) = child.stderr().take() {
                output.keep(stderr, shown_as.map(str::to_owned));
            }
            output
        })
    }

    /// Starts a command whose output is the caller's alone: it is neither kept nor shown, and its errors are dropped.
    pub(super) fn spawn_private(
        mut command: Command,
    ) -> std::io::Result<(Self, Option<ChildStdout>)> {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut stdout = None;
        let group = Self::start(command, |child| {
            stdout = child.stdout().take();
            Arc::default()
        })?;
        Ok((group, stdout))
    }

    fn start(
        mut command: Command,
        read: impl FnOnce(&mut dyn ChildWrapper) -> Arc<Output>,
    ) -> std::io::Result<Self> {
        command.stdin(Stdio::null());
        forget_what_is_ours(&mut command);
        // Held while starting: an interrupt finds the group in the list, or nothing is started any more.
        let mut running = running();
        let mut child = CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .spawn()?;
        let watcher = Watcher::of(child.id());
        let output = read(child.as_mut());
        let group = Arc::new(Group {
            child: Mutex::new(child),
            output,
            watcher: Mutex::new(watcher),
        });
        running.groups.push(Arc::clone(&group));
        Ok(Self(group))
    }

    /// How it ended, if it did.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let ended = locked(&self.0.child).try_wait().ok().flatten();
        if ended.is_some() {
            drop(running());
        }
        ended
    }

    /// How it ended, if it does within this time; no limit where none is given.
    pub(super) fn ends_within(&self, limit: Option<Duration>) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || limit.is_some_and(|limit| begun.elapsed() >= limit) {
                return ended;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Its last output: all of it that there is where it ended.
    pub(super) fn last_output(&self) -> LastOutput {
        if self.ended().is_some() {
            self.0.output.complete()
        } else {
            self.0.output.last()
        }
    }
}

impl Drop for OwnedGroup {
    fn drop(&mut self) {
        // Ended first: an interrupt meanwhile still finds it.
        self.0.end();
        running()
            .groups
            .retain(|group| !Arc::ptr_eq(group, &self.0));
    }
}

impl Group {
    /// Asks the group to end, and ends it after a moment, with whatever its leader left behind.
    fn end(&self) {
        let mut child = locked(&self.child);
        let _ = child.signal(SIGTERM);
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = child.start_kill();
        let _ = child.wait();
        if let Some(watcher) = locked(&self.watcher).take() {
            watcher.end();
        }
    }
}
