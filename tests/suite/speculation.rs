//! The speculative coordinator: what the logic is shown, and what becomes of its answer.
use std::sync::{Arc, Mutex};

use angzarr_replay::internal::model::{
    Answer, Body, Code, CommandBook, CommandPage, Cover, Domain, EmittedBook, EmittedPage,
    EventBook, Failure, Header, Logic, MergeStrategy, Outcome, Page, Payload, Reply, Retention,
    Revocation, Root, Snapshot,
};
use angzarr_replay::internal::replay::{
    InProcess, OddPlace, ReplayNote, replay_command, replay_history, replay_notification,
};
use angzarr_replay::internal::wire::Dialect;
use test_support::books;

/// Logic that keeps what it is shown and answers what it is told.
struct Scripted {
    shown: Mutex<Vec<(EventBook, CommandBook)>>,
    answer: Box<dyn Fn(&EventBook) -> Answer + Send + Sync>,
}

impl Logic for Scripted {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Answer {
        self.shown
            .lock()
            .unwrap()
            .push((prior.clone(), command.clone()));
        (self.answer)(prior)
    }

    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        let from = snapshot.map_or(-1, |snapshot| i64::from(snapshot.sequence));
        Ok(Payload::new(
            "t.State",
            format!("{from}+{}", pages.len()).into_bytes(),
        ))
    }

    fn upcast(&self, _: &Domain, pages: &[Page]) -> Result<Vec<Page>, Failure> {
        let newer = |page: &Page| Page {
            body: event("t.New"),
            original: None,
            ..page.clone()
        };
        Ok(pages.iter().map(newer).collect())
    }
}

fn scripted(answer: impl Fn(&EventBook) -> Answer + Send + Sync + 'static) -> Arc<Scripted> {
    Arc::new(Scripted {
        shown: Mutex::default(),
        answer: Box::new(answer),
    })
}

fn emits(pages: Vec<EmittedPage>) -> Arc<Scripted> {
    scripted(move |_| {
        Ok(Reply::Events(EmittedBook {
            pages: pages.clone(),
            ..EmittedBook::default()
        }))
    })
}

fn event(name: &str) -> Body {
    Body::Event(Payload::new(name, Vec::new()))
}

fn page(sequence: u32, name: &str) -> Page {
    books::page(sequence, event(name))
}

fn emitted(header: Header, name: &str) -> EmittedPage {
    EmittedPage {
        header,
        created_at: None,
        body: event(name),
        provisional: false,
    }
}

fn book(pages: Vec<Page>) -> EventBook {
    let mut cover = Cover::main(Domain::new("player").unwrap(), Root::new([1; 16]));
    cover.correlation_id = "wf-1".into();
    books::book(cover, pages)
}

fn command(header: Header, merge_strategy: MergeStrategy) -> CommandBook {
    let page = CommandPage {
        header,
        sync_mode: None,
        merge_strategy,
        command: Some(Payload::new("t.Do", Vec::new())),
        external: None,
    };
    CommandBook {
        cover: book(Vec::new()).cover,
        pages: vec![page],
        original: None,
    }
}

fn three() -> EventBook {
    book(vec![page(0, "t.A"), page(1, "t.B"), page(2, "t.C")])
}

fn target(logic: &Arc<Scripted>, dialect: Dialect, upcasts: bool) -> InProcess {
    InProcess::new(Arc::clone(logic) as Arc<dyn Logic>, dialect, upcasts)
}

fn names(outcome: &Outcome) -> Vec<(Option<u32>, String)> {
    let Outcome::Accepted(book) = outcome else {
        panic!("{outcome:?}")
    };
    let name = |page: &EmittedPage| page.body.event().unwrap().type_name().to_owned();
    book.pages
        .iter()
        .map(|page| (page.header.sequence(), name(page)))
        .collect()
}

#[test]
fn a_stale_command_is_refused_before_the_logic_sees_it() {
    let logic = emits(Vec::new());
    let replay = |dialect, strategy| {
        let target = target(&logic, dialect, false);
        replay_command(
            &target,
            &three(),
            &command(Header::Sequence(99), strategy),
            true,
        )
        .unwrap()
    };
    let refused = replay(Dialect::ANGZARR, MergeStrategy::Commutative);
    let message = "Sequence mismatch: command expects 99, aggregate at 3".to_owned();
    let failure = Failure {
        code: Code::FailedPrecondition,
        message,
        info: None,
    };
    assert_eq!(refused.outcome, Outcome::Rejected(failure));
    assert_eq!(refused.notes, [ReplayNote::RefusedBeforeLogic]);
    assert!(logic.shown.lock().unwrap().is_empty());
    // Newer coordinators hold only strict commands against the head, and no one those that the aggregate merges.
    for (dialect, strategy) in [
        (Dialect::IO_ANGZARR_V1, MergeStrategy::Commutative),
        (Dialect::ANGZARR, MergeStrategy::AggregateHandles),
    ] {
        assert!(matches!(
            replay(dialect, strategy).outcome,
            Outcome::Accepted(_)
        ));
    }
}

