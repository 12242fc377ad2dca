//! Who is asked what, when, and what it is shown.

use std::sync::Arc;

use angzarr_replay::internal::model::{
    Domain, EmittedCommand, FlowStart, Header, Outcome, Reaction, Trigger,
};
use angzarr_replay::internal::replay::flow::{Asked, Cause, NotAsked, StepAnswer};

use super::support::{
    CORRELATION, Shown, Toys, command, commands, correlated, cover, dutiful, emits, labels, names,
    notes, start,
};

#[test]
fn reactions_go_breadth_first_by_kind_and_name_in_the_order_of_the_logic() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.aggregate("b", dutiful);
    toys.aggregate("c", dutiful);
    // Given in another order than that of the names.
    toys.process(
        "aa-process",
        angzarr_replay::internal::model::ProcessRoot::Uuid5,
        &[("a", &["t.*"])],
        None,
        |_, _, _| Ok(commands(&[(cover("c", 1), "t.Do3")])),
    );
    toys.saga("z", &[("a", &["*"])], |_, _| {
        Ok(commands(&[(cover("c", 1), "t.Do2")]))
    });
    toys.saga("m", &[("a", &["t.Done"])], |_, _| {
        Ok(commands(&[
            (cover("b", 1), "t.Do1"),
            (cover("b", 2), "t.Do4"),
        ]))
    });
    toys.saga("other-type", &[("a", &["t.Other"])], |_, _| {
        panic!("not asked")
    });
    toys.saga("other-domain", &[("b", &["t.Done"])], |_, _| {
        panic!("not asked")
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    assert_eq!(
        labels(&run),
        [
            "a (t.Do)",
            "saga m (t.Done)",
            "saga z (t.Done)",
            "process-manager aa-process (t.Done)",
            "b (t.Do1)",
            "b (t.Do4)",
            "c (t.Do2)",
            "c (t.Do3)",
        ]
    );
    let parents: Vec<_> = run.steps.iter().map(|step| step.parent).collect();
    let expected = [
        None,
        Some(0),
        Some(0),
        Some(0),
        Some(1),
        Some(1),
        Some(2),
        Some(3),
    ];
    assert_eq!(parents, expected);
    let depths: Vec<_> = run.steps.iter().map(|step| step.depth).collect();
    assert_eq!(depths, [0, 1, 1, 1, 2, 2, 2, 2]);
    assert_eq!(run.children(1).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn each_step_sees_the_effects_of_the_earlier_ones() {
    let mut toys = Toys::new("angzarr")
        .book(cover("a", 1), &["t.Old"])
        .book(cover("b", 1), &["t.Older"]);
    toys.aggregate("a", dutiful);
    let shown = toys.aggregate("b", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| {
        Ok(commands(&[
            (cover("b", 1), "t.Do1"),
            (cover("b", 1), "t.Do2"),
        ]))
    });
    let given = toys.books.clone();
    let run = toys.run(&start(correlated("a", 1), "t.Do", 1));
    let shown = shown.lock().unwrap();
    assert_eq!(names(&shown[0].0), ["t.Older"]);
    assert_eq!(names(&shown[1].0), ["t.Older", "t.Done1"]);
    // At the head, as a coordinator stamps it; the logic sees no provenance.
    assert_eq!(shown[0].1.pages[0].header, Header::Sequence(1));
    assert_eq!(shown[1].1.pages[0].header, Header::Sequence(2));
    let after: Vec<_> = run.books.iter().map(names).collect();
    assert_eq!(
        after,
        [
            vec!["t.Old", "t.Done"],
            vec!["t.Older", "t.Done1", "t.Done2"]
        ]
    );
    assert_eq!(toys.books, given);
}

#[test]
fn a_batch_is_the_new_pages_only_and_whole() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &["t.Old"]);
    toys.aggregate("a", |_, _| emits(&["t.One", "t.Two"]));
    let shown: Shown<_> = Shown::default();
    let seen = Arc::clone(&shown);
    toys.saga("s", &[("a", &["t.Two"])], move |source, _| {
        seen.lock().unwrap().push(source.clone());
        Ok(Reaction::default())
    });
    toys.run(&start(correlated("a", 1), "t.Do", 1));
    let shown = shown.lock().unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(names(&shown[0]), ["t.One", "t.Two"]);
    assert_eq!(shown[0].history.pages()[0].sequence, 1);
    assert_eq!(shown[0].next_sequence, 3);
    assert_eq!(shown[0].cover, correlated("a", 1));
}

#[test]
fn a_reaction_s_command_is_deferred_with_its_provenance_and_correlated() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &["t.Old"]);
    toys.aggregate("a", dutiful);
    let shown = toys.aggregate("b", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| {
        let mut own = commands(&[(cover("b", 1), "t.Do1"), (cover("b", 2), "t.Do2")]);
        // A sequence of its own is overwritten: it would be stale.
        own.commands[1].pages[0].header = Header::Sequence(77);
        own.commands[1].cover.as_mut().unwrap().correlation_id = "own".into();
        Ok(own)
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 1));
    let Cause::Command(delivered) = &run.steps[3].cause else {
        panic!("{:?}", run.steps[3]);
    };
    assert_eq!(
        delivered.pages[0].header,
        Header::AngzarrDeferred {
            source: Some(Box::new(correlated("a", 1))),
            source_sequence: 1,
            source_component: "s".into(),
            command_index: 1,
            basis_sequence: None,
        }
    );
    let shown = shown.lock().unwrap();
    assert_eq!(shown[0].1.cover.correlation_id, CORRELATION);
    assert_eq!(shown[1].1.cover.correlation_id, "own");
    assert_eq!(shown[1].1.pages[0].header, Header::Sequence(0));
}

