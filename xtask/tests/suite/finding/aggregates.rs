//! Lists of aggregates, and one that is shown.

use angzarr_replay::internal::wire::Dialect;
use insta::assert_snapshot;

use crate::bad_input::editions::edition;
use crate::production::gate::Gate;
use crate::production::read_only::demo;
use crate::support::{ALICE, Project, ROOT, coordinator, cover, seed, small_pages};

const KEY: &str = "the key of these tests, long enough";

#[test]
fn an_aggregate_is_shown_with_its_state_and_nothing_is_written() {
    let mut project = Project::new("[logic.player]\nin_process = \"player\"\n");
    for arguments in [
        &["show", "player/6513"][..],
        &["show", ALICE, "--at", "0", "--all"],
        &["show", ALICE, "--at", "1", "--json"],
        &["show", "table/36f675cc", "--at", "2"],
    ] {
        assert_eq!(project.run(arguments).code, 0, "{arguments:?}");
    }
    assert_eq!(project.run(&["show", ALICE, "--at", "9"]).code, 1);
    let unknown = "player/00000000-0000-0000-0000-000000000000";
    assert_eq!(project.run(&["show", unknown]).code, 1);
    assert_eq!(
        project.run(&["show", "player/d", "--domain", "table"]).code,
        2
    );
    assert_snapshot!("shown", project.transcript());
}

#[test]
fn a_long_history_is_shortened_in_the_middle() {
    let branch = edition("branch");
    let books = [
        seed(cover(), small_pages(0..40)),
        seed(branch, small_pages([40])),
    ];
    let server = coordinator(Dialect::ANGZARR, &books);
    let mut project = Project::of_source(server.address(), "");
    assert_eq!(project.run(&["show", ROOT]).code, 0);
    let ran = project.run(&["show", ROOT, "--edition", "branch", "--at", "3"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_snapshot!("shortened", project.transcript());
    let all = project.run(&["show", ROOT, "--all"]);
    assert_eq!(all.out.matches("Added").count(), 40, "{}", all.out);
}

#[test]
fn what_is_shown_is_redacted_as_a_capture_would_be() {
    let server = demo();
    let rules = format!(
        "source = \"production\"\n[sources.production]\naddress = \"{}\"\ndomains = [\"player\"]\n\
         [logic.player]\nin_process = \"player\"\n\
         [redaction]\nkey_env = \"REDACTION_KEY\"\n[[redaction.rules]]\ntype = \"examples.*\"\n\
         field = \"email\"\naction = \"pseudonym\"\nreason = \"personal data\"\n",
        server.address()
    );
    let mut project = Project::new(&rules);
    // Without the key nothing may be shown.
    assert_eq!(project.run(&["show", ALICE]).code, 2);
    let key = [("REDACTION_KEY", KEY)];
    for more in [&[][..], &["--json"]] {
        let arguments = [&["show", ALICE], more].concat();
        let ran = project.run_as(&arguments, "", &key);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.out.contains("Alice") && !ran.out.contains("alice@"),
            "{}",
            ran.out
        );
        assert!(
            ran.out.contains("email of examples.PlayerRegistered"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn aggregates_are_listed_by_domain_and_by_first_digits() {
    let mut project = Project::new("");
    for arguments in [
        &["roots"][..],
        &["roots", "player/"],
        &["roots", "player/65", "--counts"],
        &["roots", "9531"],
        &["roots", "ffff"],
        &["roots", "table/", "--counts", "--json"],
        &["roots", "table/36f6", "--json"],
    ] {
        assert_eq!(project.run(arguments).code, 0, "{arguments:?}");
    }
    assert_snapshot!("listed", project.transcript());
}

/// A list asks for no history; the source's dialect is asked for either way.
#[test]
fn no_history_is_read_for_a_list() {
    let server = demo();
    let gate = Gate::open(server.address());
    let mut project = Project::of_source(gate.address, "");
    let mut histories = |arguments: &[&str]| {
        let before = gate.seen().len();
        assert_eq!(project.run(arguments).code, 0);
        let seen = gate.seen();
        let asked = seen[before..].iter().map(|seen| seen.path.as_str());
        asked.filter(|path| path.ends_with("GetEventBook")).count()
    };
    let listed = histories(&["roots"]);
    let counted = histories(&["roots", "--counts"]);
    assert_eq!(counted, listed + 3, "one for each player");
}

#[test]
fn a_coordinator_of_several_domains_lists_them_once() {
    let server = demo();
    let gate = Gate::open(server.address());
    let mut project = Project::new(&format!(
        "source = \"production\"\n[sources.production]\naddress = \"{}\"\n\
         domains = [\"player\", \"hand\", \"table\"]\n",
        gate.address
    ));
    for more in [&[][..], &["--counts"]] {
        let before = gate.seen().len();
        let ran = project.run(&[&["roots"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let has_rows = |domain| ran.out.contains(&format!("\n{domain}  "));
        assert!(
            ["hand", "player", "table"].iter().all(has_rows),
            "{}",
            ran.out
        );
        let seen = gate.seen();
        let asked = seen[before..].iter();
        let lists = asked.filter(|seen| seen.path.ends_with("GetAggregateRoots"));
        assert_eq!(lists.count(), 1);
    }
}
