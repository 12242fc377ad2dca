//! The harness under cargo test, cargo nextest and cargo insta.

use crate::support::Place;

const REPLAY: &str = "cargo test --locked --test replay --";
const NEXTEST: &str = "cargo nextest";
const ONE: &str = "player::deposit-funds-d23f0824-3";

#[test]
#[ignore = "cargo xtask check"]
fn the_harness_understands_the_arguments_of_cargo_test() {
    let place = Place::copy();
    place
        .run(&format!("{REPLAY} --list"))
        .succeeds()
        .says(&format!("{ONE}: test"))
        .says("table::join-table-36f675cc-4: test");
    place
        .run(&format!("{REPLAY} --list --ignored"))
        .succeeds()
        .says("hand::history-dbc3da80-12: test")
        .says_not(&format!("{ONE}: test"));
    place
        .run(&format!("{REPLAY} funds-d23f"))
        .succeeds()
        .says("test result: ok. 1 passed");
    place
        .run(&format!("{REPLAY} --exact {ONE}"))
        .succeeds()
        .says("test result: ok. 1 passed");
    place
        .run(&format!("{REPLAY} --exact funds-d23f --nocapture"))
        .succeeds()
        .says("test result: ok. 0 passed");
    place
        .run(&format!("{REPLAY} --skip table --nocapture"))
        .succeeds()
        .says_not("join-table");
    place
        .run(&format!("{REPLAY} --ignored hand"))
        .fails()
        .says("not checked: no logic is configured for the domain `hand`");
}

#[test]
#[ignore = "cargo xtask check"]
fn nextest_runs_a_process_a_trial_and_partitions_them() {
    let place = Place::copy();
    let list = format!("{NEXTEST} list --locked --test replay");
    place
        .run(&list)
        .succeeds()
        .says(ONE)
        .says_not("hand::history");
    let run = format!("{NEXTEST} run --locked --test replay");
    let all = place.run(&run).says("PASS [").says(ONE).passed();
    let half = |part: &str| place.run(&format!("{run} --partition {part}")).passed();
    let halves = [half("count:1/2"), half("count:2/2")];
    assert!(halves[0].abs_diff(halves[1]) <= 1, "{halves:?}");
    assert_eq!(halves[0] + halves[1], all);
    assert_eq!(place.run(&format!("{run} {ONE}")).passed(), 1);
    // A trial whose process was given no more than its name finds its fixture, and says what is wrong with it.
    place.write("fixtures/player/broken.yaml", "fixture: 1\nstatus: shut\n");
    place
        .run(&run)
        .fails()
        .says("player::broken")
        .says("fixtures/player/broken.yaml:")
        // What was shown is of the failing process alone, which counted nothing.
        .says_not("replay: 0 closed");
}

#[test]
#[ignore = "cargo xtask check"]
fn insta_finds_unreferenced_snapshots() {
    let place = Place::copy();
    let test = "cargo insta test --unreferenced=reject --test replay";
    place.run(test).succeeds();
    place.run_in_ci(test).succeeds();
    // A case that is left out or filtered out uses its snapshot all the same.
    let configuration = place.read("replay.toml");
    let skip = "[[skip]]\nfixtures = \"table/join-*\"\nreason = \"tried\"\n";
    place.write("replay.toml", &format!("{configuration}\n{skip}"));
    place.run(test).succeeds();
    place.run(&format!("{test} -- deposit")).succeeds();
    place.write(
        "fixtures/player/orphan.snap",
        &place.read("fixtures/table/join-table-36f675cc-4.snap"),
    );
    place.run(test).fails().says("orphan.snap");
}
