//! Commands that are refused come back to whoever caused them.

use std::sync::Arc;

use angzarr_replay::internal::model::{
    Answer, Failure, Header, Outcome, ProcessRoot, Reaction, Reply, Revocation,
};
use angzarr_replay::internal::replay::flow::{Asked, Cause, StepAnswer};

use super::support::{
    Shown, Toys, commands, correlated, cover, dutiful, emits, events, labels, names, notes, start,
};

fn refusing(dialect: &str, answer: impl Fn() -> Answer + Send + Sync + 'static) -> Toys {
    let mut toys = Toys::new(dialect)
        .book(cover("a", 1), &["t.Old"])
        .book(cover("b", 1), &[]);
    toys.aggregate("b", move |_, _| answer());
    toys.saga("s", &[("a", &["t.Done"])], |_, _| {
        Ok(commands(&[(cover("b", 1), "t.Do1")]))
    });
    toys
}

#[test]
fn the_source_aggregate_is_told_as_with_a_command_and_its_events_go_on() {
    let mut toys = refusing("io.angzarr.v1", || Err(Failure::rejected("full")));
    let shown = toys.aggregate("a", |_, command| match command.type_name() {
        "t.Do" => emits(&["t.Done"]),
        _ => emits(&["t.Undone"]),
    });
    toys.saga("undo", &[("a", &["t.Undone"])], |_, _| {
        Ok(Reaction::default())
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 1));
    assert_eq!(
        labels(&run),
        [
            "a (t.Do)",
            "saga s (t.Done)",
            "b (t.Do1)",
            "a (t.Do1 was refused)",
            "saga undo (t.Undone)"
        ]
    );
    assert_eq!(run.steps[3].parent, Some(2));
    let shown = shown.lock().unwrap();
    let (prior, told) = &shown[1];
    assert_eq!(names(prior), ["t.Old", "t.Done"]);
    assert_eq!(told.cover, correlated("a", 1));
    // The key of the refused command, as every core hands it on.
    let source = Some(Box::new(correlated("a", 1)));
    assert_eq!(
        told.pages[0].header,
        Header::AngzarrDeferred {
            source,
            source_sequence: 1,
            source_component: "s".into(),
            command_index: 0,
            basis_sequence: None,
        }
    );
    let payload = told.pages[0].command.as_ref().unwrap();
    assert_eq!(&*payload.type_url, "/io.angzarr.v1.Notification");
    assert!(payload.value.windows(4).any(|bytes| bytes == b"full"));
    assert!(notes(&run).is_empty());
}

#[test]
fn every_status_that_ends_a_delivery_is_told_and_nothing_else() {
    let told = |answer: Answer| {
        let mut toys = refusing("angzarr", move || answer.clone());
        toys.aggregate("a", |_, command| match command.type_name() {
            "t.Do" => emits(&["t.Done"]),
            _ => emits(&[]),
        });
        let run = toys.run(&start(correlated("a", 1), "t.Do", 1));
        run.steps.get(3).map(|step| match &step.cause {
            Cause::Rejection { failure, .. } => failure.message.clone(),
            other => panic!("{other:?}"),
        })
    };
    let revoked = Revocation {
        reason: "late".into(),
        ..Revocation::default()
    };
    assert_eq!(told(Err(Failure::rejected("no"))).unwrap(), "no");
    assert_eq!(told(Err(Failure::refused("what?"))).unwrap(), "what?");
    assert_eq!(told(Err(Failure::crashed("ouch"))).unwrap(), "ouch");
    assert_eq!(told(Err(Failure::unimplemented("none"))).unwrap(), "none");
    assert_eq!(
        told(Ok(Reply::Revocation(revoked))).unwrap(),
        "Command revoked: late"
    );
    assert_eq!(told(emits(&["t.Yes"])), None);
    assert_eq!(told(emits(&[])), None);
}

#[test]
fn a_refused_notification_and_a_refused_first_command_end_there() {
    let mut toys = refusing("angzarr", || Err(Failure::rejected("full")));
    toys.aggregate("a", |_, command| match command.type_name() {
        "t.Do" => emits(&["t.Done"]),
        other => Err(Failure::refused(format!("Unknown command: {other}"))),
    });
    let run = toys.run(&start(correlated("a", 1), "t.Do", 1));
    assert_eq!(run.steps.len(), 4);
    let Some(Outcome::Refused(failure)) = run.steps[3].outcome() else {
        panic!("{:?}", run.steps[3]);
    };
    assert_eq!(failure.message, "Unknown command: angzarr.Notification");
    assert_eq!(
        notes(&run),
        [
            "core 0.5 only logs such a refusal and delivers nothing: in production this step did not happen"
        ]
    );

    let run = toys.run(&start(correlated("a", 1), "t.Other", 1));
    assert_eq!(run.steps.len(), 1);
}

#[test]
fn a_process_manager_is_told_by_a_trigger_of_its_own() {
    for (dialect, url) in [
        ("angzarr", "type.angzarr.io/angzarr.Notification"),
        (
            "angzarr_client.proto.angzarr.v1",
            "type.angzarr.io/angzarr_client.proto.angzarr.v1.Notification",
        ),
        ("io.angzarr.v1", "/io.angzarr.v1.Notification"),
    ] {
        let mut toys = Toys::new(dialect).book(cover("a", 1), &[]);
        toys.aggregate("a", dutiful);
        toys.aggregate("b", |_, _| Err(Failure::rejected("full")));
        let triggers: Shown<_> = Shown::default();
        let seen = Arc::clone(&triggers);
        let react = move |trigger: &angzarr_replay::internal::model::EventBook,
                          state: &angzarr_replay::internal::model::EventBook,
                          _: &angzarr_replay::internal::model::Destinations| {
            seen.lock().unwrap().push((trigger.clone(), state.clone()));
            if trigger.cover.domain.as_str() == "a" {
                let mut reaction = commands(&[(cover("b", 1), "t.Do1")]);
                reaction.process_events = vec![events(&["t.Begun"])];
                return Ok(reaction);
            }
            Ok(Reaction {
                process_events: vec![events(&["t.Failed"])],
                ..Reaction::default()
            })
        };
        toys.process("p", ProcessRoot::Uuid5, &[("a", &["t.Done"])], None, react);
        let run = toys.run(&start(correlated("a", 1), "t.Do", 0));
        assert_eq!(
            labels(&run),
            [
                "a (t.Do)",
                "process-manager p (t.Done)",
                "b (t.Do1)",
                "process-manager p (t.Do1 was refused)"
            ],
            "{dialect}"
        );
        let triggers = triggers.lock().unwrap();
        let (trigger, state) = &triggers[1];
        let page = &trigger.history.pages()[0];
        assert_eq!(&*page.body.event().unwrap().type_url, url);
        assert_eq!(names(state), ["t.Begun"]);
        let Asked::ProcessManager {
            stream: Some(stream),
            ..
        } = &run.steps[3].asked
        else {
            panic!("{:?}", run.steps[3].asked);
        };
        assert_eq!(trigger.cover, stream.cover);
        assert_eq!(stream.head, 1);
        assert!(matches!(
            &run.steps[3].answer,
            StepAnswer::Answered(Outcome::Reacted(_))
        ));
        let own = run
            .books
            .iter()
            .find(|book| book.cover.domain.as_str() == "p");
        assert_eq!(names(own.unwrap()), ["t.Begun", "t.Failed"]);
    }
}
