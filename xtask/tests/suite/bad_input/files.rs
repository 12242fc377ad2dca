//! What is written, where, and what is never written.

use crate::support::{ALICE, Project};
use insta::assert_snapshot;
use test_support::programs::program;

#[test]
fn a_different_case_of_the_same_name_is_not_overwritten() {
    let mut project = Project::new("");
    assert_eq!(
        project
            .run(&["capture", ALICE, "--name", "player/case"])
            .code,
        0
    );
    let before = project.files();
    let other = ["capture", ALICE, "--name", "player/case", "--history"];
    assert_eq!(project.run(&other).code, 1);
    assert!(project.files() == before);
    // Twice the same changes nothing.
    assert_eq!(
        project
            .run(&["capture", ALICE, "--name", "player/case"])
            .code,
        0
    );
    let forced = [
        "capture",
        ALICE,
        "--name",
        "player/case",
        "--history",
        "--force",
    ];
    assert_eq!(project.run(&forced).code, 0);
    assert_snapshot!("existing_fixture", project.transcript());
}

#[test]
fn a_damaged_fixture_in_the_way_is_not_overwritten() {
    let mut project = Project::new("");
    project.write(
        "fixtures/player/withdraw-funds-6513270e-3.yaml",
        "half a fixt",
    );
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    assert_eq!(project.run(&["capture", ALICE, "--force"]).code, 0);
    assert_snapshot!("damaged_in_the_way", project.transcript());
}

#[test]
fn a_dry_run_writes_nothing() {
    let mut project = Project::new("");
    let before = project.files();
    assert_eq!(project.run(&["capture", ALICE, "--dry-run"]).code, 0);
    assert_eq!(
        project
            .run(&["capture", ALICE, "--dry-run", "--accept", "--json"])
            .code,
        0
    );
    assert!(project.files() == before);
    assert_snapshot!("dry_run", project.transcript());
}

#[test]
fn json_has_one_shape() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["capture", ALICE, "--json"]).code, 0);
    assert_eq!(project.run(&["capture", ALICE, "--json"]).code, 0);
    assert_eq!(
        project.run(&["capture", ALICE, "--json", "--history"]).code,
        0
    );
    assert_eq!(project.run(&["capture", "0000", "--json"]).code, 1);
    assert_snapshot!("json", project.transcript());
}

#[test]
fn a_folder_that_cannot_be_written_leaves_nothing() {
    let mut project = Project::new("");
    project.write("occupied", "a file");
    for folder in ["occupied", "occupied/below"] {
        assert_eq!(
            project.run(&["capture", ALICE, "--fixtures", folder]).code,
            1
        );
    }
    // The folder can be written, the one of the domain cannot.
    project.write("fixtures/player", "a file");
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    // A folder where the fixture should be.
    project.write(
        "other/player/withdraw-funds-6513270e-3.yaml/file",
        "in a folder",
    );
    assert_eq!(
        project.run(&["capture", ALICE, "--fixtures", "other"]).code,
        1
    );
    assert_eq!(
        project
            .run(&["capture", ALICE, "--fixtures", "other", "--force"])
            .code,
        1
    );
    assert_snapshot!("unwritable_folder", project.transcript());
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_no_closed_case() {
    let mut project = Project::new("");
    project.write(
        "fixtures/player/withdraw-funds-6513270e-3.snap/file",
        "in a folder",
    );
    assert_eq!(project.run(&["capture", ALICE, "--accept"]).code, 1);
    assert_snapshot!("unwritable_snapshot", project.transcript());
}

#[test]
fn a_name_outside_of_the_folder_is_refused() {
    let mut project = Project::new("");
    for name in ["../outside", "/tmp/outside", "a/../../b", "", "."] {
        assert_ne!(
            project.run(&["capture", ALICE, "--name", name]).code,
            0,
            "{name}"
        );
    }
    assert_snapshot!("names_outside", project.transcript());
}

#[test]
fn accepting_needs_logic() {
    let mut project = Project::new("");
    let arguments = ["capture", "hand/dbc3da80", "--accept", "--history"];
    assert_eq!(project.run(&arguments).code, 1);
    assert_snapshot!("accept_without_logic", project.transcript());
}

#[test]
fn without_descriptors_it_works_on_bytes_and_says_which_are_missing() {
    let mut project = Project::bare();
    assert_eq!(project.run(&["capture", ALICE]).code, 0);
    assert_snapshot!("without_descriptors", project.transcript());
}

#[test]
fn a_reader_that_closes_its_end_is_no_failure() {
    let project = Project::new("");
    for arguments in [
        "roots",
        "roots --json",
        "capture 6513270e --dry-run",
        "--help",
    ] {
        let binary = env!("CARGO_BIN_EXE_xtask");
        let script = format!("set -o pipefail; {binary} {arguments} | head -c 1 >/dev/null");
        let output = program("bash", &project.path(""))
            .args(["-c", &script])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments}"
        );
    }
}

