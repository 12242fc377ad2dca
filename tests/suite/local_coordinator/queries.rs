//! Queries: selections, and what differs between dialects.

use angzarr_replay::internal::grpc::{
    Connection, ConnectionOptions, PointInTime, QueryClient, Selection, detect_dialect,
};
use angzarr_replay::internal::model::{Domain, Timestamp};
use angzarr_replay::internal::wire::Dialect;

use super::support::*;

fn released() -> Peer {
    start(Dialect::ANGZARR, &[seed(cover(), pages(5))])
}

fn client(peer: &Peer) -> QueryClient {
    QueryClient::new(peer.connection.clone(), peer.dialect)
}

#[test]
fn every_dialect_serves_the_same_history() {
    for dialect in Dialect::all() {
        let peer = start(*dialect, &[seed(cover(), pages(5))]);
        let book = client(&peer)
            .event_book(&cover(), Selection::Whole)
            .unwrap();
        assert_eq!(book.history.pages(), pages(5), "{dialect}");
        assert_eq!(
            (book.cover, book.next_sequence),
            (Some(cover()), 5),
            "{dialect}"
        );
        assert_eq!(client(&peer).aggregate_roots().unwrap(), [(player(), ROOT)]);
    }
}

#[test]
fn the_dialect_is_found_out_and_another_package_is_unknown() {
    let peer = released();
    let found = detect_dialect(&peer.connection).unwrap();
    assert_eq!(found, Some(Dialect::ANGZARR));
    let path = "/io.angzarr.v1.EventQueryService/GetEventBook";
    let error = peer.connection.call(path, Vec::new().into()).unwrap_err();
    assert_eq!(status(&error), ("UNIMPLEMENTED", String::new()));
}

#[test]
fn methods_that_would_start_something_are_unknown() {
    let peer = released();
    for method in [
        "SagaCoordinatorService/Execute",
        "ProcessManagerCoordinatorService/Handle",
        "ProjectorCoordinatorService/Handle",
        "ProjectorCoordinatorService/HandleSync",
    ] {
        let error = peer.call(method, Vec::new()).unwrap_err();
        assert_eq!(status(&error), ("UNIMPLEMENTED", String::new()), "{method}");
    }
}

#[test]
fn partial_reads_say_the_sequence_after_their_own_last_page() {
    let peer = released();
    let book = peer.ask("", &range(1, 2)).unwrap();
    assert_eq!((sequences(&book), book.next_sequence), (vec![1, 2], 3));
    let book = peer.ask("", &as_of(99)).unwrap();
    assert_eq!(
        (sequences(&book), book.next_sequence),
        (vec![0, 1, 2, 3, 4], 5)
    );
    let book = peer.ask("", &range(4, 1)).unwrap();
    assert_eq!((sequences(&book), book.next_sequence), (vec![], 0));
}

#[test]
fn an_empty_set_of_sequences_selects_nothing() {
    let peer = released();
    assert_eq!(
        sequences(&peer.ask("", &field(4, &[])).unwrap()),
        [0_u32; 0]
    );
    // Unpacked and out of order, as old writers do it.
    let set = field(4, &[number(1, 3), number(1, 1), number(1, 77)].concat());
    assert_eq!(sequences(&peer.ask("", &set).unwrap()), [1, 3]);
}

#[test]
fn a_page_counts_from_its_own_time_else_from_its_insertion() {
    let mut early = pages(3);
    early[0].created_at = Some(Timestamp {
        seconds: 1000,
        nanos: 5,
    });
    let peer = start(Dialect::ANGZARR, &[seed(cover(), early)]);
    let at = |seconds, nanos| {
        let point = PointInTime::Time(Timestamp { seconds, nanos });
        sequences(
            &client(&peer)
                .event_book(&cover(), Selection::AsOf(point))
                .unwrap(),
        )
    };
    assert_eq!(at(1000, 4), [0_u32; 0]);
    assert_eq!(at(1000, 5), [0]);
    assert_eq!(at(SEEDED.seconds - 1, 999_999_999), [0]);
    assert_eq!(at(SEEDED.seconds, 0), [0, 1, 2]);
    assert_eq!(at(i64::MAX, -7), [0, 1, 2]);
    assert_eq!(at(i64::MIN, 7), [0_u32; 0]);
}

#[test]
fn a_point_in_time_that_is_missing_is_refused() {
    let texts = [
        (
            Dialect::ANGZARR,
            "crate::services::errmsg::TEMPORAL_QUERY_MISSING_POINT",
        ),
        (
            Dialect::IO_ANGZARR_V1,
            "a temporal query needs as_of_time or as_of_sequence",
        ),
    ];
    for (dialect, text) in texts {
        let error = start(dialect, &[]).ask("", &field(5, &[])).unwrap_err();
        assert_eq!(status(&error), ("INVALID_ARGUMENT", text.to_owned()));
    }
}

