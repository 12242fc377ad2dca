//! What of a logic's reply is stored, where, and what the sender is told.

use angzarr_replay::internal::coordinator::Stream;
use angzarr_replay::internal::model::{Header, Retention, Root};
use angzarr_replay::internal::wire::{self, Dialect, event_book_of_response};

use super::support::*;

fn with_history() -> Peer {
    start(Dialect::ANGZARR, &[seed(cover(), pages(3))])
}

#[test]
fn pages_of_logic_in_this_process_get_the_next_places() {
    let peer = with_history();
    assert_eq!(sequences(&peer.send("test.AddTwo", 3).unwrap()), [3, 4]);
}

#[test]
fn echoed_pages_are_not_stored_again() {
    let peer = with_history();
    let reply = peer.send("test.Echo", 3).unwrap();
    // What is dropped stands in the reply all the same, in the dialects that drop in silence.
    assert_eq!(sequences(&reply), [0, 1, 2, 3]);
    assert_eq!(reply.cover, Some(cover()));
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2, 3]);
}

#[test]
fn a_page_for_a_place_that_is_taken_is_dropped_until_coordinators_learned_to_refuse_it() {
    let peer = with_history();
    assert_eq!(sequences(&peer.send("test.Clash", 3).unwrap()), [0]);
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2]);

    let peer = start(Dialect::IO_ANGZARR_V1, &[seed(cover(), pages(3))]);
    let error = peer.send("test.Clash", 3).unwrap_err();
    assert_eq!(
        status(&error),
        (
            "FAILED_PRECONDITION",
            "Sequence conflict: expected 3, got 0".to_owned()
        )
    );
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2]);
}

#[test]
fn a_gap_is_stored_until_coordinators_learned_to_refuse_it() {
    assert_eq!(sequences(&with_history().send("test.Gap", 3).unwrap()), [8]);
    let newest = start(Dialect::IO_ANGZARR_V1, &[seed(cover(), pages(3))]);
    let error = newest.send("test.Gap", 3).unwrap_err();
    assert_eq!(
        status(&error),
        (
            "FAILED_PRECONDITION",
            "Sequence conflict: expected 3, got 8".to_owned()
        )
    );
}

#[test]
fn a_reply_for_another_aggregate_is_stored_there_until_coordinators_learned_to_refuse_it() {
    let peer = with_history();
    peer.send("test.Foreign", 3).unwrap();
    assert_eq!(sequences(&peer.ask("", &[]).unwrap()), [0, 1, 2]);
    let stored = peer.store.dump().unwrap();
    assert!(
        stored.last().unwrap().starts_with("page player//09090909"),
        "{stored:?}"
    );

    let newest = start(Dialect::IO_ANGZARR_V1, &[seed(cover(), pages(3))]);
    let error = newest.send("test.Foreign", 3).unwrap_err();
    let other = Root::new([9; 16]);
    assert_eq!(
        status(&error),
        (
            "FAILED_PRECONDITION",
            format!(
                "the logic answered for player/{other}, the command was for player/{ROOT}: nothing is stored"
            )
        )
    );
}

#[test]
fn answers_without_events_are_legal_and_empty() {
    let peer = with_history();
    for type_name in ["test.Nothing", "test.Notify"] {
        let reply = peer.send(type_name, 3).unwrap();
        assert_eq!((reply.cover, reply.next_sequence), (None, 0));
    }
}

#[test]
fn what_the_logic_refuses_is_passed_on() {
    let peer = with_history();
    let refusal = |type_name| status(&peer.send(type_name, 3).unwrap_err());
    assert_eq!(
        refusal("test.Reject"),
        ("FAILED_PRECONDITION", "not today".to_owned())
    );
    assert_eq!(
        refusal("test.Revoke"),
        (
            "FAILED_PRECONDITION",
            "Command revoked: too late".to_owned()
        )
    );
    assert_eq!(
        refusal("test.X"),
        (
            "INVALID_ARGUMENT",
            "Unknown command type: test.X".to_owned()
        )
    );
}

#[test]
fn a_snapshot_in_a_reply_is_stored_and_shown_with_the_tail() {
    let peer = with_history();
    let reply = peer.send("test.Snapshot", 3).unwrap();
    assert_eq!(reply.snapshot, Some(snapshot(0, "folded")));
    let seen = peer.send("test.Seen", 4).unwrap();
    assert_eq!(
        texts(&seen),
        ["main from 3[] next 4, command at Some(4) in ``"]
    );
    let seen = peer.send("test.Seen", 5).unwrap();
    assert_eq!(
        texts(&seen),
        ["main from 3[4] next 5, command at Some(5) in ``"]
    );
    let shown = peer
        .speculate(&command(cover(), "test.Seen", Header::Absent), Some(99))
        .unwrap();
    let shown = event_book_of_response(shown.into()).unwrap();
    assert_eq!(
        texts(&shown),
        ["main[0 1 2 3 4 5] next 6, command at Some(0) in ``"]
    );
}

#[test]
fn the_retention_of_a_snapshot_is_lost_until_coordinators_learned_to_keep_it() {
    let stream = Stream {
        domain: player(),
        edition: None,
        root: ROOT,
    };
    for (dialect, retention) in [
        (Dialect::ANGZARR, Retention::Default),
        (Dialect::IO_ANGZARR_V1, Retention::Persist),
    ] {
        let peer = start(dialect, &[seed(cover(), pages(3))]);
        peer.send("test.Snapshot", 3).unwrap();
        let (sequence, bytes) = peer.store.newest_snapshot(&stream).unwrap().unwrap();
        let stored = wire::snapshot(&bytes.into()).unwrap();
        assert_eq!(
            (sequence, stored.sequence, stored.retention),
            (3, 3, retention)
        );
    }
}
