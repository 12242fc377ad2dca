//! The wheel, as a team without Rust uses it: installed into a fresh virtual environment, with no cargo in sight.
//!
//! The commands are those of `docs/other-languages.md`. Production is the embedded demo, which this program serves; the
//! logic is the Python peer. [`team`] runs the commands and looks at what they print.

mod production;
mod team;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::python;
use super::shell::{Shell, output_of, run};
use production::Production;
use team::Team;

const MATURIN: &str = "maturin>=1.9,<2";
const TOOL: &str = "target/tools/maturin";
/// The release of maturin that is suitable, as it reports itself.
const VERSION: &str = "maturin 1.";
const WHEELS: &str = "target/wheels";
/// From nothing to the first reproduced case.
const MOST_COMMANDS: usize = 6;

/// Builds the wheel, installs it, and goes the way of a Python team.
pub(super) fn check(shell: &Shell) -> Result<()> {
    python::install(shell)?;
    let wheel = build(shell)?;
    let production = Production::start(shell)?;
    let mut team = Team::new(shell, &wheel)?;
    team.install()?;
    team.init(production.address())?;
    reproduce(&mut team)?;
    fix(&mut team)?;
    review(&mut team)?;
    println!("   none of these outputs names cargo");
    Ok(())
}

/// The rest of the way to the first reproduced case.
fn reproduce(team: &mut Team) -> Result<()> {
    team.edit_configuration()?;
    let doctor = team.run(&["doctor"], 0)?;
    ensure!(
        doctor.contains("source production") && doctor.contains("starts and serves"),
        "`doctor` reports neither the source nor the logic: {doctor}"
    );
    let failure = ["--from-log", team::LOG, "--unredacted"];
    let captured = team.run(&[&["capture", team::ROOT], &failure[..]].concat(), 0)?;
    let mut lines = captured.lines().map(str::trim);
    let verdict = lines.find_map(|line| line.strip_prefix("verdict"));
    ensure!(
        verdict.map(str::trim) == Some("reproduced"),
        "the captured case is not reproduced: {captured}"
    );
    let tested = team.run(&["test"], 0)?;
    ensure!(
        tested.contains("1 open (known bugs that still reproduce)"),
        "`test` does not replay the captured case: {tested}"
    );
    ensure!(
        team.count() <= MOST_COMMANDS,
        "it takes {} commands to the first reproduced case, but {MOST_COMMANDS} is the limit",
        team.count()
    );
    println!("   {} commands to the first reproduced case", team.count());
    Ok(())
}

/// The open case no longer reproduces, and is closed.
fn fix(team: &mut Team) -> Result<()> {
    team.edit_logic("Insufficient funds", "Not enough funds")?;
    let fixed = team.run(&["test"], 101)?;
    ensure!(
        fixed.contains("the open case no longer reproduces"),
        "`test` does not notice the fix: {fixed}"
    );
    team.run(&["close", team::FIXTURE], 0)?;
    team.run(&["test"], 0)?;
    Ok(())
}

/// The outcome of the closed case changes, and the team accepts that.
fn review(team: &mut Team) -> Result<()> {
    team.edit_logic("Not enough funds", "The balance is too low")?;
    team.run(&["test"], 101)?;
    let listed = team.run(&["review", "--list"], 0)?;
    ensure!(
        listed
            .contains("`message` reworded: \"Not enough funds\" became \"The balance is too low\""),
        "`review --list` does not show the change: {listed}"
    );
    team.run(&["review", "--accept", "all"], 0)?;
    let accepted = team.run(&["test"], 0)?;
    ensure!(
        accepted.contains("1 closed, 0 open"),
        "the accepted case does not pass: {accepted}"
    );
    Ok(())
}

/// Builds the wheel with the artifacts of `target/debug`.
fn build(shell: &Shell) -> Result<PathBuf> {
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
