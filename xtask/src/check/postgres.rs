//! The tests of an event store in Postgres, with a server of their own.

use anyhow::{Result, bail};

use super::debian;
use super::shell::{Shell, output_of, run};

/// Debian's package.
const PACKAGE: &str = "postgresql";

pub(super) fn check(shell: &Shell) -> Result<()> {
    if !has_server(shell) {
        debian::install(
            shell,
            &[PACKAGE],
            "Postgres is needed but cannot be installed; install the server's package, which brings `initdb`",
        )?;
    }
    if !has_server(shell) {
        bail!(
            "the package {PACKAGE} was installed but brought no `initdb` below /usr/lib/postgresql"
        )
    }
    run(&mut shell.cargo(&[
        "test",
        "--quiet",
        "--locked",
        "--package",
        "xtask",
        "--features",
        "postgres",
        "--test",
        "postgres",
    ]))?;
    // The other tests of a store, in a program that has Postgres.
    run(&mut shell.cargo(&[
        "clippy",
        "--quiet",
        "--locked",
        "--package",
        "angzarr-replay",
        "--package",
        "xtask",
        "--features",
        "angzarr-replay/postgres,xtask/postgres",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Debian keeps the programs of the server off the path.
fn has_server(shell: &Shell) -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut versions = versions.into_iter().flatten().flatten();
    versions.any(|version| version.path().join("bin/initdb").is_file())
        || output_of(shell.program("initdb").arg("--version")).is_some()
}
