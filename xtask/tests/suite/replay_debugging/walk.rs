//! The walk: every step of the page in a folder of its own, with ports of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::page::{Step, steps};
use super::shown::shows;
use crate::support::tool;
use test_support::programs::{program, repository};

/// Port of a server where the page names none.
const PORT: &str = "1310";
/// What the page's folder has of the repository.
const SHARED: [&str; 3] = ["examples", ".venv", "proto"];
/// Behind a command that is to fail.
const FAILS: &str = "# exit code 1";

#[test]
#[ignore = "needs the Python peer in .venv: examples/poker-python/README.md"]
fn the_page_does_what_it_says() {
    let mut walk = Walk::begin();
    for step in steps() {
        match step {
            Step::Write {
                name,
                text,
                is_continued,
            } => walk.write(&name, &text, is_continued),
            Step::Run {
                line,
                command,
                shown,
            } => walk.run(line, &command, shown.as_deref()),
        }
    }
}

struct Walk {
    folder: TempDir,
    servers: Vec<Server>,
}

/// A server that the page leaves running.
struct Server {
    child: Child,
    /// Port on the page, and the one that it got here.
    named: String,
    actual: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended here, or by itself before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Walk {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in SHARED {
            let shared = repository().join(name);
            assert!(
                shared.exists(),
                "the walk needs {}: see examples/poker-python/README.md",
                shared.display()
            );
            std::os::unix::fs::symlink(shared, folder.path().join(name)).unwrap();
        }
        let configuration = repository().join("replay.toml");
        std::fs::copy(configuration, folder.path().join("replay.toml")).unwrap();
        Self {
            folder,
            servers: Vec::new(),
        }
    }

    fn write(&self, name: &str, text: &str, is_continued: bool) {
        let file = self.folder.path().join(name);
        let before = if is_continued {
            std::fs::read_to_string(&file).unwrap()
        } else {
            String::new()
        };
        std::fs::write(file, before + &self.here(text)).unwrap();
    }

    /// With the ports of this walk.
    fn here(&self, text: &str) -> String {
        self.servers.iter().fold(text.to_owned(), |text, server| {
            text.replace(&address(&server.named), &address(&server.actual))
        })
    }

    /// With the ports of the page.
    fn there(&self, text: &str) -> String {
        self.servers.iter().fold(text.to_owned(), |text, server| {
            text.replace(&address(&server.actual), &address(&server.named))
        })
    }

    fn run(&mut self, line: usize, command: &str, shown: Option<&str>) {
        let (command, fails) = match command.split_once(FAILS) {
            Some((command, _)) => (command.trim_end(), true),
            None => (command, false),
        };
        let output = if command.starts_with("cargo xtask serve") {
            self.serve(command)
        } else {
            let output = self.command(command).output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap()
                + &String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                output.status.success(),
                !fails,
                "line {line}: {command}\n{said}"
            );
            said
        };
        let output = self.there(&output);
        if let Some(shown) = shown {
            assert!(
                shows(shown, &output),
                "line {line}: {command}\nis shown with\n{shown}\nand printed\n{output}"
            );
        }
    }

    /// What it says up to the line that tells where it serves.
    fn serve(&mut self, command: &str) -> String {
        let mut words: Vec<String> = words(command);
        let named = match words.iter().position(|word| word == "--port") {
            Some(at) => {
                words.remove(at);
                words.remove(at)
            }
            None => PORT.to_owned(),
        };
        let command = words.join(" ") + " --port 0";
        let child = self.command(&command).stdout(Stdio::piped()).spawn();
        let mut server = Server {
            child: child.unwrap(),
            named,
            actual: String::new(),
        };
        let mut said = String::new();
        for line in BufReader::new(server.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            said += &line;
            said.push('\n');
            if let Some((_, rest)) = line.split_once("on 127.0.0.1:") {
                rest.split(',')
                    .next()
                    .unwrap()
                    .clone_into(&mut server.actual);
                break;
            }
        }
        assert_ne!(server.actual, "", "{command}\n{said}");
        self.servers.push(server);
        said
    }

    fn command(&self, command: &str) -> Command {
        let words = words(&self.here(command));
        let folder = self.folder.path();
        let mut command = match &words[..] {
            [cargo, xtask, rest @ ..] if cargo == "cargo" && xtask == "xtask" => {
                let mut command = tool(folder);
                command.args(rest);
                command
            }
            [cargo, run, rest @ ..] if cargo == "cargo" && run == "run" => {
                let mut command = program(env!("CARGO"), folder);
                let quietly = ["run", "--quiet", "--locked", "--manifest-path"];
                let manifest = repository().join("Cargo.toml");
                command.args(quietly).arg(manifest).args(rest);
                command
            }
            [name, rest @ ..] => {
                let mut command = program(folder.join(name), folder);
                command.args(rest);
                command
            }
            [] => panic!("a command has words"),
        };
        command
            // A cargo that is started would build all over what watches it.
            .env_remove("CARGO_MANIFEST_DIR")
            .stdin(Stdio::null());
        command
    }
}

fn address(port: &str) -> String {
    format!("127.0.0.1:{port}")
}

fn words(command: &str) -> Vec<String> {
    let command = command.split(" # ").next().unwrap();
    command.split_whitespace().map(str::to_owned).collect()
}
