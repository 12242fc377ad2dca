//! The main of `cargo xtask`; see README.md.

mod bench;
mod check;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Commands of this repository, which the library does not know.
    let own: [(&str, fn(Vec<OsString>) -> ExitCode); 2] =
        [("check", check::cli), ("bench", bench::cli)];
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    for (name, run) in own {
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
