//! An event store as a source: the files of a real deployment, read without a coordinator.

mod capture;
mod failures;
mod finding;
mod pages;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::event_store::{
    DomainStore, EventStore, HELD_BYTES, StoreAccess, StoreError, StoreLocation,
};
use angzarr_replay::internal::wire::Dialect;
use rusqlite::Connection;
use tempfile::TempDir;
use test_support::stores::{DOMAINS, SNAPPY, unpacked};

/// A folder with stores.
struct Stores {
    folder: TempDir,
}

impl Stores {
    fn of(domains: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for domain in domains {
            let _ = unpacked(folder.path(), domain);
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, domain: &str) -> PathBuf {
        self.path(&format!("{domain}.sqlite"))
    }

    /// Changes a store, as production would.
    fn change(&self, domain: &str, statements: &str) {
        let connection = Connection::open(self.file(domain)).unwrap();
        connection.execute_batch(statements).unwrap();
    }

    /// Gives a store the layout of May 2026, in which the main timeline is NULL.
    fn to_may(&self, domain: &str) {
        self.change(
            domain,
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'edition TEXT NOT NULL', 'edition TEXT') WHERE name IN ('events', 'snapshots');
             PRAGMA writable_schema = OFF;",
        );
        self.change(
            domain,
            "UPDATE events SET edition = NULL WHERE edition = 'angzarr';
             UPDATE snapshots SET edition = NULL WHERE edition = 'angzarr';",
        );
    }

    /// Names and contents of all files.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect()
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.path("replay.toml"), text).unwrap();
    }

    /// Runs the program in the folder.
    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_angzarr-replay"));
        command.args(words).current_dir(self.folder.path());
        for name in ["CI", "GITHUB_ACTIONS", "INSTA_UPDATE", "INSTA_FORCE_PASS"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

fn access() -> StoreAccess {
    StoreAccess {
        password: None,
        tls: None,
        // A store that another process has locked is an error at once.
        deadline: Duration::ZERO,
        policy: Arc::default(),
        retries: 0,
        held_bytes: HELD_BYTES,
        tunnel: None,
    }
}

fn location(file: &Path) -> StoreLocation {
    let (folder, name) = (file.parent().unwrap(), file.file_name().unwrap());
    StoreLocation::parse(&format!("sqlite:{}", name.display()), folder).unwrap()
}

fn open(file: &Path) -> Result<EventStore, StoreError> {
    EventStore::open(&location(file), &access())
}

fn queries(file: &Path) -> DomainStore {
    let store = open(file).unwrap();
    DomainStore::new(Arc::new(store), Dialect::ANGZARR, "as configured".into())
}
