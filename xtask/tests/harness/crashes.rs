//! Logic that crashes: what it wrote last is shown wherever it is asked. This program is that logic too.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::internal::grpc::serve_logic;
use angzarr_replay::internal::model::{
    Answer, CommandBook, EventBook, Failure, Logic, Page, Payload, Snapshot,
};
use angzarr_replay::internal::wire::Dialect;
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;
use test_support::programs::{program, repository};

use crate::{LOGIC, demand, expect, harness, tool};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "a_crash_is_told_wherever_the_logic_is_asked",
            a_crash_is_told_wherever_the_logic_is_asked,
        ),
        Trial::test(
            "a_crash_shows_what_the_logic_wrote_last",
            a_crash_shows_what_the_logic_wrote_last,
        ),
    ]
}

/// Logic with a defect.
struct Crashing;

impl Logic for Crashing {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        // The variable says where the defect is.
        if std::env::var(LOGIC).as_deref() == Ok("fold") {
            return Err(Failure::rejected("Insufficient funds"));
        }
        eprintln!("Traceback: the defect is in line 7");
        Err(Failure::crashed("Exception calling application"))
    }

    fn fold(&self, _: Option<&Snapshot>, _: &[Page]) -> Result<Payload, Failure> {
        eprintln!("Traceback: the defect is in line 9");
        Err(Failure::crashed("Exception calling application"))
    }
}

pub(crate) fn crashing_logic() -> ExitCode {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok());
    let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).expect("the port is free");
    serve_logic(listener, Dialect::ANGZARR, Arc::new(Crashing))
        .expect("it serves")
        .wait();
    ExitCode::SUCCESS
}

fn a_crash_shows_what_the_logic_wrote_last() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    tool(folder.path(), &["capture", "6513270e"])?;
    let own = std::env::current_exe()?;
    std::fs::write(
        folder.path().join("replay.toml"),
        format!(
            "[logic.player]\ncommand = ['{}']\nenvironment = {{ {LOGIC} = '1' }}\n",
            own.display()
        ),
    )?;
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    for part in [
        "crashed",
        "logic `player` is still running; its last output:",
        "Traceback: the defect is in line 7",
    ] {
        if !out.contains(part) {
            return Err(format!("{part:?} is missing in\n{out}").into());
        }
    }
    Ok(())
}

/// A project whose logic of a domain is this program.
fn with_crashing(domain: &str, defect: &str) -> Result<TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    let own = std::env::current_exe()?;
    std::fs::write(
        folder.path().join("replay.toml"),
        format!(
            "[logic.{domain}]\ncommand = ['{}']\nenvironment = {{ {LOGIC} = '{defect}' }}\n",
            own.display()
        ),
    )?;
    Ok(folder)
}

fn a_crash_is_told_wherever_the_logic_is_asked() -> Result<(), Failed> {
    let output = |folder: &Path, arguments: &[&str]| {
        let output = program(env!("CARGO_BIN_EXE_xtask"), folder)
            .args(arguments)
            .output()?;
        Ok::<_, Failed>(String::from_utf8(output.stdout)?)
    };
    let words = "logic `player` is still running; its last output:";
    let folder = with_crashing("player", "handle")?;
    let captured = output(folder.path(), &["capture", "6513270e"])?;
    demand(
        &captured,
        &[
            &format!("  last output  {words}\n"),
            "Traceback: the defect is in line 7",
        ],
    )?;

    let folder = with_crashing("player", "fold")?;
    output(
        folder.path(),
        &["capture", "6513270e", "--name", "player/case"],
    )?;
    let replayed = output(folder.path(), &["replay", "fixtures/player/case.yaml"])?;
    demand(
        &replayed,
        &[
            "note: a state cannot be shown, as `Replay` of the logic failed on its own defect: UNKNOWN: \
             \"Exception calling application\"",
            words,
            "Traceback: the defect is in line 9",
            "verdict    reproduced",
        ],
    )?;

    // In a flow, of the component that crashed.
    let folder = with_crashing("table", "handle")?;
    let toml = std::fs::read_to_string(folder.path().join("replay.toml"))?;
    let saga = "[logic.player-table]\nin_process = 'player-table'\nkind = 'saga'\n\
                subscriptions = { player = ['examples.FundsReserved'] }\n";
    std::fs::write(folder.path().join("replay.toml"), toml + saga)?;
    let case = "flow/reserve-funds-6513270e-2";
    let from = repository().join("fixtures");
    let to = folder.path().join("fixtures");
    let text = std::fs::read_to_string(from.join(format!("{case}.yaml")))?;
    let descriptors = text
        .lines()
        .find_map(|line| line.strip_prefix("descriptors: "));
    let descriptors = format!(
        "descriptors/{}.binpb",
        descriptors.unwrap_or_default().trim_matches('"')
    );
    for file in [format!("{case}.yaml"), format!("{case}.snap"), descriptors] {
        let to = to.join(&file);
        std::fs::create_dir_all(to.parent().ok_or("it is in a folder")?)?;
        std::fs::copy(from.join(&file), to)?;
    }
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    let of_table = "logic `table` is still running; its last output:";
    demand(&out, &[of_table, "Traceback: the defect is in line 7"])
}
