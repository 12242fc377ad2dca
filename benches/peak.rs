//! How much memory a process needs.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

/// How often the process is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// Runs a process. Returns how long it took, and the most memory that it held, in KiB. Growth in its last milliseconds is not
/// seen. The memory is 0 if there is no `/proc`.
pub(crate) fn watched(command: &mut Command) -> Result<(Duration, u64), Box<dyn Error>> {
    let start = Instant::now();
    let mut process = command.spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_of(process.id()).unwrap_or_default());
        if let Some(status) = process.try_wait()? {
            break status;
        }
        std::thread::sleep(INTERVAL);
    };
    let took = start.elapsed();
    if !status.success() {
        return Err(format!("the process ended with {status}").into());
    }
    Ok((took, peak))
}

/// The most memory that a process has held so far, in KiB. None if there is no `/proc`.
pub(crate) fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
