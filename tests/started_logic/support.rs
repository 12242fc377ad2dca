//! This program as logic and as a main, a workspace to run in, and whether processes are gone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use angzarr_replay::internal::processes::ServerCommand;
use tempfile::TempDir;
pub(crate) use test_support::processes::{assert_gone, await_that, is_running, signal};
use test_support::programs::program;

/// Case that the started logic is asked.
pub(crate) const CASE: &str = "fixtures/player/deposit-funds-6513270e-2.yaml";

pub(crate) fn this_program() -> String {
    std::env::current_exe().unwrap().display().to_string()
}

/// How logic that misbehaves in this way is started.
pub(crate) fn fake(mode: &str) -> ServerCommand {
    command(&[&this_program(), "fake-logic", mode])
}

pub(crate) fn fake_with(mode: &str, file: &Path) -> ServerCommand {
    let file = file.display().to_string();
    command(&[&this_program(), "fake-logic", mode, &file])
}

pub(crate) fn command(words: &[&str]) -> ServerCommand {
    ServerCommand {
        label: "logic `fake`".into(),
        command: words.iter().map(|&word| word.to_owned()).collect(),
        build: None,
        directory: std::env::temp_dir(),
        environment: Vec::new(),
        port: None,
        start_timeout: Some(Duration::from_secs(20)),
        listener: None,
    }
}

/// Ports differ from run to run.
pub(crate) fn without_ports(text: &str) -> String {
    let mut rest = text;
    let mut clean = String::new();
    for mark in std::iter::repeat(["127.0.0.1:", "port "]) {
        let Some((at, mark)) = mark
            .iter()
            .filter_map(|mark| rest.find(mark).map(|at| (at, mark)))
            .min()
        else {
            break;
        };
        let (before, after) = rest.split_at(at + mark.len());
        clean.push_str(before);
        rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if rest.len() < after.len() {
            clean.push_str("PORT");
        }
    }
    clean + rest
}

/// A workspace with one case of the domain `player` and this logic.
pub(crate) struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub(crate) fn new(logic: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["fixtures/player", "fixtures/descriptors"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        std::fs::copy(here.join(CASE), folder.path().join(CASE)).unwrap();
        for file in std::fs::read_dir(here.join("fixtures/descriptors")).unwrap() {
            let file = file.unwrap();
            let copy = folder.path().join("fixtures/descriptors");
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        std::fs::write(folder.path().join("replay.toml"), logic).unwrap();
        Self { folder }
    }

    /// With logic of this program as `[logic.player]`.
    pub(crate) fn with_fake(words: &[&str]) -> Self {
        Self::new(&format!("[logic.player]\ncommand = {}\n", words_of(words)))
    }

    /// With any command as `[logic.player]`.
    pub(crate) fn with_command(words: &[&str]) -> Self {
        Self::new(&format!("[logic.player]\ncommand = {words:?}\n"))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of the mains, in this workspace.
    pub(crate) fn main(&self, main: &str, arguments: &[&str]) -> Command {
        let mut command = program(this_program(), self.folder.path());
        command
            .args(arguments)
            .env(crate::mains::CHOICE, main)
            .env("CI", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Text of a main without what differs from run to run.
    pub(crate) fn clean(&self, text: &[u8]) -> String {
        let folder = self.folder.path().canonicalize().unwrap();
        let text = String::from_utf8(text.to_vec())
            .unwrap()
            .replace(&folder.display().to_string(), "WORKSPACE")
            .replace(&this_program(), "PROGRAM");
        without_reasons(&without_ports(&text))
    }
}

/// How a connection broke is a matter of moments, and worded by the transport.
fn without_reasons(text: &str) -> String {
    let mark = " broke during CommandHandlerService/Handle: ";
    let mut parts = text.split(mark);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (reason, rest) = part.split_once('\n').unwrap();
        assert!(!reason.is_empty(), "{text}");
        clean.extend([mark, "REASON\n", rest]);
    }
    clean
}

/// TOML for a command of this program.
pub(crate) fn words_of(words: &[&str]) -> String {
    let program = this_program();
    let words: Vec<&str> = [program.as_str(), "fake-logic"]
        .into_iter()
        .chain(words.iter().copied())
        .collect();
    format!("{words:?}")
}

/// The lines of a file that is being written; none where it is not there yet.
pub(crate) fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn await_lines(file: &Path, count: usize) -> Vec<String> {
    await_that("lines in a file", || lines(file).len() >= count);
    lines(file)
}
