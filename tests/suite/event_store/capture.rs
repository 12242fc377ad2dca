//! The commands of a user whose source is a store.

use angzarr_replay::internal::model::Page;
use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::wire::encode_page;
use rusqlite::Connection;

use super::{DOMAINS, SNAPPY, Stores};

const PROTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/poker/proto");

/// All stores, one per domain, as the source of a project.
fn project() -> Stores {
    let stores = Stores::of(&DOMAINS);
    let domains = DOMAINS.map(|domain| format!("\"{domain}\"")).join(", ");
    stores.configure(&format!(
        "descriptors = [\"{PROTOS}\"]\n[sources.production]\nstore = \"sqlite:{{domain}}.sqlite\"\ndomains = [{domains}]\n"
    ));
    stores
}

fn capture(stores: &Stores, words: &[&str]) -> String {
    let words = [&["capture", "--unredacted"], words].concat();
    let (code, out, err) = stores.run(&words);
    assert_eq!(code, Some(0), "{out}{err}");
    out
}

#[test]
fn a_history_is_captured_with_its_snapshot_and_the_very_bytes() {
    let stores = project();
    let out = capture(&stores, &[&format!("snappy/{SNAPPY}")]);
    insta::assert_snapshot!("capture_of_a_store", out);
    let folder = stores.folder.path();
    let file = out.lines().find_map(|line| line.strip_prefix("written "));
    let file = file.unwrap().split(' ').next().unwrap();
    let project = Project::open(angzarr_replay::App::new(), folder).unwrap();
    let case = project.folder().read(&folder.join(file)).unwrap().case;
    assert!(case.source.from_store);
    assert_eq!(case.snapshot.map(|it| it.sequence), Some(9));
    let rows = Connection::open(stores.file("snappy")).unwrap();
    let mut rows = rows
        .prepare("SELECT event_data FROM events WHERE root = ?1 ORDER BY sequence")
        .unwrap();
    let rows = rows.query_map([SNAPPY], |row| row.get(0)).unwrap();
    let rows: Vec<Vec<u8>> = rows.map(Result::unwrap).collect();
    let bytes = |page: &Page| encode_page(page).to_vec();
    let pages: Vec<Vec<u8>> = case.history.pages().iter().map(bytes).collect();
    assert_eq!(pages, rows);
}

#[test]
fn a_time_and_a_sequence_choose_the_snapshot_of_that_moment() {
    let stores = project();
    let root = format!("snappy/{SNAPPY}");
    let line = |words: &[&str], key: &str| {
        let words = [&[root.as_str(), "--history", "--dry-run"], words].concat();
        let out = capture(&stores, &words);
        let line = out.lines().find(|line| line.trim_start().starts_with(key));
        line.unwrap_or_default().trim().to_owned()
    };
    let early = ["--as-of", "2026-11-29T01:03:52.28Z"];
    assert!(line(&early, "history").contains("sequence 0 to 5"));
    assert_eq!(
        line(&early, "snapshot"),
        "snapshot     stored after sequence 4"
    );
    assert_eq!(
        line(&["--to-sequence", "3"], "snapshot"),
        "snapshot     none stored before the head"
    );
}

#[test]
fn aggregates_are_counted_without_reading_their_events() {
    let stores = project();
    let (code, out, err) = stores.run(&["roots", "--domain", "table"]);
    assert_eq!(code, Some(0), "{err}");
    insta::assert_snapshot!("roots_of_a_store", out);
}

#[test]
fn one_store_for_all_domains_names_them_itself() {
    let stores = Stores::of(&["table"]);
    stores.change(
        "table",
        "UPDATE events SET domain = 'hand' WHERE root LIKE '99fb6ec6%'",
    );
    stores.configure("[sources.production]\nstore = \"sqlite:table.sqlite\"\n");
    let (code, out, err) = stores.run(&["roots"]);
    assert_eq!(code, Some(0), "{err}");
    let of = |domain: &str| out.lines().filter(|line| line.starts_with(domain)).count();
    assert_eq!((of("hand "), of("table ")), (1, 8), "{out}");
    // The first digits are enough, whatever the domain.
    let captured = capture(&stores, &["99fb6ec6", "--history", "--dry-run"]);
    assert!(captured.starts_with("hand 99fb6ec6"), "{captured}");
}

