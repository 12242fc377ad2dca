//! Logic as a process: how it starts, fails, dies and ends; nothing is left behind.
//!
//! The test program is also the logic that the tests start, by its arguments, and the mains that start logic, by
//! its environment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod debuggers;
mod debugging;
mod fake;
mod launching;
mod mains;
mod python_debugger;
mod support;
mod watching;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let main = std::env::var(mains::CHOICE);
    match (words.first().map(String::as_str), main) {
        (Some("fake-logic"), _) => fake::run(&words[1], words.get(2).map(String::as_str)),
        (_, Ok(main)) => mains::run(&main),
        _ => {
            let tests = [
                launching::TESTS,
                mains::TESTS,
                debugging::TESTS,
                watching::TESTS,
            ]
            .concat();
            let peers = python_debugger::TESTS.iter().chain(debuggers::TESTS);
            let peers = peers.copied().map(trial);
            let trials = tests.into_iter().map(trial);
            let trials = trials.chain(peers.map(|peer| peer.with_ignored_flag(true)));
            let mut arguments = Arguments::from_args();
            // They wait more than they work.
            arguments.test_threads = arguments.test_threads.or(Some(16));
            libtest_mimic::run(&arguments, trials.collect()).exit_code()
        }
    }
}

fn trial((name, test): (&str, fn())) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}
