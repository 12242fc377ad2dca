//! Which aggregate, domain and source.

use insta::assert_snapshot;
use std::collections::BTreeMap;

use crate::bad_input::editions::edition;
use crate::support::{
    ALICE, Project, ROOT, coordinator, cover, page, player, recorded_failures, seed, small_pages,
};
use angzarr_replay::internal::capture::{CaptureError, EventQueries, find_root};
use angzarr_replay::internal::coordinator::MESSAGE_LIMIT;
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, QueryClient};
use angzarr_replay::internal::model::{Cover, Domain, Edition, Root};
use angzarr_replay::internal::wire::Dialect;

#[test]
fn an_unknown_root_names_what_was_looked_at() {
    let mut project = Project::new("");
    for arguments in [
        &["capture", "11111111-1111-1111-1111-111111111111"][..],
        &["capture", "player/11111111-1111-1111-1111-111111111111"],
        &["capture", "0000"],
        &["capture", "0000", "--domain", "player"],
    ] {
        assert_eq!(project.run(arguments).code, 1);
    }
    assert_snapshot!("unknown_root", project.transcript());
}

#[test]
fn a_prefix_that_fits_several_lists_them() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["capture", "d"]).code, 1);
    assert_snapshot!("ambiguous_prefix", project.transcript());
}

#[test]
fn several_domains_with_the_same_root_are_listed() {
    let table = Cover::main(Domain::new("table").unwrap(), Root::new([7; 16]));
    let server = coordinator(
        Dialect::ANGZARR,
        &[
            seed(cover(), small_pages(0..2)),
            seed(table, small_pages(0..1)),
        ],
    );
    let address = server.address();
    let mut project = Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{address}\"\ndomains = [\"player\", \"table\"]\n"
    ));
    let root = "07070707-0707-0707-0707-070707070707";
    assert_eq!(project.run(&["capture", root, "--unredacted"]).code, 1);
    assert_snapshot!("same_root_in_two_domains", project.transcript());
}

#[test]
fn text_that_spells_no_root_is_wrong_usage() {
    let mut project = Project::new("");
    for root in [
        "zzz",
        "",
        "player/",
        "65-13!",
        "6513270e269e4d37b2a74de452e6b43800",
    ] {
        assert_eq!(project.run(&["capture", root]).code, 2);
    }
    assert_snapshot!("malformed_root", project.transcript());
}

#[test]
fn domains_that_contradict_or_do_not_exist_are_refused() {
    let mut project = Project::new("");
    let conflict = ["capture", "table/6513270e", "--domain", "player"];
    assert_eq!(project.run(&conflict).code, 2);
    assert_eq!(project.run(&["capture", ALICE, "--domain", "nope"]).code, 1);
    assert_eq!(project.run(&["capture", ALICE, "--domain", "a b"]).code, 2);
    assert_eq!(project.run(&["roots", "--domain", "nope"]).code, 1);
    assert_snapshot!("domains", project.transcript());
}

#[test]
fn sources_have_to_be_named_and_known() {
    let mut project = Project::new("[sources.eu]\naddress = \"{domain}.invalid:1310\"\n");
    assert_eq!(project.run(&["capture", ALICE]).code, 1);
    assert_eq!(project.run(&["capture", ALICE, "--source", "us"]).code, 1);
    // Without a domain a template has nothing to ask.
    assert_eq!(
        project
            .run(&["capture", ALICE, "--source", "eu", "--unredacted"])
            .code,
        1
    );
    assert_snapshot!("sources", project.transcript());
}

#[test]
fn a_source_that_is_not_embedded_needs_unredacted() {
    // Nothing listens there: it is refused before anything is asked.
    let mut project = Project::of_source("127.0.0.1:9", "");
    assert_eq!(project.run(&["capture", ALICE]).code, 2);
    assert_snapshot!("unredacted", project.transcript());
}

