//! A history that is upcast before the logic sees it: what the upcaster receives, and what the logic is shown of its answer.

use angzarr_replay::internal::grpc::LogicClient;
use angzarr_replay::internal::model::Outcome;
use angzarr_replay::internal::replay::{
    GrpcTarget, Replay, Target, TargetError, WithUpcaster, replay_command, replay_fact,
    replay_notification,
};

use super::{
    PAGE_0, PAGE_1, SNAPSHOT, book, command, command_book, compensation, cover, emitted_facts,
    event_book, facts, prefix,
};
use test_support::peer::Peer;
use test_support::revision::Revision;

const UPCAST: &str = "UpcasterService/Upcast";
const HANDLE: &str = "CommandHandlerService/Handle";
const HANDLE_FACT: &str = "CommandHandlerService/HandleFact";

const NEW_0: &str =
    r#"header { sequence: 0 } created_at { seconds: 6 } event { type_url: "/t.A2" value: "a2" }"#;
const NEW_1: &str = r#"header { sequence: 1 } event { type_url: "/t.B2" value: "b2" }"#;

/// Pages as repeated `field`.
fn pages(field: &str, pages: &[&str]) -> String {
    let pages = pages.iter().map(|page| format!("{field} {{ {page} }} "));
    pages.collect()
}

type Ask = dyn Fn(&dyn Target) -> Result<Replay, TargetError>;

/// A case that begins with upcasting.
struct Row {
    what: &'static str,
    /// Pages that the upcaster receives, and its answer; none where it is not asked.
    upcast: Option<(Vec<String>, Vec<String>)>,
    /// Method and message that the logic receives.
    method: &'static str,
    message: &'static str,
    text: String,
    replay: Box<Ask>,
}

impl Row {
    /// A command on a book that is shown as `shown`.
    fn command(
        revision: &Revision,
        what: &'static str,
        stored: &str,
        upcast: Option<(&[&str], &[&str])>,
        shown: &str,
    ) -> Self {
        let sent = command(revision);
        let whole = event_book(revision, stored);
        let book = command_book(revision, &sent);
        let owned = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect();
        Self {
            what,
            upcast: upcast.map(|(asked, answered)| (owned(asked), owned(answered))),
            method: HANDLE,
            message: "ContextualCommand",
            text: format!("events {{ {shown} }} command {{ {sent} }}"),
            replay: Box::new(move |target| replay_command(target, &whole, &book, false)),
        }
    }
}

