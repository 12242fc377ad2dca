//! A flow with a process manager, whose second command is refused, and with a saga that is sent the process manager's own
//! events.

use angzarr_replay::internal::model::Domain;
use angzarr_replay::internal::replay::flow::SubscriberKind;

use super::super::{PAGE_0, PAGE_1};
use super::{
    Answer, Call, DID, PLAYER, SEATED, TABLE, WORKFLOW, assert_flow, command, deferred, did,
    events, first, notification, of_workflow, page, shown, told, told_saga,
};
use test_support::revision::Revision;

const PREPARE: &str = "ProcessManagerService/Prepare";
const PROCESS: &str = "ProcessManagerService/Handle";

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

const BEGUN: &str = r#"event { type_url: "/t.Begun" value: "b" }"#;
const FURTHER: &str = r#"created_at { seconds: 22 } event { type_url: "/t.Further" value: "f" }"#;
const LAST: &str = r#"event { type_url: "/t.Last" value: "l" }"#;

/// The process manager's own events.
struct Own {
    what: &'static str,
    /// As it answers them.
    answered: String,
    /// The batches in which they are published, each with the head after it.
    published: Vec<(String, u32)>,
}

impl Own {
    fn all(revision: &Revision) -> Vec<Self> {
        let further = [page(1, FURTHER), page(2, LAST)].concat();
        let mut all = vec![
            Self {
                what: "one book of one event",
                answered: format!("process_events {{ pages {{ {BEGUN} }} }}"),
                published: vec![(page(0, BEGUN), 1)],
            },
            Self {
                what: "one book of several events",
                answered: format!(
                    "process_events {{ {} pages {{ {FURTHER} }} {} }}",
                    page(0, BEGUN),
                    page(2, LAST)
                ),
                published: vec![(page(0, BEGUN) + &further, 3)],
            },
        ];
        if revision.is_repeated("ProcessManagerHandleResponse.process_events") {
            let own = process(revision);
            all.push(Self {
                what: "several books",
                answered: format!(
                    "process_events {{ pages {{ {BEGUN} }} }} process_events {{ cover {{ {own} }} {} pages {{ {LAST} }} }}",
                    page(1, FURTHER)
                ),
                published: vec![(page(0, BEGUN), 1), (further, 3)],
            });
        }
        all
    }

    /// The pages of the stream, and its head.
    fn stored(&self) -> (String, u32) {
        let pages = self.published.iter().map(|(pages, _)| pages.as_str());
        (pages.collect(), self.published.last().unwrap().1)
    }
}

/// Player, process manager, the saga for each batch, table, process manager once more, player, who refuses, and the process
/// manager, which is told.
fn calls(revision: &Revision, own_events: &Own) -> Vec<Call> {
    let own = process(revision);
    let state = |pages: &str, head| of_workflow(revision, &own, pages, head);
    let (stored, head) = own_events.stored();
    let mut calls = vec![first(revision)];
    let seat = command(revision, TABLE, "sequence: 9");
    calls.extend(asked(
        revision,
        (&did(revision), &state("", 0)),
        Some(("table", 1)),
        &[("player", 3), ("table", 1)],
        format!("{} commands {{ {seat} }}", own_events.answered),
    ));
    // All of them are stored before the first is published.
    let heads = told_saga(revision, &[("buy-in", head), ("player", 3), ("table", 1)]);
    for (pages, head) in &own_events.published {
        calls.push(Call::saga(&state(pages, *head), &heads, String::new()));
    }
    calls.push(Call::handle(
        &shown(revision, TABLE, &format!("pages {{ {PAGE_0} }}"), 1),
        &command(revision, &format!("{TABLE} {WORKFLOW}"), "sequence: 1"),
        events(&page(1, SEATED)),
    ));
    // The command's cover is that of the events that it leads to.
    let ext = if revision.has("Cover.ext") {
        r#"ext { type_url: "/t.X" value: "x" }"#
    } else {
        ""
    };
    let seated = of_workflow(revision, &format!("{TABLE} {ext}"), &page(1, SEATED), 2);
    let end = command(revision, PLAYER, "sequence: 9");
    let heads = [("buy-in", head), ("player", 3), ("table", 2)];
    calls.extend(asked(
        revision,
        (&seated, &state(&stored, head)),
        Some(("table", 2)),
        &heads,
        format!("commands {{ {end} }}"),
    ));
    let to_player = format!("{PLAYER} {WORKFLOW}");
    let of_player = format!("pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} {}", page(2, DID));
    calls.push(Call::handle(
        &shown(revision, PLAYER, &of_player, 3),
        &command(revision, &to_player, "sequence: 3"),
        Answer::Refusal,
    ));
    let key = deferred(revision, &own, 1, Some("buy-in"), 0);
    let told_of = notification(revision, &own, &command(revision, &to_player, &key));
    let told_of = page(0, &format!("event {{ {told_of} }}"));
    calls.extend(asked(
        revision,
        (&state(&told_of, 1), &state(&stored, head)),
        None,
        &heads,
        String::new(),
    ));
    calls
}

#[test]
fn a_flow_with_a_process_manager_is_sent_what_the_coordinators_of_its_dialect_send() {
    for revision in Revision::all() {
        let kind = SubscriberKind::ProcessManager {
            domain: Domain::new("buy-in").unwrap(),
            root: revision.dialect.rules().process_root,
        };
        let reacting: &[(&str, SubscriberKind, &[&str])] = &[
            ("buy-in", kind, &["player", "table"]),
            ("watching", SubscriberKind::Saga, &["buy-in"]),
        ];
        for own in Own::all(&revision) {
            let what = format!("flow with a process manager, {}", own.what);
            assert_flow(&revision, &what, &calls(&revision, &own), reacting);
        }
    }
}
