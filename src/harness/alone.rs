//! Cases whose logic was lost are replayed again alone, so that a crash fails the case that causes it, and not the cases whose
//! calls it took along.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::trial::Ending;
use crate::project::Project;

/// How often logic that has ended is started again in a run. Logic that ends at every call takes a start for each case.
const MOST_RESTARTS: usize = 32;

/// Lets trials run beside each other, or one of them alone.
#[derive(Debug, Default)]
pub(super) struct Turns {
    beside_others: RwLock<()>,
    restarts: AtomicUsize,
}

/// How a trial ended.
pub(super) struct Attempt {
    pub(super) ending: Ending,
    /// Whether the connection to the logic broke or could not be made.
    pub(super) has_lost_logic: bool,
}

impl From<Ending> for Attempt {
    fn from(ending: Ending) -> Self {
        Self {
            ending,
            has_lost_logic: false,
        }
    }
}

impl Turns {
    /// Runs a trial beside others. If its logic was started here and is lost, waits until no other trial runs, starts the logic
    /// again if it has ended, and runs the trial again.
    pub(super) fn run(&self, project: &Project, attempt: impl Fn() -> Attempt) -> Ending {
        let first = {
            let _others = self
                .beside_others
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            attempt()
        };
        if !first.has_lost_logic || !project.logics().has_started() {
            return first.ending;
        }
        let _alone = self
            .beside_others
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if self.restarts.load(Ordering::Relaxed) == MOST_RESTARTS {
            return first.ending;
        }
        if project.logics().forget_ended() {
            self.restarts.fetch_add(1, Ordering::Relaxed);
        }
        attempt().ending
    }
}
