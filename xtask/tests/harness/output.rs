//! What failing trials print, to whom, and what that may do there.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::{
    PANICKING, demand, expect, harness, harness_command, harness_with, project_of, replace_in,
};
use test_support::hostile::{harmless, in_yaml};

/// A closed case.
pub(crate) const CLOSED: &str = "table/join-table-36f675cc-4";
/// An open one.
const OPEN: &str = "player/deposit-funds-6513270e-2";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "a_failing_trial_begins_with_its_case",
            a_failing_trial_begins_with_its_case,
        ),
        Trial::test(
            "every_kind_of_case_says_what_it_asks",
            every_kind_of_case_says_what_it_asks,
        ),
        Trial::test(
            "a_case_that_cannot_be_replayed_says_which_it_is",
            a_case_that_cannot_be_replayed_says_which_it_is,
        ),
        Trial::test(
            "a_changed_closed_case_is_not_held_against_production",
            a_changed_closed_case_is_not_held_against_production,
        ),
        Trial::test("nothing_counted_is_not_told", nothing_counted_is_not_told),
        Trial::test(
            "trials_end_quietly_when_nobody_reads",
            trials_end_quietly_when_nobody_reads,
        ),
        Trial::test(
            "hostile_cases_are_shown_and_do_not_act",
            hostile_cases_are_shown_and_do_not_act,
        ),
        Trial::test(
            "a_hostile_panic_is_shown_and_does_not_act",
            a_hostile_panic_is_shown_and_does_not_act,
        ),
        Trial::test("hostile_names_are_refused", hostile_names_are_refused),
    ]
}

fn file(folder: &Path, case: &str, ending: &str) -> std::path::PathBuf {
    folder.join(format!("fixtures/{case}.{ending}"))
}

/// A project whose closed case has another snapshot than today's outcome.
pub(crate) fn changed() -> Result<TempDir, Failed> {
    let folder = project_of(&[CLOSED])?;
    replace_in(
        &file(folder.path(), CLOSED, "snap"),
        "Player already seated at table",
        "Already seated",
    )?;
    Ok(folder)
}

/// What stands below the name of a failing trial.
fn message<'a>(out: &'a str, case: &str) -> &'a str {
    let name = format!("---- {} ----\n", case.replace('/', "::"));
    let message = out.split_once(&name).map_or("", |(_, message)| message);
    message
        .split_once("\n---- ")
        .map_or(message, |(message, _)| message)
}

fn a_failing_trial_begins_with_its_case() -> Result<(), Failed> {
    let folder = changed()?;
    let (code, out, err) = harness(folder.path())?;
    expect(&format!("[{code}]{err}"), "[101]")?;
    demand(
        message(&out, CLOSED),
        &[
            "title:   A player who sits at the table cannot join again\n\
             command: JoinTable for table 36f675cc, at sequence 4\n\n\
             fixtures/table/join-table-36f675cc-4.yaml: the outcome changed, on table (in process)\n  \
             message: \"Already seated\" became \"Player already seated at table\"\n",
        ],
    )?;

    let folder = project_of(&[OPEN])?;
    let fixture = file(folder.path(), OPEN, "yaml");
    replace_in(&fixture, "amount must be positive", "no")?;
    let (_, out, _) = harness(folder.path())?;
    demand(
        message(&out, OPEN),
        &["title:   Depositing nothing is refused\n\
             issue:   POKER-8\n\
             command: DepositFunds for player 6513270e, at sequence 2\n\n\
             fixtures/player/deposit-funds-6513270e-2.yaml: the open case no longer reproduces\n\
             against production: not reproduced: another status now"],
    )
}

