//! Runs each hot path once, for callgrind to count its instructions: `cargo xtask check --only instructions`.
//!
//! Prints the names of the paths in the order in which they run. Callgrind only counts what happens within [`counted`].

#![allow(clippy::print_stdout, reason = "the check reads the names")]

#[path = "../recorder/calls.rs"]
mod calls;
mod paths;

use std::error::Error;
use std::hint::black_box;

use paths::{Case, Recording};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Lengths of the histories, in events.
const LENGTHS: [u32; 2] = [20, 1_000];

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    for events in LENGTHS {
        let case = Case::new(folder.path(), events)?;
        let named = |path: &str| format!("{path}, {events} events");
        count(&named("read a fixture"), || case.read())?;
        count(&named("write a fixture"), || case.render())?;
        count(&named("encode payloads"), || case.encode())?;
        count(&named("decode payloads"), || Ok(case.decode()))?;
        count(&named("replay in process"), || case.replay())?;
        count(&named("outcome to value"), || case.value())?;
        count(&named("value to text"), || Ok(case.text()))?;
        count(&named("compare"), || case.compare())?;
    }
    let mut recording = Recording::new(folder.path())?;
    count("record a call", || recording.keep())?;
    count("redact a call", || recording.redact())?;
    Ok(())
}

/// Runs a path twice, and counts the second run: the first one fills what is computed once per process.
fn count<T>(name: &str, mut run: impl FnMut() -> Outcome<T>) -> Outcome<()> {
    run()?;
    let mut result = None;
    counted(&mut || result = Some(run()));
    println!("{name}");
    black_box(result.transpose()?);
    Ok(())
}

/// The function that callgrind knows by name.
#[inline(never)]
fn counted(run: &mut dyn FnMut()) {
    run();
    // Keeps the call above from becoming a jump.
    black_box(());
}
