//! A project of its own for each test, the tool run in it, and what it said.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use angzarr_replay::internal::model::{Cover, Page};
use tempfile::TempDir;
use test_support::books::added;
pub(crate) use test_support::books::{player, seed};
pub(crate) use test_support::coordinators::{SEEDED, coordinator, listener, seeded};
use test_support::demo::descriptor_set_in;
use test_support::programs::program;
pub(crate) use test_support::programs::repository;

/// The tests' aggregate.
pub(crate) const ROOT: &str = "07070707-0707-0707-0707-070707070707";
/// Alice of the embedded deployment.
pub(crate) const ALICE: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

/// A project in a folder of its own, and a transcript of what was done in it.
pub(crate) struct Project {
    folder: TempDir,
    transcript: String,
}

/// How the tool ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// With descriptors of the demo, and more configuration.
    pub(crate) fn new(toml: &str) -> Self {
        static DESCRIPTORS: LazyLock<PathBuf> =
            LazyLock::new(|| descriptor_set_in(Path::new(env!("CARGO_TARGET_TMPDIR"))));

        let project = Self::bare();
        let descriptors = DESCRIPTORS.display();
        project.write(
            "replay.toml",
            &format!("descriptors = [\"{descriptors}\"]\n{toml}"),
        );
        project
    }

    /// With one source, whose `player` coordinator is at an address.
    pub(crate) fn of_source(address: impl std::fmt::Display, more: &str) -> Self {
        Self::new(&format!(
            "source = \"production\"\n[sources.production]\naddresses = {{ player = \"{address}\" }}\n{more}"
        ))
    }

    /// Without any configuration.
    pub(crate) fn bare() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            transcript: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A redaction key in the file `key`, which nobody else reads.
    pub(crate) fn write_key(&self, text: &str) {
        self.write("key", text);
        #[cfg(unix)]
        self.set_mode("key", 0o600);
    }

    #[cfg(unix)]
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;

        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), permissions).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the tool, and writes down what it said and which files it left.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Ran {
        self.run_as(arguments, "", &[])
    }

    /// The same with standard input and environment.
    pub(crate) fn run_as(
        &mut self,
        arguments: &[&str],
        input: &str,
        environment: &[(&str, &str)],
    ) -> Ran {
        let before = self.files();
        let mut command = tool(self.folder.path());
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A tool that does not read its input is no failure.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().expect("the tool ended by itself"),
            out: self.neutral(&String::from_utf8(output.stdout).unwrap()),
            err: self.neutral(&String::from_utf8(output.stderr).unwrap()),
        };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        self.note(arguments, environment, &ran, &before);
        ran
    }

    fn note(
        &mut self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        ran: &Ran,
        before: &[(String, Vec<u8>)],
    ) {
        let mut text = String::from("$ ");
        for (key, value) in environment {
            let _ = write!(text, "{key}={value} ");
        }
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "cargo xtask {}", words.join(" "));
        text = self.neutral(&text);
        text += &ran.out;
        for line in ran.err.lines() {
            text += format!("! {line}").trim_end();
            text += "\n";
        }
        let _ = writeln!(text, "[{}]", ran.code);
        for (name, content) in self.files() {
            match before.iter().find(|(known, _)| *known == name) {
                None => {
                    let _ = writeln!(text, "new: {name}");
                }
                Some((_, old)) if timeless(old) != timeless(&content) => {
                    let _ = writeln!(text, "changed: {name}");
                }
                Some(_) => {}
            }
        }
        self.transcript += &text;
        self.transcript += "\n";
    }

    /// Every file and its content, sorted by name.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(self.folder.path()).unwrap();
                // A pipe and a device have no end to read to.
                let bytes = if path.is_file() {
                    std::fs::read(&path).unwrap_or_default()
                } else {
                    Vec::new()
                };
                files.push((name.display().to_string(), bytes));
            }
        }
        files.sort();
        files
    }

    /// Without what differs from run to run and from machine to machine.
    fn neutral(&self, text: &str) -> String {
        let text = text
            .replace(&self.folder.path().display().to_string(), "PROJECT")
            .replace(&repository().display().to_string(), "REPOSITORY");
        let text = after_each(&text, "127.0.0.1:", "PORT", |c| c.is_ascii_digit());
        let text = after_each(&text, "captured_at: \"", "TIME", |c| c != '"');
        let text = after_each(&text, "(angzarr) at ", "TIME", |c| !c.is_whitespace());
        // How the transport words a break depends on who is quicker.
        [
            "EventQueryService/GetEventBook",
            "CommandHandlerService/Handle",
        ]
        .iter()
        .fold(text, |text, method| {
            after_each(&text, &format!("broke during {method}: "), "REASON", |c| {
                c != ';'
            })
        })
    }

    /// Leaves out of the transcript what was said so far.
    pub(crate) fn forget(&mut self) {
        self.transcript.clear();
    }

    /// What was done and what the tool said.
    pub(crate) fn transcript(&self) -> &str {
        self.transcript.trim_end()
    }

    /// The same where a message names a port alone.
    pub(crate) fn transcript_without_port(&self) -> String {
        after_each(self.transcript(), "port ", "PORT", |c| c.is_ascii_digit())
    }
}

/// The tool, in a folder, with nothing of the environment that changes what it does.
pub(crate) fn tool(folder: &Path) -> Command {
    program(env!("CARGO_BIN_EXE_xtask"), folder)
}

/// A file without the lines that tell when it was made: two captures may fall into one second or not.
fn timeless(content: &[u8]) -> Vec<&[u8]> {
    let lines = content.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.trim_ascii_start().starts_with(b"captured_at:"))
        .collect()
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// Replaces what follows each `start`, as far as it belongs to the same word.
fn after_each(
    text: &str,
    start: &str,
    placeholder: &str,
    belongs: impl Fn(char) -> bool,
) -> String {
    let mut parts = text.split(start);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&belongs);
        result += start;
        if rest.len() < part.len() {
            result += placeholder;
        }
        result += rest;
    }
    result
}

/// The failures of the embedded deployment, as a log of tickets.
pub(crate) fn recorded_failures() -> String {
    std::fs::read_to_string(repository().join("examples/poker/recorded/failures.jsonl")).unwrap()
}

/// The tests' aggregate.
pub(crate) fn cover() -> Cover {
    test_support::books::cover("player", 7)
}

/// Page of an event that no descriptor describes.
pub(crate) fn page(sequence: u32, value: Vec<u8>) -> Page {
    added(sequence, value)
}

/// Pages with a few bytes each.
pub(crate) fn small_pages(sequences: impl IntoIterator<Item = u32>) -> Vec<Page> {
    sequences
        .into_iter()
        .map(|sequence| added(sequence, format!("main {sequence}")))
        .collect()
}