#[test]
fn a_listed_failure_is_the_one_that_capture_takes() {
    let mut project = Project::new("");
    assert_eq!(project.run(&["roots", "--domain", "player"]).code, 0);
    assert_eq!(
        project.run(&["roots", "--domain", "player", "--json"]).code,
        0
    );
    assert_snapshot!("roots", project.transcript());
}

#[test]
fn a_prefix_lists_the_only_domain_and_never_several() {
    let server = coordinator(Dialect::ANGZARR, &[seed(cover(), small_pages(0..2))]);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["capture", "07", "--unredacted"]).code, 0);
    // Nothing listens there: it is refused before anything is asked.
    let several = |more: &str| {
        Project::new(&format!(
            "source = \"production\"\n[sources.production]\naddress = \"127.0.0.1:9\"\n\
             domains = [\"player\", \"table\"]\n{more}"
        ))
    };
    let mut project = several("tickets = [\"failures.jsonl\"]\n");
    project.write("failures.jsonl", "");
    for prefix in ["07", "6513270e"] {
        assert_eq!(project.run(&["capture", prefix, "--unredacted"]).code, 2);
    }
    project.write("failures.jsonl", &recorded_failures());
    assert_eq!(
        project.run(&["capture", "6513270e", "--unredacted"]).code,
        2
    );
    assert_snapshot!("prefix_without_domain", project.transcript());
}

#[test]
fn messages_that_cannot_be_redacted_are_told_with_the_reason() {
    let mut project = Project::new(
        "[redaction]\nkey_env = \"NO_SUCH_KEY\"\n[[redaction.rules]]\ntype = \"examples.*\"\nfield = \"*email\"\n\
         action = \"pseudonym\"\nreason = \"a person\"\n",
    );
    assert_eq!(project.run(&["roots", "--domain", "player"]).code, 0);
    assert_eq!(project.run(&["tickets"]).code, 0);
    assert_snapshot!("messages_without_key", project.transcript());
}

#[test]
fn an_aggregate_that_cannot_be_read_does_not_hide_the_others() {
    let large = Cover::main(player(), Root::new([8; 16]));
    let server = coordinator(
        Dialect::ANGZARR,
        &[
            seed(cover(), small_pages(0..2)),
            seed(large, vec![page(0, vec![b'x'; MESSAGE_LIMIT + 1])]),
        ],
    );
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["roots", "--counts"]).code, 1);
    assert_eq!(project.run(&["roots", "--counts", "--json"]).code, 1);
    assert_snapshot!("roots_unreadable", project.transcript());
}

/// Neither on main nor near the beginning, and in one of several domains.
#[test]
fn a_root_of_an_edition_alone_is_found() {
    let branch = edition("branch");
    for dialect in [Dialect::ANGZARR, Dialect::IO_ANGZARR_V1] {
        let server = coordinator(dialect, &[seed(branch.clone(), small_pages(20..22))]);
        let address = server.address().to_string();
        let domains: BTreeMap<Domain, Box<dyn EventQueries>> = ["player", "table"]
            .map(|domain| {
                let connection = Connection::new(&address, ConnectionOptions::default()).unwrap();
                let queries: Box<dyn EventQueries> =
                    Box::new(QueryClient::new(connection, dialect));
                (Domain::new(domain).unwrap(), queries)
            })
            .into();
        let spec = ROOT.parse().unwrap();
        let found = find_root(&spec, &branch.edition, &domains, &[]);
        assert_eq!(found, Ok((player(), branch.root)), "{dialect}");
        let on_main = find_root(&spec, &Edition::Main, &domains, &[]);
        assert!(
            matches!(on_main, Err(CaptureError::UnknownRoot { .. })),
            "{dialect}: {on_main:?}"
        );
    }
}

#[test]
fn an_empty_history_is_no_case() {
    let mut project = Project::new("");
    assert_eq!(
        project
            .run(&[
                "capture",
                "player/22222222-2222-2222-2222-222222222222",
                "--history"
            ])
            .code,
        1
    );
    assert_snapshot!("empty_history", project.transcript());
}
