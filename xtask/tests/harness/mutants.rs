//! What the harness says about mutants of the answers.

use angzarr_replay::internal::model::{Answer, CommandBook, EventBook, Failure, Logic};
use libtest_mimic::{Failed, Trial};

use crate::{TELLING, expect, harness, harness_with, project_of, replace_in};

const MUTATE: [(&str, &str); 1] = [("ANGZARR_REPLAY__MUTATE", "true")];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("mutants_are_all_noticed", mutants_are_all_noticed),
        Trial::test(
            "mutants_that_a_rule_hides_are_reported",
            mutants_that_a_rule_hides_are_reported,
        ),
        Trial::test(
            "a_process_a_trial_reports_mutants_of_its_own",
            a_process_a_trial_reports_mutants_of_its_own,
        ),
        Trial::test(
            "mutants_of_open_cases_are_judged",
            mutants_of_open_cases_are_judged,
        ),
        Trial::test(
            "mutants_ask_the_logic_no_more_often",
            mutants_ask_the_logic_no_more_often,
        ),
    ]
}

/// The part of the output that is about mutants.
fn of_mutants(out: &str) -> &str {
    out.find("mutants: ").map_or("", |at| &out[at..])
}

fn mutants_are_all_noticed() -> Result<(), Failed> {
    let folder = project_of(&["table/join-table-36f675cc-4"])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(of_mutants(&out), "mutants: 31 of 1 case, each noticed\n\n")?;
    let (code, out, err) = harness(folder.path())?;
    expect(&format!("[{code}]{err}{}", of_mutants(&out)), "[0]")
}

fn mutants_that_a_rule_hides_are_reported() -> Result<(), Failed> {
    let folder = project_of(&[
        "player/deposit-funds-d23f0824-3",
        "player/fact-funds-deposited-6513270e-1",
        "table/join-table-36f675cc-4",
    ])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 136 of 3 cases, 26 not noticed
  hidden by rules:
    examples.FundsDeposited.deposited_at changed, cleared -- a rule in replay.toml: the handler's clock \
         [player::deposit-funds-d23f0824-3, player::fact-funds-deposited-6513270e-1]
  never compared:
    an event deferred -- the coordinator stamps an event that names no sequence with the next one [2 cases]
    an event without its sequence -- the coordinator stamps an event that names no sequence with the next one [1 case]
    another correlation id in a cover -- some libraries make one up, and a coordinator fills it in [2 cases]
    another extension in a cover -- a cover is shown by domain, root and edition; coordinators fill in the rest [2 cases]
    another next sequence of a book -- stale or left out by many libraries; a coordinator counts for itself [2 cases]
    another prefix of a type URL -- prefixes differ between libraries and dialects [2 cases]
    another state stored with the events -- optional, and derived from the events [2 cases]
    another time beside a payload -- a wall clock or nothing [2 cases]
    history repeated before the events -- a coordinator drops pages that the logic was shown [2 cases]
    no cover around the events -- a cover is shown only where it is another aggregate or edition [1 case]

",
    )
}

fn a_process_a_trial_reports_mutants_of_its_own() -> Result<(), Failed> {
    let folder = project_of(&[
        "player/deposit-funds-d23f0824-3",
        "table/join-table-36f675cc-4",
    ])?;
    // A rule of the case beside that of the configuration.
    let case = folder
        .path()
        .join("fixtures/player/deposit-funds-d23f0824-3");
    let rule = "rules:\n  - type: examples.FundsDeposited\n    field: new_balance.amount\n    reason: rounded\ncover:";
    replace_in(&case.with_extension("yaml"), "cover:", rule)?;
    let balance = "amount: 5250";
    replace_in(
        &case.with_extension("snap"),
        balance,
        "amount: \"[rounded]\"",
    )?;
    let one = ["--exact", "player::deposit-funds-d23f0824-3"];
    let (code, out, err) = harness_with(folder.path(), &one, &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 52 of 1 case, 13 not noticed
  hidden by rules:
    examples.FundsDeposited.deposited_at changed, cleared -- a rule in replay.toml: the handler's clock \
         [player::deposit-funds-d23f0824-3]
    examples.FundsDeposited.new_balance.amount changed -- a rule of the case: rounded [player::deposit-funds-d23f0824-3]
  never compared:
    an event deferred -- the coordinator stamps an event that names no sequence with the next one [1 case]
    another correlation id in a cover -- some libraries make one up, and a coordinator fills it in [1 case]
    another extension in a cover -- a cover is shown by domain, root and edition; coordinators fill in the rest [1 case]
    another next sequence of a book -- stale or left out by many libraries; a coordinator counts for itself [1 case]
    another prefix of a type URL -- prefixes differ between libraries and dialects [1 case]
    another state stored with the events -- optional, and derived from the events [1 case]
    another time beside a payload -- a wall clock or nothing [1 case]
    history repeated before the events -- a coordinator drops pages that the logic was shown [1 case]

",
    )
}

fn mutants_of_open_cases_are_judged() -> Result<(), Failed> {
    let folder = project_of(&["player/deposit-funds-6513270e-2"])?;
    let (code, out, err) = harness_with(folder.path(), &[], &MUTATE)?;
    expect(&format!("[{code}]{err}"), "[0]")?;
    expect(
        of_mutants(&out),
        "\
mutants: 30 of 1 case, 1 not noticed
  noticed only by a snapshot, which an open case does not have:
    rejected: error info: more [player::deposit-funds-6513270e-2]

",
    )
}

/// Logic that says when it is asked.
pub(crate) struct Telling;

impl Logic for Telling {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
        eprintln!("asked");
        Err(Failure::rejected("not today"))
    }
}

fn mutants_ask_the_logic_no_more_often() -> Result<(), Failed> {
    let folder = project_of(&["player/deposit-funds-d23f0824-3"])?;
    let snapshot = "fixtures/player/deposit-funds-d23f0824-3.snap";
    std::fs::write(
        folder.path().join(snapshot),
        "---\nsource: by hand\n---\noutcome: rejected\ncode: FAILED_PRECONDITION\nmessage: not today\n",
    )?;
    let environment = [MUTATE[0], (TELLING, "1")];
    let (code, out, err) = harness_with(folder.path(), &[], &environment)?;
    expect(
        &format!("[{code}]{err}{}", of_mutants(&out)),
        "[0]asked\nmutants: 30 of 1 case, each noticed\n\n",
    )?;
    // What failed has nothing to report.
    std::fs::write(
        folder.path().join(snapshot),
        "---\nsource: by hand\n---\noutcome: accepted\n",
    )?;
    let (code, out, _) = harness_with(folder.path(), &[], &environment)?;
    expect(
        &format!("[{code}]{}", of_mutants(&out)),
        "[101]mutants: none, since no case passed\n\n",
    )
}
