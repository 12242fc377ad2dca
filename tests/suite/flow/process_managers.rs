//! Process managers: whose stream, what they are told, and what they store.

use std::sync::Arc;

use angzarr_replay::internal::model::{
    Cover, Failure, Notification, Outcome, ProcessRoot, Reaction, Root,
};
use angzarr_replay::internal::replay::flow::{Asked, NotAsked, StepAnswer};

use super::support::{
    Shown, Toys, commands, correlated, cover, dutiful, events, labels, names, notes, start,
};

const BOTH: &[(&str, &[&str])] = &[("a", &["*"])];

fn root_of(run: &angzarr_replay::internal::replay::flow::FlowRun) -> String {
    match &run.steps[1].asked {
        Asked::ProcessManager {
            stream: Some(stream),
            ..
        } => stream.cover.root.to_string(),
        other => panic!("{other:?}"),
    }
}

fn with_stream(correlation_id: &str, root: ProcessRoot, own: Option<u8>) -> (String, Vec<String>) {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    if let Some(own) = own {
        toys = toys.book(cover("p", own), &["t.Begun"]);
    }
    toys.aggregate("a", dutiful);
    toys.process("p", root, BOTH, None, |_, _, _| Ok(Reaction::default()));
    let cover = Cover {
        correlation_id: correlation_id.into(),
        ..cover("a", 1)
    };
    let run = toys.run(&start(cover, "t.Do", 0));
    (root_of(&run), notes(&run))
}

#[test]
fn the_stream_s_root_comes_from_the_correlation_id() {
    // Worked out with Python's uuid module: uuid5(uuid5(NAMESPACE_DNS, "angzarr.dev"), "wf-1").
    let uuid5 = "5d377c6c-40bd-55e4-b8af-a281aa3fa26c";
    assert_eq!(
        with_stream("wf-1", ProcessRoot::Uuid5, None),
        (uuid5.into(), vec![])
    );
    let id = "0a0b0c0d-0000-4000-8000-000000000001";
    assert_eq!(
        with_stream(id, ProcessRoot::CorrelationId, None),
        (id.into(), vec![])
    );
    assert_eq!(
        with_stream("wf-1", ProcessRoot::CorrelationId, None),
        (
            Root::new([0; 16]).to_string(),
            vec!["the correlation id is not a UUID, so the process manager's root is nil, as in core 0.5".into()]
        )
    );
}

#[test]
fn the_only_book_of_its_domain_is_taken_where_the_derived_one_is_not_there() {
    let (root, notes) = with_stream("wf-1", ProcessRoot::Uuid5, Some(7));
    assert_eq!(root, Root::new([7; 16]).to_string());
    assert_eq!(
        notes,
        [
            "the correlation id leads to root 5d377c6c-40bd-55e4-b8af-a281aa3fa26c, which has no book; the only book of the domain is taken"
        ]
    );
}

#[test]
fn without_a_correlation_id_it_is_not_asked() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.process("p", ProcessRoot::Uuid5, BOTH, None, |_, _, _| {
        panic!("not asked")
    });
    let run = toys.run(&start(cover("a", 1), "t.Do", 0));
    let answer = &run.steps[1].answer;
    assert_eq!(*answer, StepAnswer::NotAsked(NotAsked::NoCorrelationId));
    assert_eq!(
        NotAsked::NoCorrelationId.to_string(),
        "there is no correlation id"
    );
}

#[test]
fn its_own_events_are_stored_before_its_commands_go_out_and_are_published() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.aggregate("b", dutiful);
    let states: Shown<_> = Shown::default();
    let seen = Arc::clone(&states);
    let subscribed: &[(&str, &[&str])] = &[("a", &["*"]), ("b", &["*"])];
    toys.process(
        "p",
        ProcessRoot::Uuid5,
        subscribed,
        None,
        move |trigger, state, _| {
            seen.lock().unwrap().push(state.clone());
            if trigger.cover.domain.as_str() == "b" {
                return Ok(Reaction {
                    process_events: vec![events(&["t.Ended"])],
                    ..Reaction::default()
                });
            }
            let mut reaction = commands(&[(cover("b", 1), "t.Do1")]);
            reaction.process_events = vec![events(&["t.Begun"]), events(&["t.Further"])];
            Ok(reaction)
        },
    );
    toys.saga("watch", &[("p", &["t.*"])], |_, _| Ok(Reaction::default()));
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    assert_eq!(
        labels(&run),
        [
            "a (t.Do)",
            "process-manager p (t.Done)",
            "saga watch (t.Begun)",
            "saga watch (t.Further)",
            "b (t.Do1)",
            "process-manager p (t.Done1)",
            "saga watch (t.Ended)",
        ]
    );
    let states = states.lock().unwrap();
    assert!(states[0].history.pages().is_empty());
    assert_eq!(names(&states[1]), ["t.Begun", "t.Further"]);
    assert_eq!(states[1].next_sequence, 2);
    assert_eq!(run.steps[1].stored.len(), 2);
}

