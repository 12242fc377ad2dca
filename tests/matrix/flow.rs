//! A flow: what each component receives of what the others answered.
//!
//! One peer plays all components, so that the order of the calls is compared too.

use std::collections::BTreeMap;

use angzarr_replay::model::{Code, Domain, ErrorInfo, Failure};
use angzarr_replay::replay::Target;
use angzarr_replay::replay::flow::{
    FlowComponents, FlowLimits, FlowStart, Reacting, ReactingKind, run_flow,
};

use super::peer::Peer;
use super::revision::Revision;
use super::{PAGE_0, PAGE_1, command_book, event_book, prefix};

const PLAYER: &str = r#"root { value: "0123456789abcdef" } domain: "player""#;
const TABLE: &str = r#"root { value: "fedcba9876543210" } domain: "table""#;
/// A UUID: the released process managers find their stream by it.
const WORKFLOW: &str = r#"correlation_id: "0a0b0c0d-0000-4000-8000-000000000001""#;
const DID: &str = r#"created_at { seconds: 20 } event { type_url: "/t.Did" value: "x" }"#;
const SEATED: &str = r#"created_at { seconds: 21 } event { type_url: "/t.Seated" value: "y" }"#;

const AGGREGATE: &str = "CommandHandlerService/Handle";
const SAGA: &str = "SagaService/Handle";
const PREPARE: &str = "ProcessManagerService/Prepare";
const PROCESS: &str = "ProcessManagerService/Handle";

/// A call of the flow: method and message that should be received, and what is answered.
struct Call {
    method: &'static str,
    message: &'static str,
    text: String,
    answer: Answer,
}

enum Answer {
    /// Message and text.
    Reply(&'static str, String),
    Refusal,
}

impl Call {
    fn handle(events: &str, command: &str, answer: Answer) -> Self {
        Self {
            method: AGGREGATE,
            message: "ContextualCommand",
            text: format!("events {{ {events} }} command {{ {command} }}"),
            answer,
        }
    }

    fn saga(source: &str, told: &str, commands: String) -> Self {
        Self {
            method: SAGA,
            message: "SagaHandleRequest",
            text: format!(
                "source {{ {source} }} sync_mode: SYNC_MODE_ASYNC cascade_error_mode: CASCADE_ERROR_FAIL_FAST {told}"
            ),
            answer: Answer::Reply("SagaResponse", commands),
        }
    }
}

/// Events as an aggregate answers them.
fn events(pages: &str) -> Answer {
    Answer::Reply("BusinessResponse", format!("events {{ {pages} }}"))
}

/// What a refusal says.
fn refusal() -> Failure {
    Failure {
        code: Code::FailedPrecondition,
        message: "full".into(),
        info: Some(ErrorInfo {
            reason: "TABLE_FULL".into(),
            domain: "angzarr.io".into(),
            metadata: Vec::new(),
        }),
    }
}

/// The main edition as coordinators write it.
fn main_edition(revision: &Revision) -> &'static str {
    match revision.dialect.name() {
        "angzarr" => r#"edition { name: "angzarr" }"#,
        _ => "edition { }",
    }
}

/// The book of an aggregate as its logic sees it.
fn shown(revision: &Revision, who: &str, pages: &str, head: u32) -> String {
    let edition = main_edition(revision);
    format!("cover {{ {who} {edition} }} {pages} next_sequence: {head}")
}

/// A book of the workflow, as the bus publishes it or as a process manager is shown its own.
fn of_workflow(revision: &Revision, who: &str, pages: &str, head: u32) -> String {
    shown(revision, &format!("{who} {WORKFLOW}"), pages, head)
}

/// A page in its place.
fn page(sequence: u32, body: &str) -> String {
    format!("pages {{ header {{ sequence: {sequence} }} {body} }}")
}

