//! The tutorial in Rust: a package of the reader's own that `init` makes a workspace.
//!
//! What is compiled goes into this workspace's `target/`, so that dependencies are compiled once. Cargo tells packages
//! apart by their path within a workspace; a compiler wrapper of its own, which does nothing, keeps the reader's packages
//! apart from others of the same name.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::session::{Session, World, git_identity};
use crate::check::shell::{Shell, run};
use crate::check::tools::{CARGO_INSTA, CARGO_NEXTEST, ensure as ensure_tool};

/// Most lines of Rust in the package `replay`: what `init` writes and what the reader adds.
const MOST_LINES: usize = 19;
const WRAPPER: &str = "target/scenarios/compilers/tutorial";
/// The variables of this process that the reader has, too. Variables of cargo and of CI would change what is printed.
const INHERITED: [&str; 6] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_FILE",
];

/// Follows the tutorial.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    ensure_tool(shell, &CARGO_INSTA)?;
    ensure_tool(shell, &CARGO_NEXTEST)?;
    run(&mut shell.cargo(&[
        "build",
        "--quiet",
        "--locked",
        "--package",
        "angzarr-replay",
        "--bin",
        "angzarr-replay",
    ]))?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path().canonicalize()?;
    let repository = folder.join("repository");
    std::fs::create_dir_all(&repository)?;
    // The same versions of dependencies, so that nothing is compiled or downloaded again.
    std::fs::copy(shell.at("Cargo.lock"), repository.join("Cargo.lock"))?;
    let world = Rust {
        clone: shell.at(""),
    };
    let environment = environment(shell, &folder)?;
    Session::new(&world, &shell.at(""), &repository, environment).follow(shell.blesses)?;
    let lines = lines_of_rust(&repository.join("replay"))?;
    ensure!(
        lines <= MOST_LINES,
        "it takes {lines} lines of Rust beyond the logic, but {MOST_LINES} is the limit"
    );
    println!("   {lines} lines of Rust beyond the logic");
    Ok(())
}

struct Rust {
    clone: PathBuf,
}

impl World for Rust {
    fn name(&self) -> &'static str {
        "Rust"
    }

    fn step(&self) -> &'static str {
        "workspace"
    }

    fn stand_in(&self, _command: &str, _folder: &Path) -> Option<Result<()>> {
        None
    }

    /// The manifest with the lines that the page asks for until there is a release, and with the profile of this
    /// workspace, to share what is compiled.
    fn adapted(&self, file: &str, text: &str) -> String {
        if file != "Cargo.toml" {
            return text.to_owned();
        }
        let clone = self.clone.display().to_string();
        let clone = clone.trim_end_matches('/');
        format!(
            "{text}
[patch.crates-io]
angzarr-replay = {{ path = {clone:?} }}

[profile.dev]
debug = \"line-tables-only\"

[profile.dev.package.\"*\"]
debug = false
"
        )
    }

    fn objection(&self, _output: &str) -> Option<String> {
        None
    }
}

fn environment(shell: &Shell, folder: &Path) -> Result<Vec<(OsString, OsString)>> {
    let wrapper = shell.at(WRAPPER);
    std::fs::create_dir_all(wrapper.parent().unwrap_or(&wrapper))?;
    std::fs::write(&wrapper, "#!/bin/sh\nexec \"$@\"\n")?;
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755))?;
    // The installed program.
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin)?;
    let program = shell.at("target/debug/angzarr-replay");
    std::os::unix::fs::symlink(program, bin.join("angzarr-replay"))?;
    let inherited = INHERITED.iter().filter_map(|name| {
        let value = std::env::var_os(name)?;
        Some((OsString::from(name), value))
    });
    let mut environment: Vec<(OsString, OsString)> = inherited.collect();
    for (name, value) in &mut environment {
        if name == "PATH" {
            let folders = [bin.clone(), shell.at("target/tools/bin")];
            let folders = folders.into_iter().chain(std::env::split_paths(&*value));
            *value = std::env::join_paths(folders).context("a folder on the path has a colon")?;
        }
    }
    environment.extend([
        ("CARGO_BUILD_BUILD_DIR".into(), shell.at("target").into()),
        ("CARGO_INCREMENTAL".into(), "0".into()),
        ("CARGO_TERM_COLOR".into(), "never".into()),
        ("RUSTC_WORKSPACE_WRAPPER".into(), wrapper.into()),
        ("LANG".into(), "C.UTF-8".into()),
    ]);
    environment.extend(git_identity());
    Ok(environment)
}

/// Lines with code in a package; blank lines and comments are none.
fn lines_of_rust(package: &Path) -> Result<usize> {
    let mut lines = 0;
    for file in ["src/lib.rs", "src/main.rs", "tests/replay.rs"] {
        let text = std::fs::read_to_string(package.join(file)).with_context(|| file.to_owned())?;
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        lines += text.lines().filter(is_code).count();
    }
    Ok(lines)
}
