//! A repository of a Python team, and the commands that the team types.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::check::python;
use crate::check::shell::{Shell, output_of};

/// The aggregate whose failure is captured.
pub(super) const ROOT: &str = "6513270e";
/// Where the team's client logged the failed commands.
pub(super) const LOG: &str = "logs/failures.jsonl";
/// The case that `capture` writes.
pub(super) const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";

/// What the team has before it begins, and where that is in this workspace.
const FILES: [(&str, &str); 4] = [
    ("examples/poker-python/player.py", "player.py"),
    ("examples/poker-python/serving.py", "serving.py"),
    ("examples/poker-python/requirements.txt", "requirements.txt"),
    ("examples/poker/recorded/failures.jsonl", LOG),
];
const PROTOS: (&str, &str) = ("examples/poker/proto/examples", "proto/examples");
/// The page that shows the commands, and the address of its coordinator.
const PAGE: &str = "docs/other-languages.md";
const ADDRESS_ON_PAGE: &str = "ch-player.angzarr.svc:1310";
const LOGIC: &str = "player.py";
const PROGRAM: &str = "angzarr-replay";

/// The repository, and a virtual environment with nothing but pip.
pub(super) struct Team {
    folder: TempDir,
    wheel: PathBuf,
    /// Interpreter that has what the logic needs.
    interpreter: PathBuf,
    /// Text of the page that shows the commands.
    page: String,
    /// How many commands were typed, edits included.
    commands: usize,
}

impl Team {
    /// Makes the repository. It has no configuration yet.
    pub(super) fn new(shell: &Shell, wheel: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let team = Self {
            wheel: wheel.to_owned(),
            interpreter: shell.at(python::INTERPRETER),
            page: std::fs::read_to_string(shell.at(PAGE)).with_context(|| PAGE.to_owned())?,
            commands: 0,
            folder,
        };
        for (from, to) in FILES {
            copy(&shell.at(from), &team.at(to))?;
        }
        let (from, to) = PROTOS;
        for entry in std::fs::read_dir(shell.at(from)).with_context(|| from.to_owned())? {
            let entry = entry?;
            copy(&entry.path(), &team.at(to).join(entry.file_name()))?;
        }
        let environment = team.environment();
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&environment);
        ensure!(
            output_of(&mut venv).is_some(),
            "a virtual environment cannot be made: Python 3 with the module venv is needed"
        );
        team.hide_cargo()?;
        output_of(team.command("git").args(["init", "--quiet"])).context("git is needed")?;
        Ok(team)
    }

    /// Puts git alone beside the virtual environment on the path.
    fn hide_cargo(&self) -> Result<()> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&path);
        let git = folders
            .find_map(|folder| folder.join("git").canonicalize().ok())
            .context("git is needed")?;
        let tools = self.tools();
        std::fs::create_dir_all(&tools)?;
        std::os::unix::fs::symlink(git, tools.join("git"))?;
        for program in ["cargo", "rustc"] {
            let is_visible = [tools.clone(), self.environment().join("bin")]
                .iter()
                .any(|folder| folder.join(program).exists());
            ensure!(!is_visible, "{program} is on the path");
        }
        Ok(())
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join("repository").join(file)
    }

    fn environment(&self) -> PathBuf {
        self.folder.path().join("environment")
    }

    fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    /// A program on the team's path, in the repository. Nothing else of this process's environment reaches it.
    fn command(&self, program: &str) -> Command {
        let folders = [self.environment().join("bin"), self.tools()];
        let path = std::env::join_paths(&folders).expect("temporary folders have no colon");
        let mut found = folders.iter().map(|folder| folder.join(program));
        // `Command` itself would search the path of this process.
        let mut command = Command::new(found.find(|file| file.exists()).unwrap_or_default());
        command
            .current_dir(self.at(""))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("LANG", "C.UTF-8");
        command
    }

    /// How many commands were typed so far.
    pub(super) const fn count(&self) -> usize {
        self.commands
    }

    fn show(&mut self, words: &str) {
        self.commands += 1;
        println!("   {:>2}  {words}", self.commands);
    }

    /// `pip install`, with the wheel's file in place of its name.
    pub(super) fn install(&mut self) -> Result<()> {
        let line = format!("pip install {PROGRAM}");
        self.show(&line);
        self.is_on_page(&line)?;
        let mut pip = self.command("pip");
        pip.args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
        ])
        .arg(&self.wheel);
        let output = pip.output().context("cannot run pip")?;
        ensure!(
            output.status.success(),
            "the wheel cannot be installed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// `init`, with the address of this coordinator in place of that on the page.
    pub(super) fn init(&mut self, address: &str) -> Result<String> {
        self.is_on_page(&format!("{PROGRAM} init --source {ADDRESS_ON_PAGE}"))?;
        self.run_words(&["init", "--source", address], 0)
    }

    /// Runs `angzarr-replay` with words that are on the page, and returns what it prints.
    pub(super) fn run(&mut self, words: &[&str], code: i32) -> Result<String> {
        self.is_on_page(&format!("{PROGRAM} {}", words.join(" ")))?;
        self.run_words(words, code)
    }

    fn is_on_page(&self, line: &str) -> Result<()> {
        let is_it = |text: &str| text.split(" # ").next().unwrap_or_default().trim() == line;
        ensure!(
            self.page.lines().any(is_it),
            "{PAGE} does not show this command: {line}"
        );
        Ok(())
    }

    fn run_words(&mut self, words: &[&str], code: i32) -> Result<String> {
        let line = format!("{PROGRAM} {}", words.join(" "));
        self.show(&line);
        let output = self
            .command(PROGRAM)
            .args(words)
            .output()
            .context("cannot run the installed program")?;
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        ensure!(
            output.status.code() == Some(code),
            "`{line}` ended with {}, not with {code}:\n{text}",
            output.status
        );
        if let Some(hint) = text.lines().find(|line| names_cargo(line)) {
            bail!("`{line}` names cargo, which the team does not have: {hint}");
        }
        Ok(text)
    }

    /// Removes the comment signs of the two lines that say where the logic is, and writes the interpreter.
    pub(super) fn edit_configuration(&mut self) -> Result<()> {
        self.show("edit replay.toml: [logic.player] and its command");
        let choice = "# [logic.player]\n# command = [\".venv/bin/python\", \"player.py\"]\n";
        let interpreter = self.interpreter.display().to_string();
        let lines = format!("[logic.player]\ncommand = [{interpreter:?}, \"{LOGIC}\"]\n");
        self.replace("replay.toml", choice, &lines)
    }

    /// Changes a text in the logic.
    pub(super) fn edit_logic(&mut self, from: &str, to: &str) -> Result<()> {
        self.show(&format!("edit {LOGIC}: \"{from}\" becomes \"{to}\""));
        self.replace(LOGIC, from, to)
    }

    fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.at(file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        ensure!(
            text.matches(from).count() == 1,
            "{file} does not contain this text once: {from}"
        );
        std::fs::write(&path, text.replace(from, to))
            .with_context(|| format!("cannot write {file}"))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("cannot copy {}", from.display());
    std::fs::create_dir_all(to.parent().unwrap_or(to)).with_context(context)?;
    std::fs::copy(from, to).with_context(context)?;
    Ok(())
}

/// Whether a line tells the reader to use cargo. Paths may contain the word.
fn names_cargo(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric() && !"/.-_".contains(c));
    words
        .into_iter()
        .any(|word| word == "cargo" || word == "xtask")
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
