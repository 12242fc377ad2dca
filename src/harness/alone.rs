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
    /// Runs a trial beside others. If it loses logic that was started here, waits until no other trial runs, and runs the trial
    /// again. A trial that loses its logic again is blamed for it only if the logic was started for it: logic that others have
    /// used may have been ending before it was asked.
    pub(super) fn run(&self, project: &Project, attempt: impl Fn() -> Attempt) -> Ending {
        let (first, logic) = {
            let _others = self
                .beside_others
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let first = attempt();
            // Asked while no other trial can have the logic forgotten and started again.
            let logic = lost(project, &first);
            (first, logic)
        };
        let Some(logic) = logic else {
            return first.ending;
        };
        let _alone = self
            .beside_others
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut is_new = project.logics().has_ended(&logic);
        if is_new && !self.restarts(project, &logic) {
            return without_restart(first.ending);
        }
        let mut again = attempt();
        if !is_new && lost(project, &again).is_some() {
            if !self.restarts(project, &logic) {
                return without_restart(again.ending);
            }
            is_new = true;
            again = attempt();
        }
        // If this case ends the logic, the cases after it find it started again.
        if is_new && lost(project, &again).is_some() && project.logics().has_ended(&logic) {
            self.restarts(project, &logic);
        }
        again.ending
    }

    /// Sees to it that logic is started again when it is needed next. False if it was started too often.
    fn restarts(&self, project: &Project, logic: &str) -> bool {
        let may_restart = self.restarts.load(Ordering::Relaxed) < MOST_RESTARTS;
        if may_restart {
            self.restarts.fetch_add(1, Ordering::Relaxed);
            project.logics().forget(logic);
        }
        may_restart
    }
}

/// The logic that an attempt lost, if it was started here.
fn lost(project: &Project, attempt: &Attempt) -> Option<String> {
    let logic = attempt.lost_logic.clone();
    logic.filter(|logic| project.logics().has_started(logic))
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
