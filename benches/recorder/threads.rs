//! Processor time of threads, which hardly depends on the load of the machine.

use std::fs;
use std::time::{Duration, Instant};

/// Processor time of this process's threads with a name. Nothing if there is no `/proc`.
pub(crate) fn processor_time(name: &str) -> Duration {
    let threads = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    let of = |thread: fs::DirEntry| {
        let known = fs::read_to_string(thread.path().join("comm")).ok()?;
        let schedule = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let nanos = schedule.split(' ').next()?.parse().ok()?;
        // Linux cuts names to 15 bytes.
        (known.trim_end() == &name[..name.len().min(15)]).then(|| Duration::from_nanos(nanos))
    };
    threads.filter_map(of).sum()
}

/// Waits until the threads with a name have done nothing for a while.
pub(crate) fn wait_until_idle(name: &str) {
    let quiet = Duration::from_millis(30);
    let mut last = processor_time(name);
    let mut since = Instant::now();
    while since.elapsed() < quiet {
        std::thread::sleep(Duration::from_millis(5));
        let now = processor_time(name);
        // A thread that waits wakes up now and then.
        if now > last + Duration::from_micros(500) {
            since = Instant::now();
        }
        last = now;
    }
}
