//! Runs all trials even if the reader of their output is gone, as in `cargo test | head`.
//!
//! libtest-mimic panics if it cannot print, and then skips the remaining trials.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};

use super::Tally;

const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// Runs trials, and returns whether one failed.
pub(super) fn run(
    arguments: &Arguments,
    trials: &dyn Fn() -> Vec<Trial>,
    tally: &Mutex<Tally>,
) -> bool {
    let printed = catch_unwind(AssertUnwindSafe(|| libtest_mimic::run(arguments, trials())));
    let panic = match printed {
        Ok(conclusion) => return conclusion.has_failed(),
        Err(panic) => panic,
    };
    if !is_broken_pipe(panic.as_ref()) {
        resume_unwind(panic);
    }
    if arguments.list {
        return false;
    }
    let (has_failed, ended) = {
        let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = tally.results.iter().map(|result| result.name.clone());
        (tally.has_failed(), ended.collect::<HashSet<Arc<str>>>())
    };
    let mut rest = trials();
    rest.retain(|trial| !ended.contains(trial.name()));
    let unread = Arguments {
        logfile: Some(NOWHERE.to_owned()),
        ..arguments.clone()
    };
    has_failed || libtest_mimic::run(&unread, rest).has_failed()
}

/// Suppresses the panic message for a broken pipe.
pub(super) fn silence_broken_pipes() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |location| location.file());
        if !(file.contains("libtest-mimic") && is_broken_pipe(panic.payload())) {
            others(panic);
        }
    }));
}

/// Recognises the message of `unwrap`.
fn is_broken_pipe(panic: &(dyn Any + Send)) -> bool {
    let text = panic.downcast_ref::<String>();
    text.is_some_and(|text| text.contains("kind: BrokenPipe"))
}
