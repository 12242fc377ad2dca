//! Editions: named wrongly, without events, diverging, large.

use angzarr_replay::fixture::Folder;
use angzarr_replay::model::{Cover, Edition};
use angzarr_replay::wire::Dialect;

use crate::histories::large_pages;
use crate::support::{ALICE, Project, ROOT, coordinator, cover, page, seed, small_pages};

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
    project.said("unknown_edition");
}

#[test]
fn an_invalid_edition_name_is_refused() {
    let mut project = Project::new("");
    for name in ["What If", "../main", "9lives", &"x".repeat(65)] {
        assert_eq!(project.run(&["capture", ALICE, "--edition", name]).code, 2);
    }
    project.said("edition_names");
}

#[test]
fn a_large_edition_is_read_with_its_divergence() {
    let main = large_pages(0..400, "main");
    let own = large_pages(300..1_000, "branch");
    let size: usize = own
        .iter()
        .map(|page| page.body.event().unwrap().value.len())
        .sum();
    assert!(size > 10 * 1024 * 1024, "{size}");
    for (dialect, name) in [
        (Dialect::ANGZARR, "released"),
        (Dialect::IO_ANGZARR_V1, "newest"),
    ] {
        let server = coordinator(
            dialect,
            &[
                seed(cover(), main.clone()),
                seed(edition("branch"), own.clone()),
            ],
        );
        let toml = format!("dialect = \"{dialect}\"\n");
        let mut project = Project::of_source(server.address(), &toml);
        let arguments = ["capture", ROOT, "--unredacted", "--edition", "branch"];
        assert_eq!(project.run(&arguments).code, 0);
        let path = project.path("fixtures/player/history-07070707-branch-1000.yaml");
        let case = Folder::open(project.path("fixtures"))
            .read(&path)
            .unwrap()
            .case;
        let expected = [&main[..300], &own].concat();
        assert!(
            case.history.pages() == expected,
            "the pages are those that are stored"
        );
        project.said(&format!("large_edition_{name}"));
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
        project.said(&format!("edition_{name}"));
    }
}
