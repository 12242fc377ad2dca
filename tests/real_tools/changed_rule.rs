//! A rule of the demo's logic changes: who notices, what is said, how it is accepted.

use std::path::Path;

use crate::support::{Place, Run};

const REPLAY: &str = "cargo test --locked --test replay";
const DEPOSIT: &str = "fixtures/player/deposit-funds-d23f0824-3";
const JOIN: &str = "fixtures/table/join-table-36f675cc-4";
/// A workflow that meets the table's refusal on its way.
const FLOW: &str = "fixtures/flow/reserve-funds-6513270e-2";
const OPEN: &str = "fixtures/player/deposit-funds-6513270e-2";

const IS_OPEN: &str = "open: player::deposit-funds-6513270e-2";

/// Two rules: what a deposit adds up to, and the words of a refusal.
fn change_two_rules(place: &Place) {
    place.change(
        "examples/poker/src/player.rs",
        "let balance = sum(state.balance(), amount.amount)?;
        Ok(encode(&FundsDeposited {
            new_balance: Some(state.money(balance, &amount)),
            amount: Some(amount),",
        "let balance = sum(state.balance(), amount.amount)? * 2;
        Ok(encode(&FundsDeposited {
            new_balance: Some(state.money(balance, &amount)),
            amount: Some(Currency { currency_code: \"EUR\".into(), ..amount }),",
    );
    place.change(
        "examples/poker/src/table.rs",
        "\"Player already seated at table\"",
        "\"Already seated\"",
    );
}

/// The rule that the open bug is about.
fn fix_the_open_bug(place: &Place) {
    place.change(
        "examples/poker/src/rules.rs",
        "require(amount > 0,",
        "require(amount >= 0,",
    );
}

fn names_every_difference(run: Run) -> Run {
    run.fails()
        .says(&format!("{DEPOSIT}.yaml: the outcome changed"))
        .says("  events[0].event.amount.currency_code: \"CHIPS\" became \"EUR\"")
        .says("  events[0].event.new_balance.amount: 5250 became 10500")
        .says("-        amount: 5250\n+        amount: 10500")
        .says(&format!("{JOIN}.yaml: the outcome changed"))
        .says("  message: \"Player already seated at table\" became \"Already seated\"")
        .says("title:   A player who sits at the table cannot join again\ncommand: JoinTable for table 36f675cc")
        // Of a closed case the accepted outcome is the question.
        .says_not("not reproduced")
        .says(&format!("cargo xtask replay {JOIN}.yaml"))
        // Only our own words: insta's would land amid the list of trials.
        .says_not("Snapshot Summary")
        .says_not("panicked")
        .says_not("stack backtrace")
}

#[test]
#[ignore = "cargo xtask check"]
fn a_changed_rule_fails_with_every_difference_until_insta_accepts_it() {
    let place = Place::copy();
    change_two_rules(&place);
    let before = place.files();

    names_every_difference(place.run_in_ci(REPLAY));
    assert!(place.files() == before, "CI wrote something");

    let mut with_backtrace = place.command(REPLAY);
    with_backtrace.env("RUST_BACKTRACE", "1");
    names_every_difference(Run::of(with_backtrace)).says("cargo insta review");
    assert!(place.has(&format!("{DEPOSIT}.snap.new")));
    assert!(place.has(&format!("{JOIN}.snap.new")));
    place
        .run("cargo insta pending-snapshots")
        .succeeds()
        .says(&format!("{DEPOSIT}.snap"))
        .says(&format!("{JOIN}.snap"));

    place.run("cargo insta reject").succeeds();
    let mut left = place.files();
    // Which cases failed, for `--last-failed`.
    let noted = left.remove(Path::new(".angzarr-replay/last-failed"));
    assert!(noted.is_some(), "the failed cases are not noted");
    // Compiled descriptors, for the next run.
    left.retain(|file, _| !file.starts_with(".angzarr-replay/cache"));
    assert!(left == before, "rejecting left something behind");
    names_every_difference(place.run(REPLAY));
    place.run("cargo insta accept").succeeds();
    assert!(!place.has(&format!("{DEPOSIT}.snap.new")));
    let snapshot = place.read(&format!("{DEPOSIT}.snap"));
    let header = "---\nsource: cargo test\ninput_file: deposit-funds-d23f0824-3.yaml\n---\n";
    assert!(snapshot.starts_with(header), "{snapshot}");
    assert!(snapshot.contains("amount: 10500"), "{snapshot}");
    place.run(REPLAY).succeeds().says(IS_OPEN);
    place.run_in_ci(REPLAY).succeeds();
}

#[test]
#[ignore = "cargo xtask check"]
fn a_changed_rule_is_accepted_by_close() {
    let place = Place::copy();
    change_two_rules(&place);
    place
        .run(&format!(
            "cargo xtask close {DEPOSIT}.yaml {JOIN}.yaml {FLOW}.yaml"
        ))
        .succeeds()
        .says(&format!("closed {DEPOSIT}.yaml"))
        .says(&format!("closed {FLOW}.yaml"));
    place.run(REPLAY).succeeds();
}

#[test]
#[ignore = "cargo xtask check"]
fn an_open_case_that_no_longer_reproduces_fails_until_it_is_closed() {
    let place = Place::copy();
    place
        .run(&format!("cargo xtask close {OPEN}.yaml"))
        .fails()
        .says("the bug still reproduces");
    fix_the_open_bug(&place);
    let before = place.files();
    place
        .run_in_ci(REPLAY)
        .fails()
        .says(&format!("{OPEN}.yaml: the open case no longer reproduces"))
        .says("not reproduced: accepted now");
    assert!(place.files() == before, "CI wrote something");

    place.run(REPLAY).fails().says("no longer reproduces");
    assert!(place.has(&format!("{OPEN}.snap.new")));
    place.run("cargo insta accept").succeeds();
    place.run(REPLAY).succeeds().says_not(IS_OPEN);
    place.run_in_ci(REPLAY).succeeds();

    place.remove(&format!("{OPEN}.snap"));
    place
        .run(&format!("cargo xtask close {OPEN}.yaml"))
        .succeeds()
        .says("closed");
    assert!(
        place
            .read(&format!("{OPEN}.yaml"))
            .contains("status: closed")
    );
    place.run(REPLAY).succeeds().says_not(IS_OPEN);
}

#[test]
#[ignore = "cargo xtask check"]
fn a_missing_snapshot_and_an_orphan_fail() {
    let place = Place::copy();
    place.remove(&format!("{DEPOSIT}.snap"));
    let before = place.files();
    place.run_in_ci(REPLAY).fails().says(&format!(
        "{DEPOSIT}.yaml: the case is closed and its snapshot {DEPOSIT}.snap is missing"
    ));
    assert!(place.files() == before, "CI wrote something");
    place.run(REPLAY).fails().says("is missing");
    place.run("cargo insta accept").succeeds();
    place.run_in_ci(REPLAY).succeeds();

    place.write(
        "fixtures/player/orphan.snap",
        &place.read(&format!("{JOIN}.snap")),
    );
    place
        .run_in_ci(REPLAY)
        .fails()
        .says("snapshots without a fixture:\n  fixtures/player/orphan.snap");
}
