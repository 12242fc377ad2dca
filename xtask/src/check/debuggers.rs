//! The tests that stop logic at breakpoints, with the debuggers of three languages.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::shell::{Shell, output_of, run};
use super::{debian, python};

/// Debian's packages, each with a file or program that it brings.
const PACKAGES: [(&str, &str); 7] = [
    ("gdb", "gdb"),
    ("gdbserver", "gdbserver"),
    ("lldb", "lldb-server"),
    ("delve", "dlv"),
    ("golang-go", "go"),
    ("golang-google-grpc-dev", GO_SOURCES[0]),
    ("golang-google-protobuf-dev", GO_SOURCES[1]),
];
const GO_SOURCES: [&str; 2] = [
    "/usr/share/gocode/src/google.golang.org/grpc/server.go",
    "/usr/share/gocode/src/google.golang.org/protobuf/encoding/protowire/wire.go",
];
/// Where Debian's packages of Go sources are.
const GO_PATH: &str = "/usr/share/gocode";
/// The logic, built with complete debug information.
const FOLDER: &str = "target/debuggers";
const IN_RUST: &str = "target/debuggers/player-in-rust";
const IN_GO: &str = "target/debuggers/player-in-go";

pub(super) fn check(shell: &Shell) -> Result<()> {
    python::install(shell)?;
    install(shell)?;
    std::fs::create_dir_all(shell.at(FOLDER)).with_context(|| format!("cannot create {FOLDER}"))?;
    build_in_rust(shell)?;
    build_in_go(shell)?;
    let test = [
        "test",
        "--quiet",
        "--locked",
        "--test",
        "started_logic",
        "--",
        "--ignored",
    ];
    run(shell
        .cargo(&test)
        .env("PLAYER_IN_RUST", shell.at(IN_RUST))
        .env("PLAYER_IN_GO", shell.at(IN_GO)))
}

fn install(shell: &Shell) -> Result<()> {
    let missing = || -> Vec<&str> {
        let packages = PACKAGES
            .iter()
            .filter(|(_, brings)| !is_there(shell, brings));
        packages.map(|(package, _)| *package).collect()
    };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let reason = "the debuggers are needed but cannot be installed; install gdb, lldb, delve, and Go with gRPC";
    debian::install(shell, &packages, reason)?;
    let missing = missing();
    ensure!(
        missing.is_empty(),
        "these packages were installed but lack what the tests need: {}",
        missing.join(", ")
    );
    Ok(())
}

fn is_there(shell: &Shell, brings: &str) -> bool {
    let mut which = shell.program("sh");
    Path::new(brings).is_file()
        || output_of(which.args(["-c", "command -v \"$0\"", brings])).is_some()
}

/// Only the demo itself: its dependencies stay as the other steps build them.
fn build_in_rust(shell: &Shell) -> Result<()> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--package",
        "poker",
        "--bin",
        "poker",
        "--config",
        "profile.dev.package.poker.debug=\"full\"",
    ];
    run(&mut shell.cargo(&build))?;
    // The next ordinary build replaces the program.
    std::fs::copy(shell.at("target/debug/poker"), shell.at(IN_RUST))
        .map(drop)
        .with_context(|| format!("cannot copy the demo to {IN_RUST}"))
}

fn build_in_go(shell: &Shell) -> Result<()> {
    run(shell
        .program("go")
        .args(["build", "-gcflags=all=-N -l", "-o", IN_GO])
        .arg("tests/go/player.go")
        .env("GO111MODULE", "off")
        .env("GOPATH", GO_PATH)
        .env("GOCACHE", shell.at(FOLDER).join("go-cache")))
}
