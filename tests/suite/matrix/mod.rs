//! Every dialect by every kind of case: what the logic receives, or the coordinator at an address, is compared field by
//! field with messages that `.proto` text of the dialect's revision describes.
//!
//! The descriptions in `proto/` are written from the published protocol; they are compiled here, and encoded and decoded
//! by `prost-reflect`: neither our message types nor our table of dialects has a part in what is expected.
mod coordinator;
mod flow;
mod notifications;
mod process_events;
mod recorded;
mod upcasting;

use angzarr_replay::internal::model::{
    CommandBook, Destinations, EmittedBook, EventBook, Modes, Trigger,
};
use angzarr_replay::internal::replay::{
    Target, TargetError, replay_command, replay_fact, replay_notification, replay_process,
    replay_projector, replay_saga, replay_upcaster,
};
use angzarr_replay::internal::wire::{self, StoredBook};
use bytes::Bytes;

use test_support::peer::Peer;
use test_support::revision::Revision;

const ROOT: &str = r#"root { value: "0123456789abcdef" }"#;
const PAGE_0: &str = r#"header { sequence: 0 } event { type_url: "/t.A" value: "a" }"#;
const PAGE_1: &str = r#"header { sequence: 1 } created_at { seconds: 7 nanos: 9 }
    external { storage_type: STORAGE_S3 uri: "s3://b/k" content_hash: "h" original_size: 3 }"#;
const SNAPSHOT: &str =
    r#"sequence: 0 state { type_url: "/t.S" value: "s" } retention: RETENTION_TRANSIENT"#;

/// A cover as a coordinator writes it: of the main timeline, without a correlation id.
fn cover(revision: &Revision) -> String {
    let main = if revision.dialect.name() == "angzarr" {
        r#"name: "angzarr""#
    } else {
        ""
    };
    format!(r#"cover {{ {ROOT} domain: "player" edition {{ {main} }} }}"#)
}

/// The book of the player, as a query or a bus delivers it.
fn book(revision: &Revision) -> String {
    let cover = cover(revision);
    format!("{cover} pages {{ {PAGE_0} }} pages {{ {PAGE_1} }} next_sequence: 2")
}

/// A command as a client sends it, with every field that the revision has.
fn command(revision: &Revision) -> String {
    let ext = if revision.has("Cover.ext") {
        r#"ext { type_url: "/t.X" value: "x" }"#
    } else {
        ""
    };
    let mode = if revision.has("PageHeader.sync_mode") {
        "sync_mode: SYNC_MODE_CASCADE"
    } else {
        ""
    };
    format!(
        r#"cover {{ {ROOT} domain: "player" correlation_id: "wf" {ext} }}
        pages {{ header {{ sequence: 2 {mode} }} merge_strategy: MERGE_STRICT command {{ type_url: "/t.Do" value: "d" }} }}"#
    )
}

/// A rejection on its way back: the envelope keeps the key of the refused command.
fn compensation(revision: &Revision) -> String {
    let prefix = prefix(revision);
    let refused = command(revision);
    let rejection = format!(r#"rejected_command {{ {refused} }} rejection_reason: "no""#);
    let rejection = revision.any(prefix, "RejectionNotification", &rejection);
    let sent = format!(
        r#"cover {{ {ROOT} domain: "player" }} payload {{ {rejection} }} sent_at {{ seconds: 5 }}"#
    );
    let notification = revision.any(prefix, "Notification", &sent);
    let key = deferred(revision);
    format!(
        r#"cover {{ {ROOT} domain: "player" }} pages {{ header {{ {key} }} merge_strategy: MERGE_COMMUTATIVE
        command {{ {notification} }} }}"#
    )
}