#[test]
fn newer_logic_keeps_the_provenance_that_it_wrote() {
    let own = |component: &str| Header::AngzarrDeferred {
        source: Some(Box::new(cover("a", 9))),
        source_sequence: 5,
        source_component: component.into(),
        command_index: 3,
        basis_sequence: Some(7),
    };
    let header = |dialect: &str, written: Header| {
        let mut toys = Toys::new(dialect).book(cover("a", 1), &[]);
        toys.aggregate("a", dutiful);
        toys.aggregate("b", dutiful);
        toys.saga("s", &[("a", &["*"])], move |_, _| {
            let command = command(cover("b", 1), "t.Do1", written.clone());
            Ok(Reaction {
                commands: vec![EmittedCommand::from(command)],
                ..Reaction::default()
            })
        });
        let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
        let Cause::Command(delivered) = &run.steps[2].cause else {
            panic!("{:?}", run.steps[2]);
        };
        delivered.pages[0].header.clone()
    };
    assert_eq!(header("io.angzarr.v1", own("")), own("s"));
    assert_ne!(header("io.angzarr.v1-2026-06", own("")), own("s"));
    // The head that it observed is its own to say, whoever says the rest.
    let basis_alone = Header::AngzarrDeferred {
        source: None,
        source_sequence: 0,
        source_component: String::new(),
        command_index: 0,
        basis_sequence: Some(7),
    };
    let Header::AngzarrDeferred {
        source_sequence: 0,
        basis_sequence: Some(7),
        source: Some(source),
        ..
    } = header("io.angzarr.v1-2026-09", basis_alone)
    else {
        panic!("the basis is lost");
    };
    assert_eq!(*source, correlated("a", 1));
}

#[test]
fn the_first_command_is_held_against_the_head() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &["t.Old"]);
    let shown = toys.aggregate("a", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| panic!("nothing happened"));
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    let Some(Outcome::Rejected(failure)) = run.steps[0].outcome() else {
        panic!("{:?}", run.steps[0]);
    };
    assert_eq!(
        failure.message,
        "Sequence mismatch: command expects 0, aggregate at 1"
    );
    assert!(shown.lock().unwrap().is_empty());
    assert_eq!(run.steps.len(), 1);
    assert_eq!(
        notes(&run),
        [
            "the coordinator refuses this command before the logic sees it: it was sent for another head"
        ]
    );
}

#[test]
fn what_cannot_be_delivered_is_a_step_that_says_so() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.aggregate("b", dutiful);
    toys.saga("s", &[("a", &["*"])], |_, _| {
        let mut sent = commands(&[
            (cover("nowhere", 1), "t.Do1"),
            (cover("b", 1), "t.Do2"),
            (cover("b", 7), "t.Do3"),
        ]);
        sent.commands[1].cover = None;
        Ok(sent)
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    let answers: Vec<_> = run.steps[2..]
        .iter()
        .map(|step| step.answer.clone())
        .collect();
    assert_eq!(answers[0], StepAnswer::NotAsked(NotAsked::NoLogic));
    assert_eq!(answers[1], StepAnswer::NotAsked(NotAsked::NoAddressee));
    assert!(matches!(
        &answers[2],
        StepAnswer::Answered(Outcome::Accepted(_))
    ));
    assert_eq!(run.steps[3].asked, Asked::Nobody);
    assert_eq!(
        labels(&run)[2..],
        ["nowhere (t.Do1)", "nobody (t.Do2)", "b (t.Do3)"]
    );
    assert_eq!(
        NotAsked::NoLogic.to_string(),
        "there is no logic for the domain"
    );
    assert_eq!(
        NotAsked::NoAddressee.to_string(),
        "it is addressed to nobody"
    );
    assert_eq!(
        notes(&run),
        [
            "the book of b/07070707-0707-0707-0707-070707070707 is not part of the flow: it is taken as empty"
        ]
    );
}

#[test]
fn stored_events_can_be_the_stimulus() {
    let mut toys = Toys::new("angzarr").book(correlated("a", 1), &["t.One", "t.Two", "t.Three"]);
    let shown: Shown<_> = Shown::default();
    let seen = Arc::clone(&shown);
    toys.saga("s", &[("a", &["*"])], move |source, _| {
        seen.lock().unwrap().push(source.clone());
        Ok(Reaction::default())
    });
    let start = |from| {
        FlowStart::Events(Trigger {
            from,
            with_history: false,
        })
    };
    let run = toys.run(&start(1));
    assert_eq!(
        labels(&run),
        [
            "a (the events that it begins with)",
            "saga s (t.Two, t.Three)"
        ]
    );
    assert_eq!(run.steps[0].answer, StepAnswer::Happened);
    let shown = shown.lock().unwrap();
    assert_eq!(names(&shown[0]), ["t.Two", "t.Three"]);
    assert_eq!(shown[0].cover.correlation_id, CORRELATION);

    let refused = toys.try_run(&start(3));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the flow should begin with the events of a/01010101-0101-0101-0101-010101010101 from sequence 3 on, but \
         there are none"
    );
}

