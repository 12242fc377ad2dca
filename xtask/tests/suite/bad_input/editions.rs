//! Editions: named wrongly, without events, diverging, large.

use angzarr_replay::internal::capture::{EditionShape, UpTo, fetch_history};
use angzarr_replay::internal::coordinator::MESSAGE_LIMIT;
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, QueryClient};
use angzarr_replay::internal::model::{Cover, Edition, Page, Timestamp};
use angzarr_replay::internal::wire::Dialect;
use insta::assert_snapshot;

use crate::bad_input::histories::large_pages;
use crate::support::{ALICE, Project, ROOT, SEEDED, coordinator, cover, page, seed, small_pages};

pub(crate) fn edition(name: &str) -> Cover {
    Cover {
        edition: Edition::from_name(name).unwrap(),
        ..cover()
    }
}

#[test]
fn an_edition_that_does_not_exist_reads_as_main_and_says_so() {
    let mut project = Project::new("");
    assert_eq!(
        project.run(&["capture", ALICE, "--edition", "typo"]).code,
        0
    );
    assert_snapshot!("unknown_edition", project.transcript());
}

#[test]
fn an_invalid_edition_name_is_refused() {
    let mut project = Project::new("");
    for name in ["What If", "../main", "9lives", &"x".repeat(65)] {
        assert_eq!(project.run(&["capture", ALICE, "--edition", name]).code, 2);
    }
    assert_snapshot!("edition_names", project.transcript());
}

/// Asked of the library: what becomes of large pages in a file is another test's.
#[test]
fn a_large_edition_is_read_with_its_divergence() {
    let main = large_pages(0..20, "main");
    let own = large_pages(10..700, "branch");
    let size: usize = own
        .iter()
        .map(|page| page.body.event().unwrap().value.len())
        .sum();
    assert!(size > MESSAGE_LIMIT, "{size}");
    let books = [
        seed(cover(), main.clone()),
        seed(edition("branch"), own.clone()),
    ];
    for dialect in [Dialect::ANGZARR, Dialect::IO_ANGZARR_V1] {
        let server = coordinator(dialect, &books);
        let address = server.address().to_string();
        let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
        let queries = QueryClient::new(connection, dialect);
        let fetched = fetch_history(&queries, &edition("branch"), UpTo::Head, &mut |_| {}).unwrap();
        assert_eq!(fetched.edition, EditionShape::DivergesAt(10), "{dialect}");
        let expected = [&main[..10], &own].concat();
        assert!(
            fetched.history.pages() == expected,
            "{dialect}: the pages are those that are stored"
        );
    }
}

#[test]
fn a_small_edition_says_where_it_leaves_main() {
    for (dialect, name) in [
        (Dialect::ANGZARR, "released"),
        (Dialect::IO_ANGZARR_V1, "newest"),
    ] {
        let mut own = small_pages(2..5);
        own[0] = page(2, b"branch".to_vec());
        let books = [
            seed(cover(), small_pages(0..4)),
            seed(edition("branch"), own),
        ];
        let server = coordinator(dialect, &books);
        let toml = format!("dialect = \"{dialect}\"\n");
        let mut project = Project::of_source(server.address(), &toml);
        let arguments = [
            "capture",
            ROOT,
            "--unredacted",
            "--edition",
            "branch",
            "--dry-run",
        ];
        assert_eq!(project.run(&arguments).code, 0);
        assert_snapshot!(format!("edition_{name}"), project.transcript());
    }
}

#[test]
fn an_edition_as_of_a_time_before_its_first_event_is_main() {
    let at = |second: i64, page: Page| Page {
        created_at: Some(Timestamp {
            seconds: SEEDED.seconds + second,
            nanos: 0,
        }),
        ..page
    };
    let main = small_pages(0..3).into_iter().map(|page| at(0, page));
    let own = (3..5).map(|sequence| at(60, page(sequence, b"branch".to_vec())));
    let books = [
        seed(cover(), main.collect()),
        seed(edition("branch"), own.collect()),
    ];
    for dialect in [Dialect::ANGZARR, Dialect::IO_ANGZARR_V1] {
        let server = coordinator(dialect, &books);
        let mut project =
            Project::of_source(server.address(), &format!("dialect = \"{dialect}\"\n"));
        for (time, events) in [("2026-11-23T00:02:00Z", 3), ("2026-11-23T00:03:00Z", 5)] {
            let arguments = [
                "capture",
                ROOT,
                "--unredacted",
                "--edition",
                "branch",
                "--as-of",
                time,
                "--json",
            ];
            let ran = project.run(&arguments);
            assert!(
                ran.out.contains(&format!("\"events\":{events},")),
                "{}{}",
                ran.out,
                ran.err
            );
        }
    }
}