/// A command of a saga or process manager, with every field that the revision has.
fn command(revision: &Revision, to: &str, header: &str) -> String {
    let (mut ext, mut mode) = ("", "");
    if revision.has("Cover.ext") {
        ext = r#"ext { type_url: "/t.X" value: "x" }"#;
    }
    if revision.has("PageHeader.sync_mode") {
        mode = "sync_mode: SYNC_MODE_CASCADE";
    }
    format!(
        r#"cover {{ {to} {ext} }} pages {{ header {{ {header} {mode} }} merge_strategy: MERGE_AGGREGATE_HANDLES
        command {{ type_url: "/t.Seat" value: "s" }} }}"#
    )
}

/// Who caused a command, with every field that the revision has.
fn deferred(
    revision: &Revision,
    source: &str,
    sequence: u32,
    named: Option<&str>,
    index: u32,
) -> String {
    let (mut component, mut place) = (String::new(), String::new());
    if revision.has("AngzarrDeferredSequence.source_component") {
        component = named.map_or_else(String::new, |name| format!(r#"source_component: "{name}""#));
    }
    if revision.has("AngzarrDeferredSequence.command_index") {
        place = format!("command_index: {index}");
    }
    format!(
        "angzarr_deferred {{ source {{ {source} {WORKFLOW} }} source_seq: {sequence} {component} {place} }}"
    )
}

/// The notification of a refusal, as a payload.
fn notification(revision: &Revision, told: &str, refused: &str) -> String {
    let code = if revision.has("RejectionNotification.code") {
        r#"code: "TABLE_FULL""#
    } else {
        ""
    };
    let prefix = prefix(revision);
    let rejection = format!(r#"rejected_command {{ {refused} }} rejection_reason: "full" {code}"#);
    let rejection = revision.any(prefix, "RejectionNotification", &rejection);
    let sent = format!("cover {{ {told} {WORKFLOW} }} payload {{ {rejection} }}");
    revision.any(prefix, "Notification", &sent)
}

/// The heads that a component is told, where a field of the dialect tells them.
fn told(revision: &Revision, field: &str, heads: &[(&str, u32)]) -> String {
    if !revision.has(field) {
        return String::new();
    }
    let heads = heads.iter().map(|(domain, head)| {
        format!(r#"destination_sequences {{ key: "{domain}" value: {head} }} "#)
    });
    heads.collect()
}

/// The heads of a saga. The released coordinators leave the field empty.
fn told_saga(revision: &Revision, heads: &[(&str, u32)]) -> String {
    match revision.dialect.name() {
        "angzarr" => String::new(),
        _ => told(revision, "SagaHandleRequest.destination_sequences", heads),
    }
}

/// The command that the flow begins with.
fn start(revision: &Revision) -> String {
    let mode = if revision.has("PageHeader.sync_mode") {
        "sync_mode: SYNC_MODE_SIMPLE"
    } else {
        ""
    };
    format!(
        r#"cover {{ {PLAYER} {WORKFLOW} }} pages {{ header {{ sequence: 2 {mode} }} merge_strategy: MERGE_STRICT
        command {{ type_url: "/t.Do" value: "d" }} }}"#
    )
}

/// The first call of both flows: the player takes the command.
fn first(revision: &Revision) -> Call {
    let pages = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }}");
    Call::handle(
        &shown(revision, PLAYER, &pages, 2),
        &start(revision),
        events(&page(2, DID)),
    )
}

/// What the player did, as it is published.
fn did(revision: &Revision) -> String {
    of_workflow(revision, PLAYER, &page(2, DID), 3)
}

