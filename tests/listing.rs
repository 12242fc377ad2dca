//! Listing looks at file names only. Runs itself as the harness of a folder of its own.

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use libtest_mimic::{Arguments, Failed, Trial};

const AS_HARNESS: &str = "LISTING_TEST_AS_HARNESS";

fn main() -> ExitCode {
    if std::env::var_os(AS_HARNESS).is_some() {
        return poker::app().harness();
    }
    let trials = vec![
        Trial::test("a_broken_fixture_is_listed", a_broken_fixture_is_listed),
        Trial::test(
            "a_broken_fixture_fails_when_it_runs",
            a_broken_fixture_fails_when_it_runs,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn a_broken_fixture_is_listed() -> Result<(), Failed> {
    let output = harness_of_a_broken_fixture(&["--list"])?;
    let listed = String::from_utf8(output.stdout)?;
    if !output.status.success() || !listed.contains("player::broken: test") {
        return Err(format!("{}: {listed}", output.status).into());
    }
    Ok(())
}

/// The fixture is broken indeed.
fn a_broken_fixture_fails_when_it_runs() -> Result<(), Failed> {
    let output = harness_of_a_broken_fixture(&["player::broken"])?;
    if output.status.success() {
        return Err("a broken fixture passed".into());
    }
    Ok(())
}

fn harness_of_a_broken_fixture(arguments: &[&str]) -> Result<Output, Failed> {
    let folder = tempfile::tempdir()?;
    let fixtures = folder.path().join("fixtures");
    std::fs::create_dir_all(fixtures.join("player"))?;
    std::fs::write(
        fixtures.join("player/broken.yaml"),
        "fixture: 1\n{ [ : no YAML",
    )?;
    harness(folder.path(), arguments)
}

fn harness(folder: &Path, arguments: &[&str]) -> Result<Output, Failed> {
    let program = std::env::current_exe()?;
    Ok(Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env(AS_HARNESS, "")
        .env_remove("NEXTEST")
        .output()?)
}
