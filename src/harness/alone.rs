//! Cases that lost their logic are replayed again, one at a time, so that a crash fails only the case that caused it, and not
//! those that were in flight.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use super::ending::Ending;
use super::gate::Gate;
use crate::project::Project;
use crate::terminal::Role;

/// How many times a run restarts logic that has ended. Without a limit, logic that dies at every call would be started again
/// for every case.
const MOST_RESTARTS: usize = 32;

/// Lets trials run in parallel, or one of them alone.
#[derive(Debug, Default)]
pub(super) struct Turns {
    gate: Gate,
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
    /// Turns with a limit of how many trials run beside each other.
    pub(super) fn with_gate(gate: Gate) -> Self {
        Self {
            gate,
            ..Self::default()
        }
    }

    /// Runs a trial beside others. If it loses logic that was started here, waits until no other trial runs, and runs the trial
    /// again. A trial is blamed only for losing logic that was started for it: logic that others have used may already have been
    /// crashing because of another case.
    pub(super) fn run(&self, project: &Project, attempt: impl Fn() -> Attempt) -> Ending {
        let (first, lost_beside_others) = self.gate.pass(|| {
            let _others = self
                .beside_others
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let first = attempt();
            let lost = lost(project, &first);
            (first, lost)
        });
        let Some(mut logic) = lost_beside_others else {
            return first.ending;
        };
        let _alone = self
            .beside_others
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut ending = first.ending;
        let mut asked_again: Vec<String> = Vec::new();
        let mut started_for_this: Vec<String> = Vec::new();
        loop {
            let logics = project.logics();
            let runs = logics.has_started(&logic) && !logics.has_ended(&logic);
            if runs && !asked_again.contains(&logic) {
                asked_again.push(logic);
            } else {
                if logics.has_started(&logic) && !self.restarts(project, &logic) {
                    return without_restart(ending);
                }
                started_for_this.push(logic);
            }
            let again = attempt();
            let Some(lost) = lost(project, &again) else {
                return again.ending;
            };
            if started_for_this.contains(&lost) {
                // The cases after this one find it started again.
                if logics.has_ended(&lost) {
                    self.restarts(project, &lost);
                }
                return again.ending;
            }
            (logic, ending) = (lost, again.ending);
        }
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
                "\nthe logic was restarted {MOST_RESTARTS} times in this run, and will not be restarted again"
            ),
        )),
        ending => ending,
    }
}
