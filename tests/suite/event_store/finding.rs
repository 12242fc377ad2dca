//! `find` and `roots` on event stores.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{DOMAINS, Stores};

const PROTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/poker/proto");

/// A workflow across three domains: a player's event, a process manager's, and a table's.
const WORKFLOW: &str = "21bade02-6a6a-4768-b2ed-66ffdcc99396";
const PLAYER: &str = "6102dd70-63e8-440e-9dd8-904f07489671";
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// All stores, one per domain, as the source of a project.
fn project() -> Stores {
    let stores = Stores::of(&DOMAINS);
    configure(&stores, "");
    stores
}

fn configure(stores: &Stores, more: &str) {
    let domains = DOMAINS.map(|domain| format!("\"{domain}\"")).join(", ");
    stores.configure(&format!(
        "descriptors = [\"{PROTOS}\"]\n[sources.production]\nstore = \"sqlite:{{domain}}.sqlite\"\ndomains = [{domains}]\n{more}"
    ));
}

/// The output of `find`, which finds something.
fn find(stores: &Stores, words: &[&str]) -> String {
    let (code, out, err) = stores.run(&[&["find"], words].concat());
    assert_eq!(code, Some(0), "{words:?}: {out}{err}");
    out
}

fn report(stores: &Stores, words: &[&str]) -> Value {
    serde_json::from_str(&find(stores, &[words, &["--json"]].concat())).unwrap()
}

/// The command that `find` printed, which is run.
fn captures(stores: &Stores, out: &str) {
    let printed = out
        .lines()
        .find_map(|line| line.strip_prefix("capture it: angzarr-replay "));
    let words: Vec<&str> = printed
        .unwrap_or_else(|| panic!("{out}"))
        .split(' ')
        .collect();
    let words = [&words[..], &["--dry-run"]].concat();
    let (code, out, err) = stores.run(&words);
    assert_eq!(code, Some(0), "{words:?}: {out}{err}");
}

#[test]
fn every_id_is_looked_up_in_the_stores() {
    let stores = project();
    let external = format!("bi-{WORKFLOW}");
    let mut said = String::new();
    for words in [
        &[PLAYER][..],
        &["6102dd"],
        &["player/6102"],
        &[WORKFLOW],
        &[&external],
        &["branch"],
    ] {
        let out = find(&stores, words);
        captures(&stores, &out);
        let _ = writeln!(said, "$ find {}\n{out}", words.join(" "));
    }
    insta::assert_snapshot!("found_in_stores", said);
}

#[test]
fn a_field_is_searched_for_in_every_event_of_its_type() {
    let stores = project();
    let clue = "FundsDeposited.amount.amount=987654321";
    let (code, out, _) = stores.run(&["find", "--where", clue]);
    assert_eq!(code, Some(1), "{out}");
    assert!(
        out.contains("every examples.FundsDeposited of player"),
        "{out}"
    );
    let out = find(
        &stores,
        &[
            "--where",
            "FundsDeposited.amount.amount=1234",
            "--domain",
            "player",
        ],
    );
    captures(&stores, &out);
    insta::assert_snapshot!("found_by_field", out);
}

#[test]
fn what_caused_an_event_stands_above_it() {
    let stores = project();
    let caused_by = |domain: &str, (source, root, sequence): (&str, &str, u32)| {
        stores.change(
            domain,
            &format!(
                "UPDATE events SET source_domain = '{source}', source_root = '{root}', source_seq = {sequence}
                 WHERE correlation_id = '{WORKFLOW}'"
            ),
        );
    };
    caused_by("pmg-buy-in", ("player", PLAYER, 3));
    caused_by("table", ("pmg-buy-in", NIL, 0));
    let found = report(&stores, &[WORKFLOW]);
    let occurrences = found["occurrences"].as_array().unwrap();
    let of = |tree: &Value| {
        let index = usize::try_from(tree["occurrence"].as_u64().unwrap()).unwrap();
        occurrences[index]["domain"].clone()
    };
    let trees = found["workflows"][0]["trees"].as_array().unwrap();
    assert_eq!(trees.len(), 1, "{found}");
    let player = &trees[0];
    let manager = &player["caused"][0];
    let table = &manager["caused"][0];
    assert_eq!(
        [of(player), of(manager), of(table)],
        ["player", "pmg-buy-in", "table"].map(Value::from)
    );
    let words = find(&stores, &[WORKFLOW]);
    assert!(
        words.contains("caused by pmg-buy-in/00000000 event 0"),
        "{words}"
    );
    // What makes no sense is cut where it begins: each of the two claims to be caused by the other.
    caused_by(
        "pmg-buy-in",
        ("table", "c35d7d3b-92e4-416e-a7e4-7ffc284a2d4f", 5),
    );
    let found = report(&stores, &[WORKFLOW]);
    let trees = found["workflows"][0]["trees"].as_array().unwrap();
    assert_eq!(trees.len(), 2, "{found}");
}

