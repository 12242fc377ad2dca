//! A reader who does what the page says, in a repository of their own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::compare::is_as_expected;
use super::page::{Action, Typed, Way, actions, with_outputs};

/// The page, and the address that its production has.
pub(super) const PAGE: &str = "docs/tutorial.md";
const ADDRESS: &str = "127.0.0.1:1310";
/// What the page writes in place of the reader's folder, and of the clone.
const FOLDER: &str = "/home/you/bank";
const CLONE: &str = "…/angzarr-replay";
/// Most commands and edits from `init` to the first reproduced case.
const MOST_COMMANDS: usize = 6;

/// What differs from one world to the other.
pub(super) trait World {
    /// Name of the world's section.
    fn name(&self) -> &'static str;
    /// Step of the check that follows it.
    fn step(&self) -> &'static str;
    /// Does something else in place of a command; `None` for a command that runs as it stands.
    fn stand_in(&self, command: &str, folder: &Path) -> Option<Result<()>>;
    /// A file as it is written, if it is not written as it stands.
    fn adapted(&self, file: &str, text: &str) -> String;
    /// What must not be in an output.
    fn objection(&self, output: &str) -> Option<String>;
}

/// The reader.
pub(super) struct Session<'a> {
    world: &'a dyn World,
    /// Root of this workspace.
    clone: PathBuf,
    /// The reader's repository.
    folder: PathBuf,
    /// The whole environment of every command.
    environment: Vec<(OsString, OsString)>,
    /// A client that attaches to a debugger, and its interpreter.
    debugger: [PathBuf; 2],
    production: Option<Child>,
    address: String,
    /// Commands and edits since `init`, until a case is reproduced.
    counted: Option<usize>,
    first_case: Option<usize>,
    typed: Vec<String>,
    differing: Vec<(Typed, String)>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        world: &'a dyn World,
        clone: &Path,
        folder: &Path,
        environment: Vec<(OsString, OsString)>,
    ) -> Self {
        Self {
            world,
            // Without a slash at the end.
            clone: clone.components().collect(),
            folder: folder.to_owned(),
            environment,
            debugger: [
                clone.join(crate::check::python::INTERPRETER),
                clone.join("tests/python/debug_client.py"),
            ],
            production: None,
            address: ADDRESS.to_owned(),
            counted: None,
            first_case: None,
            typed: Vec::new(),
            differing: Vec::new(),
        }
    }

    /// Does everything that the page says. Writes what was printed into the page if `blesses`, and returns the commands.
    pub(super) fn follow(&mut self, blesses: bool) -> Result<Vec<String>> {
        let file = self.clone.join(PAGE);
        let page = std::fs::read_to_string(&file).with_context(|| PAGE.to_owned())?;
        for (line, action) in actions(&page, self.world.name()).with_context(|| PAGE.to_owned())? {
            self.act(action).with_context(|| format!("{PAGE}:{line}"))?;
        }
        self.restore_address()?;
        if blesses {
            std::fs::write(&file, with_outputs(&page, &self.differing))
                .with_context(|| format!("cannot write {PAGE}"))?;
        } else if let Some((typed, actual)) = self.differing.first() {
            bail!(
                "{PAGE}:{}: `{}` prints something else than the page shows:\n{actual}\n\
                 If that is right, write it into the page: cargo xtask check --only {} --bless",
                typed.line + 1,
                typed.command,
                self.world.step()
            );
        }
        let count = self.first_case.context("no case was reproduced")?;
        ensure!(
            count <= MOST_COMMANDS,
            "it takes {count} commands and edits from `init` to the first reproduced case, but {MOST_COMMANDS} is the limit"
        );
        println!("   {count} commands and edits from `init` to the first reproduced case");
        Ok(std::mem::take(&mut self.typed))
    }

    /// `init` wrote the address of a free port.
    fn restore_address(&self) -> Result<()> {
        let file = self.folder.join("replay.toml");
        let text = std::fs::read_to_string(&file).context("there is no replay.toml")?;
        std::fs::write(&file, text.replace(&self.address, ADDRESS))?;
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<()> {
        match action {
            Action::Write { file, text } => {
                let path = self.folder.join(&file);
                ensure!(!path.exists(), "{file} is there already");
                let text = self.world.adapted(&file, &text);
                std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
                std::fs::write(&path, text).with_context(|| format!("cannot write {file}"))
            }
            Action::Edit { file, places } => {
                self.count(&format!("edit {file}"));
                let path = self.folder.join(&file);
                let mut text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {file}"))?;
                for (before, after) in places {
                    let count = text.matches(&before).count();
                    ensure!(
                        count == 1,
                        "{file} contains this {count} times, not once:\n{before}"
                    );
                    text = text.replace(&before, &after);
                }
                std::fs::write(&path, text).with_context(|| format!("cannot write {file}"))
            }
            Action::Type(way, typed) => typed.iter().try_for_each(|typed| self.run(&way, typed)),
        }
    }

    fn run(&mut self, way: &Way, typed: &Typed) -> Result<()> {
        let command = &typed.command;
        if command.split(' ').any(|word| word == "init") && !command.starts_with("git") {
            self.counted.get_or_insert(0);
        }
        self.count(command);
        self.typed.push(command.clone());
        if let Some(done) = self.world.stand_in(command, &self.folder) {
            return done.with_context(|| command.clone());
        }
        let (output, is_fine) = match way {
            Way::Succeeds => self.output(command, true)?,
            Way::Fails => self.output(command, false)?,
            Way::Serves => (self.serve(command)?, true),
            Way::Debugs { source, function } => self.debug(command, source, function)?,
        };
        let output = output
            .replace(&self.folder.display().to_string(), FOLDER)
            .replace(&self.clone.display().to_string(), CLONE);
        let wanted = if *way == Way::Fails {
            "fail"
        } else {
            "succeed"
        };
        ensure!(is_fine, "`{command}` does not {wanted}:\n{output}");
        if let Some(objection) = self.world.objection(&output) {
            bail!("`{command}`: {objection}");
        }
        let is_verdict = |line: &str| {
            let verdict = line.trim().strip_prefix("verdict");
            verdict.is_some_and(|verdict| verdict.trim() == "reproduced")
        };
        if self.first_case.is_none() && output.lines().any(is_verdict) {
            self.first_case = self.counted;
        }
        if !is_as_expected(&typed.output, &output) {
            self.differing.push((typed.clone(), output));
        }
        Ok(())
    }

    fn count(&mut self, what: &str) {
        if let Some(count) = &mut self.counted {
            *count += 1;
        }
        println!("   $ {what}");
    }

    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", script])
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("CLONE", &self.clone)
            .stdin(Stdio::null());
        shell
    }

    /// What a command prints, and whether it ended as it should.
    fn output(&self, command: &str, succeeds: bool) -> Result<(String, bool)> {
        let command = command.replace(ADDRESS, &self.address);
        let output = self.shell(&format!("exec 2>&1; {command}")).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((text, output.status.success() == succeeds))
    }

    /// Starts a server on a free port, and returns what it prints until it serves.
    fn serve(&mut self, command: &str) -> Result<String> {
        let mut serve = self.shell(&format!("exec {command} --port 0 2>&1"));
        let mut process = serve.stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().expect("it is piped");
        self.production = Some(process);
        let mut text = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            text.extend([&line, "\n"]);
            if let Some(address) = address_in(&line) {
                address.clone_into(&mut self.address);
                return Ok(text);
            }
        }
        bail!("`{command}` ended before it served:\n{text}")
    }

    /// Runs a case under the debugger, and attaches to it as the launch configuration says.
    fn debug(&self, command: &str, source: &str, function: &str) -> Result<(String, bool)> {
        let mut run = self.shell(&format!("exec {command} 2>&1"));
        let run = run.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Ended(run.spawn()?);
        let [interpreter, client] = &self.debugger;
        let mut client_command = Command::new(interpreter);
        let client = client_command
            .arg(client)
            .args([".vscode/launch.json", source, function])
            .current_dir(&self.folder)
            .stdout(Stdio::piped());
        let client = Ended(client.spawn()?);
        let output = BufReader::new(process.0.stdout.take().expect("it is piped"));
        let mut text = String::new();
        for line in output.lines() {
            let line = line?;
            if line.starts_with("Enter: ") {
                // The end of input ends the session.
                drop(process.0.stdin.take());
            }
            text.extend([&line, "\n"]);
        }
        let is_over = process.0.wait()?.success();
        let said = client.output()?;
        ensure!(
            said.starts_with(&format!("stopped in {function},")),
            "the debugger did not stop in `{function}`: {said}\n{text}"
        );
        println!("     the debugger {}", said.trim());
        Ok((text, is_over))
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        drop(self.production.take().map(Ended));
    }
}

