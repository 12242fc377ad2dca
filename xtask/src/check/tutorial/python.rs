//! The tutorial in Python: the wheel in a fresh virtual environment, and no cargo in sight. What the reader has at the end
//! is `examples/python-team`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::session::{PAGE, Session, World};
use super::wheel;
use crate::check::python;
use crate::check::shell::{Shell, output_of};

/// The finished repository.
const EXAMPLE: &str = "examples/python-team";
/// The page of teams without Rust, whose commands are those of the tutorial.
const OTHER_PAGE: &str = "docs/other-languages.md";
/// Requirements of the shared environment, which has those of the tutorial.
const REQUIREMENTS: &str = "examples/poker-python/requirements.txt";
/// Programs on the reader's path, besides those of the virtual environment.
const TOOLS: [&str; 3] = ["git", "mkdir", "cp"];

/// Builds the wheel and follows the tutorial with it.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    python::install(shell)?;
    let wheel = wheel::build(shell)?;
    let folder = tempfile::tempdir()?;
    // Paths are compared, so no part of this one may be a link.
    let folder = folder.path().canonicalize()?;
    let repository = folder.join("repository");
    std::fs::create_dir_all(&repository)?;
    let world = Python {
        environment: folder.join("environment"),
        wheel,
        shared: shell.at(".venv"),
        requirements: std::fs::read_to_string(shell.at(REQUIREMENTS))?,
    };
    let environment = world.prepare(&folder)?;
    let mut session = Session::new(&world, &shell.at(""), &repository, environment);
    let typed = session.follow(shell.blesses)?;
    println!("   no output names cargo");
    compare_with_example(shell, &repository)?;
    compare_with_page(shell, &typed)
}

struct Python {
    /// Virtual environment that gets the wheel.
    environment: PathBuf,
    wheel: PathBuf,
    /// Virtual environment that has everything the logic needs.
    shared: PathBuf,
    requirements: String,
}

impl Python {
    /// Makes the virtual environment and a folder of tools, and returns the environment of the commands.
    fn prepare(&self, folder: &Path) -> Result<Vec<(OsString, OsString)>> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&self.environment);
        ensure!(
            output_of(&mut venv).is_some(),
            "a virtual environment cannot be made: Python 3 with the module venv is needed"
        );
        let tools = folder.join("tools");
        std::fs::create_dir_all(&tools)?;
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        for tool in TOOLS {
            let mut folders = std::env::split_paths(&inherited);
            let found = folders.find_map(|folder| folder.join(tool).canonicalize().ok());
            let found = found.with_context(|| format!("{tool} is needed"))?;
            std::os::unix::fs::symlink(found, tools.join(tool))?;
        }
        let path = std::env::join_paths([self.environment.join("bin"), tools])
            .expect("temporary folders have no colon");
        let mut environment = vec![
            ("PATH".into(), path),
            ("HOME".into(), folder.into()),
            ("LANG".into(), "C.UTF-8".into()),
        ];
        environment.extend(super::session::git_identity());
        Ok(environment)
    }

    fn install_wheel(&self) -> Result<()> {
        let mut pip = Command::new(self.environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-index"]);
        let output = pip
            .arg("--disable-pip-version-check")
            .arg(&self.wheel)
            .output()?;
        ensure!(
            output.status.success(),
            "the wheel cannot be installed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Makes `.venv` of the parts of the shared environment, which takes no time and no network.
    fn link_environment(&self, folder: &Path) -> Result<()> {
        let venv = folder.join(".venv");
        std::fs::create_dir(&venv)?;
        for entry in std::fs::read_dir(&self.shared)? {
            let entry = entry?;
            std::os::unix::fs::symlink(entry.path(), venv.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn has_requirements(&self, folder: &Path) -> Result<()> {
        let wanted = std::fs::read_to_string(folder.join("requirements.txt"))?;
        for line in wanted.lines() {
            ensure!(
                self.requirements.lines().any(|known| known == line),
                "{line} is not in {REQUIREMENTS}, whose environment is used here"
            );
        }
        Ok(())
    }
}

impl World for Python {
    fn name(&self) -> &'static str {
        "Python"
    }

    fn step(&self) -> &'static str {
        "wheel"
    }

    fn stand_in(&self, command: &str, folder: &Path) -> Option<Result<()>> {
        match command {
            "python3 -m venv .venv" => Some(self.link_environment(folder)),
            "pip install --quiet angzarr-replay" => Some(self.install_wheel()),
            ".venv/bin/pip install --quiet -r requirements.txt" => {
                Some(self.has_requirements(folder))
            }
            _ => None,
        }
    }

    fn adapted(&self, _file: &str, text: &str) -> String {
        text.to_owned()
    }

    fn objection(&self, output: &str) -> Option<String> {
        let hint = output.lines().find(|line| names_cargo(line))?;
        Some(format!(
            "names cargo, which the reader does not have: {hint}"
        ))
    }
}

/// Whether a line tells the reader to use cargo. Paths may contain the word.
fn names_cargo(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric() && !"/.-_".contains(c));
    words
        .into_iter()
        .any(|word| word == "cargo" || word == "xtask")
}

/// The files that git would commit, with the times of captures left out.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-co", "--exclude-standard", "-z"]);
    let listed = output_of(git.current_dir(folder)).context("git cannot list the files")?;
    let time = Regex::new("captured_at: .*").expect("it is a constant");
    let mut files = BTreeMap::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let content = std::fs::read(folder.join(name)).with_context(|| name.to_owned())?;
        let content = match String::from_utf8(content) {
            Ok(text) => time.replace(&text, "captured_at: TIME").into_owned().into(),
            Err(error) => error.into_bytes(),
        };
        files.insert(name.to_owned(), content);
    }
    // Its own page, which the tutorial does not write.
    files.remove("README.md");
    Ok(files)
}

