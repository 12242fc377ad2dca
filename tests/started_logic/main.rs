//! Logic as a process: how it starts, fails, dies and ends; nothing is left behind.
//!
//! The test program is also the logic that the tests start, by its arguments, and the mains that start logic, by
//! its environment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod debugging;
mod fake;
mod launching;
mod mains;
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let main = std::env::var(mains::CHOICE);
    match (words.first().map(String::as_str), main) {
        (Some("fake-logic"), _) => fake::run(&words[1], words.get(2).map(String::as_str)),
        (_, Ok(main)) => mains::run(&main),
        _ => {
            let tests = launching::TESTS
                .iter()
                .chain(mains::TESTS)
                .chain(debugging::TESTS);
            let trial = |(name, test): &(&str, fn())| {
                let test = *test;
                Trial::test(*name, move || {
                    test();
                    Ok(())
                })
            };
            let mut arguments = Arguments::from_args();
            // They wait more than they work.
            arguments.test_threads = arguments.test_threads.or(Some(16));
            libtest_mimic::run(&arguments, tests.map(trial).collect()).exit_code()
        }
    }
}
