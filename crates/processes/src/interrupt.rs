//! Interrupts: signals that ask this process to end, and the groups that have to end with it.

use std::sync::{Arc, Mutex, MutexGuard};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Signals, SignalsInfo};

use crate::group::{Group, locked};

/// The signals that ask this process to end, as they come.
pub struct Interrupts(SignalsInfo);

impl Interrupts {
    /// Listens from now on: the signals no longer end this process by themselves. None if the system refuses that.
    #[must_use]
    pub fn listen() -> Option<Self> {
        Signals::new([SIGINT, SIGTERM, SIGHUP]).ok().map(Self)
    }

    /// Waits for the next one, and returns the exit code of a process that it ended.
    pub fn next_exit_code(&mut self) -> Option<i32> {
        self.0.forever().next().map(|signal| 128 + signal)
    }
}

/// Like [`end_all_on_interrupt`], but signals keep their usual effect until the first group is started: a process with a second
/// thread takes longer to start and to end, which a runner with a process for each test would feel.
pub fn end_all_on_interrupt_once_started() {
    running().listens_once_started = true;
}

/// When this process is interrupted, ends all started groups first. Call once, in a main.
pub fn end_all_on_interrupt() {
    let Some(mut interrupts) = Interrupts::listen() else {
        return;
    };
    std::thread::spawn(move || {
        let Some(exit_code) = interrupts.next_exit_code() else {
            return;
        };
        let groups = {
            let mut running = locked(&RUNNING);
            running.is_interrupted = true;
            std::mem::take(&mut running.groups)
        };
        for group in &groups {
            group.ask_to_end();
        }
        for group in groups {
            group.end();
        }
        std::process::exit(exit_code);
    });
}

/// Groups that have to end with this process.
#[derive(Default)]
pub(crate) struct Running {
    groups: Vec<Arc<Group>>,
    /// Whether to listen for interrupts as soon as there is a group to end.
    listens_once_started: bool,
    is_interrupted: bool,
}

impl Running {
    /// Call before a group is started.
    pub(crate) fn before_start(&mut self) {
        if std::mem::take(&mut self.listens_once_started) {
            end_all_on_interrupt();
        }
    }

    pub(crate) fn add(&mut self, group: Arc<Group>) {
        self.groups.push(group);
    }

    pub(crate) fn remove(&mut self, group: &Arc<Group>) {
        self.groups.retain(|other| !Arc::ptr_eq(other, group));
    }
}

static RUNNING: Mutex<Running> = Mutex::new(Running {
    groups: Vec::new(),
    listens_once_started: false,
    is_interrupted: false,
});

/// The running groups. After an interrupt this never returns: a thread that finds its server gone must neither report a
/// failure nor end this process before all groups have ended.
pub(crate) fn running() -> MutexGuard<'static, Running> {
    let running = locked(&RUNNING);
    if running.is_interrupted {
        drop(running);
        loop {
            std::thread::park();
        }
    }
    running
}