/// Player, saga, table, table once more, which refuses, and the player, who is told.
fn with_saga(revision: &Revision) -> Vec<Call> {
    // The newest logic says itself what it reacts to; older logic writes a sequence, which counts for nothing.
    let emitted = |index| match revision.dialect.name() {
        "io.angzarr.v1" => deferred(revision, PLAYER, 2, None, index),
        _ => "sequence: 9".to_owned(),
    };
    let commands = [0, 1].map(|index| {
        let command = command(revision, TABLE, &emitted(index));
        format!("commands {{ {command} }}")
    });
    let delivered = |header: &str| command(revision, &format!("{TABLE} {WORKFLOW}"), header);
    let of_table = format!("pages {{ {PAGE_0} }}");
    let seated = format!("{of_table} {}", page(1, SEATED));
    let of_player = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} {}", page(2, DID));
    let key = deferred(revision, PLAYER, 2, Some("seating"), 1);
    let told_of = notification(revision, PLAYER, &delivered(&key));
    let compensation = format!(
        "cover {{ {PLAYER} {WORKFLOW} }} pages {{ header {{ {key} }} merge_strategy: MERGE_COMMUTATIVE command {{ {told_of} }} }}"
    );
    vec![
        first(revision),
        Call::saga(
            &did(revision),
            &told_saga(revision, &[("player", 3), ("table", 1)]),
            commands.concat(),
        ),
        Call::handle(
            &shown(revision, TABLE, &of_table, 1),
            &delivered("sequence: 1"),
            events(&page(1, SEATED)),
        ),
        Call::handle(
            &shown(revision, TABLE, &seated, 2),
            &delivered("sequence: 2"),
            Answer::Refusal,
        ),
        Call::handle(
            &shown(revision, PLAYER, &of_player, 3),
            &compensation,
            events(""),
        ),
    ]
}

/// The process manager's own stream.
fn process(revision: &Revision) -> String {
    let root = match revision.dialect.name() {
        "angzarr" => r"\x0a\x0b\x0c\x0d\x00\x00\x40\x00\x80\x00\x00\x00\x00\x00\x00\x01",
        // Worked out with Python's uuid module: uuid5(uuid5(NAMESPACE_DNS, "angzarr.dev"), the correlation id).
        _ => r"\xeb\xea\xbb\xb5\x3e\x50\x54\xe3\xaf\x11\x58\xef\xd6\x8d\xf4\x54",
    };
    format!(r#"root {{ value: "{root}" }} domain: "buy-in""#)
}

/// A call of the process manager, after that by which the older ones are asked what they want to know.
fn asked(
    revision: &Revision,
    (trigger, state): (&str, &str),
    named: Option<(&str, u32)>,
    all: &[(&str, u32)],
    answer: String,
) -> Vec<Call> {
    let request = format!("trigger {{ {trigger} }} process_state {{ {state} }}");
    let field = "ProcessManagerHandleRequest.destination_sequences";
    let prepares = revision.has("ProcessManagerPrepareRequest");
    let heads = if prepares {
        told(revision, field, named.as_slice())
    } else {
        told(revision, field, all)
    };
    let mut calls = Vec::new();
    if prepares {
        let destinations =
            named.map_or_else(String::new, |_| format!("destinations {{ {TABLE} }}"));
        calls.push(Call {
            method: PREPARE,
            message: "ProcessManagerPrepareRequest",
            text: request.clone(),
            answer: Answer::Reply("ProcessManagerPrepareResponse", destinations),
        });
    }
    calls.push(Call {
        method: PROCESS,
        message: "ProcessManagerHandleRequest",
        text: format!("{request} {heads}"),
        answer: Answer::Reply("ProcessManagerHandleResponse", answer),
    });
    calls
}

/// Player, process manager, table, process manager once more, player, who refuses, and the process manager, which is told.
fn with_process_manager(revision: &Revision) -> Vec<Call> {
    let own = process(revision);
    let begun = r#"event { type_url: "/t.Begun" value: "b" }"#;
    let stored = page(0, begun);
    let to_table = |to: &str, header: &str| command(revision, to, header);
    let state = |pages: &str, head| of_workflow(revision, &own, pages, head);
    let seat = to_table(TABLE, "sequence: 9");
    let mut calls = vec![first(revision)];
    calls.extend(asked(
        revision,
        (&did(revision), &state("", 0)),
        Some(("table", 1)),
        &[("player", 3), ("table", 1)],
        format!("process_events {{ pages {{ {begun} }} }} commands {{ {seat} }}"),
    ));
    calls.push(Call::handle(
        &shown(revision, TABLE, &format!("pages {{ {PAGE_0} }}"), 1),
        &to_table(&format!("{TABLE} {WORKFLOW}"), "sequence: 1"),
        events(&page(1, SEATED)),
    ));
    // The command's cover is that of the events that it leads to.
    let ext = if revision.has("Cover.ext") {
        r#"ext { type_url: "/t.X" value: "x" }"#
    } else {
        ""
    };
    let seated = of_workflow(revision, &format!("{TABLE} {ext}"), &page(1, SEATED), 2);
    let end = to_table(PLAYER, "sequence: 9");
    calls.extend(asked(
        revision,
        (&seated, &state(&stored, 1)),
        Some(("table", 2)),
        &[("buy-in", 1), ("player", 3), ("table", 2)],
        format!("commands {{ {end} }}"),
    ));
    let to_player = format!("{PLAYER} {WORKFLOW}");
    let of_player = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} {}", page(2, DID));
    calls.push(Call::handle(
        &shown(revision, PLAYER, &of_player, 3),
        &to_table(&to_player, "sequence: 3"),
        Answer::Refusal,
    ));
    let key = deferred(revision, &own, 1, Some("buy-in"), 0);
    let told_of = notification(revision, &own, &to_table(&to_player, &key));
    let told_of = page(0, &format!("event {{ {told_of} }}"));
    calls.extend(asked(
        revision,
        (&state(&told_of, 1), &state(&stored, 1)),
        None,
        &[("buy-in", 1), ("player", 3), ("table", 2)],
        String::new(),
    ));
    calls
}

