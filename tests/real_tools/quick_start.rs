//! The README's quick start, from a fresh clone.

use crate::support::{Place, Run, workspace};

const CAPTURE: &str = "cargo xtask capture 6513270e";
/// CI runs the rest of `cargo test` in a fresh clone anyway.
const TEST: &str = "cargo test --test replay";
const FIXTURE: &str = "fixtures/player/withdraw-funds-6513270e-3.yaml";

#[test]
#[ignore = "cargo xtask check"]
fn a_fresh_clone_captures_and_tests_with_and_without_a_network() {
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    let mut clone = std::process::Command::new("git");
    clone.args(["clone", "--quiet", "--no-hardlinks"]);
    clone.arg(workspace()).arg(folder.path().join("clone"));
    Run::of(clone).succeeds();
    let place = Place::at(&folder.path().join("clone"), "clone");

    place
        .run(CAPTURE)
        .succeeds()
        .says("WithdrawFunds")
        .says("Insufficient funds")
        .says(FIXTURE)
        .says("reproduced")
        .says("cargo test");
    place
        .run(TEST)
        .succeeds()
        .says("open: player::withdraw-funds-6513270e-3");
    let before = place.files();
    place.run(CAPTURE).succeeds().says("unchanged");
    assert!(place.files() == before, "capturing again wrote something");

    let captured = without_time(&place);
    place.remove(FIXTURE);
    let place = place.offline();
    place
        .run(CAPTURE)
        .succeeds()
        .says(FIXTURE)
        .says("reproduced");
    assert_eq!(without_time(&place), captured);
    place
        .run(TEST)
        .succeeds()
        .says("open: player::withdraw-funds-6513270e-3");
}

/// The captured fixture, but for the time of its capture.
fn without_time(place: &Place) -> String {
    let text = place.read(FIXTURE);
    let lines = text.lines().filter(|line| !line.contains("captured_at:"));
    lines.collect::<Vec<_>>().join("\n")
}