/// Provenance, with every field that the revision has.
fn deferred(revision: &Revision) -> String {
    let mut fields = format!(r#"source {{ {ROOT} domain: "table" }} source_seq: 4"#);
    for (field, text) in [
        ("source_component", r#" source_component: "saga-x""#),
        ("command_index", " command_index: 1"),
        ("basis_seq", " basis_seq: 6"),
    ] {
        if revision.has(&format!("AngzarrDeferredSequence.{field}")) {
            fields.push_str(text);
        }
    }
    format!("angzarr_deferred {{ {fields} }}")
}

/// What stands before the names of the framework's own messages.
fn prefix(revision: &Revision) -> &'static str {
    if revision.dialect.name() == "io.angzarr.v1" {
        "/"
    } else {
        "type.angzarr.io/"
    }
}

fn event_book(revision: &Revision, text: &str) -> EventBook {
    let stored: StoredBook = wire::event_book(revision.encode("EventBook", text)).unwrap();
    EventBook {
        cover: stored.cover.unwrap(),
        snapshot: stored.snapshot,
        next_sequence: stored.history.next_sequence(),
        history: stored.history,
    }
}

fn command_book(revision: &Revision, text: &str) -> CommandBook {
    let bytes = revision.encode("CommandBook", text);
    wire::command_book(&bytes, revision.dialect).unwrap()
}

/// The heads that a component is told, where the dialect tells them.
fn destinations(of: &[(&str, u32)]) -> Destinations {
    let of = of
        .iter()
        .map(|(domain, head)| ((*domain).to_owned(), *head));
    of.collect()
}

const ALL_NEW: Trigger = Trigger {
    from: 0,
    with_history: false,
};

/// Kind, method, message, and what it should be.
type Expected = (&'static str, &'static str, &'static str, String);

/// What the logic should receive for each kind of case, in the order of [`replay_all`].
fn expected(revision: &Revision) -> Vec<Expected> {
    let name = revision.dialect.name();
    let (book, command) = (book(revision), command(revision));
    let told = r#"destination_sequences { key: "table" value: 4 }"#;
    let (saga_told, process_told) = match name {
        "angzarr" => ("", told),
        "io.angzarr.v1" => ("", ""),
        _ => (told, told),
    };
    let cover = cover(revision);
    let mut expected: Vec<Expected> = vec![
        (
            "command",
            "CommandHandlerService/Handle",
            "ContextualCommand",
            format!("events {{ {book} }} command {{ {command} }}"),
        ),
        (
            "command after a snapshot",
            "CommandHandlerService/Handle",
            "ContextualCommand",
            format!(
                "events {{ {cover} snapshot {{ {SNAPSHOT} }} pages {{ {PAGE_1} }} next_sequence: 2 }} command {{ {command} }}"
            ),
        ),
        (
            "compensation",
            "CommandHandlerService/Handle",
            "ContextualCommand",
            format!(
                "events {{ {book} }} command {{ {} }}",
                compensation(revision)
            ),
        ),
        (
            "fact",
            "CommandHandlerService/HandleFact",
            "FactRequest",
            format!("facts {{ {} }} prior_events {{ {book} }}", facts(revision)),
        ),
        (
            "saga",
            "SagaService/Handle",
            "SagaHandleRequest",
            format!(
                "source {{ {book} }} sync_mode: SYNC_MODE_ASYNC cascade_error_mode: CASCADE_ERROR_FAIL_FAST {saga_told}"
            ),
        ),
    ];
    let process = format!("trigger {{ {book} }} process_state {{ {book} }}");
    if revision.has("ProcessManagerPrepareRequest") {
        expected.push((
            "process manager",
            "ProcessManagerService/Prepare",
            "ProcessManagerPrepareRequest",
            process.clone(),
        ));
    }
    expected.extend([
        (
            "process manager",
            "ProcessManagerService/Handle",
            "ProcessManagerHandleRequest",
            format!("{process} {process_told}"),
        ),
        (
            "projector",
            "ProjectorService/HandleSpeculative",
            "EventBook",
            book,
        ),
        (
            "upcaster",
            "UpcasterService/Upcast",
            "UpcastRequest",
            format!(r#"domain: "player" events {{ {PAGE_0} }} events {{ {PAGE_1} }}"#),
        ),
    ]);
    expected
}

fn facts(revision: &Revision) -> String {
    let cover = cover(revision);
    format!(
        r#"{cover} pages {{ header {{ external_deferred {{ external_id: "id" description: "of a bank" }} }}
        created_at {{ seconds: 8 }} event {{ type_url: "/t.F" value: "f" }} }}"#
    )
}

fn emitted_facts(revision: &Revision) -> EmittedBook {
    let facts = revision.encode("EventBook", &facts(revision));
    let request = [&[0x0a, u8::try_from(facts.len()).unwrap()][..], &facts].concat();
    match wire::stimulus_of_request(
        "CommandHandlerService/HandleFact",
        Bytes::from(request),
        revision.dialect,
    ) {
        Some(Ok(angzarr_replay::internal::model::Stimulus::Fact { facts, .. })) => facts,
        other => panic!("{other:?}"),
    }
}

fn replay_all(revision: &Revision, target: &dyn Target) -> Result<(), TargetError> {
    let whole = event_book(revision, &book(revision));
    let snapshot = format!("{} snapshot {{ {SNAPSHOT} }}", book(revision));
    let from_snapshot = event_book(revision, &snapshot);
    let sent = command_book(revision, &command(revision));
    let told = destinations(&[("table", 4)]);
    replay_command(target, &whole, &sent, false)?;
    replay_command(target, &from_snapshot, &sent, false)?;
    let notification = command_book(revision, &compensation(revision));
    replay_notification(target, &whole, &notification, false)?;
    replay_fact(target, &whole, &emitted_facts(revision))?;
    // A case names none where the coordinator told none.
    let saga_told = match revision.dialect.name() {
        "angzarr" => destinations(&[]),
        _ => told.clone(),
    };
    replay_saga(target, &whole, ALL_NEW, &saga_told, Modes::default())?;
    replay_process(target, &whole, ALL_NEW, &whole, &told)?;
    replay_projector(target, &whole, ALL_NEW, false)?;
    replay_upcaster(target, &whole)?;
    Ok(())
}

#[test]
fn logic_receives_what_the_coordinator_of_its_dialect_sends() {
    for revision in Revision::all() {
        let peer = Peer::start(revision.dialect);
        replay_all(&revision, &peer.target()).unwrap();
        let received = peer.received();
        let expected = expected(&revision);
        assert_eq!(received.len(), expected.len(), "{}", revision.dialect);
        for ((method, bytes), (kind, asked, message, text)) in received.iter().zip(&expected) {
            assert_eq!(method, asked, "{}, {kind}", revision.dialect);
            revision.assert_is(kind, message, bytes, text);
        }
    }
}

#[test]
fn a_command_of_another_dialect_keeps_its_words() {
    let revisions = Revision::all();
    // Of fields that every revision has.
    let shared = format!(
        r#"cover {{ {ROOT} domain: "player" correlation_id: "wf" }}
        pages {{ header {{ sequence: 2 }} merge_strategy: MERGE_STRICT command {{ type_url: "/t.Do" value: "d" }} }}"#
    );
    for captured in &revisions {
        let mut sent = command_book(captured, &shared);
        // As replay does for logic of another dialect: the kept bytes have the numbers of the first one.
        sent.original = None;
        for asked in &revisions {
            let peer = Peer::start(asked.dialect);
            let whole = event_book(asked, &book(asked));
            replay_command(&peer.target(), &whole, &sent, false).unwrap();
            let (_, bytes) = peer.received().remove(0);
            let what = format!("command of {}", captured.dialect);
            let expected = format!("events {{ {} }} command {{ {shared} }}", book(asked));
            asked.assert_is(&what, "ContextualCommand", &bytes, &expected);
        }
    }
}

#[test]
fn a_provisional_page_is_a_placeholder_where_the_dialect_has_them() {
    for revision in Revision::all() {
        if !revision.has("NoOp") {
            continue;
        }
        let peer = Peer::start(revision.dialect);
        let cover = cover(&revision);
        let provisional = format!(r#"{PAGE_1} no_commit: true cascade_id: "c-1""#);
        let stored = format!("{cover} pages {{ {PAGE_0} }} pages {{ {provisional} }}");
        let sent = command_book(&revision, &command(&revision));
        replay_command(
            &peer.target(),
            &event_book(&revision, &stored),
            &sent,
            false,
        )
        .unwrap();
        let placeholder = revision.any(
            prefix(&revision),
            "NoOp",
            r#"original_sequence: 1 cascade_id: "c-1" reason: "uncommitted""#,
        );
        let (_, bytes) = peer.received().remove(0);
        let mut received = revision.message("ContextualCommand", "");
        prost::Message::merge(&mut received, bytes).unwrap();
        let text = received.to_text_format();
        let expected = revision.message("EventPage", &format!("event {{ {placeholder} }}"));
        let wanted = expected.to_text_format();
        assert!(
            text.contains(&wanted),
            "{}: {text}\n{wanted}",
            revision.dialect
        );
    }
}
