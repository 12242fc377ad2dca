//! Tools of cargo's that steps need: used where they are there, installed where they are not.

use anyhow::{Context, Result, bail};

use super::shell::{Shell, output_of, run};

/// A program that `cargo install` brings.
pub(super) struct Tool {
    name: &'static str,
    /// Beginning of the versions that will do; empty where any does.
    version: &'static str,
    /// What to install where there is none.
    install: &'static str,
}

/// Its findings depend on its version.
pub(super) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.",
    install: "~0.20",
};
/// The same minor version as the library that the harness calls.
pub(super) const CARGO_INSTA: Tool = Tool {
    name: "cargo-insta",
    version: "1.49.",
    install: "~1.49",
};
/// What is used of it has been stable for years.
pub(super) const CARGO_NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.",
    install: "~0.9",
};

/// Installs a tool below `target/tools` unless it is there or on the path.
pub(super) fn ensure(shell: &Shell, tool: &Tool) -> Result<()> {
    if has(shell, tool) {
        return Ok(());
    }
    println!(
        "   installing {} {} below target/tools",
        tool.name, tool.install
    );
    let root = shell.at("target/tools");
    let build = root.join("build");
    let mut install = shell.cargo(&["install", "--quiet", "--locked", "--debug", tool.name]);
    install
        .args(["--version", tool.install, "--no-track", "--force"])
        .arg("--root")
        .arg(&root)
        .env("CARGO_TARGET_DIR", &build)
        // It is built once and runs for seconds.
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    if tool.name == CARGO_DENY.name {
        // The default features are for advisories, which are not asked for.
        install.arg("--no-default-features");
    }
    run(&mut install).with_context(|| {
        format!(
            "{} {} is needed and cannot be installed (is there a network?)",
            tool.name, tool.install
        )
    })?;
    let _ = std::fs::remove_dir_all(build);
    if has(shell, tool) {
        return Ok(());
    }
    bail!(
        "{} was installed and does not say that it is version {}*",
        tool.name,
        tool.version
    )
}

fn has(shell: &Shell, tool: &Tool) -> bool {
    // nextest has no version of its own without its subcommand.
    let subcommand = tool.name.trim_start_matches("cargo-");
    let said = output_of(shell.program(tool.name).arg("--version"))
        .or_else(|| output_of(shell.program(tool.name).args([subcommand, "--version"])));
    said.is_some_and(|said| {
        said.split_whitespace()
            .any(|word| word.starts_with(tool.version))
    })
}

/// Fails unless the toolchain has a component.
pub(super) fn ensure_component(shell: &Shell, subcommand: &str, component: &str) -> Result<()> {
    if output_of(&mut shell.cargo(&[subcommand, "--version"])).is_some() {
        return Ok(());
    }
    bail!("the toolchain has no {component}; install it: rustup component add {component}")
}
