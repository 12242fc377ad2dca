//! The main of `cargo xtask`; see README.md.

mod bench;
mod check;

use std::ffi::OsString;
use std::process::ExitCode;

/// A command of this repository, which the library does not know. Its first word is its name.
type OwnCommand = fn(Vec<OsString>) -> ExitCode;

const OWN: [(&str, OwnCommand); 2] = [("bench", bench::cli), ("check", check::cli)];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    for (name, run) in OWN {
        match words.as_slice() {
            [first, ..] if first == name => return run(words),
            [help, command] if help == "help" && command == name => {
                return run(vec![name.into(), "--help".into()]);
            }
            _ => {}
        }
    }
    poker::app().cli()
}
