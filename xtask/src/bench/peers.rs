//! `cargo xtask bench --peers`: the same lengths of history, replayed by other tools.
//!
//! Each peer is a program of its own below benches/peers, outside the workspace, and is built only here. It takes the number of
//! events and how many seconds to measure, and prints the cases per second.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::check::python;
use crate::check::shell::{Shell, run};

/// Its name, for `--only`.
pub(super) const NAME: &str = "peers";
pub(super) const ABOUT: &str = "Replaying with other tools";
const LENGTHS: [u32; 3] = [20, 1_000, 10_000];
const SECONDS: u32 = 10;
const QUICK_SECONDS: u32 = 2;

/// Something that replays cases.
struct Peer {
    name: &'static str,
    /// The command that measures one length.
    command: fn(&Shell, events: &str, seconds: &str) -> Command,
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "angzarr-replay, in process, 2 threads",
        command: |shell, events, _| {
            let bench = ["bench", "--locked", "-q", "-p", "poker", "--bench", "scale"];
            let mut command = shell.cargo(&bench);
            command.args(["--", "--rate", events]);
            command
        },
    },
    Peer {
        name: "Temporal's Rust replayer 1.1.1, 2 threads",
        command: |shell, events, seconds| crate_of(shell, "temporal", events, seconds),
    },
    Peer {
        name: "test framework of cqrs-es 0.5, 1 thread",
        command: |shell, events, seconds| crate_of(shell, "cqrs-es", events, seconds),
    },
    Peer {
        name: "a Python script on angzarr-client 0.3.1",
        command: |shell, events, seconds| {
            let mut command = shell.program(shell.at(python::INTERPRETER));
            command.arg("benches/peers/documentation/replay.py");
            command.args([events, seconds]);
            command
        },
    },
];

fn crate_of(shell: &Shell, name: &str, events: &str, seconds: &str) -> Command {
    let manifest = format!("benches/peers/{name}/Cargo.toml");
    let mut command = shell.cargo(&["run", "--locked", "-q", "--release", "--manifest-path"]);
    // Beside the rest of what is built, but with a folder of its own: the versions differ.
    command.env(
        "CARGO_TARGET_DIR",
        shell.at(&format!("target/peers/{name}")),
    );
    command.args([&manifest, "--", events, seconds]);
    command
}

/// Measures all peers, prints the table, and returns it.
pub(super) fn figures(shell: &Shell, is_quick: bool) -> Result<String> {
    python::install(shell)?;
    let seconds = if is_quick { QUICK_SECONDS } else { SECONDS }.to_string();
    let mut table = format!("{:<44}", "cases per second");
    for events in LENGTHS {
        let _ = write!(table, "{:>16}", format!("{events} events"));
    }
    println!("{table}");
    for peer in &PEERS {
        let mut row = format!("{:<44}", peer.name);
        for events in LENGTHS {
            let mut command = (peer.command)(shell, &events.to_string(), &seconds);
            let output = command.output().with_context(|| peer.name)?;
            if !output.status.success() {
                // Once more, to show why.
                run(&mut command).with_context(|| peer.name)?;
            }
            let rate = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let _ = write!(row, "{rate:>16}");
        }
        println!("{row}");
        table.push('\n');
        table.push_str(&row);
    }
    Ok(table)
}