#[test]
fn a_store_that_cannot_be_read_does_not_hide_the_others() {
    let stores = project();
    std::fs::write(stores.file("hand"), "no database").unwrap();
    stores.change(
        "table",
        "UPDATE events SET event_data = x'ff' WHERE correlation_id <> ''",
    );
    let found = report(&stores, &[WORKFLOW]);
    assert_eq!(found["matching"], 2, "{found}");
    insta::assert_snapshot!(
        "not_looked_at_in_stores",
        serde_json::to_string_pretty(&json!([found["looked_at"], found["not_looked_at"]])).unwrap()
    );
}

#[test]
fn a_search_that_a_bound_ends_says_where() {
    let stores = project();
    let nothing = [
        "find",
        "--where",
        "FundsDeposited.amount.amount=987654321",
        "--domain",
        "player",
    ];
    for (queries, stops) in [(30, false), (3, true)] {
        configure(&stores, &format!("max_queries = {queries}\n"));
        let (code, out, _) = stores.run(&nothing);
        assert_eq!(code, Some(1), "{out}");
        assert_eq!(
            out.contains("the bound `max_queries = 3` of its source is reached"),
            stops,
            "{out}"
        );
        assert_eq!(out.contains("(player), events of player: "), stops, "{out}");
    }
}

#[test]
fn a_shared_store_is_asked_once_for_all_its_domains() {
    let stores = Stores::of(&["table"]);
    stores.change(
        "table",
        "UPDATE events SET domain = 'hand' WHERE root LIKE '99fb6ec6%'",
    );
    stores.configure("[sources.production]\nstore = \"sqlite:table.sqlite\"\n");
    let found = report(&stores, &["99fb6ec6"]);
    assert_eq!(
        found["looked_at"],
        json!(["the event store sqlite:table.sqlite (hand, table)"])
    );
    assert_eq!(found["occurrences"][0]["domain"], "hand");
    let listed = |words: &[&str]| {
        let (code, out, err) = stores.run(&[&["roots"], words].concat());
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let (all, counted) = (listed(&[]), listed(&["--counts"]));
    let rows = |out: &str| out.lines().filter(|line| line.contains('-')).count();
    assert_eq!(rows(&all), rows(&counted));
    assert!(
        all.contains("`find EDITION` lists") && !all.contains("a coordinator"),
        "{all}"
    );
    assert_eq!(rows(&listed(&["hand/"])), 1);
    assert_eq!(rows(&listed(&["hand/99fb"])), 1);
    assert_eq!(rows(&listed(&["table/99fb"])), 0);
}

#[test]
fn an_edition_is_searched_like_the_main_timeline() {
    let stores = project();
    let editions = |words: &[&str]| {
        let report = report(&stores, words);
        let occurrences = report["occurrences"].as_array().unwrap().iter();
        let branched = "6ad546e6-99e2-47bf-bb73-86b6b64902e5";
        let found = occurrences.filter(|it| it["root"] == branched);
        found
            .map(|it| (it["edition"].clone(), it["sequences"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        editions(&["6ad546e6"]),
        [
            (json!("main"), json!([0, 3])),
            (json!("branch"), json!([2, 3]))
        ]
    );
    // Only the branch has this one.
    assert_eq!(
        editions(&["--where", "FundsWithdrawn.amount.amount=15"]),
        [(json!("branch"), json!([3, 3]))]
    );
}
