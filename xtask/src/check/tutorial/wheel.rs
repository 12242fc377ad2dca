//! The wheel of this workspace, as it is installed without cargo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::check::shell::{Shell, output_of, run};

const MATURIN: &str = "maturin>=1.9,<2";
const TOOL: &str = "target/tools/maturin";
/// The release of maturin that is suitable, as it reports itself.
const VERSION: &str = "maturin 1.";
const WHEELS: &str = "target/wheels";

/// Builds the wheel with the artifacts of `target/debug`.
pub(super) fn build(shell: &Shell) -> Result<PathBuf> {
    let maturin = shell.at(TOOL).join("bin/maturin");
    install_maturin(shell, &maturin)?;
    let folder = shell.at(WHEELS);
    // Otherwise a wheel of another version would be a second one.
    let _ = std::fs::remove_dir_all(&folder);
    let options = ["build", "--quiet", "--profile", "dev", "--locked"];
    run(shell
        .program(&maturin)
        .args(options)
        // It runs here only, so it need not run on older systems.
        .args(["--compatibility", "linux", "--out", WHEELS]))?;
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {WHEELS}"))?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    ensure!(files.len() == 1, "{WHEELS} holds {} files", files.len());
    Ok(files.remove(0))
}

fn install_maturin(shell: &Shell, program: &Path) -> Result<()> {
    let is_there = || {
        let said = output_of(shell.program(program).arg("--version"));
        said.is_some_and(|said| said.starts_with(VERSION))
    };
    if is_there() {
        return Ok(());
    }
    println!("   installing {MATURIN} below target/tools");
    run(shell
        .program("python3")
        .args(["-m", "venv", "--clear", TOOL]))
    .context("maturin needs Python 3 with the module venv")?;
    run(shell.program(shell.at(TOOL).join("bin/python")).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        MATURIN,
    ]))
    .context("maturin is needed but cannot be installed (is there a network?)")?;
    ensure!(
        is_there(),
        "maturin was installed but does not report version {VERSION}*"
    );
    Ok(())
}
