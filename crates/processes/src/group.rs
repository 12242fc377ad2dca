//! A process group of ours: started, observed, and ended with every process in it.
//!
//! Knows nothing of servers and ports. A daemon, which is no descendant of the group's leader, is not ended.

use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};
use signal_hook::consts::SIGTERM;

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
    /// Starts a command as the leader of a group, and keeps its last output.
    pub(crate) fn spawn(
        mut command: Command,
        listener: Option<&LineListener>,
    ) -> std::io::Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::start(command, |child| {
            let output = Arc::new(OutputTail::default());
            if let Some(stdout) = child.stdout().take() {
                output.keep(stdout, listener.cloned());
            }
            if let Some(stderr) = child.stderr().take() {
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
            stdout = child.stdout().take();
            Arc::default()
        })?;
        Ok((group, stdout))
    }

    fn start(
        mut command: Command,
        read: impl FnOnce(&mut dyn ChildWrapper) -> Arc<OutputTail>,
    ) -> std::io::Result<Self> {
        command.stdin(Stdio::null());
        remove_ours(&mut command);
        // Locked while starting: an interrupt either finds the group in the list, or nothing is started any more.
        let mut running = running();
        let mut child = CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .spawn()?;
        let watcher = Watcher::of(child.id());
        let leader = Process::of(child.id());
        let output = read(child.as_mut());
        let group = Arc::new(Group {
            child: Mutex::new(child),
            output,
            watcher: Mutex::new(watcher),
            leader,
            strays: Mutex::default(),
        });
        running.add(Arc::clone(&group));
        Ok(Self(group))
    }

    /// The exit status of the leader, if it has ended.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        let ended = locked(&self.0.child).try_wait().ok().flatten();
        if ended.is_some() {
            // Waits for ever if it ended because this process is interrupted.
            drop(running());
        }
        ended
    }

    /// Waits until the leader has ended, no longer than a limit if there is one.
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

    /// Its last output: complete if the leader has ended.
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
    child: Mutex<Box<dyn ChildWrapper>>,
    output: Arc<OutputTail>,
    watcher: Mutex<Option<Watcher>>,
    leader: Option<Process>,
    /// Descendants that left the group, found before the leader ends, because nothing leads to them afterwards.
    strays: Mutex<Vec<Process>>,
}

impl Group {
    /// Sends SIGTERM to the group.
    pub(crate) fn ask_to_end(&self) {
        self.find_strays();
        let _ = locked(&self.child).signal(SIGTERM);
    }

    fn find_strays(&self) {
        let found = self.leader.map(Process::strays);
        locked(&self.strays).extend(found.unwrap_or_default());
    }

    /// Asks the group to end, and kills what is left of it a moment later.
    pub(crate) fn end(&self) {
        let mut child = locked(&self.child);
        self.find_strays();
        let _ = child.signal(SIGTERM);
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN && matches!(child.try_wait(), Ok(None)) {
            std::thread::sleep(POLL);
        }
        let _ = child.start_kill();
        let _ = child.wait();
        for stray in locked(&self.strays).drain(..) {
            stray.kill();
        }
        if let Some(watcher) = locked(&self.watcher).take() {
            watcher.end();
        }
    }
}

/// A process that ends a group when this process is gone, even if it was killed: it waits for the end of a pipe that only
/// we hold. It has a group of its own, so that Ctrl-C does not end it first.
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
        // Without a shell there is no watcher, and groups outlive us only if we are killed.
        watcher.ok().map(Self)
    }

    #[cfg(not(unix))]
    fn of(_: u32) -> Option<Self> {
        None
    }

    /// Ends the watcher once its group is gone, because the system may reuse the group's number.
    fn end(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