#[test]
fn the_logic_is_shown_what_a_coordinator_shows() {
    let logic = emits(Vec::new());
    let deferred = Header::AngzarrDeferred {
        source: None,
        source_sequence: 4,
        source_component: "saga".into(),
        command_index: 0,
        basis_sequence: None,
    };
    replay_command(
        &target(&logic, Dialect::ANGZARR, false),
        &three(),
        &command(deferred, MergeStrategy::Strict),
        true,
    )
    .unwrap();
    let shown = logic.shown.lock().unwrap();
    let [(prior, command)] = shown.as_slice() else {
        panic!("exactly one call")
    };
    assert_eq!(prior.cover.correlation_id, "", "the command carries it");
    assert_eq!(prior.next_sequence, 3);
    assert_eq!(
        command.pages[0].header,
        Header::Sequence(3),
        "provenance is replaced by the head"
    );
}

#[test]
fn provisional_and_framework_pages_are_placeholders_where_the_dialect_has_them() {
    let provisional = Page {
        provisional: true,
        cascade_id: Some(Box::new("c".into())),
        ..page(1, "t.B")
    };
    let pages = vec![page(0, "t.A"), provisional, page(2, "angzarr.Confirmation")];
    let shown_types = |dialect: Dialect| -> Vec<String> {
        let logic = emits(Vec::new());
        let command = command(Header::Sequence(3), MergeStrategy::Strict);
        let replay = replay_command(
            &target(&logic, dialect, false),
            &book(pages.clone()),
            &command,
            true,
        )
        .unwrap();
        let masked = replay.notes.contains(&ReplayNote::Masked { pages: 2 });
        assert_eq!(masked, dialect == Dialect::ANGZARR);
        let shown = logic.shown.lock().unwrap();
        let pages = shown[0].0.history.pages();
        pages
            .iter()
            .map(|page| page.body.event().unwrap().type_url.to_string())
            .collect()
    };
    let placeholder = "type.angzarr.io/angzarr.NoOp";
    assert_eq!(
        shown_types(Dialect::ANGZARR),
        ["type.googleapis.com/t.A", placeholder, placeholder]
    );
    assert!(!shown_types(Dialect::IO_ANGZARR_V1).contains(&placeholder.to_owned()));
}

#[test]
fn a_placeholder_says_which_page_it_hides_and_why() {
    let provisional = Page {
        provisional: true,
        cascade_id: Some(Box::new("casc-1".into())),
        ..page(1, "t.B")
    };
    let logic = emits(Vec::new());
    let pages = vec![page(0, "t.A"), provisional];
    let command = command(Header::Sequence(2), MergeStrategy::Strict);
    let target = target(&logic, Dialect::ANGZARR, false);
    replay_command(&target, &book(pages), &command, false).unwrap();
    let shown = logic.shown.lock().unwrap();
    let event = shown[0].0.history.pages()[1].body.event().unwrap();
    // By hand: original_sequence = 1, cascade_id = 2, reason = 3, as seen live.
    assert_eq!(event.value, b"\x08\x01\x12\x06casc-1\x1a\x0buncommitted");
}

