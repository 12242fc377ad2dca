//! `cargo xtask`. See README.md.

mod check;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == "check")
    {
        return check::cli();
    }
    poker::app().cli()
}
