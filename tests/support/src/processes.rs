//! Processes that tests look at from outside.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Waits until something holds. Only what never happens ends the wait: a slow machine fails no test.
#[track_caller]
pub fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs. One that ended and was not collected yet does not.
#[must_use]
pub fn is_running(pid: &str) -> bool {
    let shown = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8(shown.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// Waits for the end of processes: being killed takes the system a moment.
#[track_caller]
pub fn assert_gone(pids: &[String]) {
    assert!(!pids.is_empty());
    for pid in pids {
        await_that("the end of a process", || !is_running(pid));
    }
}

/// Sends a signal, such as `-INT`.
pub fn signal(process: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