#[test]
fn it_is_told_the_heads_that_it_names_where_the_dialect_asks() {
    let told = |dialect: &str, named: Option<Vec<Cover>>| {
        let mut toys = Toys::new(dialect)
            .book(cover("a", 1), &[])
            .book(cover("b", 1), &["t.X", "t.Y"])
            .book(cover("b", 2), &["t.X"]);
        toys.aggregate("a", dutiful);
        let heard: Shown<_> = Shown::default();
        let seen = Arc::clone(&heard);
        let prepare = named.map(|named| -> Box<dyn Fn(&_) -> _ + Send + Sync> {
            Box::new(move |_: &angzarr_replay::internal::model::EventBook| Ok(named.clone()))
        });
        toys.process("p", ProcessRoot::Uuid5, BOTH, prepare, move |_, _, told| {
            let told = told.clone().into_iter();
            seen.lock().unwrap().extend(told);
            Ok(Reaction::default())
        });
        let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
        let heard = heard.lock().unwrap().clone();
        (heard, run.steps[1].prepared.is_some(), notes(&run))
    };
    let pair = |domain: &str, head: u32| (domain.to_owned(), head);
    let named = vec![cover("b", 1), cover("new", 3)];
    assert_eq!(
        told("angzarr", Some(named.clone())),
        (vec![pair("b", 2), pair("new", 0)], true, vec![])
    );
    // One that names nobody is told of nobody.
    assert_eq!(told("angzarr", None), (vec![], false, vec![]));
    // No such question: the heads that are unambiguous.
    assert_eq!(
        told("io.angzarr.v1-2026-06", Some(named.clone())),
        (
            vec![pair("a", 1)],
            false,
            vec![
                "the flow has several aggregates of the domain b, and heads are sent by domain: none of theirs was sent"
                    .into()
            ]
        )
    );
    assert_eq!(told("io.angzarr.v1", Some(named)), (vec![], false, vec![]));
    assert_eq!(
        told("angzarr", Some(vec![cover("b", 1), cover("b", 2)])),
        (
            vec![],
            true,
            vec![
                "the process manager named several aggregates of b, and heads are sent by domain: none of theirs was sent"
                    .into()
            ]
        )
    );
}

#[test]
fn a_failing_preparation_is_the_answer() {
    let mut toys = Toys::new("angzarr").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    let prepare =
        Box::new(|_: &angzarr_replay::internal::model::EventBook| Err(Failure::crashed("ouch")));
    toys.process("p", ProcessRoot::Uuid5, BOTH, Some(prepare), |_, _, _| {
        panic!("not asked")
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    let outcome = run.steps[1].outcome().unwrap();
    assert_eq!(*outcome, Outcome::Crashed(Failure::crashed("ouch")));
}

#[test]
fn a_notification_of_its_own_ends_with_a_note() {
    let mut toys = Toys::new("io.angzarr.v1").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.process("p", ProcessRoot::Uuid5, BOTH, None, |_, _, _| {
        Ok(Reaction {
            notification: Some(Notification {
                cover: None,
                payload: None,
                sent_at: None,
                metadata: Vec::new(),
            }),
            ..Reaction::default()
        })
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    assert_eq!(run.steps.len(), 2);
    assert_eq!(
        notes(&run),
        ["the notification that the process manager sends is not delivered in a flow"]
    );
}

#[test]
fn own_events_that_cannot_be_stored_keep_the_rest_back() {
    let mut toys = Toys::new("io.angzarr.v1").book(cover("a", 1), &[]);
    toys.aggregate("a", dutiful);
    toys.process("p", ProcessRoot::Uuid5, BOTH, None, |_, _, _| {
        let mut reaction = commands(&[(cover("a", 1), "t.Do1")]);
        let mut own = events(&["t.Begun"]);
        own.cover = Some(cover("elsewhere", 1));
        reaction.process_events = vec![own];
        Ok(reaction)
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
    assert_eq!(run.steps.len(), 2);
    assert!(run.steps[1].refused.is_some());
}
