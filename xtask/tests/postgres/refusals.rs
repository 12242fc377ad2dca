//! What a database refuses, as one message each, and what it is kept from.

use std::time::Duration;

use angzarr_replay::internal::capture::EventQueries;
use angzarr_replay::internal::event_store::DomainStore;
use angzarr_replay::internal::grpc::{PemFile, Selection, Tls, TlsOptions};
use angzarr_replay::internal::model::Cover;
use angzarr_replay::internal::wire::Dialect;

use crate::cluster::{Cluster, Layout, PASSWORD};
use crate::reading::{Project, access, fill, open};

fn snappy() -> Cover {
    let root = "78b18107-1a61-4bd0-a2a7-7a78d6d66e3a";
    Cover::main("snappy".parse().unwrap(), root.parse().unwrap())
}

pub(crate) fn a_role_that_may_write_is_kept_from_it_by_the_server(cluster: &Cluster) {
    let mut owner = cluster.database("writing", Layout::April);
    fill(&mut owner, Layout::April, &["snappy"]);
    // Whoever reads this view writes, if the server lets them.
    owner
        .batch_execute(
            "CREATE TABLE written (at TEXT);
             CREATE FUNCTION write() RETURNS TEXT LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO written VALUES ('now'); RETURN 'snappy'; END $$;
             ALTER TABLE events RENAME TO real_events;
             CREATE VIEW events AS SELECT write() AS domain, edition, root, sequence, created_at, event_data, correlation_id
                 FROM real_events;",
        )
        .unwrap();
    let store = open(&cluster.owners_location("writing"), &access(PASSWORD)).unwrap();
    let queries = DomainStore::new(store.into(), Dialect::ANGZARR, String::new());
    let read = queries.event_book(&snappy(), Selection::Whole);
    let message = read.unwrap_err().to_string();
    assert!(
        message.ends_with("cannot execute INSERT in a read-only transaction"),
        "{message}"
    );
    drop(queries);
    let written: i64 = owner
        .query_one("SELECT count(*) FROM written", &[])
        .unwrap()
        .get(0);
    assert_eq!(written, 0);
    // Without the view's owner being kept from it, reading it does write.
    owner
        .query("SELECT domain FROM events LIMIT 1", &[])
        .unwrap();
    let written: i64 = owner
        .query_one("SELECT count(*) FROM written", &[])
        .unwrap()
        .get(0);
    assert!(written > 0);
}

pub(crate) fn what_the_server_refuses_is_one_message(cluster: &Cluster) {
    let mut owner = cluster.database("refusing", Layout::April);
    let location = cluster.location("refusing");
    let mut messages = Vec::new();
    let mut refuse = |location: &str, password: &str| {
        let error = open(location, &access(password)).err();
        let message = error.map_or_else(|| "nothing".to_owned(), |error| error.to_string());
        assert!(
            !message.contains(PASSWORD) && !message.contains("guess"),
            "{message}"
        );
        messages.push(message.replace(&cluster.port.to_string(), "PORT"));
    };
    refuse(&location, "guess");
    refuse(&cluster.location("nowhere"), PASSWORD);
    owner
        .batch_execute("ALTER TABLE snapshots RENAME COLUMN state_data TO state")
        .unwrap();
    refuse(&location, PASSWORD);
    owner
        .batch_execute("DROP TABLE snapshots; ALTER TABLE events RENAME TO other")
        .unwrap();
    refuse(&location, PASSWORD);
    refuse("postgres://replay@127.0.0.1:1/store", PASSWORD);
    refuse("postgres://replay@127.0.0.1:many/store", PASSWORD);
    let mut without = access(PASSWORD);
    without.password = None;
    messages.push(
        open(&location, &without)
            .err()
            .unwrap()
            .to_string()
            .replace(&cluster.port.to_string(), "PORT"),
    );
    let mut owner = cluster.database("forbidding", Layout::April);
    fill(&mut owner, Layout::April, &["snappy"]);
    owner
        .batch_execute("REVOKE SELECT ON events FROM replay")
        .unwrap();
    let project = Project::of(&format!(
        "store = \"{}\"\nstore_password = {{ environment = \"STORE_PASSWORD\" }}",
        cluster.location("forbidding")
    ));
    let (code, out, err) = project.run(&["roots"]);
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    messages.push(err.replace(&cluster.port.to_string(), "PORT"));
    insta::assert_snapshot!("refused_by_the_server", messages.join("\n"));
}

pub(crate) fn a_lock_ends_with_the_deadline(cluster: &Cluster) {
    let mut owner = cluster.database("locking", Layout::April);
    fill(&mut owner, Layout::April, &["snappy"]);
    let mut access = access(PASSWORD);
    access.deadline = Duration::from_secs(1);
    let store = open(&cluster.location("locking"), &access).unwrap();
    owner
        .batch_execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    let message = store.domains().unwrap_err().to_string();
    assert!(
        message.contains(
            "canceling statement due to statement timeout; it took longer than `deadline`"
        ),
        "{message}"
    );
}

pub(crate) fn certificates_are_checked(cluster: &Cluster) {
    let mut owner = cluster.database("encrypting", Layout::April);
    fill(&mut owner, Layout::April, &["snappy"]);
    let port = cluster.port;
    let location = format!("postgres://replay@localhost:{port}/encrypting?sslmode=require");
    let of = |ca, server_name: Option<&str>| {
        let mut access = access(PASSWORD);
        access.tls = Some(
            Tls::new(&TlsOptions {
                ca,
                server_name: server_name.map(str::to_owned),
                ..TlsOptions::default()
            })
            .unwrap(),
        );
        open(&location, &access)
    };
    let authority = || {
        Some(PemFile {
            name: "authority.pem".into(),
            content: std::fs::read(&cluster.authority).unwrap(),
        })
    };
    // The statistics of the session, while the store is open.
    let store = of(authority(), None).unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'angzarr-replay' AND datname = 'encrypting'";
    let encrypted: Option<bool> = owner.query_one(encrypted, &[]).unwrap().get(0);
    assert_eq!(encrypted, Some(true));
    assert_eq!(store.domains().unwrap().len(), 1);
    let message = of(authority(), Some("other.example"))
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("is for localhost, not for other.example"),
        "{message}"
    );
    let key = rcgen::KeyPair::generate().unwrap();
    let mut other = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let name = &mut other.distinguished_name;
    name.push(rcgen::DnType::CommonName, "another authority");
    let other = other.self_signed(&key).unwrap();
    let other = PemFile {
        name: "other.pem".into(),
        content: other.pem().into_bytes(),
    };
    let message = of(Some(other), None).err().unwrap().to_string();
    assert!(
        message.contains("its certificate is not signed by a trusted authority"),
        "{message}"
    );
}
