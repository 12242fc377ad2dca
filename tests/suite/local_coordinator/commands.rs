//! The way of a command: what is checked, what the logic is shown, who wins a race.

use std::sync::{Arc, Barrier};

use angzarr_replay::internal::coordinator::Backend;
use angzarr_replay::internal::grpc::{
    CallError, Connection, ConnectionOptions, LogicClient, serve_logic,
};
use angzarr_replay::internal::model::{Cover, Domain, Header, MergeStrategy, Payload};
use angzarr_replay::internal::wire::Dialect;

use MergeStrategy::{AggregateHandles, Commutative, Manual, Strict};
use test_support::coordinators;

use super::logic::Scripted;
use super::support::*;

fn with_history() -> Peer {
    start(Dialect::ANGZARR, &[seed(cover(), pages(3))])
}

#[test]
fn an_accepted_command_is_stored_and_answered_with_the_new_pages() {
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[seed(cover(), pages(3))]);
        let mut book = command(cover(), "test.Add", Header::Sequence(3));
        book.cover.correlation_id = "wf-7".into();
        let reply = peer.send_book(&book).unwrap();
        assert_eq!(
            (sequences(&reply), reply.next_sequence),
            (vec![3], 4),
            "{dialect}"
        );
        assert_eq!(reply.cover, Some(book.cover), "{dialect}");
        assert_eq!(
            sequences(&peer.ask("", &[]).unwrap()),
            [0, 1, 2, 3],
            "{dialect}"
        );
        let last = peer.store.dump().unwrap().pop().unwrap();
        assert!(
            last.ends_with(" wf-7 2026-11-23T00:03:10.000000000Z"),
            "{last}"
        );
    }
}

#[test]
fn the_logic_sees_the_history_without_the_correlation_id() {
    let peer = with_history();
    let mut book = command(cover(), "test.Seen", Header::Sequence(3));
    book.cover.correlation_id = "wf-7".into();
    let reply = peer.send_book(&book).unwrap();
    assert_eq!(
        texts(&reply),
        ["main[0 1 2] next 3, command at Some(3) in `wf-7`"]
    );
}

#[test]
fn logic_over_grpc_is_asked_the_same_way() {
    let logic = Arc::new(Scripted::default());
    let served = serve_logic(coordinators::listener(), Dialect::ANGZARR, logic).unwrap();
    let connection =
        Connection::new(&served.address().to_string(), ConnectionOptions::default()).unwrap();
    let backend = Backend::Remote(LogicClient::new(connection, Dialect::ANGZARR));
    let peer = start_backend(Dialect::ANGZARR, &[seed(cover(), pages(3))], Some(backend));
    assert_eq!(
        texts(&peer.send("test.Seen", 3).unwrap()),
        ["main[0 1 2] next 3, command at Some(3) in ``"]
    );
    let error = peer.send("test.Reject", 4).unwrap_err();
    assert_eq!(
        status(&error),
        ("FAILED_PRECONDITION", "not today".to_owned())
    );
    drop(served);
    let (code, message) = status(&peer.send("test.Add", 4).unwrap_err());
    assert_eq!(code, "UNAVAILABLE");
    assert!(
        message.contains("CommandHandlerService/Handle"),
        "{message}"
    );
}

#[test]
fn a_command_without_logic_is_answered_plainly() {
    let peer = start_with(Dialect::ANGZARR, &[seed(cover(), pages(3))], None);
    let error = peer.send("test.Add", 3).unwrap_err();
    assert_eq!(
        status(&error),
        (
            "UNAVAILABLE",
            "no logic is configured for domain `player`".to_owned()
        )
    );
}

#[test]
fn provisional_pages_are_placeholders_to_the_logic_and_raw_to_queries() {
    let mut provisional = pages(2);
    provisional[1].provisional = true;
    let peer = start(Dialect::ANGZARR, &[seed(cover(), provisional.clone())]);
    assert_eq!(peer.ask("", &[]).unwrap().history.pages(), provisional);
    let seen = peer.send("test.Seen", 2).unwrap();
    assert_eq!(
        texts(&seen),
        ["main[0 1=placeholder] next 2, command at Some(2) in ``"]
    );
}

