//! Runs trials without libtest, for measurements. The trials run the same code as in `cargo test`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Entry;
use super::ending::Ending;
use super::trial::{self, Context};
use crate::project::Project;

/// How the trials of a bare run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BareRun {
    /// Cases with the accepted outcome.
    pub closed: usize,
    /// Known bugs that still reproduce.
    pub open: usize,
    /// Cases that cannot be judged, with the reason.
    pub not_checked: Vec<String>,
    /// Messages of the failures.
    pub failed: Vec<String>,
}

/// Runs trials on a number of threads. Prints nothing.
#[must_use]
pub fn run_bare(project: &Arc<Project>, entries: &[Entry], threads: usize) -> BareRun {
    let context = Context {
        project: Arc::clone(project),
        mutants: None,
        details: Arc::default(),
        turns: Arc::default(),
    };
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(BareRun::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let ending = trial::run(&context, entry);
                    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    match ending {
                        Ending::Closed | Ending::Intended => ended.closed += 1,
                        Ending::Open => ended.open += 1,
                        Ending::NotChecked(reason) => ended.not_checked.push(reason),
                        Ending::Failed(message) => ended.failed.push(message.shown(false)),
                    }
                }
            });
        }
    });
    ended.into_inner().unwrap_or_else(PoisonError::into_inner)
}
