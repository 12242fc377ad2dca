//! Describes the machine and the versions, and summarises measurements.

use std::process::Command;
use std::time::Duration;

/// Cores, processor, compiler and versions.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let rustc = Command::new("rustc").arg("--version").output().map_or_else(
        |_| "rustc unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let locked = ["tonic", "prost", "yaml_serde", "insta", "libtest-mimic"]
        .map(|name| format!("{name} {}", locked_version(name).unwrap_or("?")));
    format!(
        "{cores} cores, {processor}, {}\n{rustc}; angzarr-replay {}, {}",
        std::env::consts::OS,
        env!("CARGO_PKG_VERSION"),
        locked.join(", ")
    )
}

fn locked_version(name: &str) -> Option<&'static str> {
    let lock = include_str!("../../Cargo.lock");
    let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    after.split('"').next()
}

/// The median.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Number per second.
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Processor time of this process, of the child processes that have ended, and of those that still run. Unlike wall time it hardly
/// depends on the load of the machine. None if there is no `/proc`.
pub(crate) fn processor_time(running: &[u32]) -> Option<Duration> {
    // user and system time, and the same for children that have ended
    let own = ticks(std::process::id(), 4)?;
    running
        .iter()
        .try_fold(own, |sum, id| Some(sum + ticks(*id, 2)?))
}

fn ticks(process: u32, fields: usize) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let values = after_name.split_whitespace().skip(11).take(fields);
    let ticks: u64 = values.filter_map(|value| value.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second.
    Some(Duration::from_millis(ticks * 10))
}
