//! Processes that left the group of the one that started them.
//!
//! Some debuggers give the program that they debug a group of its own, so ending the debugger's group does not end it.

use std::fs::read_to_string;

use rustix::process::{Pid, Signal, kill_process};

/// A process. Its start time distinguishes it from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    number: i32,
    started: u64,
}

impl Process {
    /// The process that has this number now; `None` if there is none, or on other systems than Linux.
    pub(crate) fn of(number: u32) -> Option<Self> {
        let number = i32::try_from(number).ok()?;
        let (_, started) = group_and_start(number)?;
        Some(Self { number, started })
    }

    /// The descendants that are not in this group. A daemon is nobody's descendant.
    pub(crate) fn strays(self, group: i32) -> Vec<Self> {
        let mut strays = Vec::new();
        if !self.is_there() {
            return strays;
        }
        let mut waiting = children(self.number);
        while let Some(number) = waiting.pop() {
            waiting.extend(children(number));
            if let Some((own_group, started)) = group_and_start(number)
                && own_group != group
            {
                strays.push(Self { number, started });
            }
        }
        strays
    }

    /// Kills it, unless it has ended.
    pub(crate) fn kill(self) {
        if let Some(process) = Pid::from_raw(self.number).filter(|_| self.is_there()) {
            let _ = kill_process(process, Signal::KILL);
        }
    }

    fn is_there(self) -> bool {
        group_and_start(self.number).is_some_and(|(_, started)| started == self.started)
    }
}

fn children(number: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{number}/task"));
    let mut children = Vec::new();
    for thread in threads.into_iter().flatten().flatten() {
        let listed = read_to_string(thread.path().join("children")).unwrap_or_default();
        children.extend(
            listed
                .split_whitespace()
                .filter_map(|it| it.parse::<i32>().ok()),
        );
    }
    children
}

/// The group of a process, and when it was started.
fn group_and_start(number: i32) -> Option<(i32, u64)> {
    let text = read_to_string(format!("/proc/{number}/stat")).ok()?;
    // Its name stands in parentheses and may contain anything.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // Fields 5 and 22 in proc(5), which counts the number and the name too.
    let group = fields.get(2)?.parse().ok()?;
    let started = fields.get(19)?.parse().ok()?;
    Some((group, started))
}
