//! Rust logic in `replay.toml`, which this program cannot have.

use super::{CASES, run_in};

/// A project with a case of Rust logic.
fn project() -> super::Project {
    let project = super::Project::new();
    std::fs::write(
        project.path("replay.toml"),
        "[logic.player]\nin_process = \"player\"\n",
    )
    .unwrap();
    project
}

const BEGINNING: &str = "error: logic `player`: `in_process = \"player\"` \
                         is Rust logic, which a main has to register, and this program registers none; ";

#[test]
fn without_a_rust_main_it_is_said_what_to_write() {
    let project = project();
    let run = project.run(&["replay", CASES[0]]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(
        run.err,
        format!(
            "{BEGINNING}write such a main (`angzarr-replay init` beside a Cargo.toml does), or give `command` or `address` \
             instead\n"
        )
    );
}

#[test]
fn the_main_that_init_wrote_is_named_with_its_alias() {
    let project = project();
    std::fs::write(
        project.path("Cargo.toml"),
        "[package]\nname = \"shop\"\nversion = \"0.0.0\"\n",
    )
    .unwrap();
    let init = run_in(project.folder.path(), &["init"], &[]);
    assert_eq!(init.code, Some(0), "{init:?}");
    let run = project.run(&["replay", CASES[0]]);
    assert_eq!(
        run.err,
        format!(
            "{BEGINNING}the package `replay` has such a main: use `cargo test`, or `cargo replay` for the other commands\n"
        )
    );
    // It is no less true of logic that is looked at by `doctor`.
    let doctor = project.run(&["doctor"]);
    assert!(
        doctor.out.contains("use `cargo test`, or `cargo replay`"),
        "{}",
        doctor.out
    );
}