fn rows(revision: &Revision) -> Vec<Row> {
    let cover = cover(revision);
    let whole = book(revision);
    let both: Option<(&[&str], &[&str])> = Some((&[PAGE_0, PAGE_1], &[NEW_0, NEW_1]));
    let new = pages("pages", &[NEW_0, NEW_1]);
    let new = format!("{cover} {new} next_sequence: 2");
    let mut rows = vec![
        Row::command(revision, "whole history", &whole, both, &new),
        Row::command(
            revision,
            "unchanged pages",
            &whole,
            Some((&[PAGE_0, PAGE_1], &[PAGE_0, PAGE_1])),
            &whole,
        ),
        // What is folded into the snapshot is not loaded, and the state itself is not upcast.
        Row::command(
            revision,
            "tail after a snapshot",
            &format!("{whole} snapshot {{ {SNAPSHOT} }}"),
            Some((&[PAGE_1], &[NEW_1])),
            &format!(
                "{cover} snapshot {{ {SNAPSHOT} }} {} next_sequence: 2",
                pages("pages", &[NEW_1])
            ),
        ),
    ];
    let all_folded = SNAPSHOT.replace("sequence: 0", "sequence: 1");
    let folded = format!("{cover} snapshot {{ {all_folded} }} next_sequence: 2");
    rows.push(Row::command(
        revision,
        "nothing after a snapshot",
        &format!("{whole} snapshot {{ {all_folded} }}"),
        None,
        &folded,
    ));
    if revision.has("NoOp") {
        // The upcaster receives stored pages; the logic is shown placeholders of its answer.
        let stored = format!(r#"{PAGE_1} no_commit: true cascade_id: "c-1""#);
        let answered = format!(r#"{NEW_1} no_commit: true cascade_id: "c-1""#);
        let placeholder = revision.any(
            prefix(revision),
            "NoOp",
            r#"original_sequence: 1 cascade_id: "c-1" reason: "uncommitted""#,
        );
        let placeholder = format!("header {{ sequence: 1 }} event {{ {placeholder} }}");
        rows.push(Row::command(
            revision,
            "provisional page",
            &format!(
                "{cover} {} next_sequence: 2",
                pages("pages", &[PAGE_0, &stored])
            ),
            Some((&[PAGE_0, &stored], &[NEW_0, &answered])),
            &format!(
                "{cover} {} next_sequence: 2",
                pages("pages", &[NEW_0, &placeholder])
            ),
        ));
    }
    let book = event_book(revision, &whole);
    let (told, taken) = (compensation(revision), facts(revision));
    let notification = command_book(revision, &told);
    let prior = book.clone();
    let owned = |pages: [&str; 2]| pages.map(str::to_owned).to_vec();
    rows.push(Row {
        what: "compensation",
        upcast: Some((owned([PAGE_0, PAGE_1]), owned([NEW_0, NEW_1]))),
        method: HANDLE,
        message: "ContextualCommand",
        text: format!("events {{ {new} }} command {{ {told} }}"),
        replay: Box::new(move |target| replay_notification(target, &prior, &notification, false)),
    });
    let emitted = emitted_facts(revision);
    rows.push(Row {
        what: "fact",
        upcast: Some((owned([PAGE_0, PAGE_1]), owned([NEW_0, NEW_1]))),
        method: HANDLE_FACT,
        message: "FactRequest",
        text: format!("facts {{ {taken} }} prior_events {{ {new} }}"),
        replay: Box::new(move |target| replay_fact(target, &book, &emitted)),
    });
    rows
}

/// What came to the upcaster and to the logic, in order.
fn assert_row(revision: &Revision, row: &Row, upcaster: &Peer, logic: &Peer, target: &dyn Target) {
    let what = format!("upcasting, {}", row.what);
    if let Some((_, answered)) = &row.upcast {
        let answered: Vec<&str> = answered.iter().map(String::as_str).collect();
        let answered = pages("events", &answered);
        upcaster.answers(UPCAST, revision.encode("UpcastResponse", &answered));
    }
    let replay = (row.replay)(target).unwrap();
    assert!(
        matches!(replay.outcome, Outcome::Accepted(_)),
        "{}, {what}: {:?}",
        revision.dialect,
        replay.outcome
    );
    let mut received = upcaster.received();
    received.extend(logic.received());
    let mut expected = Vec::new();
    if let Some((asked, _)) = &row.upcast {
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let text = format!(r#"domain: "player" {}"#, pages("events", &asked));
        expected.push((UPCAST, "UpcastRequest", text));
    }
    expected.push((row.method, row.message, row.text.clone()));
    assert_eq!(
        received.len(),
        expected.len(),
        "{}, {what}",
        revision.dialect
    );
    for ((method, bytes), (asked, message, text)) in received.iter().zip(&expected) {
        assert_eq!(method, asked, "{}, {what}", revision.dialect);
        revision.assert_is(&what, message, bytes, text);
    }
}

#[test]
fn logic_is_shown_what_its_upcaster_makes_of_the_history() {
    for revision in Revision::all() {
        for row in rows(&revision) {
            // Logic that upcasts too, and an upcaster that serves by itself.
            let peer = Peer::start(revision.dialect);
            let client = LogicClient::new(peer.connection(), revision.dialect);
            assert_row(
                &revision,
                &row,
                &peer,
                &peer,
                &GrpcTarget::new(client, true),
            );
            let upcaster = Peer::start(revision.dialect);
            let (logic, beside) = (Box::new(peer.target()), Box::new(upcaster.target()));
            let both = WithUpcaster::new(logic, beside);
            assert_row(&revision, &row, &upcaster, &peer, &both);
        }
    }
}
