//! Every fixture is a test. See README.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    poker::app().harness()
}