#[test]
fn the_released_coordinators_streams_have_their_oddities() {
    let books = [
        seed(cover(), pages(5)),
        seed(edition("debug"), vec![page(2, "own")]),
    ];
    let peer = start(Dialect::ANGZARR, &books);
    // `GetEvents` ignores edition and selection, `Synchronize` excludes the upper end.
    assert_eq!(
        sequences(&peer.ask_as("GetEvents", "debug", &range(1, 2)).unwrap()),
        [0, 1, 2, 3, 4]
    );
    assert_eq!(
        sequences(&peer.ask_as("Synchronize", "", &range(1, 3)).unwrap()),
        [1, 2]
    );
    assert_eq!(
        sequences(&peer.ask_as("Synchronize", "", &range(0, 0)).unwrap()),
        [0_u32; 0]
    );

    let spring: Dialect = "io.angzarr.v1-2026-06".parse().unwrap();
    let peer = start(spring, &books);
    assert_eq!(
        sequences(&peer.ask_as("GetEvents", "debug", &range(1, 2)).unwrap()),
        [0, 1, 2]
    );
    assert_eq!(
        sequences(&peer.ask_as("Synchronize", "", &range(1, 3)).unwrap()),
        [1, 2, 3]
    );

    let peer = start(Dialect::IO_ANGZARR_V1, &books);
    assert_eq!(
        sequences(&peer.ask_as("GetEvents", "debug", &range(1, 1)).unwrap()),
        [1]
    );
}

#[test]
fn a_correlation_id_goes_before_everything_else() {
    let workflow =
        |cover: angzarr_replay::internal::model::Cover| angzarr_replay::internal::model::Cover {
            correlation_id: "wf-1".into(),
            ..cover
        };
    let other = angzarr_replay::internal::model::Cover::main(Domain::new("table").unwrap(), ROOT);
    let peer = start(
        Dialect::ANGZARR,
        &[
            seed(cover(), pages(1)),
            seed(workflow(other.clone()), pages(2)),
            seed(workflow(cover()), vec![page(1, "")]),
        ],
    );
    let query = |id: &str| field(1, &field(3, id.as_bytes()));
    let ask = |id: &str| peer.call("EventQueryService/GetEventBook", query(id));
    let book = angzarr_replay::internal::wire::event_book(ask("wf-1").unwrap().into()).unwrap();
    assert_eq!((sequences(&book), book.next_sequence), (vec![0, 1], 0));
    assert_eq!(book.cover, Some(workflow(other)));
    assert_eq!(ask("wf-2").unwrap(), [0_u8; 0]);
    let error = ask("no spaces").unwrap_err();
    assert_eq!(
        status(&error),
        (
            "INVALID_ARGUMENT",
            "`no spaces` is not a correlation id: at most 128 characters, letters, digits, _ and -"
                .to_owned()
        )
    );
}

#[test]
fn bad_covers_are_refused() {
    let peer = released();
    let root = field(1, &field(1, ROOT.as_bytes()));
    let cases = [
        (vec![], "the query has no cover"),
        (field(1, &field(2, b"player")), "the cover has no root"),
        (
            field(1, &[root.clone(), field(2, b"Player")].concat()),
            "`Player` is not a domain: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter or _",
        ),
        (
            field(
                1,
                &[root, field(2, b"player"), field(4, &field(1, b"A"))].concat(),
            ),
            "`A` is not an edition name: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter",
        ),
    ];
    for (query, text) in cases {
        let error = peer
            .call("EventQueryService/GetEventBook", query)
            .unwrap_err();
        assert_eq!(status(&error), ("INVALID_ARGUMENT", text.to_owned()));
    }
    let error = peer
        .call("EventQueryService/GetEventBook", vec![0x0a, 9])
        .unwrap_err();
    assert_eq!(status(&error).0, "INTERNAL");
    assert!(
        status(&error)
            .1
            .starts_with("query: the bytes do not decode ("),
        "{error}"
    );
}

#[test]
fn the_newest_coordinators_return_their_snapshot_beside_the_whole_history() {
    let mut book = seed(cover(), pages(3));
    book.snapshot = Some(snapshot(1, "state"));
    let whole = |dialect| {
        start(dialect, std::slice::from_ref(&book))
            .ask("", &[])
            .unwrap()
    };
    assert_eq!(whole(Dialect::ANGZARR).snapshot, None);
    let newest = whole(Dialect::IO_ANGZARR_V1);
    assert_eq!(
        (newest.snapshot, newest.history.pages().len()),
        (Some(snapshot(1, "state")), 3)
    );
}

#[test]
fn a_reply_of_more_than_ten_mebibytes_is_refused_and_a_window_of_it_is_not() {
    let mebibyte = "x".repeat(1 << 20);
    let large = (0..11).map(|sequence| page(sequence, &mebibyte)).collect();
    let peer = start(Dialect::ANGZARR, &[seed(cover(), large)]);
    let error = peer.ask("", &[]).unwrap_err();
    let (code, message) = status(&error);
    assert_eq!(code, "OUT_OF_RANGE");
    assert!(
        message.starts_with("Error, encoded message length too large: found "),
        "{message}"
    );
    assert!(error.is_too_large());
    assert_eq!(
        sequences(&peer.ask("", &range(3, 8)).unwrap()),
        [3, 4, 5, 6, 7, 8]
    );

    let error = peer
        .call("EventQueryService/GetEventBook", vec![0; 11 << 20])
        .unwrap_err();
    let (code, message) = status(&error);
    assert_eq!(code, "OUT_OF_RANGE");
    assert!(
        message.starts_with("Error, decoded message length too large: found "),
        "{message}"
    );
}

#[test]
fn health_is_served() {
    let peer = released();
    // Status SERVING.
    let connection =
        Connection::new(peer.connection.address(), ConnectionOptions::default()).unwrap();
    assert_eq!(
        connection
            .call("/grpc.health.v1.Health/Check", Vec::new().into())
            .unwrap(),
        [8, 1][..]
    );
}
