//! The kinds beyond a command and a history, and what production did in each: nothing of them is lost on the disk.

use angzarr_replay::internal::fixture::render;
use angzarr_replay::internal::model::{
    CascadeErrorMode, Case, CaseStimulus, CommandBook, Destinations, Domain, EmittedBook,
    EmittedCommand, EmittedPage, EventBook, FlowCase, FlowStart, History, HopOutcome, Modes,
    Notification, Observed, ObservedHop, ProcessCase, Projection, Reaction, Root, SyncMode,
    Trigger,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::fixture_format::round_trip::{
    about, body, command, cover_for, failed, failure, header, history, payload, snapshot, survives,
    text, timestamp,
};
use crate::fixture_format::support::{page, payload as encoded, refused_withdrawal, registry};

const OWN: [u8; 16] = [7; 16];

fn book(root: [u8; 16]) -> BoxedStrategy<EventBook> {
    (cover_for("table", root), option::of(snapshot()), history())
        .prop_map(|(cover, snapshot, history)| EventBook::new(cover, snapshot, history))
        .boxed()
}

fn emitted_book() -> BoxedStrategy<EmittedBook> {
    let page = (header(), option::of(timestamp()), body(), any::<bool>()).prop_map(
        |(header, created_at, body, provisional)| EmittedPage {
            header,
            created_at,
            body,
            provisional,
        },
    );
    (
        option::of(cover_for("hand", [3; 16])),
        option::of(snapshot()),
        vec(page, 0..3),
        any::<u32>(),
    )
        .prop_map(|(cover, snapshot, pages, next_sequence)| EmittedBook {
            cover,
            snapshot,
            pages,
            next_sequence,
        })
        .boxed()
}

fn facts() -> BoxedStrategy<EmittedBook> {
    (emitted_book(), cover_for("player", OWN))
        .prop_map(|(facts, cover)| EmittedBook {
            cover: Some(cover),
            ..facts
        })
        .boxed()
}

fn own_command() -> BoxedStrategy<CommandBook> {
    (cover_for("player", OWN), vec(command(), 0..3))
        .prop_map(|(cover, pages)| CommandBook {
            cover,
            pages,
            original: None,
        })
        .boxed()
}

fn destinations() -> BoxedStrategy<Destinations> {
    btree_map(text(), any::<u32>(), 0..3).boxed()
}

fn reaction() -> BoxedStrategy<Reaction> {
    let command = (option::of(cover_for("hand", [4; 16])), vec(command(), 0..2))
        .prop_map(|(cover, pages)| EmittedCommand { cover, pages });
    let notification = (
        option::of(cover_for("hand", [5; 16])),
        option::of(payload()),
        option::of(timestamp()),
        btree_map(text(), text(), 0..3),
    )
        .prop_map(|(cover, payload, sent_at, metadata)| Notification {
            cover,
            payload,
            sent_at,
            metadata: metadata.into_iter().collect(),
        });
    (
        vec(emitted_book(), 0..2),
        vec(command, 0..2),
        vec(emitted_book(), 0..2),
        option::of(notification),
    )
        .prop_map(|(process_events, commands, facts, notification)| Reaction {
            process_events,
            commands,
            facts,
            notification,
        })
        .boxed()
}

fn projection() -> BoxedStrategy<Projection> {
    (
        option::of(cover_for("player", OWN)),
        text(),
        any::<u32>(),
        option::of(payload()),
    )
        .prop_map(|(cover, projector, sequence, payload)| Projection {
            cover,
            projector,
            sequence,
            payload,
        })
        .boxed()
}

fn hops() -> BoxedStrategy<Vec<ObservedHop>> {
    let outcome = prop_oneof![
        vec(body(), 0..3).prop_map(HopOutcome::Events),
        failure().prop_map(HopOutcome::Failed),
    ];
    let hop = (any::<[u8; 16]>(), outcome).prop_map(|(root, outcome)| ObservedHop {
        domain: Domain::new("table").unwrap(),
        root: Root::new(root),
        outcome,
    });
    vec(hop, 0..3).boxed()
}

/// A stimulus for a history of `last + 1` sequences at most.
fn stimulus(last: Option<u32>) -> BoxedStrategy<CaseStimulus> {
    let flow = |start: BoxedStrategy<FlowStart>| {
        let books = (book([1; 16]), book([2; 16]), 0..3_usize);
        (start, books).prop_map(|(start, (one, other, count))| {
            let books = [one, other].into_iter().take(count).collect();
            CaseStimulus::Flow(FlowCase { start, books })
        })
    };
    let always = prop_oneof![
        1 => Just(CaseStimulus::Upcaster),
        2 => own_command().prop_map(CaseStimulus::Compensation),
        2 => facts().prop_map(CaseStimulus::Fact),
        2 => flow(own_command().prop_map(FlowStart::Command).boxed()),
        2 => flow(facts().prop_map(FlowStart::Facts).boxed()),
    ];
    let Some(last) = last else {
        return always.boxed();
    };
    let trigger = (0..=last, any::<bool>())
        .prop_map(|(from, with_history)| Trigger { from, with_history })
        .boxed();
    let process = (trigger.clone(), destinations(), book([9; 16]))
        .prop_map(|(trigger, destinations, state)| ProcessCase {
            trigger,
            destinations,
            state,
        })
        .boxed();
    prop_oneof![
        4 => always,
        2 => (trigger.clone(), destinations(), modes())
            .prop_map(|(trigger, destinations, modes)| CaseStimulus::Saga { trigger, destinations, modes }),
        2 => (trigger.clone(), any::<bool>())
            .prop_map(|(trigger, is_harmless)| CaseStimulus::Projector { trigger, is_harmless }),
        2 => process.clone().prop_map(CaseStimulus::ProcessManager),
        2 => process.prop_map(CaseStimulus::ProcessCompensation),
        2 => flow(trigger.prop_map(FlowStart::Events).boxed()),
    ]
    .boxed()
}

/// What production may have done, for each kind.
fn observed(stimulus: &CaseStimulus) -> BoxedStrategy<Observed> {
    let success = match stimulus {
        CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::ProcessCompensation(_) => reaction().prop_map(Observed::Reacted).boxed(),
        CaseStimulus::Projector { .. } => projection().prop_map(Observed::Projected).boxed(),
        CaseStimulus::Upcaster => history()
            .prop_map(|history| Observed::Upcast(history.pages().to_vec()))
            .boxed(),
        CaseStimulus::Flow(_) => hops().prop_map(Observed::Flow).boxed(),
        CaseStimulus::Command(_)
        | CaseStimulus::History
        | CaseStimulus::Compensation(_)
        | CaseStimulus::Fact(_) => vec(body(), 0..3).prop_map(Observed::accepted).boxed(),
    };
    prop_oneof![3 => success, 1 => failed(), 1 => Just(Observed::Notified)].boxed()
}

fn case() -> BoxedStrategy<Case> {
    history()
        .prop_flat_map(|history| {
            let last = history.pages().last().map(|page| page.sequence);
            (Just(history), stimulus(last))
        })
        .prop_flat_map(|(history, stimulus)| {
            let observed = option::of(observed(&stimulus));
            (about(), Just(history), Just(stimulus), observed)
        })
        .prop_flat_map(|(about, history, stimulus, observed)| {
            let case = Case {
                logic: about.logic.clone().or_else(|| Some("logic".to_owned())),
                history,
                stimulus,
                observed,
                ..about
            };
            (cover_for("player", OWN), option::of(snapshot())).prop_map(move |(cover, snapshot)| {
                Case {
                    cover,
                    snapshot,
                    ..case.clone()
                }
            })
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kind_survives_the_disk(case in case()) {
        survives(&case)?;
    }
}

fn long(first: u32) -> History {
    let event = encoded(
        "FundsDeposited",
        &format!("{{amount: {{amount: {first}}}}}"),
    );
    let pages = (0..501).map(|sequence| {
        page(
            sequence,
            angzarr_replay::internal::model::Body::Event(event.clone()),
        )
    });
    History::new(pages.collect()).unwrap()
}

fn table(root: u8, history: History) -> EventBook {
    let domain = Domain::new("table").unwrap();
    let cover = angzarr_replay::internal::model::Cover::main(domain, Root::new([root; 16]));
    EventBook::new(cover, None, history)
}

#[test]
fn long_histories_of_state_and_books_are_in_files_of_their_own() {
    let case = refused_withdrawal();
    let CaseStimulus::Command(command) = case.stimulus.clone() else {
        unreachable!()
    };
    let flow = Case {
        stimulus: CaseStimulus::Flow(FlowCase {
            start: FlowStart::Command(command),
            books: vec![table(1, long(1)), table(2, long(2)), table(3, long(1))],
        }),
        observed: None,
        ..case.clone()
    };
    let process = Case {
        logic: Some("seating".to_owned()),
        stimulus: CaseStimulus::ProcessManager(ProcessCase {
            trigger: Trigger {
                from: 1,
                with_history: false,
            },
            destinations: Destinations::new(),
            state: table(1, long(1)),
        }),
        observed: None,
        ..case
    };
    for (case, files) in [(flow, 3), (process, 1)] {
        let text = render(&case, &registry()).unwrap().text;
        assert_eq!(text.matches("history_file: histories/").count(), files);
        survives(&case).unwrap();
    }
}

#[test]
fn what_is_packed_in_the_snapshot_of_an_emitted_book_is_described_too() {
    let state = encoded("PlayerState", "{display_name: Bob}");
    let emitted = EmittedBook {
        cover: None,
        snapshot: Some(angzarr_replay::internal::model::Snapshot {
            sequence: 1,
            state: Some(state),
            retention: angzarr_replay::internal::model::Retention::Default,
            created_at: None,
            original: None,
        }),
        pages: Vec::new(),
        next_sequence: 0,
    };
    let base = refused_withdrawal();
    let fact = Case {
        history: History::default(),
        stimulus: CaseStimulus::Fact(EmittedBook {
            cover: Some(base.cover.clone()),
            ..emitted.clone()
        }),
        observed: None,
        ..base.clone()
    };
    let saga = Case {
        logic: Some("table-player".to_owned()),
        stimulus: CaseStimulus::Saga {
            trigger: Trigger {
                from: 1,
                with_history: false,
            },
            destinations: Destinations::new(),
            modes: Modes::default(),
        },
        observed: Some(Observed::Reacted(Reaction {
            facts: vec![emitted],
            ..Reaction::default()
        })),
        ..base
    };
    for case in [fact, saga] {
        let rendered = render(&case, &registry()).unwrap();
        assert_eq!(rendered.undescribed, Vec::<String>::new());
        assert!(
            rendered.text.contains("display_name: Bob"),
            "{}",
            rendered.text
        );
    }
}

fn modes() -> impl Strategy<Value = Modes> {
    let sync_mode = prop_oneof![
        Just(SyncMode::Async),
        Just(SyncMode::Simple),
        Just(SyncMode::Cascade),
        Just(SyncMode::Unknown(9)),
    ];
    let cascade_error_mode = prop_oneof![
        Just(CascadeErrorMode::FailFast),
        Just(CascadeErrorMode::Continue),
        Just(CascadeErrorMode::Compensate),
        Just(CascadeErrorMode::DeadLetter),
        Just(CascadeErrorMode::Unknown(9)),
    ];
    (sync_mode, cascade_error_mode).prop_map(|(sync_mode, cascade_error_mode)| Modes {
        sync_mode,
        cascade_error_mode,
    })
}