/// The reader's repository is the example, file by file.
fn compare_with_example(shell: &Shell, repository: &Path) -> Result<()> {
    let example = shell.at(EXAMPLE);
    let made = files(repository)?;
    if shell.blesses {
        let before = files(&example)?;
        // Others keep the time of their capture.
        for name in made
            .keys()
            .filter(|name| made.get(*name) != before.get(*name))
        {
            let to = example.join(name);
            std::fs::create_dir_all(to.parent().unwrap_or(&to))?;
            std::fs::copy(repository.join(name), to).with_context(|| name.clone())?;
        }
    }
    let known = files(&example)?;
    let names = made.keys().chain(known.keys());
    let differing: BTreeSet<&str> = names
        .filter(|name| made.get(*name) != known.get(*name))
        .map(String::as_str)
        .collect();
    ensure!(
        differing.is_empty(),
        "{EXAMPLE} is not what the reader of {PAGE} has at the end; write it with \
         `cargo xtask check --only wheel --bless`, and remove what is too much: {}",
        Vec::from_iter(differing).join(", ")
    );
    println!("   {EXAMPLE} is the result, {} files", known.len());
    Ok(())
}

/// Every command of the page of teams without Rust is one that was typed here.
fn compare_with_page(shell: &Shell, typed: &[String]) -> Result<()> {
    let text = std::fs::read_to_string(shell.at(OTHER_PAGE))?;
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.filter_map(|block| block.split("```").next());
    let commands: Vec<&str> = lines
        .flat_map(str::lines)
        .filter_map(|line| line.split(" #").next())
        .map(str::trim)
        .filter(|line| line.starts_with("angzarr-replay "))
        .collect();
    ensure!(!commands.is_empty(), "{OTHER_PAGE} has no commands");
    let address = Regex::new(r"[\w.-]+:\d+").expect("it is a constant");
    let plain = |command: &str| address.replace(command, "ADDRESS").into_owned();
    let typed: Vec<String> = typed.iter().map(|command| plain(command)).collect();
    for command in commands {
        ensure!(
            typed.contains(&plain(command)),
            "{OTHER_PAGE} has a command that is not in {PAGE}: {command}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::names_cargo;

    #[test]
    fn a_hint_with_cargo_is_noticed_and_a_path_is_not() {
        assert!(names_cargo("next: cargo xtask replay x.yaml"));
        assert!(names_cargo("accept it: `cargo insta review`"));
        assert!(!names_cargo(
            "replayed on player (started: /home/cargo/.venv/bin/python)"
        ));
    }
}
