//! Speculation: what a command would do, and no trace of having asked.

use angzarr_replay::internal::model::Header;
use angzarr_replay::internal::wire::{Dialect, event_book_of_response};

use super::support::*;

fn with_history() -> Peer {
    start(Dialect::ANGZARR, &[seed(cover(), pages(3))])
}

#[test]
fn speculation_leaves_no_trace() {
    for dialect in Dialect::all() {
        let mut book = seed(cover(), pages(3));
        book.snapshot = Some(snapshot(1, "state"));
        let peer = start(*dialect, &[book]);
        let before = peer.store.dump().unwrap();
        for type_name in [
            "test.Add",
            "test.Snapshot",
            "test.Foreign",
            "test.Reject",
            "test.Notify",
        ] {
            let _ = peer.speculate(&command(cover(), type_name, Header::Sequence(9)), Some(1));
        }
        assert_eq!(peer.store.dump().unwrap(), before, "{dialect}");
        assert_eq!(before.len(), 4);
    }
}

#[test]
fn speculation_answers_with_the_logics_book_as_it_is() {
    let peer = with_history();
    let speculated = |type_name, as_of| {
        let reply = peer
            .speculate(
                &command(cover(), type_name, Header::Sequence(9)),
                Some(as_of),
            )
            .unwrap();
        event_book_of_response(reply.into()).unwrap()
    };
    let book = speculated("test.Seen", 1);
    assert_eq!(texts(&book), ["main[0 1] next 2, command at Some(9) in ``"]);
    assert_eq!((book.cover, book.next_sequence), (None, 0));
    assert_eq!(sequences(&speculated("test.Echo", 1)), [0, 1, 2]);
    let error = peer
        .speculate(&command(cover(), "test.Revoke", Header::Absent), Some(1))
        .unwrap_err();
    assert_eq!(
        status(&error),
        (
            "FAILED_PRECONDITION",
            "Command revoked: too late".to_owned()
        )
    );
}

#[test]
fn speculation_goes_by_time_too() {
    let peer = with_history();
    let book = angzarr_replay::internal::wire::encode_command_book(
        &command(cover(), "test.Seen", Header::Absent),
        Dialect::ANGZARR,
    );
    for (seconds, expected) in [
        (vec![8, 100], "main[] next 0"),
        (vec![8, 0x80, 0x80, 0x80, 0x80, 0x70], "main[0 1 2] next 3"),
    ] {
        let request = [field(1, &book), field(2, &field(1, &seconds))].concat();
        let reply = peer
            .call(
                "CommandHandlerCoordinatorService/HandleSyncSpeculative",
                request,
            )
            .unwrap();
        let texts = texts(&event_book_of_response(reply.into()).unwrap());
        assert_eq!(texts, [format!("{expected}, command at Some(0) in ``")]);
    }
}
