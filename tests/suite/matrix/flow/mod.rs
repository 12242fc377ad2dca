//! A flow: what each component receives of what the others answered.
//!
//! One peer plays all components, so that the order of the calls is compared too.

mod process_manager;
mod saga;

use std::collections::BTreeMap;

use angzarr_replay::internal::model::{Code, Domain, ErrorInfo, Failure, FlowStart};
use angzarr_replay::internal::replay::Target;
use angzarr_replay::internal::replay::flow::{
    FlowComponents, FlowLimits, Subscriber, SubscriberKind, run_flow,
};

use super::{PAGE_0, PAGE_1, command_book, event_book, prefix};
use test_support::peer::Peer;
use test_support::revision::Revision;

const PLAYER: &str = r#"root { value: "0123456789abcdef" } domain: "player""#;
const TABLE: &str = r#"root { value: "fedcba9876543210" } domain: "table""#;
/// A UUID: the released process managers find their stream by it.
const WORKFLOW: &str = r#"correlation_id: "0a0b0c0d-0000-4000-8000-000000000001""#;
const DID: &str = r#"created_at { seconds: 20 } event { type_url: "/t.Did" value: "x" }"#;
const SEATED: &str = r#"created_at { seconds: 21 } event { type_url: "/t.Seated" value: "y" }"#;

const AGGREGATE: &str = "CommandHandlerService/Handle";
const SAGA: &str = "SagaService/Handle";

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

/// Plays the calls, and compares what is received with them.
fn assert_flow(
    revision: &Revision,
    what: &str,
    expected: &[Call],
    reacting: &[(&str, SubscriberKind, &[&str])],
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
    let reacting = reacting.iter().map(|(name, kind, domains)| Subscriber {
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
        subscribers: reacting.collect(),
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
