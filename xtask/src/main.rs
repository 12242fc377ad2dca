//! `cargo xtask`. See README.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    poker::app().cli()
}
