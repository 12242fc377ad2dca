//! A database server of the tests' own.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

/// The database superuser, who needs no password on the socket.
pub(crate) const OWNER: &str = "owner";
/// Password of the role `replay`.
pub(crate) const PASSWORD: &str = "open-sesame-4711";

/// `nobody`, as whom the server runs if root runs the tests: it refuses to run as root.
const NOBODY: u32 = 65_534;

/// The tables of core 0.5.1 and of May 2026 differ in how the main timeline is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    April,
    May,
}

/// A running server.
pub(crate) struct Cluster {
    server: Child,
    folder: TempDir,
    pub(crate) port: u16,
    /// The authority that the server's certificate is of, in PEM.
    pub(crate) authority: PathBuf,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        own(folder.path());
        let initdb = as_nobody(&mut Command::new(programs().join("initdb")))
            .args([
                "--username",
                OWNER,
                "--auth",
                "trust",
                "--no-sync",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
            ])
            .arg("--pgdata")
            .arg(&data)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(initdb.status.success(), "{initdb:?}");
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, certificate.pem()).unwrap();
        for (name, text) in [
            ("server.crt", certificate.pem()),
            ("server.key", key.serialize_pem()),
            (
                "pg_hba.conf",
                "local all all trust\nhostssl all replay all scram-sha-256\nhostnossl all replay all scram-sha-256\n".to_owned(),
            ),
        ] {
            let file = data.join(name);
            std::fs::write(&file, text).unwrap();
            restrict(&file);
            own(&file);
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Command::new(programs().join("postgres"));
        as_nobody(&mut server)
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F"])
            .args(["-c", "ssl=on", "-c", "password_encryption=scram-sha-256"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut cluster = Self {
            server: server.spawn().unwrap(),
            folder,
            port,
            authority,
        };
        cluster.wait_until_it_answers();
        cluster
            .owner("postgres")
            .batch_execute(&format!("CREATE ROLE replay LOGIN PASSWORD '{PASSWORD}'"))
            .unwrap();
        cluster
    }

    fn wait_until_it_answers(&mut self) {
        while self.connect("postgres").is_err() {
            if let Some(status) = self.server.try_wait().unwrap() {
                let mut said = String::new();
                let mut stderr = self.server.stderr.take().unwrap();
                stderr.read_to_string(&mut said).unwrap();
                panic!("the database server ended with {status}: {said}");
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        // Its later messages would fill the pipe.
        let stderr = self.server.stderr.take();
        std::thread::spawn(move || std::io::copy(&mut stderr.unwrap(), &mut std::io::sink()));
    }

    fn connect(&self, database: &str) -> Result<Client, postgres::Error> {
        let folder = self.folder.path().display();
        let port = self.port;
        let to = format!("host={folder} port={port} user={OWNER} dbname={database}");
        Client::connect(&to, NoTls)
    }

    /// A connection of the owner.
    pub(crate) fn owner(&self, database: &str) -> Client {
        self.connect(database).unwrap()
    }

    /// The location of a database for the role `replay`, as it is written in `store`.
    pub(crate) fn location(&self, database: &str) -> String {
        let port = self.port;
        format!("postgres://replay@127.0.0.1:{port}/{database}")
    }

    /// The location of a database for the owner, through the socket.
    pub(crate) fn owners_location(&self, database: &str) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        let port = self.port;
        format!("postgres://{OWNER}@{folder}:{port}/{database}")
    }

    /// A new database with the tables of a layout, which the role `replay` may read.
    pub(crate) fn database(&self, name: &str, layout: Layout) -> Client {
        let mut postgres = self.owner("postgres");
        postgres
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        let mut owner = self.owner(name);
        let (edition, key) = match layout {
            Layout::April => ("TEXT NOT NULL", "PRIMARY KEY"),
            Layout::May => ("TEXT", "UNIQUE NULLS NOT DISTINCT"),
        };
        owner
            .batch_execute(&format!(
                "CREATE TABLE events (
                     domain TEXT NOT NULL, edition {edition}, root TEXT NOT NULL, sequence INTEGER NOT NULL,
                     created_at TEXT NOT NULL, event_data BYTEA NOT NULL, correlation_id TEXT NOT NULL DEFAULT '',
                     external_id TEXT NOT NULL DEFAULT '', source_edition TEXT, source_domain TEXT, source_root TEXT,
                     source_seq INTEGER, committed BOOLEAN DEFAULT TRUE, cascade_id TEXT,
                     {key} (domain, edition, root, sequence));
                 CREATE TABLE snapshots (
                     domain TEXT NOT NULL, edition {edition}, root TEXT NOT NULL, sequence INTEGER NOT NULL,
                     state_data BYTEA NOT NULL, retention INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL,
                     {key} (domain, edition, root, sequence));
                 CREATE INDEX ON events (correlation_id);
                 GRANT SELECT ON events, snapshots TO replay;"
            ))
            .unwrap();
        owner
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A fast shutdown: it ends the sessions.
        let pid = i32::try_from(self.server.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ = self.server.wait();
    }
}

/// The folder of the server's programs, which Debian keeps off the path.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let folders = versions.into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").is_file());
    folders.sort();
    // Without them, those on the path.
    folders.pop().unwrap_or_default()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn as_nobody(command: &mut Command) -> &mut Command {
    command.env_remove("LC_ALL").env("LC_MESSAGES", "C");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn own(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