#[test]
fn a_workflow_begins_with_the_event_that_was_inserted_first() {
    let stores = project();
    let id = "21bade02-6a6a-4768-b2ed-66ffdcc99396";
    let out = capture(&stores, &["--correlation", id, "--dry-run"]);
    let (report, _) = out.split_once("\n\n").unwrap();
    insta::assert_snapshot!("workflow_of_a_store", report);
}

#[test]
fn a_coordinator_beside_the_store_tells_the_dialect() {
    let stores = Stores::of(&["snappy"]);
    let dialect = "io.angzarr.v1-2026-09".parse().unwrap();
    let server = test_support::coordinators::coordinator(dialect, &[]);
    let address = server.address().to_string();
    stores.configure(&format!(
        "[sources.production]\naddress = \"{address}\"\ndomains = [\"snappy\"]\nstore = \"sqlite:snappy.sqlite\"\n"
    ));
    let words = [&format!("snappy/{SNAPPY}"), "--history", "--dry-run"];
    let out = capture(&stores, &words).replace(&address, "COORDINATOR");
    let lines = out.lines().skip(1).take(3).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(lines);
    assert!(out.contains("  dialect: io.angzarr.v1\n"), "{out}");
}

#[test]
fn what_caused_an_event_is_told() {
    let stores = project();
    stores.change(
        "snappy",
        "UPDATE events SET source_domain = 'table', source_root = 'edef604b-a372-48d6-80fb-9eb660982118',
         source_seq = 3, source_edition = 'angzarr' WHERE sequence > 7",
    );
    let words = [&format!("snappy/{SNAPPY}"), "--history", "--dry-run"];
    let out = capture(&stores, &words);
    let causes = out.lines().skip_while(|line| !line.contains("caused by"));
    let causes: Vec<&str> = causes.take(4).collect();
    insta::assert_snapshot!(causes.join("\n"));
}

#[test]
fn doctor_says_what_it_reads_and_what_it_cannot() {
    let stores = project();
    let line = || {
        let (_, out, _) = stores.run(&["doctor"]);
        let line = out.lines().find(|line| line.contains("source production"));
        // The widths of the columns are of no concern here.
        let words: Vec<&str> = line.unwrap().split_whitespace().collect();
        words.join(" ")
    };
    insta::assert_snapshot!(line());
    std::fs::remove_file(stores.file("hand")).unwrap();
    let wrong = line();
    assert!(
        wrong.starts_with("wrong source production") && wrong.contains("there is no such file"),
        "{wrong}"
    );
}

#[test]
fn locations_that_make_no_sense_are_refused_and_a_password_is_never_shown() {
    let stores = Stores::of(&[]);
    let mut messages = Vec::new();
    for keys in [
        "store = \"mysql://root:hunter2@host/db\"",
        "store = \"sqlite:\"",
        "store = \"postgres://replay:hunter2@host/db\"",
        "store = \"postgres://host/db?user=replay&password=hunter2\"",
        "stores = { player = \"postgresql://replay:hunter2@host/db\" }",
        "store = \"postgres://replay@host/db\"\nstore_password = \"hunter2\"",
        "store = \"sqlite:x.sqlite\"\nstore_password = { environment = \"HUNTER2\" }",
        "dialect = \"angzarr\"",
        "store = \"sqlite:x.sqlite\"\nstore_connect = [\"forward\"]",
        "store = \"postgres://replay@127.0.0.1:{port}/db\"",
        "store = \"postgres://replay@127.0.0.1:5432/db\"\nstore_connect = []",
        "store = \"postgres://replay@127.0.0.1:5432/db\"\nstore_connect = [\"forward\", \"{port}\"]",
        "store = \"postgres://replay@127.0.0.1:{port}/db\"\nstore_connect = [\"forward\", \"{domain}\", \"{port}\"]",
    ] {
        stores.configure(&format!("[sources.production]\n{keys}\n"));
        let (code, out, err) = stores.run(&["roots"]);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{keys}: {err}");
        assert!(!err.contains("hunter2"), "{err}");
        let err = err.replace(&format!("{}/", stores.folder.path().display()), "");
        messages.push(err.replace("/private", ""));
    }
    insta::assert_snapshot!("refused_locations", messages.concat());
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_program_without_postgres_says_so() {
    let stores = Stores::of(&[]);
    stores.configure(
        "[sources.production]\nstore = \"postgres://replay@host/db?sslmode=disable\"\ndomains = [\"player\"]\n",
    );
    let (code, _, err) = stores.run(&["roots"]);
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err);
}