#[test]
fn what_the_validation_refuses_never_reaches_the_logic() {
    let logic = emits(Vec::new());
    let target = target(&logic, Dialect::ANGZARR, false);
    let refusal = |change: &dyn Fn(&mut CommandBook)| {
        let mut command = command(Header::Sequence(3), MergeStrategy::Strict);
        change(&mut command);
        let replay = replay_command(&target, &three(), &command, true).unwrap();
        match replay.outcome {
            Outcome::Refused(failure) => {
                assert_eq!(replay.notes, [ReplayNote::RefusedByValidation]);
                assert_eq!(failure.code, Code::InvalidArgument);
                failure.message
            }
            _ => "asked".to_owned(),
        }
    };
    let pages = |count| {
        refusal(&move |command: &mut CommandBook| {
            command.pages = vec![command.pages[0].clone(); count];
        })
    };
    assert_eq!(pages(100), "asked");
    assert_eq!(
        pages(101),
        "the command book has 101 pages, at most 100 are taken"
    );
    let bytes = |count| {
        refusal(&move |command: &mut CommandBook| {
            command.pages[0].command = Some(Payload::new("t.Do", vec![0; count]));
        })
    };
    assert_eq!(bytes(262_144), "asked");
    assert_eq!(
        bytes(262_145),
        "a command has 262145 bytes, at most 262144 are taken"
    );
    let id = |id: &str| {
        refusal(&|command: &mut CommandBook| id.clone_into(&mut command.cover.correlation_id))
    };
    assert_eq!(id("wf-1_A"), "asked");
    assert_eq!(id(&"x".repeat(128)), "asked");
    assert_eq!(
        id("wf 1"),
        "`wf 1` is not a correlation id: at most 128 characters, letters, digits, _ and -"
    );
    assert!(id(&"x".repeat(129)).ends_with("letters, digits, _ and -"));
    // A stand-in of earlier versions.
    assert_eq!(id("wf-***"), "asked");
    assert_eq!(logic.shown.lock().unwrap().len(), 5);
}

#[test]
fn a_notification_keeps_its_deferred_header() {
    let logic = emits(Vec::new());
    let target = target(&logic, Dialect::ANGZARR, false);
    let header = Header::AngzarrDeferred {
        source: None,
        source_sequence: 2,
        source_component: "saga".into(),
        command_index: 1,
        basis_sequence: None,
    };
    let notification = command(header.clone(), MergeStrategy::Commutative);
    replay_notification(&target, &three(), &notification, false).unwrap();
    assert_eq!(logic.shown.lock().unwrap()[0].1.pages[0].header, header);
}

#[test]
fn histories_are_upcast_first_where_the_logic_has_an_upcaster() {
    let logic = emits(Vec::new());
    let command = command(Header::Sequence(3), MergeStrategy::Strict);
    replay_command(
        &target(&logic, Dialect::ANGZARR, true),
        &three(),
        &command,
        true,
    )
    .unwrap();
    let shown = logic.shown.lock().unwrap();
    assert!(
        shown[0]
            .0
            .history
            .pages()
            .iter()
            .all(|page| page.body == event("t.New"))
    );
}

#[test]
fn emitted_pages_get_their_places_and_echoes_are_left_out() {
    let logic = emits(vec![
        emitted(Header::Sequence(1), "t.B"),
        emitted(Header::Absent, "t.X"),
        emitted(Header::Sequence(4), "t.Y"),
        emitted(Header::Sequence(0), "t.Z"),
    ]);
    let command = command(Header::Sequence(3), MergeStrategy::Strict);
    let replay = replay_command(
        &target(&logic, Dialect::ANGZARR, false),
        &three(),
        &command,
        true,
    )
    .unwrap();
    let expected = [
        (Some(3), "t.X".to_owned()),
        (Some(4), "t.Y".to_owned()),
        (Some(0), "t.Z".to_owned()),
    ];
    assert_eq!(names(&replay.outcome), expected);
    // A page that says a place which is taken, with another event than the one there, is no echo.
    let odd = ReplayNote::OddPlace {
        position: 2,
        says: Some(0),
        next: 5,
        becomes: OddPlace::Dropped,
    };
    assert_eq!(replay.notes, [ReplayNote::EchoesLeftOut { pages: 1 }, odd]);
}

#[test]
fn a_snapshot_is_shown_with_its_tail_and_the_full_history_is_tried_too() {
    let logic = scripted(|prior| {
        let name = if prior.snapshot.is_some() {
            "t.FromSnapshot"
        } else {
            "t.FromBeginning"
        };
        let pages = vec![emitted(Header::Absent, name)];
        Ok(Reply::Events(EmittedBook {
            pages,
            ..EmittedBook::default()
        }))
    });
    let state = Some(Payload::new("t.State", vec![1]));
    let snapshot = Snapshot {
        sequence: 1,
        state,
        retention: Retention::Default,
        created_at: None,
        original: None,
    };
    let book = EventBook {
        snapshot: Some(snapshot),
        ..three()
    };
    let command = command(Header::Sequence(3), MergeStrategy::Strict);
    let target = target(&logic, Dialect::IO_ANGZARR_V1, false);
    let replay = replay_command(&target, &book, &command, true).unwrap();
    assert_eq!(names(&replay.outcome)[0].1, "t.FromSnapshot");
    assert_eq!(
        names(&replay.outcome_without_snapshot.unwrap())[0].1,
        "t.FromBeginning"
    );
    let lengths: Vec<usize> = logic
        .shown
        .lock()
        .unwrap()
        .iter()
        .map(|(prior, _)| prior.history.pages().len())
        .collect();
    assert_eq!(lengths, [1, 3], "the tail, then everything");

    let once = replay_command(&target, &book, &command, false).unwrap();
    assert_eq!(once.outcome_without_snapshot, None);
    assert_eq!(
        logic.shown.lock().unwrap().len(),
        3,
        "a debugging replay sends exactly one"
    );

    let history = replay_history(&target, &book).unwrap();
    assert_eq!(
        history.state,
        Some(Outcome::Folded(Payload::new("t.State", b"-1+3".to_vec())))
    );
    assert_eq!(
        history.state_from_snapshot,
        Some(Outcome::Folded(Payload::new("t.State", b"1+1".to_vec())))
    );
}