#[test]
fn only_strict_commands_are_held_against_the_head_by_the_newest() {
    let send = |dialect, strategy| {
        let mut book = command(cover(), "test.Add", Header::Sequence(1));
        book.pages[0].merge_strategy = strategy;
        start(dialect, &[seed(cover(), pages(3))])
            .send_book(&book)
            .map(|book| sequences(&book))
    };
    for (dialect, refused) in [
        (Dialect::ANGZARR, vec![Commutative, Strict, Manual]),
        (Dialect::IO_ANGZARR_V1, vec![Strict]),
    ] {
        for strategy in [Commutative, Strict, AggregateHandles, Manual] {
            match send(dialect, strategy) {
                Ok(stored) => assert!(
                    stored == [3] && !refused.contains(&strategy),
                    "{dialect} {strategy:?}"
                ),
                Err(error) => {
                    assert!(refused.contains(&strategy), "{dialect} {strategy:?}");
                    let text = "Sequence mismatch: command expects 1, aggregate at 3";
                    assert_eq!(status(&error), ("FAILED_PRECONDITION", text.to_owned()));
                }
            }
        }
    }
}

#[test]
fn a_deferred_command_is_stamped_and_not_checked() {
    let deferred = Header::AngzarrDeferred {
        source: Some(Box::new(Cover::main(Domain::new("table").unwrap(), ROOT))),
        source_sequence: 4,
        source_component: "saga".into(),
        command_index: 0,
        basis_sequence: None,
    };
    let reply = with_history()
        .send_book(&command(cover(), "test.Seen", deferred))
        .unwrap();
    assert_eq!(
        texts(&reply),
        ["main[0 1 2] next 3, command at Some(3) in ``"]
    );
}

#[test]
fn a_large_history_is_not_attached_to_a_stale_command() {
    let large = vec![page(0, &"x".repeat(20_000))];
    let peer = start(Dialect::ANGZARR, &[seed(cover(), large)]);
    let error = peer.send("test.Add", 9).unwrap_err();
    assert_eq!(
        status(&error).1,
        "Sequence mismatch: command expects 9, aggregate at 1"
    );
    let CallError::Status { details, .. } = error else {
        panic!("{error}")
    };
    assert!(details.is_empty());
}

#[test]
fn of_two_commands_for_the_same_place_one_wins() {
    let logic = Scripted {
        meeting: Some(Barrier::new(2)),
    };
    let peer = start_with(Dialect::ANGZARR, &[], Some(Arc::new(logic)));
    let replies: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| peer.send("test.Add", 0)))
            .collect();
        senders
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .collect()
    });
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(
        status(lost[0].as_ref().unwrap_err()),
        (
            "FAILED_PRECONDITION",
            "Sequence mismatch: command expects 0, aggregate at 1".to_owned()
        )
    );
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0]);
}

#[test]
fn bad_commands_are_refused() {
    let peer = with_history();
    let refusal = |book: &angzarr_replay::internal::model::CommandBook| {
        let (code, message) = status(&peer.send_book(book).unwrap_err());
        assert_eq!(code, "INVALID_ARGUMENT");
        message
    };
    let good = command(cover(), "test.Add", Header::Sequence(3));
    let mut long = good.clone();
    long.pages = vec![good.pages[0].clone(); 101];
    assert_eq!(
        refusal(&long),
        "the command book has 101 pages, at most 100 are taken"
    );
    let mut heavy = good.clone();
    heavy.pages[0].command = Some(Payload::new("test.Add", vec![0; 262_145]));
    assert_eq!(
        refusal(&heavy),
        "a command has 262145 bytes, at most 262144 are taken"
    );
    let mut odd = good.clone();
    odd.cover.correlation_id = "x".repeat(129);
    assert!(
        refusal(&odd)
            .ends_with("is not a correlation id: at most 128 characters, letters, digits, _ and -")
    );

    let call = |method: &str, request| {
        status(
            &peer
                .call(
                    &format!("CommandHandlerCoordinatorService/{method}"),
                    request,
                )
                .unwrap_err(),
        )
        .1
    };
    assert_eq!(call("HandleCommand", vec![]), "the request has no command");
    assert_eq!(
        call("HandleCommand", field(1, &[])),
        "the command book has no cover"
    );
    assert_eq!(
        call("HandleSyncSpeculative", vec![]),
        "SpeculateAggregateRequest has no command"
    );
    let book = angzarr_replay::internal::wire::encode_command_book(&good, Dialect::ANGZARR);
    assert_eq!(
        call(
            "HandleCommand",
            [field(1, &book), field(4, b"cascade")].concat()
        ),
        "two-phase commit (cascade_id) is not offered by the local coordinator"
    );
}

#[test]
fn a_book_without_pages_is_a_command_at_sequence_zero() {
    let peer = with_history();
    let mut book = command(cover(), "test.Add", Header::Absent);
    book.pages.clear();
    let error = peer.send_book(&book).unwrap_err();
    assert_eq!(
        status(&error).1,
        "Sequence mismatch: command expects 0, aggregate at 3"
    );
}
