//! A user's own workspace: two thin mains, one configuration file, logic of its own in process, no embedded source.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Background, Place, workspace};

const ROOT: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";
const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";

const CARGO_CONFIG: &str = r#"[alias]
xtask = "run --quiet --package xtask --"
"#;

const MANIFEST: &str = r#"[workspace]
members = ["xtask"]

[package]
name = "bank"
version = "0.1.0"
edition = "2024"

[dependencies]
angzarr-replay = { path = "@REPLAY@" }

[[test]]
name = "replay"
harness = false

# As in the workspace of angzarr-replay, to share what is compiled.
[profile.dev]
debug = "line-tables-only"
"#;

const XTASK_MANIFEST: &str = r#"[package]
name = "xtask"
version = "0.1.0"
edition = "2024"

[dependencies]
bank = { path = ".." }
"#;

const LOGIC: &str = r#"use angzarr_replay::App;
use angzarr_replay::internal::model::{Answer, CommandBook, EmittedBook, EventBook, Failure, Logic, Reply};

struct Player;

impl Logic for Player {
    fn handle(&self, prior: &EventBook, _command: &CommandBook) -> Answer {
        if prior.history.pages().len() >= 3 {
            return Err(Failure::rejected("Insufficient funds"));
        }
        Ok(Reply::Events(EmittedBook::default()))
    }
}

pub fn app() -> App {
    App::new().logic("player", Player)
}
"#;

const HARNESS_MAIN: &str = "fn main() -> std::process::ExitCode {\n    bank::app().harness()\n}\n";
const XTASK_MAIN: &str = "fn main() -> std::process::ExitCode {\n    bank::app().cli()\n}\n";

const CONFIGURATION: &str = r#"descriptors = ["proto"]
source = "production"

[sources.production]
address = "@ADDRESS@"
domains = ["player"]
tickets = ["failures.jsonl"]
"#;

/// "Production": the local coordinator of this workspace, holding the demo.
fn serve() -> (Background, String) {
    let place = Place::copy();
    place
        .run("cargo build --locked --quiet --package xtask")
        .succeeds();
    let server = place.root.join("target/debug/xtask");
    let mut command = place.program(&server.to_string_lossy());
    command
        .args(["serve", "--port", "0"])
        .stdout(Stdio::piped());
    let mut server = Background(command.spawn().expect("it was just built"));
    let output = server.0.stdout.take().expect("it is piped");
    let address = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, after) = line.split_once(" on 127.0.0.1:")?;
            let (port, _) = after.split_once(',')?;
            Some(format!("127.0.0.1:{port}"))
        });
    (server, address.expect("it says where it serves"))
}

fn generate(place: &Place, address: &str) {
    place.write(".cargo/config.toml", CARGO_CONFIG);
    let library = workspace().to_string_lossy();
    place.write("Cargo.toml", &MANIFEST.replace("@REPLAY@", &library));
    place.write("src/lib.rs", LOGIC);
    place.write("tests/replay.rs", HARNESS_MAIN);
    place.write("xtask/Cargo.toml", XTASK_MANIFEST);
    place.write("xtask/src/main.rs", XTASK_MAIN);
    place.write("replay.toml", &CONFIGURATION.replace("@ADDRESS@", address));
    // The same versions of dependencies, so that nothing is compiled or downloaded again.
    let from_here = |file: &str, to: &str| {
        let text = std::fs::read_to_string(workspace().join(file)).expect("it is there");
        place.write(to, &text);
    };
    from_here("Cargo.lock", "Cargo.lock");
    from_here("examples/poker/recorded/failures.jsonl", "failures.jsonl");
    for name in ["player", "table", "types"] {
        let file = format!("proto/examples/{name}.proto");
        from_here(&format!("examples/poker/{file}"), &file);
    }
}

#[test]
#[ignore = "cargo xtask check"]
fn a_workspace_of_ones_own_captures_replays_and_closes() {
    let (_production, address) = serve();
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let place = Place::at(folder.path(), "own");
    generate(&place, &address);
    for main in [HARNESS_MAIN, XTASK_MAIN] {
        assert!(main.lines().count() < 10);
    }

    place
        .run(&format!("cargo xtask capture {ROOT} --source embedded"))
        .fails()
        .says("embedded");
    let before = place.files();
    place
        .run(&format!("cargo xtask capture {ROOT}"))
        .fails()
        .says("--unredacted");
    assert!(place.files() == before, "a refused capture wrote something");
    place
        .run(&format!("cargo xtask capture {ROOT} --unredacted"))
        .succeeds()
        .says(FIXTURE)
        .says("reproduced");
    assert!(place.read(FIXTURE).contains("name: production"));
    place
        .run("cargo test")
        .succeeds()
        .says("1 open (known bugs that still reproduce)");

    place.change("src/lib.rs", ">= 3", ">= 4");
    place
        .run("cargo test")
        .fails()
        .says(&format!("{FIXTURE}: the open case no longer reproduces"))
        .says_not("Snapshot Summary");
    place.run("cargo insta accept").succeeds();
    let snapshot = place.read(&FIXTURE.replace(".yaml", ".snap"));
    let header = "---\nsource: cargo test\ninput_file: withdraw-funds-6513270e-3.yaml\n---\n";
    assert!(snapshot.starts_with(header), "{snapshot}");
    place
        .run("cargo test")
        .succeeds()
        .says("replay: 1 closed, 0 open");
    place
        .run(&format!("cargo xtask close {FIXTURE}"))
        .succeeds()
        .says(&format!("closed {FIXTURE}"));
    place
        .run("cargo test")
        .succeeds()
        .says("replay: 1 closed, 0 open");
}