/// Plays the calls, and compares what is received with them.
fn assert_flow(
    revision: &Revision,
    what: &str,
    expected: &[Call],
    reacting: &[(&str, ReactingKind, &[&str])],
) {
    let peer = Peer::start(revision.dialect);
    for call in expected {
        match &call.answer {
            Answer::Reply(message, text) => {
                peer.answers(call.method, revision.encode(message, text));
            }
            Answer::Refusal => peer.refuses(call.method, refusal()),
        }
    }
    let target = || Box::new(peer.target()) as Box<dyn Target>;
    let domain = |name: &str| Domain::new(name).unwrap();
    let reacting = reacting.iter().map(|(name, kind, domains)| Reacting {
        name: (*name).to_owned(),
        kind: kind.clone(),
        subscriptions: domains
            .iter()
            .map(|name| (domain(name), vec!["*".to_owned()]))
            .collect(),
        target: target(),
    });
    let components = FlowComponents {
        aggregates: BTreeMap::from(["player", "table"].map(|name| (domain(name), target()))),
        reacting: reacting.collect(),
    };
    let pages = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }}");
    let books = [
        shown(revision, PLAYER, &pages, 2),
        shown(revision, TABLE, &format!("pages {{ {PAGE_0} }}"), 1),
    ];
    let books = books.map(|book| event_book(revision, &book));
    let command = FlowStart::Command(command_book(revision, &start(revision)));
    let limits = FlowLimits::default();
    run_flow(&components, &books, &command, limits, revision.dialect).unwrap();
    let received = peer.received();
    let methods: Vec<&str> = received.iter().map(|(method, _)| method.as_str()).collect();
    let wanted: Vec<&str> = expected.iter().map(|call| call.method).collect();
    assert_eq!(methods, wanted, "{}, {what}", revision.dialect);
    for (at, ((_, bytes), call)) in received.iter().zip(expected).enumerate() {
        let what = format!("{what}, call {}", at + 1);
        revision.assert_is(&what, call.message, bytes, &call.text);
    }
}

#[test]
fn a_flow_with_a_saga_is_sent_what_the_coordinators_of_its_dialect_send() {
    for revision in Revision::all() {
        let saga: &[(&str, ReactingKind, &[&str])] =
            &[("seating", ReactingKind::Saga, &["player"])];
        assert_flow(&revision, "flow with a saga", &with_saga(&revision), saga);
    }
}

#[test]
fn a_flow_with_a_process_manager_is_sent_what_the_coordinators_of_its_dialect_send() {
    for revision in Revision::all() {
        let kind = ReactingKind::ProcessManager {
            domain: Domain::new("buy-in").unwrap(),
            root: revision.dialect.rules().process_root,
        };
        let process: &[(&str, ReactingKind, &[&str])] = &[("buy-in", kind, &["player", "table"])];
        let calls = with_process_manager(&revision);
        assert_flow(&revision, "flow with a process manager", &calls, process);
    }
}
