//! The Python peer: installs it, and replays every fixture on it.

use anyhow::{Context, Result};

use super::shell::{Shell, output_of, run};

const REQUIREMENTS: &str = "examples/poker-python/requirements.txt";
/// Interpreter that has what the peer needs.
pub(crate) const INTERPRETER: &str = ".venv/bin/python";
/// A copy of the installed requirements, to install only if they changed.
const STAMP: &str = ".venv/installed-requirements.txt";

/// Installs the peer, and runs the tests that need it.
pub(super) fn peers(shell: &Shell) -> Result<()> {
    install(shell)?;
    let mut replay = shell.cargo(&["test", "--quiet", "--locked", "--test", "replay"]);
    run(replay.env("ANGZARR_REPLAY__DEMAND_TWINS", "true"))?;
    let ignored = ["--", "--include-ignored"];
    let of_the_peer = ["python_", "recorder::"];
    let suite = ["test", "--quiet", "--locked", "--test", "suite"];
    run(shell.cargo(&suite).args(ignored).args(of_the_peer))?;
    let tool = [
        "test", "--quiet", "--locked", "-p", "xtask", "--test", "suite",
    ];
    let mut page = shell.cargo(&tool);
    run(page.args(ignored).arg("replay_debugging"))
}

/// Installs the peer into `.venv` if needed.
pub(crate) fn install(shell: &Shell) -> Result<()> {
    let wanted = std::fs::read_to_string(shell.at(REQUIREMENTS))
        .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    let is_there = output_of(shell.program(shell.at(INTERPRETER)).arg("--version")).is_some();
    let installed = std::fs::read_to_string(shell.at(STAMP)).ok();
    if is_there && installed.as_ref() == Some(&wanted) {
        return Ok(());
    }
    println!("   installing {REQUIREMENTS} into .venv");
    if !is_there {
        run(shell
            .program("python3")
            .args(["-m", "venv", "--clear", ".venv"]))
        .context("the peer needs Python 3.10 or newer with the module venv")?;
    }
    run(shell.program(shell.at(INTERPRETER)).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS,
    ]))?;
    std::fs::write(shell.at(STAMP), wanted).with_context(|| format!("cannot write {STAMP}"))
}
