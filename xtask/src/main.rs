//! The main of `cargo xtask`; see README.md.

mod check;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    // `check` is a command of this repository, which the library does not know.
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [first, ..] if first == "check" => return check::cli(words),
        [help, command] if help == "help" && command == "check" => {
            return check::cli(["check".into(), "--help".into()]);
        }
        _ => {}
    }
    poker::app().cli()
}
