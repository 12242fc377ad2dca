//! Cases that lost their logic are replayed again, one at a time, so that a crash fails only the case that caused it, and not
//! those that were in flight.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::ending::Ending;
use crate::project::Project;
use crate::terminal::Role;

/// How many times a run restarts logic that has ended. Without a limit, logic that dies at every call would be started again
/// for every case.
const MOST_RESTARTS: usize = 32;

/// Lets trials run in parallel, or one of them alone.
#[derive(Debug, Default)]
pub(super) struct Turns {
    beside_others: RwLock<()>,
    restarts: AtomicUsize,
}

/// How a trial ended.
pub(super) struct Attempt {
    pub(super) ending: Ending,
    /// The logic whose connection broke or could not be made.
    pub(super) lost_logic: Option<String>,
}

impl From<Ending> for Attempt {
    fn from(ending: Ending) -> Self {
        Self {
            ending,
            lost_logic: None,
        }
    }
}

impl Turns {
    /// Runs a trial beside others. If it loses logic that was started here, waits until no other trial runs, starts the logic
    /// again if it has ended, and runs the trial again.
    pub(super) fn run(&self, project: &Project, attempt: impl Fn() -> Attempt) -> Ending {
        let first = {
            let _others = self
                .beside_others
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            attempt()
        };
        let Some(logic) = first
            .lost_logic
            .filter(|logic| project.logics().has_started(logic))
        else {
            return first.ending;
        };
        let _alone = self
            .beside_others
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !self.runs_again(project, &logic) {
            return without_restart(first.ending);
        }
        let second = attempt();
        // If this case ends the logic, the cases after it find it started again.
        if second.lost_logic.is_some() {
            self.runs_again(project, &logic);
        }
        second.ending
    }

    /// Sees to it that logic that has ended is started again when it is needed next. False if it was started too often.
    fn runs_again(&self, project: &Project, logic: &str) -> bool {
        if !project.logics().has_ended(logic) {
            return true;
        }
        let may_restart = self.restarts.load(Ordering::Relaxed) < MOST_RESTARTS;
        if may_restart {
            self.restarts.fetch_add(1, Ordering::Relaxed);
            project.logics().forget(logic);
        }
        may_restart
    }
}

fn without_restart(ending: Ending) -> Ending {
    match ending {
        Ending::Failed(message) => Ending::Failed(message.with(
            Role::Plain,
            format_args!(
                "\nthe logic was started again {MOST_RESTARTS} times in this run, and not once more"
            ),
        )),
        ending => ending,
    }
}
