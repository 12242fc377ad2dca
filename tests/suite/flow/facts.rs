//! Facts: events that happened elsewhere.

use angzarr_replay::internal::model::{
    Cover, EmittedBook, Failure, FlowStart, Header, Outcome, Reaction,
};
use angzarr_replay::internal::replay::flow::{FlowError, StepAnswer};

use super::support::{
    CORRELATION, Toys, correlated, cover, dutiful, events, labels, names, notes, start,
};

fn facts(cover: Cover, names: &[&str], external_id: &str) -> EmittedBook {
    let mut book = events(names);
    book.cover = Some(cover);
    for page in &mut book.pages {
        page.header = Header::ExternalDeferred {
            external_id: external_id.into(),
            description: String::new(),
        };
    }
    book
}

#[test]
fn logic_that_takes_facts_says_what_is_stored() {
    let mut toys = Toys::new("io.angzarr.v1").book(cover("a", 1), &["t.Old"]);
    let taken = |given: &EmittedBook, prior: &angzarr_replay::internal::model::EventBook| {
        assert_eq!(names(prior), ["t.Old"]);
        assert!(matches!(
            given.pages[0].header,
            Header::ExternalDeferred { .. }
        ));
        Ok(events(&["t.Taken", "t.Noted"]))
    };
    toys.with_facts("a", dutiful, Some(Box::new(taken)));
    toys.saga("s", &[("a", &["t.Noted"])], |_, _| Ok(Reaction::default()));
    let given = facts(correlated("a", 1), &["t.Fact"], "x-1");
    let run = toys.run(&FlowStart::Facts(given));
    assert_eq!(labels(&run), ["a (t.Fact)", "saga s (t.Taken, t.Noted)"]);
    assert_eq!(names(&run.books[0]), ["t.Old", "t.Taken", "t.Noted"]);
}

#[test]
fn without_such_logic_they_are_stored_as_they_are_and_it_is_said() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &["t.Old"]);
    toys.aggregate("a", dutiful);
    let run = toys.run(&FlowStart::Facts(facts(
        correlated("a", 1),
        &["t.Fact", "t.More"],
        "x-1",
    )));
    assert_eq!(run.steps[0].answer, StepAnswer::TakenAsTheyAre);
    assert_eq!(
        notes(&run),
        ["the logic takes no facts: they are stored as they are"]
    );
    let sequences = run.books[0]
        .history
        .pages()
        .iter()
        .map(|page| page.sequence);
    assert_eq!(sequences.collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn refused_facts_are_an_outcome_and_store_nothing() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &["t.Old"]);
    let refuse = |_: &EmittedBook, _: &angzarr_replay::internal::model::EventBook| {
        Err::<EmittedBook, _>(Failure::rejected("no"))
    };
    toys.with_facts("a", dutiful, Some(Box::new(refuse)));
    let run = toys.run(&FlowStart::Facts(facts(
        correlated("a", 1),
        &["t.Fact"],
        "",
    )));
    assert!(matches!(run.steps[0].outcome(), Some(Outcome::Rejected(_))));
    assert_eq!(names(&run.books[0]), ["t.Old"]);
}

#[test]
fn a_reaction_s_facts_go_out_correlated_after_its_commands_and_once_for_each_external_id() {
    let mut toys = Toys::new("angzarr")
        .book(cover("a", 1), &[])
        .book(cover("b", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.aggregate("b", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| {
        let mut reaction = super::support::commands(&[(cover("b", 1), "t.Do1")]);
        let mut nobody = events(&["t.Lost"]);
        nobody.cover = None;
        reaction.facts = vec![
            facts(cover("b", 1), &["t.Fact"], "x-1"),
            facts(cover("b", 1), &["t.Fact"], "x-1"),
            facts(cover("b", 1), &["t.Fact"], ""),
            facts(cover("b", 1), &["t.Fact"], ""),
            nobody,
        ];
        Ok(reaction)
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    assert_eq!(
        labels(&run)[2..],
        [
            "b (t.Do1)",
            "b (t.Fact)",
            "b (t.Fact)",
            "b (t.Fact)",
            "b (t.Fact)",
            "nobody (t.Lost)"
        ]
    );
    let stored: Vec<_> = run.steps[2..]
        .iter()
        .map(|step| step.stored.len())
        .collect();
    assert_eq!(stored, [1, 1, 0, 1, 1, 0]);
    assert_eq!(
        run.steps[4].notes[0].to_string(),
        "facts with the external id `x-1` were taken before: nothing is stored again"
    );
    let published = &run.steps[3].stored[0];
    assert_eq!(published.cover.correlation_id, CORRELATION);
}

#[test]
fn facts_for_nobody_begin_no_flow() {
    let toys = Toys::new("angzarr");
    let error = toys
        .try_run(&FlowStart::Facts(events(&["t.Fact"])))
        .unwrap_err();
    assert_eq!(error, FlowError::FactsForNobody);
    assert_eq!(
        error.to_string(),
        "the facts that the flow should begin with have no cover, so their aggregate is unknown"
    );
}
