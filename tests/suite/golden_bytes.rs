//! Golden bytes: worked out by hand from the protocol's tables, so that it is not only our encoder talking to
//! our decoder.
//!
//! A key is `number << 3 | wire type`: 0a is field 1 with a length, 08 field 1 with an integer, and so on.
use angzarr_replay::internal::grpc::{FactRoute, encode_fact_request};
use angzarr_replay::internal::model::{
    Body, CommandBook, Cover, Domain, Edition, EmittedBook, EmittedPage, ErrorInfo, EventBook,
    Failure, Header, History, MergeStrategy, Page, Payload, Retention, Root, Snapshot, SyncMode,
    Timestamp,
};
use angzarr_replay::internal::wire::{
    Dialect, StoredBook, command_book, command_book_of_request, encode_command_book,
    encode_command_request, encode_event_book, event_book, rejection_notification,
};
use test_support::books;

fn bytes(parts: &[&str]) -> Vec<u8> {
    let hex: String = parts
        .concat()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn dialect(name: &str) -> Dialect {
    name.parse().unwrap()
}

fn cover(edition: &str) -> Cover {
    Cover {
        edition: Edition::from_name(edition).unwrap(),
        ..Cover::main(Domain::new("player").unwrap(), Root::new([0x11; 16]))
    }
}

fn strict_command() -> CommandBook {
    let page = books::command_page(
        Header::Sequence(300),
        Payload {
            type_url: "/t.Do".into(),
            value: vec![0xaa, 0xbb],
        },
    );
    let cover = Cover {
        correlation_id: "wf".into(),
        ..cover("")
    };
    CommandBook {
        cover,
        pages: vec![page],
        original: None,
    }
}

/// A command book whose merge strategy is STRICT.
fn strict_command_bytes(strategy: &str) -> Vec<u8> {
    bytes(&[
        // CommandBook.cover = 1, 32 bytes
        "0a 20",
        // Cover.root = 1: UUID, 18 bytes; UUID.value = 1: 16 bytes
        "0a 12 0a 10 11111111 11111111 11111111 11111111",
        // Cover.domain = 2: "player"; Cover.correlation_id = 3: "wf"
        "12 06 706c61796572",
        "1a 02 7766",
        // CommandBook.pages = 2, 20 bytes
        "12 14",
        // CommandPage.header = 1, 3 bytes: PageHeader.sequence = 1: 300
        "0a 03 08 ac02",
        // CommandPage.merge_strategy = 2
        "10",
        strategy,
        // CommandPage.command = 3, 11 bytes: Any.type_url = 1: "/t.Do"; Any.value = 2
        "1a 0b 0a 05 2f742e446f 12 02 aabb",
    ])
}

#[test]
fn strict_has_the_number_of_its_dialect() {
    let numbers = [
        // 0 COMMUTATIVE, 1 STRICT
        ("angzarr", "01"),
        ("angzarr_client.proto.angzarr", "01"),
        ("angzarr_client.proto.angzarr.v1", "01"),
        ("io.angzarr.v1-2026-06", "01"),
        ("io.angzarr.v1-2026-09", "01"),
        // 0 UNSPECIFIED, 1 COMMUTATIVE, 2 STRICT
        ("io.angzarr.v1", "02"),
    ];
    assert_eq!(numbers.len(), Dialect::all().len());
    for (name, number) in numbers {
        let golden = strict_command_bytes(number);
        assert_eq!(
            encode_command_book(&strict_command(), dialect(name)),
            golden,
            "{name}"
        );
        assert_eq!(
            command_book(&golden.into(), dialect(name)),
            Ok(strict_command()),
            "{name}"
        );
    }
}

#[test]
fn the_same_number_means_another_strategy_in_the_newest_dialect() {
    let strategy = |name, number| {
        command_book(&strict_command_bytes(number).into(), dialect(name))
            .unwrap()
            .pages[0]
            .merge_strategy
    };
    assert_eq!(strategy("io.angzarr.v1", "01"), MergeStrategy::Commutative);
    assert_eq!(
        strategy("io.angzarr.v1-2026-09", "02"),
        MergeStrategy::AggregateHandles
    );
    assert_eq!(
        strategy("io.angzarr.v1", "03"),
        MergeStrategy::AggregateHandles
    );
    assert_eq!(strategy("angzarr", "03"), MergeStrategy::Manual);
    assert_eq!(strategy("io.angzarr.v1", "04"), MergeStrategy::Manual);
    assert_eq!(strategy("angzarr", "04"), MergeStrategy::Unknown(4));
    assert_eq!(strategy("io.angzarr.v1", "05"), MergeStrategy::Unknown(5));
}

#[test]
fn a_request_has_the_sync_mode_of_its_dialect() {
    for (name, strategy, simple) in [
        ("angzarr", "01", "01"),
        ("io.angzarr.v1-2026-09", "01", "01"),
        ("io.angzarr.v1", "02", "02"),
    ] {
        let book = strict_command_bytes(strategy);
        // CommandRequest.command = 1, 56 bytes; CommandRequest.sync_mode = 2: SIMPLE
        let golden = [bytes(&["0a 38"]), book.clone(), bytes(&["10", simple])].concat();
        let request = encode_command_request(&strict_command(), SyncMode::Simple, dialect(name));
        assert_eq!(request, golden, "{name}");
        assert_eq!(
            command_book_of_request(golden.into()).unwrap(),
            book,
            "{name}"
        );
    }
}

fn book(edition: &str) -> EventBook {
    let page = Page {
        sequence: 2,
        created_at: Some(Timestamp {
            seconds: 1,
            nanos: 2,
        }),
        body: Body::Event(Payload {
            type_url: "/t.Did".into(),
            value: vec![0xcc],
        }),
        provisional: false,
        cascade_id: None,
        original: None,
    };
    let snapshot = Snapshot {
        sequence: 1,
        state: Some(Payload {
            type_url: "/t.S".into(),
            value: vec![],
        }),
        retention: Retention::Persist,
        created_at: None,
        original: None,
    };
    EventBook {
        cover: cover(edition),
        snapshot: Some(snapshot),
        history: History::new(vec![page]).unwrap(),
        next_sequence: 3,
    }
}

/// An event book whose cover has this length and this edition.
fn book_bytes(cover_length: &str, edition: &str) -> Vec<u8> {
    bytes(&[
        // EventBook.cover = 1: root and domain as above, then Cover.edition = 4
        "0a",
        cover_length,
        "0a 12 0a 10 11111111 11111111 11111111 11111111",
        "12 06 706c61796572",
        edition,
        // EventBook.snapshot = 2, 12 bytes: sequence = 2: 1; state = 3: Any.type_url "/t.S"; retention = 4: PERSIST
        "12 0c 10 01 1a 06 0a 04 2f742e53 20 01",
        // EventBook.pages = 3, 23 bytes: header = 1: sequence 2; created_at = 2: 1 s, 2 ns
        "1a 17 0a 02 08 02 12 04 08 01 10 02",
        // EventPage.event = 3, 11 bytes: "/t.Did", cc
        "1a 0b 0a 06 2f742e446964 12 01 cc",
        // EventBook.next_sequence = 6: 3
        "30 03",
    ])
}

fn assert_book(name: &str, edition: &str, golden: Vec<u8>) {
    let book = book(edition);
    assert_eq!(encode_event_book(&book, dialect(name)), golden, "{name}");
    let decoded = event_book(golden.into()).unwrap();
    let expected = StoredBook {
        cover: Some(book.cover),
        snapshot: book.snapshot,
        history: book.history,
        next_sequence: 3,
    };
    assert_eq!(decoded, expected, "{name}");
}

#[test]
fn a_named_edition_is_spelled_alike_in_every_dialect() {
    for dialect in Dialect::all() {
        // Cover, 37 bytes; Edition, 7 bytes; Edition.name = 1: "debug"
        assert_book(
            dialect.name(),
            "debug",
            book_bytes("25", "22 07 0a 05 6465627567"),
        );
    }
}

#[test]
fn main_is_spelled_out_by_the_released_coordinator_and_empty_later() {
    // Cover, 39 bytes; Edition.name = 1: "angzarr"
    assert_book(
        "angzarr",
        "",
        book_bytes("27", "22 09 0a 07 616e677a617272"),
    );
    for name in [
        "io.angzarr.v1",
        "io.angzarr.v1-2026-09",
        "angzarr_client.proto.angzarr",
    ] {
        // Cover, 30 bytes; an edition without a name
        assert_book(name, "", book_bytes("1e", "22 00"));
    }
}

#[test]
fn an_edition_that_is_missing_is_main() {
    // Cover, 28 bytes
    let decoded = event_book(book_bytes("1c", "").into()).unwrap();
    assert_eq!(decoded.cover, Some(cover("")));
}

/// Facts of one page, keyed `k`, in the edition `debug`.
fn facts() -> EmittedBook {
    let event = Payload {
        type_url: "/t.Did".into(),
        value: vec![0xaa],
    };
    let page = EmittedPage {
        header: Header::ExternalDeferred {
            external_id: "k".into(),
            description: String::new(),
        },
        created_at: Some(Timestamp {
            seconds: 1,
            nanos: 0,
        }),
        ..EmittedPage::event(event)
    };
    EmittedBook {
        cover: Some(cover("debug")),
        pages: vec![page],
        ..EmittedBook::default()
    }
}

fn fact_request_bytes(after: &str) -> Vec<u8> {
    bytes(&[
        // EventRequest.events = 1, 65 bytes
        "0a 41",
        // EventBook.cover = 1, 37 bytes: root, domain, edition
        "0a 25 0a 12 0a 10 11111111 11111111 11111111 11111111",
        "12 06 706c61796572",
        "22 07 0a 05 6465627567",
        // EventBook.pages = 3, 24 bytes
        "1a 18",
        // EventPage.header = 1, 5 bytes: PageHeader.external_deferred = 2: external_id = 1: "k"
        "0a 05 12 03 0a 01 6b",
        // EventPage.created_at = 2: Timestamp.seconds = 1: 1
        "12 02 08 01",
        // EventPage.event = 3, 11 bytes: Any.type_url = 1: "/t.Did"; Any.value = 2
        "1a 0b 0a 06 2f742e446964 12 01 aa",
        after,
    ])
}

#[test]
fn facts_go_past_the_logic_in_the_way_of_the_dialect() {
    // EventRequest.sync_mode = 2, route_to_handler = 3, skip_handler = 4
    let past_and_through = [
        // ASYNC, since there is no ISOLATED
        ("angzarr", "", "18 01"),
        ("angzarr_client.proto.angzarr", "", "18 01"),
        // ISOLATED is 4
        ("angzarr_client.proto.angzarr.v1", "10 04", "18 01"),
        ("io.angzarr.v1-2026-06", "10 04", "18 01"),
        ("io.angzarr.v1-2026-09", "10 04 20 01", ""),
        // ASYNC is 1, ISOLATED is 5
        ("io.angzarr.v1", "10 05 20 01", "10 01"),
    ];
    assert_eq!(past_and_through.len(), Dialect::all().len());
    for (name, past, through) in past_and_through {
        let encoded = |route| encode_fact_request(&facts(), route, dialect(name));
        assert_eq!(
            encoded(FactRoute::Store),
            fact_request_bytes(past),
            "{name}"
        );
        assert_eq!(
            encoded(FactRoute::Logic),
            fact_request_bytes(through),
            "{name}"
        );
    }
}

#[test]
fn a_rejection_comes_back_with_the_command_and_in_the_newest_dialect_with_a_code() {
    let mut failure = Failure::rejected("no");
    failure.info = Some(ErrorInfo {
        reason: "FULL".into(),
        domain: "angzarr.io".into(),
        metadata: Vec::new(),
    });
    let notification =
        |name: &str| rejection_notification(&cover(""), &strict_command(), &failure, dialect(name));
    // Notification.cover = 1, 28 bytes: root, domain
    let told = "0a 1c 0a 12 0a 10 11111111 11111111 11111111 11111111 12 06 706c61796572";

    let newest = notification("io.angzarr.v1");
    assert_eq!(&*newest.type_url, "/io.angzarr.v1.Notification");
    // RejectionNotification.rejected_command = 1, 56 bytes; rejection_reason = 2: "no"; code = 7: "FULL"
    let mut rejection = bytes(&["0a 38"]);
    rejection.extend(strict_command_bytes("02"));
    rejection.extend(bytes(&["12 02 6e6f", "3a 04 46554c4c"]));
    // Notification.payload = 2, 108 bytes: Any.type_url = 1, 36 bytes; Any.value = 2, 68 bytes
    let mut golden = bytes(&[told, "12 6c", "0a 24"]);
    golden.extend(b"/io.angzarr.v1.RejectionNotification");
    golden.extend(bytes(&["12 44"]));
    golden.extend(rejection);
    assert_eq!(newest.value, golden);

    let released = notification("angzarr");
    assert_eq!(&*released.type_url, "type.angzarr.io/angzarr.Notification");
    // No code: 62 bytes.
    let mut rejection = bytes(&["0a 38"]);
    rejection.extend(strict_command_bytes("01"));
    rejection.extend(bytes(&["12 02 6e6f"]));
    // Notification.payload = 2, 111 bytes: Any.type_url = 1, 45 bytes; Any.value = 2, 62 bytes
    let mut golden = bytes(&[told, "12 6f", "0a 2d"]);
    golden.extend(b"type.angzarr.io/angzarr.RejectionNotification");
    golden.extend(bytes(&["12 3e"]));
    golden.extend(rejection);
    assert_eq!(released.value, golden);
}