fn every_kind_of_case_says_what_it_asks() -> Result<(), Failed> {
    let kinds = [
        (
            "buy-in/buy-in-requested-6513270e-5",
            "process-manager: BuyInRequested of player 6513270e, at sequence 5",
        ),
        (
            "flow/reserve-funds-6513270e-2",
            "flow:  ReserveFunds for player 6513270e, at sequence 2",
        ),
        (
            "player/compensation-join-table-6513270e-3",
            "compensation: Notification for player 6513270e, at sequence 4",
        ),
        (
            "player/fact-funds-deposited-6513270e-1",
            "fact:  FundsDeposited for player 6513270e",
        ),
        (
            "player/history-6513270e-3",
            "history: player 6513270e, 3 events",
        ),
        (
            "player-table/funds-reserved-6513270e-2",
            "saga:  FundsReserved of player 6513270e, at sequence 2",
        ),
        (
            "player-upcaster/upcaster-9531985d-3",
            "upcaster: player 9531985d, 3 events",
        ),
        (
            "seats/player-joined-36f675cc-1",
            "projector: PlayerJoined of table 36f675cc, at sequence 1",
        ),
    ];
    let cases = kinds.map(|(case, _)| case);
    let folder = project_of(&cases)?;
    for case in cases {
        std::fs::write(
            file(folder.path(), case, "snap"),
            "---\nsource: x\n---\nx\n",
        )?;
    }
    let (_, out, _) = harness(folder.path())?;
    for (case, asked) in kinds {
        demand(message(&out, case), &[&format!("\n{asked}\n\n")])?;
    }
    Ok(())
}

fn a_case_that_cannot_be_replayed_says_which_it_is() -> Result<(), Failed> {
    let folder = project_of(&[CLOSED])?;
    let logic = "[logic.table]\ncommand = ['nowhere/logic']\n";
    std::fs::write(folder.path().join("replay.toml"), logic)?;
    let (_, out, _) = harness(folder.path())?;
    let message = message(&out, CLOSED);
    demand(message, &["nowhere/logic"])?;
    expect(
        message.lines().next().unwrap_or_default(),
        "title:   A player who sits at the table cannot join again",
    )
}

fn a_changed_closed_case_is_not_held_against_production() -> Result<(), Failed> {
    let folder = changed()?;
    let fixture = file(folder.path(), CLOSED, "yaml");
    replace_in(&fixture, "Player already seated at table", "another")?;
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    demand(&out, &["the outcome changed"])?;
    expect(&out.contains("reproduced").to_string(), "false")
}

/// As nextest runs it: each trial in a process, whose output it shows.
fn nothing_counted_is_not_told() -> Result<(), Failed> {
    let folder = changed()?;
    let name = CLOSED.replace('/', "::");
    let one = ["--exact", &name, "--nocapture"];
    let (code, out, _) = harness_with(folder.path(), &one, &[("NEXTEST", "1")])?;
    expect(&code.to_string(), "101")?;
    demand(&out, &["the outcome changed"])?;
    expect(&out.contains("0 closed").to_string(), "false")
}

