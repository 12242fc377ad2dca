//! What is read from Postgres, and that nothing is written.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use angzarr_replay::internal::capture::{EventQueries, Fetched, RootPart, UpTo, fetch_history};
use angzarr_replay::internal::event_store::{
    DomainStore, EventStore, HELD_BYTES, StoreAccess, StoreError, StoreLocation,
};
use angzarr_replay::internal::grpc::Secret;
use angzarr_replay::internal::model::{Cover, Edition};
use angzarr_replay::internal::wire::{Dialect, encode_page};
use postgres::Client;
use tempfile::TempDir;
use test_support::stores::{DOMAINS, SNAPPY, unpacked};

use crate::cluster::{Cluster, Layout, PASSWORD};

/// Copies the stores of domains into a database.
pub(crate) fn fill(client: &mut Client, layout: Layout, domains: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for domain in domains {
        let store = rusqlite::Connection::open(unpacked(folder.path(), domain)).unwrap();
        for (table, data) in [("events", "event_data"), ("snapshots", "state_data")] {
            let correlated = if table == "events" {
                "correlation_id"
            } else {
                "''"
            };
            let mut rows = store
                .prepare(&format!(
                    "SELECT domain, edition, root, sequence, created_at, {data}, {correlated} FROM {table}"
                ))
                .unwrap();
            let mut rows = rows.query([]).unwrap();
            let columns = if table == "events" {
                ", correlation_id"
            } else {
                ""
            };
            let seventh = if table == "events" { ", $7" } else { "" };
            let insert = format!(
                "INSERT INTO {table} (domain, edition, root, sequence, created_at, {data}{columns})
                 VALUES ($1, $2, $3, $4, $5, $6{seventh})"
            );
            let mut transaction = client.transaction().unwrap();
            let insert = transaction.prepare(&insert).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let text = |column: usize| row.get::<_, String>(column).unwrap();
                let edition = Some(text(1));
                let edition = edition.filter(|it| layout == Layout::April || it != "angzarr");
                let (domain, root, time, id) = (text(0), text(2), text(4), text(6));
                let sequence: i32 = row.get(3).unwrap();
                let bytes: Vec<u8> = row.get(5).unwrap();
                let mut values: Vec<&(dyn postgres::types::ToSql + Sync)> =
                    vec![&domain, &edition, &root, &sequence, &time, &bytes];
                if table == "events" {
                    values.push(&id);
                }
                transaction.execute(&insert, &values).unwrap();
            }
            transaction.commit().unwrap();
        }
    }
}

pub(crate) fn access(password: &str) -> StoreAccess {
    StoreAccess {
        password: Some(Secret::new(password.to_owned())),
        tls: None,
        deadline: Duration::from_secs(20),
        policy: std::sync::Arc::default(),
        retries: 0,
        held_bytes: HELD_BYTES,
        tunnel: None,
    }
}

pub(crate) fn open(location: &str, access: &StoreAccess) -> Result<EventStore, StoreError> {
    EventStore::open(
        &StoreLocation::parse(location, Path::new("/")).unwrap(),
        access,
    )
}

fn queries(location: &str) -> DomainStore {
    let store = open(location, &access(PASSWORD)).unwrap();
    DomainStore::new(store.into(), Dialect::ANGZARR, "as configured".into())
}

pub(crate) fn fetch(queries: &dyn EventQueries, cover: &Cover) -> Fetched {
    fetch_history(queries, cover, UpTo::Head, &mut |_| {}).unwrap()
}

pub(crate) fn both_layouts_give_the_pages_of_the_files_byte_for_byte(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    for (name, layout) in [("april", Layout::April), ("may", Layout::May)] {
        let mut owner = cluster.database(name, layout);
        fill(&mut owner, layout, &DOMAINS);
        let location = cluster.location(name);
        let store = open(&location, &access(PASSWORD)).unwrap();
        let domains = store.domains().unwrap();
        let domains: Vec<&str> = domains
            .iter()
            .map(angzarr_replay::internal::model::Domain::as_str)
            .collect();
        assert_eq!(domains, DOMAINS, "{name}");
        let dialect = match layout {
            Layout::April => "angzarr",
            Layout::May => "angzarr_client.proto.angzarr.v1",
        };
        assert_eq!(store.layout().dialect().name(), dialect);
        let here = queries(&location);
        let mut pages = 0;
        for domain in DOMAINS {
            let file = format!("sqlite:{}", unpacked(folder.path(), domain).display());
            let there = queries(&file);
            let roots = there.aggregate_roots().unwrap();
            let of_domain = here.aggregate_roots().unwrap().into_iter();
            let of_domain: Vec<_> = of_domain.filter(|(it, _)| it.as_str() == domain).collect();
            assert_eq!(of_domain, roots);
            for (domain, root) in roots {
                let main = Cover::main(domain, root);
                let branch = Cover {
                    edition: Edition::from_name("branch").unwrap(),
                    ..main.clone()
                };
                for cover in [main, branch] {
                    let (here, there) = (fetch(&here, &cover), fetch(&there, &cover));
                    pages += here.history.pages().len();
                    let stored = |fetched: &Fetched| {
                        let pages = fetched.history.pages().iter();
                        pages.map(encode_page).collect::<Vec<_>>()
                    };
                    assert_eq!(stored(&here), stored(&there), "{name} {cover:?}");
                    assert_eq!(
                        (here.snapshots, here.notes, here.edition),
                        (there.snapshots, there.notes, there.edition)
                    );
                }
            }
            let asked = domain.parse().unwrap();
            let summaries = |queries: &DomainStore| {
                let (store, mut all) = (queries.store().unwrap(), Vec::new());
                let every = RootPart::Prefix(String::new());
                store
                    .each_summary(&asked, &every, &mut |summary| all.push(summary))
                    .unwrap();
                all
            };
            assert_eq!(summaries(&here), summaries(&there));
        }
        assert_eq!(pages, 2 * 4_853);
        let id = "21bade02-6a6a-4768-b2ed-66ffdcc99396";
        let workflow = here.workflow(&"player".parse().unwrap(), id).unwrap();
        assert_eq!(workflow.len(), 3);
    }
}