/// A process that ends when it is dropped.
struct Ended(Child);

impl Ended {
    /// Waits, and returns what it printed.
    fn output(mut self) -> Result<String> {
        let mut text = String::new();
        let output = self.0.stdout.take().expect("it is piped");
        for line in BufReader::new(output).lines() {
            text.extend([&line?, "\n"]);
        }
        ensure!(
            self.0.wait()?.success(),
            "the debugger's client failed: {text}"
        );
        Ok(text)
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Variables with which git needs no configuration, and has none.
pub(super) fn git_identity() -> [(OsString, OsString); 5] {
    [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "You"),
        ("GIT_AUTHOR_EMAIL", "you@example.com"),
        ("GIT_COMMITTER_NAME", "You"),
        ("GIT_COMMITTER_EMAIL", "you@example.com"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
}

/// `127.0.0.1:1310` of `serving the embedded demo, in memory, on 127.0.0.1:1310, dialect angzarr; …`.
fn address_in(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix("serving ")?.rsplit_once(" on ")?;
    rest.split(',').next()
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn the_address_is_read_from_the_line_that_tells_it() {
        let line = "serving the embedded demo, in memory, on 127.0.0.1:1310, dialect angzarr; end with Ctrl-C";
        assert_eq!(address_in(line), Some("127.0.0.1:1310"));
        assert_eq!(address_in("player: player (in process)"), None);
    }
}
