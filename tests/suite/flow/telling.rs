//! How a flow is told: the tree of the snapshot, the verdict, the diagrams.

use angzarr_replay::internal::diagram::{mermaid, terminal};
use angzarr_replay::internal::model::{Body, Cover, Failure, HopOutcome, ObservedHop, Payload};
use angzarr_replay::internal::replay::flow::FlowRun;
use angzarr_replay::internal::snapshot::{Renderer, Rules, Verdict};

use super::support::{Toys, commands, correlated, cover, emits, start};

/// A player who reserves funds, a saga that seats them, a table that may refuse.
fn seating(refused: bool) -> FlowRun {
    let mut toys = Toys::new("io.angzarr.v1")
        .book(cover("player", 0x11), &["t.Registered"])
        .book(cover("table", 0x22), &["t.Opened"]);
    toys.aggregate("player", |_, command| match command.type_name() {
        "t.ReserveFunds" => emits(&["t.FundsReserved"]),
        _ => emits(&["t.FundsReleased"]),
    });
    toys.aggregate("table", move |_, _| {
        if refused {
            Err(Failure::rejected("table full; #1"))
        } else {
            emits(&["t.Seated"])
        }
    });
    toys.saga("seating", &[("player", &["t.FundsReserved"])], |_, _| {
        Ok(commands(&[
            (cover("table", 0x22), "t.Seat"),
            (cover("nowhere", 0x33), "t.Log"),
        ]))
    });
    toys.run(&start(correlated("player", 0x11), "t.ReserveFunds", 1))
}

fn with_renderer<T>(told: impl FnOnce(&Renderer<'_>) -> T) -> T {
    let rules = Rules::default();
    let addressed: Cover = cover("player", 0x11);
    told(&Renderer::new(Vec::new(), vec![&rules], &addressed, 1))
}

#[test]
fn the_snapshot_is_a_tree_of_what_led_to_what() {
    let text = with_renderer(|renderer| Renderer::text(&renderer.flow(&seating(true))));
    let expected = r#"to:
  domain: player
  root: "11111111-1111-1111-1111-111111111111"
handles: t.ReserveFunds
outcome: accepted
events:
  - type: t.FundsReserved
    bytes: ""
then:
  - saga: seating
    reacts_to: t.FundsReserved
    outcome: accepted
    commands:
      - to:
          domain: table
          root: "22222222-2222-2222-2222-222222222222"
        header: none
        type: t.Seat
        bytes: ""
      - to:
          domain: nowhere
          root: "33333333-3333-3333-3333-333333333333"
        header: none
        type: t.Log
        bytes: ""
    then:
      - to:
          domain: table
          root: "22222222-2222-2222-2222-222222222222"
        handles: t.Seat
        outcome: rejected
        code: FAILED_PRECONDITION
        message: "table full; #1"
        then:
          - to:
              domain: player
              root: "11111111-1111-1111-1111-111111111111"
            told_of_refused: t.Seat
            outcome: accepted
            events:
              - type: t.FundsReleased
                bytes: ""
      - to:
          domain: nowhere
          root: "33333333-3333-3333-3333-333333333333"
        handles: t.Log
        outcome: "not asked: no logic"
"#;
    assert_eq!(text, expected);
}

fn hop(domain: &str, root: u8, events: &[&str]) -> ObservedHop {
    let stream = cover(domain, root);
    let events = events
        .iter()
        .map(|name| Body::Event(Payload::new(name, Vec::new())));
    ObservedHop {
        domain: stream.domain,
        root: stream.root,
        outcome: HopOutcome::Events(events.collect()),
    }
}

fn failed(domain: &str, root: u8, failure: Failure) -> ObservedHop {
    ObservedHop {
        outcome: HopOutcome::Failed(failure),
        ..hop(domain, root, &[])
    }
}

/// A chain without the command that nobody takes.
fn judged(observed: &[ObservedHop], refused: bool) -> Verdict {
    let mut run = seating(refused);
    run.steps
        .retain(|step| !step.label().starts_with("nowhere"));
    with_renderer(|renderer| Verdict::judge_flow(observed, &run, renderer))
}

#[test]
fn a_flow_that_does_what_production_did_is_reproduced() {
    let observed = [
        hop("table", 0x22, &["t.Seated"]),
        hop("player", 0x11, &["t.FundsReserved"]),
    ];
    assert_eq!(judged(&observed, false).to_string(), "reproduced");
    let observed = [
        hop("player", 0x11, &["t.FundsReserved"]),
        failed("table", 0x22, Failure::rejected("table full; #1")),
        hop("player", 0x11, &["t.FundsReleased"]),
    ];
    assert_eq!(judged(&observed, true).to_string(), "reproduced");
}

#[test]
fn the_first_hop_that_differs_is_named_and_all_differences_are_listed() {
    let observed = [
        hop("player", 0x11, &["t.FundsReserved", "t.Bonus"]),
        hop("table", 0x22, &["t.Waiting"]),
    ];
    let verdict = judged(&observed, false);
    assert_eq!(
        verdict.to_string(),
        "not reproduced: hop 2, table/22222222: differs in event 1, field type"
    );
    let Verdict::NotReproduced { differences, .. } = verdict else {
        panic!("judged otherwise");
    };
    let lines: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            r#"hop 2, table/22222222: events[0].type: "t.Waiting" became "t.Seated""#,
            r#"production went on: player/11111111: {"bytes":"","type":"t.Bonus"} became nothing"#,
        ]
    );
    let observed = [
        hop("player", 0x11, &["t.FundsReserved", "t.Bonus"]),
        hop("table", 0x22, &["t.Seated"]),
    ];
    assert_eq!(
        judged(&observed, false).to_string(),
        "not reproduced: production went on: player/11111111 stored t.Bonus"
    );
}