/// Code and standard error of a harness whose reader takes some bytes of its output and goes away.
fn read_a_little(
    folder: &Path,
    arguments: &[&str],
    bytes: usize,
) -> Result<(Option<i32>, String), Failed> {
    let mut harness = harness_command(folder, arguments, &[])?
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut out = harness.stdout.take().ok_or("it is piped")?;
    out.read_exact(&mut vec![0; bytes])?;
    drop(out);
    let output = harness.wait_with_output()?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

fn trials_end_quietly_when_nobody_reads() -> Result<(), Failed> {
    let folder = project_of(&[OPEN, CLOSED])?;
    for threads in ["--test-threads=1", "--test-threads=2"] {
        for bytes in [0, 10] {
            let ended = read_a_little(folder.path(), &[threads], bytes)?;
            expect(&format!("{ended:?}"), "(Some(0), \"\")")?;
        }
    }
    let listed = read_a_little(folder.path(), &["--list"], 0)?;
    expect(&format!("{listed:?}"), "(Some(0), \"\")")?;
    // The last trial fails: it runs although the reader has gone.
    replace_in(&file(folder.path(), CLOSED, "snap"), "already", "now")?;
    for threads in ["--test-threads=1", "--test-threads=2"] {
        let ended = read_a_little(folder.path(), &[threads], 0)?;
        expect(&format!("{ended:?}"), "(Some(101), \"\")")?;
    }
    Ok(())
}

fn hostile_cases_are_shown_and_do_not_act() -> Result<(), Failed> {
    let hostile = in_yaml();
    let folder = project_of(&[OPEN, CLOSED])?;
    let fixture = file(folder.path(), OPEN, "yaml");
    replace_in(
        &fixture,
        "title: Depositing nothing is refused\nissue: POKER-8",
        &format!("title: {hostile}\nissue: {hostile}"),
    )?;
    let message_of_status = format!("message: {hostile}");
    replace_in(
        &fixture,
        "message: amount must be positive",
        &message_of_status,
    )?;
    // A command and an event of types that nobody knows, and a snapshot with anything in it.
    let unknown = std::fs::read_to_string(&fixture)?;
    let (before, command) = unknown.split_once("\ncommand:").ok_or("it has a command")?;
    let (_, observed) = command.split_once("\nobserved:").ok_or("it is observed")?;
    let name = hostile.trim_matches('"');
    let unknown = format!(
        "{before}\ncommand:\n  sequence: 2\n  merge_strategy: strict\n  type: \"type.googleapis.com/examples.{name}\"\n  \
         bytes: EgA=\nobserved:{observed}"
    );
    std::fs::write(file(folder.path(), "player/unknown", "yaml"), unknown)?;
    let snapshot = file(folder.path(), CLOSED, "snap");
    let raw = "outcome: rejected\n::error::raw\n\u{1b}[2J\u{9b}\u{202e}\n";
    replace_in(&snapshot, "outcome: rejected\n", raw)?;
    std::fs::write(
        file(folder.path(), "player/broken", "yaml"),
        format!("fixture: 1\nkind: {hostile}\n"),
    )?;
    let skip = format!("[[skip]]\nfixtures = 'player/skipped'\nreason = {hostile}\n");
    std::fs::write(folder.path().join("replay.toml"), skip)?;
    std::fs::copy(&fixture, file(folder.path(), "player/skipped", "yaml"))?;

    for arguments in [&[][..], &["--include-ignored"], &["--format=json"]] {
        let (code, out, err) = harness_with(folder.path(), arguments, &[])?;
        expect(&code.to_string(), "101")?;
        harmless(&out, "standard output");
        harmless(&err, "standard error");
    }
    let (_, out, _) = harness(folder.path())?;
    for case in [OPEN, "player/unknown"] {
        demand(
            message(&out, case),
            &[
                "title:   \\u001b[2J\\u001b]0;x\\u0007\\n::error::injected\\nverdict    reproduced\\u202e\\u009b\\u000d\nissue:   \\u001b[2J",
                "command: ",
                "the open case no longer reproduces",
            ],
        )?;
    }
    demand(message(&out, CLOSED), &["error::raw"])?;
    demand(&out, &["player::skipped", "(not checked: \\u001b[2J"])
}

/// Logic may say what it was sent.
fn a_hostile_panic_is_shown_and_does_not_act() -> Result<(), Failed> {
    let folder = project_of(&[OPEN])?;
    let (code, out, err) = harness_with(folder.path(), &[], &[(PANICKING, "1")])?;
    expect(&code.to_string(), "101")?;
    harmless(&out, "standard output");
    harmless(&err, "standard error");
    demand(&out, &["outcome: crashed", "the handler panicked: "])?;
    demand(&err, &["panicked at ", "\\u001b[2J"])
}

#[cfg(unix)]
fn hostile_names_are_refused() -> Result<(), Failed> {
    let folder = project_of(&[OPEN])?;
    let from = file(folder.path(), OPEN, "yaml");
    for (name, shown) in [
        ("a\n::error::b", "a\\n::error::b"),
        ("\u{1b}[2J", "\\u001b[2J"),
        ("::error::b", "\\u003a:error::b"),
    ] {
        let hostile = folder.path().join(format!("fixtures/{name}.yaml"));
        std::fs::copy(&from, &hostile)?;
        for arguments in [&[][..], &["--list"]] {
            let (code, out, err) = harness_with(folder.path(), arguments, &[])?;
            let said = format!("{out}{err}[{code}]");
            let expected = format!(
                "error: {shown} cannot be the name of a trial: it contains a control character, or begins like a command to a \
                 CI runner; rename the file\n[1]"
            );
            expect(&said, &expected)?;
        }
        std::fs::remove_file(hostile)?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn hostile_names_are_refused() -> Result<(), Failed> {
    Ok(())
}