#[test]
fn answers_other_than_events_are_outcomes_and_a_panic_is_a_crash() {
    let outcome = |logic: &Arc<Scripted>| {
        let command = command(Header::Sequence(3), MergeStrategy::Strict);
        replay_command(
            &target(logic, Dialect::ANGZARR, false),
            &three(),
            &command,
            true,
        )
        .unwrap()
        .outcome
    };
    let revocation = Revocation {
        reason: "too late".into(),
        ..Revocation::default()
    };
    let revoked = Reply::Revocation(revocation.clone());
    assert_eq!(
        outcome(&scripted(move |_| Ok(revoked.clone()))),
        Outcome::Revoked(revocation)
    );
    assert_eq!(
        outcome(&scripted(|_| Err(Failure::rejected("no")))),
        Outcome::Rejected(Failure::rejected("no"))
    );
    assert_eq!(
        outcome(&scripted(|_| Err(Failure::unimplemented(
            "no such handler"
        )))),
        Outcome::Unimplemented(Failure::unimplemented("no such handler"))
    );
    assert_eq!(
        outcome(&scripted(|_| panic!("a defect"))),
        Outcome::Crashed(Failure::crashed("the handler panicked: a defect"))
    );
}

#[test]
fn a_history_offers_state_and_upcast_pages_only_where_the_logic_has_them() {
    struct Neither;
    impl Logic for Neither {
        fn handle(&self, _: &EventBook, _: &CommandBook) -> Answer {
            Err(Failure::rejected("never asked"))
        }
    }
    let neither = |upcasts| InProcess::new(Arc::new(Neither), Dialect::ANGZARR, upcasts);
    let replay = replay_history(&neither(false), &three()).unwrap();
    assert_eq!((replay.state, replay.upcast), (None, None));
    // An upcaster that is configured and not there: a coordinator would fail too.
    let replay = replay_history(&neither(true), &three()).unwrap();
    assert!(matches!(replay.upcast, Some(Outcome::Unimplemented(_))));
    let command = command(Header::Sequence(3), MergeStrategy::Strict);
    let replay = replay_command(&neither(true), &three(), &command, true).unwrap();
    assert!(matches!(replay.outcome, Outcome::Unimplemented(_)));

    let both = replay_history(
        &target(&emits(Vec::new()), Dialect::ANGZARR, true),
        &three(),
    )
    .unwrap();
    assert!(matches!(both.state, Some(Outcome::Folded(_))));
    let Some(Outcome::Upcast(pages)) = both.upcast else {
        panic!("upcast pages")
    };
    assert_eq!(pages.len(), 3);
}

#[test]
fn notes_say_what_a_coordinator_makes_of_it() {
    assert_eq!(
        ReplayNote::RefusedByValidation.to_string(),
        "the coordinator's validation refuses this command before the logic sees it; production words the message \
         differently"
    );
    let odd = |says, becomes| {
        let next = 3;
        let position = 0;
        ReplayNote::OddPlace {
            position,
            says,
            next,
            becomes,
        }
        .to_string()
    };
    assert_eq!(
        odd(Some(8), OddPlace::Stored),
        "event 1 has sequence 8, but 3 is next: a coordinator of this dialect stores it there, with a gap"
    );
    assert_eq!(
        odd(None, OddPlace::Dropped),
        "event 1 has no header, which counts as sequence 0, but 3 is next: a coordinator of this dialect answers OK and \
         does not store it"
    );
    assert_eq!(
        odd(Some(0), OddPlace::Refused),
        "event 1 has sequence 0, but 3 is next: a coordinator of this dialect refuses the reply (Sequence conflict), and \
         stores nothing"
    );
}
