//! Pending snapshots: what is in them, who writes them when, and that nothing else happens on the way.

use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::output::{CLOSED, changed};
use crate::{demand, expect, harness, harness_with, project_of, replace_in, tool};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "a_snapshot_holds_nothing_of_the_machine",
            a_snapshot_holds_nothing_of_the_machine,
        ),
        #[cfg(unix)]
        Trial::test(
            "insta_prints_nothing_and_cargo_is_not_run",
            insta_prints_nothing_and_cargo_is_not_run,
        ),
        Trial::test(
            "an_intended_rejection_that_is_gone_is_told",
            an_intended_rejection_that_is_gone_is_told,
        ),
        Trial::test("the_variables_of_insta_hold", the_variables_of_insta_hold),
        #[cfg(unix)]
        Trial::test(
            "a_pending_snapshot_that_cannot_be_written_is_told",
            a_pending_snapshot_that_cannot_be_written_is_told,
        ),
    ]
}

const TODAY: &str =
    "outcome: rejected\ncode: FAILED_PRECONDITION\nmessage: Player already seated at table\n";

fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_default()
}

fn file(ending: &str) -> String {
    format!("fixtures/{CLOSED}.{ending}")
}

fn a_snapshot_holds_nothing_of_the_machine() -> Result<(), Failed> {
    let folder = changed()?;
    harness(folder.path())?;
    let header = |source| {
        format!("---\nsource: {source}\ninput_file: join-table-36f675cc-4.yaml\n---\n{TODAY}")
    };
    expect(
        &text(folder.path(), &file("snap.new")),
        &header("cargo test"),
    )?;
    // Also of a fixture that is named by its whole path, from elsewhere in the project.
    let whole = folder.path().join(file("yaml"));
    let fixtures = folder.path().join("fixtures");
    tool(&fixtures, &["close", &whole.display().to_string()])?;
    expect(
        &text(folder.path(), &file("snap")),
        &header("cargo xtask close"),
    )?;
    expect(&text(folder.path(), &file("snap.new")), "")
}

/// In a workspace that sets none of insta's variables.
#[cfg(unix)]
fn insta_prints_nothing_and_cargo_is_not_run() -> Result<(), Failed> {
    use std::os::unix::fs::PermissionsExt;

    let folder = changed()?;
    let cargo = folder.path().join("cargo");
    std::fs::write(&cargo, "#!/bin/sh\ntouch ran\nexit 1\n")?;
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755))?;
    let cargo = cargo.display().to_string();
    let (code, out, err) = harness_with(folder.path(), &[], &[("CARGO", &cargo)])?;
    expect(&format!("[{code}]{err}"), "[101]")?;
    for words in [
        "Snapshot Summary",
        "INSTA_UPDATE",
        "Stopped on the first failure",
        "panicked",
    ] {
        if out.contains(words) {
            return Err(format!("{words:?} is in\n{out}").into());
        }
    }
    let files = std::fs::read_dir(folder.path())?
        .chain(std::fs::read_dir(folder.path().join("fixtures/table"))?);
    for file in files {
        expect(&(file?.file_name() == "ran").to_string(), "false")?;
    }
    Ok(())
}

fn the_variables_of_insta_hold() -> Result<(), Failed> {
    let accepted = format!(
        "---\nsource: cargo xtask close\ninput_file: join-table-36f675cc-4.yaml\n---\n{TODAY}"
    );
    // What the harness ends with, whether it accepts the outcome, and whether that is pending.
    for (environment, code, is_accepted, is_pending) in [
        (&[][..], 101, false, true),
        (&[("CI", "true")], 101, false, false),
        (&[("CI", "false")], 101, false, true),
        (&[("CI", "true"), ("INSTA_UPDATE", "new")], 101, false, true),
        (&[("INSTA_UPDATE", "no")], 101, false, false),
        (&[("INSTA_UPDATE", "unseen")], 101, false, true),
        (&[("INSTA_UPDATE", "always")], 0, true, false),
        (&[("INSTA_UPDATE", "force")], 0, true, false),
        (&[("INSTA_FORCE_PASS", "1")], 0, false, true),
    ] {
        let folder = changed()?;
        let (ended, out, err) = harness_with(folder.path(), &[], environment)?;
        let found = (
            ended,
            text(folder.path(), &file("snap")) == accepted,
            folder.path().join(file("snap.new")).exists(),
        );
        if found != (code, is_accepted, is_pending) {
            return Err(format!("{environment:?}: {found:?}\n{out}{err}").into());
        }
    }
    let folder = changed()?;
    std::fs::remove_file(folder.path().join(file("snap")))?;
    let (code, ..) = harness_with(folder.path(), &[], &[("INSTA_UPDATE", "unseen")])?;
    expect(
        &format!("[{code}]{}", text(folder.path(), &file("snap"))),
        &format!("[0]{accepted}"),
    )?;

    let folder = changed()?;
    let (code, out, _) = harness_with(folder.path(), &[], &[("INSTA_UPDATE", "sometimes")])?;
    expect(&code.to_string(), "101")?;
    demand(
        &out,
        &["note: no pending snapshot is written: INSTA_UPDATE is \"sometimes\""],
    )?;
    harness_with(folder.path(), &[], &[("INSTA_PENDING_DIR", "elsewhere")])?;
    let elsewhere = text(folder.path(), &format!("elsewhere/{}", file("snap.new")));
    demand(&elsewhere, &[TODAY])?;
    expect(&text(folder.path(), &file("snap.new")), "")
}

#[cfg(unix)]
fn a_pending_snapshot_that_cannot_be_written_is_told() -> Result<(), Failed> {
    let folder = changed()?;
    std::fs::create_dir(folder.path().join(file("snap.new")))?;
    let (code, out, _) = harness(folder.path())?;
    expect(&code.to_string(), "101")?;
    demand(
        &out,
        &[&format!("note: {} cannot be written: ", file("snap.new"))],
    )
}

fn an_intended_rejection_that_is_gone_is_told() -> Result<(), Failed> {
    let case = "player/deposit-funds-d23f0824-3";
    let folder = project_of(&[case])?;
    let path = |ending: &str| folder.path().join(format!("fixtures/{case}.{ending}"));
    replace_in(&path("yaml"), "status: closed", "status: intended")?;
    std::fs::write(
        path("snap"),
        "---\nsource: a test\n---\noutcome: rejected\ncode: FAILED_PRECONDITION\nmessage: too much\n",
    )?;
    let (code, out, _) = harness(folder.path())?;
    demand(
        &out,
        &["the intended rejection is gone, on player (in process)"],
    )?;
    expect(&code.to_string(), "101")?;
    // Somebody accepts the outcome all the same, with insta.
    std::fs::rename(path("snap.new"), path("snap"))?;
    let (code, out, _) = harness(folder.path())?;
    demand(
        &out,
        &["`status: intended` stands for a rejection, and the accepted outcome is not one"],
    )?;
    expect(&code.to_string(), "101")?;
    tool(
        folder.path(),
        &["close", &path("yaml").display().to_string()],
    )?;
    let (code, out, _) = harness(folder.path())?;
    demand(&out, &["replay: 1 closed, 0 open, 0 not checked"])?;
    expect(&code.to_string(), "0")
}