/// Each of these once took minutes, gigabytes, or for ever.
#[test]
#[cfg(unix)]
fn hostile_files_end_soon() {
    let mut project = crate::bad_input::logic::captured("");
    project.write("replay.local.toml", "max_file_mebibytes = 1\n");
    let case = project.read(crate::bad_input::logic::CASE);
    project.write(
        "fixtures/player/stars.yaml",
        &format!(
            "{case}rules:\n  - {{type: \"{}x\", field: \"*\", reason: r}}\n",
            "*".repeat(60)
        ),
    );
    project.write(
        "fixtures/player/nested.yaml",
        &format!(
            "fixture: 1\nkind: command\nstatus: open\ntitle: {}{}\n",
            "[".repeat(20_000),
            "]".repeat(20_000)
        ),
    );
    project.write("fixtures/player/large.yaml", &"# more\n".repeat(200_000));
    // Not in the project, all of whose files the test itself reads.
    let elsewhere = tempfile::tempdir().unwrap();
    let device = elsewhere.path().join("device.yaml");
    std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
    let pipe = elsewhere.path().join("pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, "fixture: 1\npassword: hunter2\n").unwrap();
    let link = elsewhere.path().join("link.yaml");
    std::os::unix::fs::symlink(secret, &link).unwrap();
    let draft = format!("type: t.A\npayload: {}\n", "{a: ".repeat(20_000));
    project.write("draft.yaml", &draft);
    let mut said = |arguments: &[&str]| {
        let ran = project.run(arguments);
        (ran.code, ran.err)
    };
    assert_eq!(said(&["replay", "fixtures/player/stars.yaml"]).0, 0);
    for (file, why) in [
        (
            "fixtures/player/nested.yaml",
            "nested more than 128 levels deep: no case is\n",
        ),
        (
            "fixtures/player/large.yaml",
            "cannot be read: it is larger than 1 MiB, and is not read; `max_file_mebibytes` in replay.toml raises the \
             limit\n",
        ),
        (
            device.to_str().unwrap(),
            "cannot be read: it is not a regular file\n",
        ),
        (
            link.to_str().unwrap(),
            "a link to a file that is not a valid fixture: its content is not shown",
        ),
        (
            pipe.to_str().unwrap(),
            "cannot be read: it is not a regular file\n",
        ),
    ] {
        let (code, err) = said(&["replay", file]);
        assert_eq!(code, 1, "{file}");
        assert!(err.contains(why), "{file}: {err}");
        assert!(!err.contains("password"), "{err}");
    }
    let (code, err) = said(&["capture", ALICE, "--command", "draft.yaml"]);
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("nested more than 128 levels deep at line"),
        "{err}"
    );
}

/// A pipe has no end before somebody writes to it; an audit with redaction rules reads each file twice.
#[test]
#[cfg(unix)]
fn an_audit_does_not_wait_for_a_pipe() {
    let mut project = Project::new("");
    project.write("replay.local.toml", "[redaction]\n");
    let elsewhere = tempfile::tempdir().unwrap();
    let pipe = elsewhere.path().join("pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let ran = project.run(&["audit", pipe.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.contains("it is not a regular file"), "{}", ran.out);
}
