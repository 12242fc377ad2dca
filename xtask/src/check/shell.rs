//! Runs other programs in the root of the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Where programs run, and with which tools on the path.
pub(crate) struct Shell {
    root: PathBuf,
    path: OsString,
    /// Whether generated files are written instead of compared.
    pub(crate) blesses: bool,
}

impl Shell {
    pub(crate) fn new(root: &Path, blesses: bool) -> Self {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders =
            std::iter::once(root.join("target/tools/bin")).chain(std::env::split_paths(&inherited));
        Self {
            root: root.to_owned(),
            path: std::env::join_paths(folders).unwrap_or(inherited),
            blesses,
        }
    }

    /// A path in the workspace.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A command that runs a program in the root.
    pub(crate) fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(&self.root)
            .env("PATH", &self.path)
            .env("CARGO_TARGET_DIR", self.root.join("target"));
        // `cargo run` sets these for xtask; other programs must not see them.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// `cargo`, with these arguments.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.program(cargo);
        command.args(arguments);
        command
    }
}

/// Runs a command and shows its output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", worded(command)))?;
    ensure!(status.success(), "{} exited with {status}", worded(command));
    Ok(())
}

/// Runs a command and returns its standard output; none if it cannot be run or fails.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

fn worded(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    format!("`{}`", words.join(" "))
}