/// A project whose source is a database.
pub(crate) struct Project {
    pub(crate) folder: TempDir,
}

impl Project {
    pub(crate) fn of(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/poker/proto");
        let text = format!(
            "source = \"production\"\ndescriptors = [\"{}\"]\n[sources.production]\n{source}\n",
            protos.display()
        );
        std::fs::write(folder.path().join("replay.toml"), text).unwrap();
        Self { folder }
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(words).current_dir(self.folder.path());
        command.env("STORE_PASSWORD", PASSWORD).env_remove("CI");
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(words).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

/// Rows that were ever inserted, updated or deleted, when no session of ours is left.
pub(crate) fn writes(owner: &mut Client) -> Vec<(String, i64)> {
    loop {
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'angzarr-replay' AND datname = current_database()";
        let left: i64 = owner.query_one(sessions, &[]).unwrap().get(0);
        if left == 0 {
            break;
        }
        std::thread::yield_now();
    }
    let statistics = "SELECT CAST(relname AS TEXT), n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables ORDER BY 1";
    owner
        .batch_execute("SELECT pg_stat_force_next_flush(); SELECT pg_stat_clear_snapshot();")
        .unwrap();
    let rows = owner.query(statistics, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

pub(crate) fn a_role_that_may_only_select_captures_and_nothing_is_written(cluster: &Cluster) {
    let mut owner = cluster.database("capturing", Layout::April);
    fill(
        &mut owner,
        Layout::April,
        &["snappy", "table", "player", "pmg-buy-in"],
    );
    let before = writes(&mut owner);
    let location = cluster.location("capturing");
    let project = Project::of(&format!(
        "store = \"{location}\"\nstore_password = {{ command = [\"printenv\", \"STORE_PASSWORD\"] }}"
    ));
    let snappy = format!("snappy/{SNAPPY}");
    let mut said = String::new();
    for words in [
        &["doctor"][..],
        &["roots"],
        &["capture", "--unredacted", &snappy],
        &[
            "capture",
            "--unredacted",
            &snappy,
            "--as-of",
            "2026-11-29T01:03:52.28Z",
        ],
        &[
            "capture",
            "--unredacted",
            "--correlation",
            "21bade02-6a6a-4768-b2ed-66ffdcc99396",
        ],
    ] {
        let (code, out, err) = project.run(words);
        // `doctor` finds that there is no logic for it to check.
        assert_eq!(code, Some(0), "{words:?}: {out}{err}");
        said += &(out + &err);
    }
    let port = cluster.port;
    let read = format!(
        "read         events, snapshots and insert times from postgres://replay@127.0.0.1:{port}/capturing; dialect angzarr"
    );
    for expected in [
        "answers for player (angzarr), pmg-buy-in (angzarr), snappy (angzarr), table (angzarr)",
        &read,
        "snapshot     stored after sequence 9",
        "snapshot     stored after sequence 4",
        "written fixtures/flow/",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // The password is in no output and no file.
    assert!(!said.contains(PASSWORD), "{said}");
    let files = std::fs::read_dir(project.folder.path().join("fixtures/snappy")).unwrap();
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(PASSWORD) && !text.contains("postgres:"));
    }
    // By the database's own statistics, which do count: the tables were filled.
    assert!(
        before
            .iter()
            .any(|(table, count)| table == "events" && *count > 3_000),
        "{before:?}"
    );
    assert_eq!(writes(&mut owner), before);
    owner
        .batch_execute("UPDATE events SET external_id = 'x' WHERE sequence = 77")
        .unwrap();
    assert_ne!(writes(&mut owner), before);
}

pub(crate) fn a_later_command_sees_what_was_stored_meanwhile(cluster: &Cluster) {
    let mut owner = cluster.database("growing", Layout::April);
    fill(&mut owner, Layout::April, &["snappy"]);
    let location = cluster.location("growing");
    let cover = Cover::main("snappy".parse().unwrap(), SNAPPY.parse().unwrap());
    let count = |queries: &DomainStore| fetch(queries, &cover).history.pages().len();
    let first = queries(&location);
    assert_eq!(count(&first), 13);
    owner
        .batch_execute("DELETE FROM events WHERE sequence = 12")
        .unwrap();
    // One command reads one state of the store.
    assert_eq!(count(&first), 13);
    assert_eq!(count(&queries(&location)), 12);
}
