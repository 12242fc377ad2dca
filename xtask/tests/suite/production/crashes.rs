//! Files are whole or not there, whatever ends a capture, and the next one tidies up.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use test_support::programs::program;

use crate::production::hex;
use crate::support::{ALICE, Project, tool};

const FIXTURE: &str = "fixtures/player/case.yaml";
const CAPTURE: [&str; 5] = ["capture", ALICE, "--name", "player/case", "--accept"];

fn start(project: &Project, arguments: &[&str]) -> Child {
    tool(&project.path(""))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn below_fixtures(project: &Project) -> Vec<String> {
    let names = project.files().into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with("fixtures/")).collect()
}

fn leftovers(project: &Project) -> Vec<String> {
    let mut names = below_fixtures(project);
    names.retain(|name| name.contains("/.writing-"));
    names
}

/// Every file that is there under its own name is whole.
fn demand_whole(project: &mut Project) {
    for name in below_fixtures(project) {
        let content = std::fs::read(project.path(&name)).unwrap();
        if name.contains("/.writing-") {
            continue;
        }
        if let Some(hash) = name.strip_prefix("fixtures/descriptors/") {
            use sha2::{Digest, Sha256};
            let digest = hex(&Sha256::digest(&content));
            assert!(
                digest.starts_with(hash.trim_end_matches(".binpb")),
                "{name}"
            );
        } else if name == FIXTURE {
            let ran = project.run(&["replay", FIXTURE, "--json"]);
            assert!(ran.out.contains("\"verdict\""), "{}{}", ran.out, ran.err);
        } else {
            assert!(content.ends_with(b"\n"), "{name}");
        }
    }
}

/// What a capture leaves that nothing disturbed.
fn undisturbed() -> Vec<String> {
    let mut project = Project::new("");
    assert_eq!(project.run(&CAPTURE).code, 0);
    below_fixtures(&project)
}

#[test]
fn a_capture_that_is_killed_at_any_moment_leaves_nothing_half_and_is_done_again() {
    let expected = undisturbed();
    for moment in 0..12 {
        let mut project = Project::new("");
        let mut child = start(&project, &CAPTURE);
        // Spread over the whole run, which takes longer or shorter: all of this holds at any moment.
        std::thread::sleep(Duration::from_millis(30 * moment));
        let _ = child.kill();
        child.wait().unwrap();
        demand_whole(&mut project);
        let ran = project.run(&CAPTURE);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(below_fixtures(&project), expected);
        assert!(project.run(&["replay", FIXTURE]).code == 0);
    }
}

#[test]
fn leftovers_are_removed_and_what_is_being_written_is_not() {
    let mut project = Project::new("");
    for name in [
        "player/.writing-a",
        "descriptors/.writing-b",
        "histories/.writing-c",
    ] {
        project.write(&format!("fixtures/{name}"), "half a ");
    }
    project.write("fixtures/player/.writing-busy", "half a ");
    let busy = std::fs::File::open(project.path("fixtures/player/.writing-busy")).unwrap();
    busy.try_lock().unwrap();
    assert_eq!(project.run(&CAPTURE).code, 0);
    assert_eq!(leftovers(&project), ["fixtures/player/.writing-busy"]);
    drop(busy);
    // Also when there is nothing to capture any more.
    assert!(project.run(&CAPTURE).out.contains("unchanged"));
    assert!(leftovers(&project).is_empty());
}

#[test]
fn an_accepted_capture_that_lost_its_snapshot_is_completed() {
    let mut project = Project::new("");
    assert_eq!(project.run(&CAPTURE).code, 0);
    std::fs::remove_file(project.path("fixtures/player/case.snap")).unwrap();
    assert_eq!(project.run(&CAPTURE).code, 0);
    assert!(project.path("fixtures/player/case.snap").exists());
}

#[test]
fn captures_at_the_same_time_do_not_disturb_each_other() {
    let expected = undisturbed();
    let project = Project::new("");
    let children: Vec<Child> = (0..6).map(|_| start(&project, &CAPTURE)).collect();
    let mut written = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}{error}");
        written += usize::from(said.contains("written"));
    }
    assert_eq!(written, 1);
    assert_eq!(below_fixtures(&project), expected);
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half() {
    // The system lets a file grow to so many blocks: the fixture is the first to be too large, then the descriptors.
    for blocks in [0, 1, 2, 4, 8] {
        let mut project = Project::new("");
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let ran = program("sh", &project.path(""))
            .args(["-c", &limited, "sh"])
            .arg(env!("CARGO_BIN_EXE_xtask"))
            .args(CAPTURE)
            .output()
            .unwrap();
        let error = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(leftovers(&project), [""; 0]);
        demand_whole(&mut project);
        if !ran.status.success() {
            assert!(
                error.contains("cannot be written: file too large"),
                "{error}"
            );
            assert!(!project.path(FIXTURE).exists());
        }
        assert!(blocks > 0 || !ran.status.success());
        assert_eq!(project.run(&CAPTURE).code, 0);
    }
}

#[test]
fn an_interrupt_while_it_writes_is_as_good_as_one_before() {
    let mut project = Project::new("");
    assert_eq!(project.run(&CAPTURE).code, 0);
    let before = project.read(FIXTURE);
    for moment in 0..8 {
        let forced = [&CAPTURE[..], &["--force", "--title", "another"]].concat();
        let mut child = start(&project, &forced);
        std::thread::sleep(Duration::from_millis(40 * moment));
        let _ = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        child.wait().unwrap();
        let now = project.read(FIXTURE);
        assert!(now == before || now.contains("title: another"), "{now}");
        demand_whole(&mut project);
    }
}
