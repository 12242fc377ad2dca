//! How many trials run at once, if the user has not said it.
//!
//! Trials that call another process mostly wait, and calls in flight share reads, writes and wake-ups, so many at once cost less each.
//! But if the logic is slow, many of them wait for each other, for longer than their deadline. So there are many only as long as
//! trials are quick.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A trial that takes less lets one more run.
const QUICK: Duration = Duration::from_millis(20);
/// A trial that takes longer lets only the fewest run.
const SLOW: Duration = Duration::from_millis(500);

/// Lets a limited number of trials run at once.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// None where only the number of threads limits them.
    bounds: Option<Bounds>,
    passing: Mutex<Passing>,
    left: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    fewest: usize,
    most: usize,
}

#[derive(Debug, Default)]
struct Passing {
    trials: usize,
    limit: usize,
}

impl Gate {
    /// Lets at least `fewest` trials run at once, and up to `most` if they are quick.
    pub(super) fn between(fewest: usize, most: usize) -> Self {
        Self {
            bounds: Some(Bounds { fewest, most }),
            passing: Mutex::new(Passing {
                trials: 0,
                limit: fewest,
            }),
            left: Condvar::new(),
        }
    }

    /// Runs a trial when it may run.
    pub(super) fn pass<T>(&self, trial: impl FnOnce() -> T) -> T {
        let Some(bounds) = self.bounds else {
            return trial();
        };
        let waiting = self
            .left
            .wait_while(self.passing(), |passing| passing.trials >= passing.limit);
        waiting.unwrap_or_else(PoisonError::into_inner).trials += 1;
        let _pass = Pass {
            gate: self,
            bounds,
            begun: Instant::now(),
        };
        trial()
    }

    fn passing(&self) -> MutexGuard<'_, Passing> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A trial that runs. It leaves when this is dropped, also by a panic.
struct Pass<'a> {
    gate: &'a Gate,
    bounds: Bounds,
    begun: Instant,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut passing = self.gate.passing();
        passing.trials -= 1;
        passing.limit = self.bounds.after(passing.limit, self.begun.elapsed());
        drop(passing);
        // Up to two may follow: one for this trial, and one if the limit has grown.
        self.gate.left.notify_one();
        self.gate.left.notify_one();
    }
}

impl Bounds {
    /// The limit after a trial that took this long.
    fn after(self, limit: usize, took: Duration) -> usize {
        if took < QUICK {
            (limit + 1).min(self.most)
        } else if took > SLOW {
            self.fewest
        } else {
            limit
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn quick_trials_raise_the_limit_and_a_slow_one_ends_that() {
        let bounds = Bounds { fewest: 2, most: 4 };
        let limits = [5, 5, 5, 100, 500, 501, 5].map(Duration::from_millis);
        let mut limit = bounds.fewest;
        let limits = limits.map(|took| {
            limit = bounds.after(limit, took);
            limit
        });
        assert_eq!(limits, [3, 4, 4, 4, 4, 2, 3]);
    }

    #[test]
    fn no_more_trials_run_than_may() {
        let gate = Gate::between(2, 2);
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        gate.pass(|| {
                            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                            most.fetch_max(now, Ordering::SeqCst);
                            std::thread::yield_now();
                            running.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                });
            }
        });
        assert_eq!(most.into_inner(), 2);
        assert_eq!(gate.passing().trials, 0);
    }

    #[test]
    fn a_trial_that_panics_leaves() {
        let gate = Gate::between(1, 1);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gate.pass(|| panic!("a defect"));
        }));
        assert!(panicked.is_err());
        assert_eq!(gate.pass(|| 7), 7);
    }
}