#[test]
fn sagas_are_told_the_heads_that_are_unambiguous_where_the_dialect_tells_any() {
    for (dialect, told) in [
        // The released sidecars leave the map empty.
        ("angzarr", vec![]),
        (
            "io.angzarr.v1-2026-06",
            vec![("a".to_owned(), 1), ("b".to_owned(), 2)],
        ),
        (
            "io.angzarr.v1-2026-09",
            vec![("a".to_owned(), 1), ("b".to_owned(), 2)],
        ),
        ("io.angzarr.v1", vec![]),
    ] {
        let mut toys = Toys::new(dialect)
            .book(cover("a", 1), &[])
            .book(cover("b", 1), &["t.X", "t.Y"])
            .book(cover("c", 1), &["t.X"])
            .book(cover("c", 2), &["t.X"]);
        toys.aggregate("a", dutiful);
        let heard: Shown<_> = Shown::default();
        let seen = Arc::clone(&heard);
        toys.saga("s", &[("a", &["*"])], move |_, destinations| {
            seen.lock().unwrap().push(destinations.clone());
            Ok(Reaction::default())
        });
        toys.run(&start(correlated("a", 1), "t.Do", 0));
        let heard: Vec<_> = heard.lock().unwrap()[0].clone().into_iter().collect();
        assert_eq!(heard, told, "{dialect}");
    }
}

#[test]
fn an_answer_that_cannot_be_stored_leads_to_nothing() {
    let foreign = |dialect: &str| {
        let mut toys = Toys::new(dialect).book(cover("a", 1), &[]);
        toys.aggregate("a", |_, _| {
            let mut book = super::support::events(&["t.Done"]);
            book.cover = Some(cover("b", 2));
            Ok(angzarr_replay::internal::model::Reply::Events(book))
        });
        toys.saga("s", &[("a", &["*"]), ("b", &["*"])], |source, _| {
            assert_eq!(source.cover.domain, Domain::new("b").unwrap());
            Ok(Reaction::default())
        });
        toys.run(&start(correlated("a", 1), "t.Do", 0))
    };
    let refused = foreign("io.angzarr.v1");
    assert_eq!(refused.steps.len(), 1);
    assert_eq!(
        refused.steps[0].refused.as_ref().unwrap().message,
        "the logic answered for b/02020202-0202-0202-0202-020202020202, the command was for \
         a/01010101-0101-0101-0101-010101010101: nothing is stored"
    );
    // Older coordinators store it where it says.
    let elsewhere = foreign("angzarr");
    assert_eq!(labels(&elsewhere), ["a (t.Do)", "saga s (t.Done)"]);
    assert_eq!(
        notes(&elsewhere),
        [
            "the answer names another aggregate, b/02020202-0202-0202-0202-020202020202, and is stored there, as these \
          coordinators do"
        ]
    );
}

#[test]
fn a_sequence_that_is_taken_and_a_gap_are_conflicts_for_newer_coordinators_only() {
    let with = |dialect: &str, sequence: u32| {
        let mut toys = Toys::new(dialect).book(cover("a", 1), &["t.Old", "t.Older"]);
        toys.aggregate("a", move |_, _| {
            let mut book = super::support::events(&["t.Done"]);
            book.pages[0].header = Header::Sequence(sequence);
            Ok(angzarr_replay::internal::model::Reply::Events(book))
        });
        let run = toys.run(&start(correlated("a", 1), "t.Do", 2));
        let step = &run.steps[0];
        let refused = step.refused.clone().map(|failure| failure.message);
        (refused, step.stored.len())
    };
    let conflict = |got| (Some(format!("Sequence conflict: expected 2, got {got}")), 0);
    assert_eq!(with("angzarr", 2), (None, 1));
    assert_eq!(with("io.angzarr.v1", 0), conflict(0));
    assert_eq!(with("angzarr", 0), (None, 0), "dropped in silence");
    assert_eq!(with("angzarr", 5), (None, 1));
    assert_eq!(with("io.angzarr.v1", 5), conflict(5));
}
