//! A process group of ours: started, observed, and ended with every process in it.
//!
//! Knows nothing of servers and ports. A daemon, which is no descendant of the started process, is not ended.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};

use crate::environment::remove_ours;
use crate::interrupt::running;
use crate::output::{LastOutput, LineListener, OutputTail};
use crate::strays::Process;

/// Time between SIGTERM and SIGKILL.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(5);

/// A group that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct OwnedGroup(Arc<Group>);

impl OwnedGroup {
    /// Starts a command in a group of its own, and keeps its last output.
    pub(crate) fn spawn(
        mut command: Command,
        listener: Option<&LineListener>,
    ) -> std::io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::start(command, |child| {
            let output = Arc::new(OutputTail::default());
            if let Some(stdout) = child.stdout.take() {
                output.keep(stdout, listener.cloned());
            }
            if let Some(stderr) = child.stderr.take() {
                output.keep(stderr, listener.cloned());
            }
            output
        })
    }

    /// Starts a command whose standard output only the caller reads. It is not kept, and standard error is discarded.
    pub(crate) fn spawn_private(
        mut command: Command,
    ) -> std::io::Result<(Self, Option<ChildStdout>)> {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut stdout = None;
        let group = Self::start(command, |child| {
            stdout = child.stdout.take();
            Arc::default()
        })?;
        Ok((group, stdout))
    }

    fn start(
        mut command: Command,
        read: impl FnOnce(&mut Child) -> Arc<OutputTail>,
    ) -> std::io::Result<Self> {
        command.stdin(Stdio::null());
        remove_ours(&mut command);
        // Locked while starting: an interrupt either finds the group in the list, or nothing is started any more.
        let mut running = running();
        running.before_start();
        // The watcher starts first, so the command is cleaned up even if we are killed right after starting it. Without a shell,
        // there is no watcher and the command leads its own group.
        let mut watcher = Watcher::start();
        let joined = watcher.as_ref().map_or(0, Watcher::group);
        let mut child = command.process_group(joined).spawn()?;
        if let Some(watcher) = &mut watcher {
            watcher.also_end(child.id());
        }
        let number = if joined == 0 {
            child.id().cast_signed()
        } else {
            joined
        };
        let started = Process::of(child.id());
        let output = read(&mut child);
        let group = Arc::new(Group {
            number,
            child: Mutex::new(child),
            output,
            watcher,
            started,
            strays: Mutex::default(),
        });
        running.add(Arc::clone(&group));
        Ok(Self(group))
    }

    /// The exit status of the started process, if it has ended.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        let ended = locked(&self.0.child).try_wait().ok().flatten();
        if ended.is_some() {
            // Waits for ever if it ended because this process is interrupted.
            drop(running());
        }
        ended
    }

    /// Waits until the started process has ended, no longer than a limit if there is one.
    pub(crate) fn ends_within(&self, limit: Option<Duration>) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let ended = self.ended();
            if ended.is_some() || limit.is_some_and(|limit| begun.elapsed() >= limit) {
                return ended;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Its last output: complete if the started process has ended.
    pub(crate) fn last_output(&self) -> LastOutput {
        if self.ended().is_some() {
            self.0.output.complete()
        } else {
            self.0.output.so_far()
        }
    }
}

impl Drop for OwnedGroup {
    fn drop(&mut self) {
        // Ended before it leaves the list, so that an interrupt meanwhile still finds it.
        self.0.end();
        running().remove(&self.0);
    }
}

/// A running group.
#[derive(Debug)]
pub(crate) struct Group {
    number: i32,
    child: Mutex<Child>,
    output: Arc<OutputTail>,
    /// Leads the group. Until it is waited for, the system gives the group's number to no other.
    watcher: Option<Watcher>,
    started: Option<Process>,
    /// Descendants that left the group, found before the started process ends, because nothing leads to them afterwards.
    strays: Mutex<Vec<Process>>,
}

impl Group {
    /// Sends SIGTERM to the group.
    pub(crate) fn ask_to_end(&self) {
        let mut child = locked(&self.child);
        self.find_strays();
        self.signal(&mut child, Signal::TERM);
    }

    fn find_strays(&self) {
        let found = self.started.map(|started| started.strays(self.number));
        locked(&self.strays).extend(found.unwrap_or_default());
    }

    /// Signals every process of the group, and the started process if it made a group of its own, as `timeout` and `setsid` do.
    fn signal(&self, child: &mut Child, signal: Signal) {
        // The number of a process that was waited for may be another's by now.
        let is_ours = matches!(child.try_wait(), Ok(None));
        let group = Pid::from_raw(self.number).filter(|_| is_ours || self.watcher.is_some());
        let own = Pid::from_child(child);
        let now = getpgid(Some(own)).ok().filter(|_| is_ours);
        // Signals fail if nothing is left of a group.
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
        if now == Some(own) && group != Some(own) {
            let _ = kill_process_group(own, signal);
        } else if now.is_some() && now != group {
            let _ = kill_process(own, signal);
        }
    }

    /// Asks the group to end, and kills what is left of it a moment later.
    pub(crate) fn end(&self) {
        let mut child = locked(&self.child);
        self.find_strays();
        self.signal(&mut child, Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        self.signal(&mut child, Signal::KILL);
        for stray in locked(&self.strays).drain(..) {
            stray.kill();
        }
        let _ = child.wait();
    }
}

/// A process that leads a group, and ends it when this process is gone, even if it was killed: it waits for the end of a pipe
/// that only we hold. Ctrl-C does not reach it, because its group is not the terminal's foreground group.
#[derive(Debug)]
struct Watcher(Child);

impl Watcher {
    /// Ignores the signals that end the rest of the group, including those that its members send (`kill 0`). The first line that
    /// it reads is the number of the started process, which may have made a group of its own.
    const SCRIPT: &str = r#"
        trap '' HUP INT QUIT TERM USR1 USR2 ALRM
        read -r own || :
        read -r _ || :
        kill -TERM 0 || :
        [ -z "$own" ] || kill -TERM "-$own" || :
        sleep 2
        [ -z "$own" ] || kill -KILL "-$own" || :
        kill -KILL 0
    "#;

    fn start() -> Option<Self> {
        let watcher = Command::new("/bin/sh")
            .args(["-c", Self::SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        watcher.ok().map(Self)
    }

    fn group(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// Ends the group of this process too, if it makes one.
    fn also_end(&mut self, process: u32) {
        if let Some(stdin) = &mut self.0.stdin {
            // A watcher that is gone cannot be told.
            let _ = writeln!(stdin, "{process}");
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
