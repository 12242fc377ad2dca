//! The program `angzarr-replay`, as users of any language run it: without cargo, on logic that serves gRPC.

mod changes;
mod doctor;
mod drift;
mod formatting;
mod in_process;
mod init;
mod json;
mod review;
mod run;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Server, serve_logic};
use angzarr_replay::internal::wire::Dialect;
use tempfile::TempDir;

/// A project with four cases of the demo's player, whose logic serves as long as this lives.
struct Project {
    folder: TempDir,
    _logic: Server,
}

/// Cases that [`Project::new`] has, as they are sorted.
const CASES: [&str; 4] = [
    "player::deposit-funds-6513270e-2",
    "player::deposit-funds-d23f0824-3",
    "player::fact-funds-deposited-6513270e-1",
    "player::fact-funds-reserved-6513270e-2",
];

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(
            &demo.join("fixtures/descriptors"),
            &folder.path().join("fixtures/descriptors"),
            "",
        );
        for case in CASES {
            let name = format!("{}.", case.rsplit("::").next().unwrap());
            copy(
                &demo.join("fixtures/player"),
                &folder.path().join("fixtures/player"),
                &name,
            );
        }
        let (logic, address) = player();
        let protos = demo.join("examples/poker/proto");
        let configuration = format!(
            "descriptors = [\"{}\"]\n[logic.player]\naddress = \"{address}\"\n\
             [[rules]]\ntype = \"examples.*\"\nfield = \"*_at\"\nreason = \"the handler's clock\"\n",
            protos.display()
        );
        std::fs::write(folder.path().join("replay.toml"), configuration).unwrap();
        // Descriptor sets of other cases.
        assert_eq!(run_in(folder.path(), &["clean"], &[]).code, Some(0));
        Self {
            folder,
            _logic: logic,
        }
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.folder.path().join(file)
    }

    fn run(&self, words: &[&str]) -> Run {
        run_in(self.folder.path(), words, &[])
    }

    /// Accepts another amount than the logic answers, in two cases.
    fn accept_wrong_balances(&self) {
        for case in [
            "deposit-funds-d23f0824-3",
            "fact-funds-deposited-6513270e-1",
        ] {
            let file = self.path(&format!("fixtures/player/{case}.snap"));
            let text = std::fs::read_to_string(&file).unwrap();
            let balance = text.rfind("amount: ").unwrap();
            std::fs::write(
                &file,
                format!("{}amount: 1{}", &text[..balance], &text[balance + 8..]),
            )
            .unwrap();
        }
    }
}

/// The demo's player, served over gRPC.
fn player() -> (Server, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dialect: Dialect = "angzarr".parse().unwrap();
    let server = serve_logic(listener, dialect, Arc::new(poker::Player::default())).unwrap();
    (server, address)
}

/// Copies the files of a folder whose names begin in one way.
fn copy(from: &Path, to: &Path, beginning: &str) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if name.to_str().unwrap().starts_with(beginning) {
            std::fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// What a run of the program came to.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run_in(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_angzarr-replay"));
    command.args(words).current_dir(folder);
    // The run that this test is part of is not the one that is tested.
    for name in [
        "CI",
        "TF_BUILD",
        "GITHUB_ACTIONS",
        "GITHUB_STEP_SUMMARY",
        "NEXTEST",
        "INSTA_UPDATE",
        "INSTA_FORCE_PASS",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Run {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

#[test]
fn help_shows_the_commands_of_every_day_first_and_fits_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["--help"], &[("COLUMNS", "80")]);
    let commands = run
        .out
        .split("\n\n")
        .find(|part| part.starts_with("Commands:"))
        .unwrap();
    let names: Vec<&str> = commands
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(names, ["init", "capture", "replay", "review", "test"]);
    assert!(
        run.out
            .starts_with("Make a production bug a regression test"),
        "{}",
        run.out
    );
    assert!(run.out.contains("Usage: angzarr-replay "), "{}", run.out);
    assert!(
        run.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        run.out
    );
}

#[test]
fn no_help_names_cargo_except_that_of_init() {
    let folder = tempfile::tempdir().unwrap();
    let reference = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md"));
    let reference = reference.unwrap();
    let commands = reference
        .lines()
        .filter_map(|line| line.strip_prefix("## cargo xtask "));
    let mut count = 0;
    for command in commands.filter(|command| *command != "init") {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let run = run_in(folder.path(), &words, &[]);
        assert_eq!(run.code, Some(0), "{command}: {run:?}");
        assert!(!run.out.contains("cargo"), "{command}: {}", run.out);
        count += 1;
    }
    assert!(count > 15, "{count}");
}

#[test]
fn every_shell_has_completions() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = run_in(folder.path(), &["completions", shell], &[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(
            run.out.contains("angzarr-replay") && run.out.contains("capture"),
            "{shell}"
        );
    }
}

#[test]
fn messages_name_the_program_as_it_was_called() {
    let folder = tempfile::tempdir().unwrap();
    let run = run_in(folder.path(), &["test"], &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.err
            .contains("Capture one: angzarr-replay capture <root>"),
        "{}",
        run.err
    );
}
