//! The cargo tools that steps need. Installs those that are missing.

use anyhow::{Context, Result, bail};

use super::shell::{Shell, output_of, run};

/// A program that `cargo install` installs.
pub(super) struct Tool {
    name: &'static str,
    /// Prefix of suitable versions; empty if any version is suitable.
    version: &'static str,
    /// The version to install.
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
/// The parts of it that are used have been stable for years.
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
        // It is built once and only runs for seconds.
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    if tool.name == CARGO_DENY.name {
        // The default features are for advisories, which are not used.
        install.arg("--no-default-features");
    }
    run(&mut install).with_context(|| {
        format!(
            "{} {} is needed but cannot be installed (is there a network?)",
            tool.name, tool.install
        )
    })?;
    let _ = std::fs::remove_dir_all(build);
    if has(shell, tool) {
        return Ok(());
    }
    bail!(
        "{} was installed but does not report version {}*",
        tool.name,
        tool.version
    )
}

fn has(shell: &Shell, tool: &Tool) -> bool {
    // nextest only reports its version with its subcommand.
    let subcommand = tool.name.trim_start_matches("cargo-");
    let said = output_of(shell.program(tool.name).arg("--version"))
        .or_else(|| output_of(shell.program(tool.name).args([subcommand, "--version"])));
    said.is_some_and(|said| {
        said.split_whitespace()
            .any(|word| word.starts_with(tool.version))
    })
}

/// Fails if the toolchain lacks a component.
pub(super) fn ensure_component(shell: &Shell, subcommand: &str, component: &str) -> Result<()> {
    if output_of(&mut shell.cargo(&[subcommand, "--version"])).is_some() {
        return Ok(());
    }
    bail!("the toolchain lacks {component}; install it: rustup component add {component}")
}
