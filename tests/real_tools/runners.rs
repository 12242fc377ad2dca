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
        .run(&format!("{REPLAY} deposit"))
        .succeeds()
        .says("test result: ok. 2 passed");
    place
        .run(&format!("{REPLAY} --exact {ONE}"))
        .succeeds()
        .says("test result: ok. 1 passed");
    place
        .run(&format!("{REPLAY} --exact deposit --nocapture"))
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
    place
        .run(&run)
        .succeeds()
        .says("PASS [")
        .says(ONE)
        .says("7 tests run: 7 passed");
    place
        .run(&format!("{run} --partition count:1/2"))
        .succeeds()
        .says("4 tests run: 4 passed");
    place
        .run(&format!("{run} --partition count:2/2"))
        .succeeds()
        .says("3 tests run: 3 passed");
    place
        .run(&format!("{run} {ONE}"))
        .succeeds()
        .says("1 test run: 1 passed");
    // A trial whose process was given no more than its name finds its fixture, and says what is wrong with it.
    place.write("fixtures/player/broken.yaml", "fixture: 1\nstatus: shut\n");
    place
        .run(&run)
        .fails()
        .says("player::broken")
        .says("fixtures/player/broken.yaml:");
}

#[test]
#[ignore = "cargo xtask check"]
fn insta_finds_unreferenced_snapshots() {
    let place = Place::copy();
    let test = "cargo insta test --unreferenced=reject --test replay";
    place.run(test).succeeds();
    place.write(
        "fixtures/player/orphan.snap",
        &place.read("fixtures/table/join-table-36f675cc-4.snap"),
    );
    place.run(test).fails().says("orphan.snap");
}