#[test]
fn a_refusal_and_an_acceptance_are_not_the_same() {
    let first = hop("player", 0x11, &["t.FundsReserved"]);
    let full = failed("table", 0x22, Failure::rejected("full"));
    assert_eq!(
        judged(&[first.clone(), full], false).to_string(),
        r#"not reproduced: hop 2, table/22222222: accepted now, production answered FAILED_PRECONDITION: "full""#
    );
    let seated = hop("table", 0x22, &["t.Seated"]);
    assert_eq!(
        judged(&[first, seated], true).to_string(),
        "not reproduced: hop 2, table/22222222: rejected (FAILED_PRECONDITION: \"table full; #1\") now, production \
         stored t.Seated"
    );
}

#[test]
fn what_cannot_be_judged_is_named_and_is_no_success() {
    let observed = [hop("player", 0x11, &["t.FundsReserved"])];
    assert_eq!(
        judged(&observed, false).to_string(),
        "not checked: hop 2, table/22222222: what production did there is not known"
    );
    // Without its logic a hop leads to nothing: what production did further is no difference.
    let observed = [
        hop("player", 0x11, &["t.FundsReserved", "t.Later"]),
        hop("table", 0x22, &["t.Seated"]),
    ];
    let verdict =
        with_renderer(|renderer| Verdict::judge_flow(&observed, &seating(false), renderer));
    assert_eq!(
        verdict.to_string(),
        "not checked: hop 3, nowhere/33333333: there is no logic for the domain; production went on: player/11111111 \
         stored t.Later, and a hop before it was not replayed"
    );
}

#[test]
fn mermaid_text_escapes_what_would_end_a_line() {
    // Read by mermaid 11's own parser when it was written.
    assert_eq!(
        mermaid(&seating(true)),
        "\
sequenceDiagram
    actor p0 as client
    participant p1 as player 11111111
    participant p2 as saga seating
    participant p3 as table 22222222
    participant p4 as nowhere 33333333
    p0->>p1: ReserveFunds
    Note over p1: accepted: FundsReserved
    p1-)p2: FundsReserved
    p2->>p3: Seat
    p3--xp2: rejected: FAILED_PRECONDITION \"table full#59; #35;1\"
    p2->>p4: Log
    Note over p4: not asked: there is no logic for the domain
    p3->>p1: Seat was refused
    Note over p1: accepted: FundsReleased
"
    );
}

#[test]
fn the_terminal_keeps_to_its_columns() {
    let text = terminal(&seating(true), None);
    assert_eq!(
        text,
        "\
A  client
B  player 11111111
C  saga seating
D  table 22222222
E  nowhere 33333333

A   B   C   D   E
├───▶   │   │   │  ReserveFunds
│   ●   │   │   │  accepted: FundsReserved
│   ├╌╌╌▶   │   │  FundsReserved
│   │   ├───▶   │  Seat
│   │   ✗╌╌╌┤   │  rejected: FAILED_PRECONDITION \"table full; #1\"
│   │   ├───┼───▶  Log
│   │   │   │   ●  not asked: there is no logic for the domain
│   ◀───┼───┤   │  Seat was refused
│   ●   │   │   │  accepted: FundsReleased
"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}
