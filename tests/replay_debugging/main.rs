//! `docs/replay-debugging.md` does what it says: its files are written, its commands run in order, and what they print is
//! what the page shows.
//!
//! The walk is ignored, as it needs `.venv` (examples/poker-python/README.md); `cargo xtask check` demands it. The test
//! program is also the `cargo xtask` of the page, by its environment.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod page;
mod shown;
mod walk;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if std::env::var_os(walk::CLI).is_some() {
        return poker::app().cli();
    }
    let quick: [(&str, fn()); 2] = [
        ("every_step_of_the_page_is_understood", page::is_understood),
        ("other_output_than_shown_is_noticed", shown::is_noticed),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let walk = trial(("the_page_does_what_it_says", walk::takes_every_step));
    let mut trials: Vec<Trial> = quick.into_iter().map(trial).collect();
    trials.push(walk.with_ignored_flag(true));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
