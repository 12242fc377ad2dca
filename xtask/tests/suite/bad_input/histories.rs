//! Histories that are large, have gaps, or end before they should.

use angzarr_replay::internal::coordinator::MESSAGE_LIMIT;
use angzarr_replay::internal::fixture::Folder;
use angzarr_replay::internal::model::Page;
use angzarr_replay::internal::wire::Dialect;
use insta::assert_snapshot;

use crate::support::{ALICE, Project, ROOT, coordinator, cover, page, seed, small_pages};

/// More than a reply may hold, and more pages than a fixture holds itself.
pub(crate) fn large_pages(sequences: std::ops::Range<u32>, text: &str) -> Vec<Page> {
    sequences
        .map(|sequence| {
            page(
                sequence,
                format!("{text} {sequence}\n").repeat(1_500).into_bytes(),
            )
        })
        .collect()
}

#[test]
fn a_history_larger_than_a_reply_is_read_in_windows() {
    let pages = large_pages(0..640, "some event");
    let size: usize = pages
        .iter()
        .map(|page| page.body.event().unwrap().value.len())
        .sum();
    assert!(size > MESSAGE_LIMIT, "{size}");
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages.clone())]);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["capture", ROOT, "--unredacted"]).code, 0);
    let path = project.path("fixtures/player/history-07070707-640.yaml");
    let case = Folder::open(project.path("fixtures"))
        .read(&path)
        .unwrap()
        .case;
    assert!(
        case.history.pages() == pages,
        "the pages are those that are stored"
    );
    assert_snapshot!("large_history", project.transcript());
}

#[test]
fn a_page_larger_than_a_reply_is_told() {
    let mut pages = small_pages(0..3);
    pages.push(page(3, vec![b'x'; MESSAGE_LIMIT + 1]));
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["capture", ROOT, "--unredacted"]).code, 1);
    assert_snapshot!("large_page", project.transcript());
}

#[test]
fn gaps_in_a_store_are_told_and_kept() {
    let pages = small_pages([0, 1, 4, 5, 9]);
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), pages)]);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["capture", ROOT, "--unredacted"]).code, 0);
    assert_snapshot!("gaps", project.transcript());
}

#[test]
fn sequences_that_cannot_be_are_refused() {
    let mut project = Project::new("");
    assert_eq!(
        project.run(&["capture", ALICE, "--to-sequence", "3"]).code,
        1
    );
    assert_eq!(
        project
            .run(&["capture", ALICE, "--to-sequence", "99", "--history"])
            .code,
        1
    );
    for sequence in ["-2", "4294967295", "9999999999999999999999", "three"] {
        assert_eq!(
            project
                .run(&["capture", ALICE, "--to-sequence", sequence])
                .code,
            2
        );
    }
    assert_eq!(
        project.run(&["capture", ALICE, "--to-sequence", "-1"]).code,
        0
    );
    assert_snapshot!("to_sequence", project.transcript());
}

#[test]
fn instants_are_read_or_refused() {
    let mut project = Project::new("");
    assert_eq!(
        project
            .run(&["capture", ALICE, "--as-of", "yesterday"])
            .code,
        2
    );
    assert_eq!(
        project
            .run(&[
                "capture",
                ALICE,
                "--as-of",
                "2026-11-23T00:00:00Z",
                "--to-sequence",
                "1"
            ])
            .code,
        2
    );
    let long_ago = [
        "capture",
        ALICE,
        "--as-of",
        "2020-01-01T00:00:00Z",
        "--history",
    ];
    assert_eq!(project.run(&long_ago).code, 1);
    let after = [
        "capture",
        ALICE,
        "--as-of",
        "2026-11-23T00:01:30Z",
        "--history",
    ];
    assert_eq!(project.run(&after).code, 0);
    assert_snapshot!("as_of", project.transcript());
}
