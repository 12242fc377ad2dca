//! A port forward that is killed in the middle of a reply, as they are. It is this test program, run once more by `connect`
//! or `store_connect`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cluster::{Cluster, Layout};
use crate::reading::{Project, fill};
use test_support::stores::SNAPPY;

/// The word that makes this program a forward.
pub(crate) const FORWARD: &str = "forward";

/// The command of a forward to `target`. After it passed on `limit` bytes of replies it is killed, unless it died before:
/// then the file `died` is there.
pub(crate) fn command(target: &str, died: &str, limit: u64) -> String {
    let program = std::env::current_exe().unwrap();
    let words = [
        program.to_str().unwrap(),
        FORWARD,
        "{port}",
        target,
        died,
        &limit.to_string(),
    ];
    let words = words.map(|word| format!("\"{word}\""));
    format!("[{}]", words.join(", "))
}

/// Forwards a port until it is killed.
pub(crate) fn run(words: &[String]) -> ! {
    let [port, target, died, limit] = words else {
        panic!("{words:?}");
    };
    let limit: u64 = limit.parse().unwrap();
    let passed = Arc::new(AtomicU64::new(0));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    for client in listener.incoming() {
        let client = client.unwrap();
        let server = TcpStream::connect(target).unwrap();
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || pass(from, to, &|_| {}));
        let (died, passed) = (died.clone(), Arc::clone(&passed));
        std::thread::spawn(move || {
            pass(server, client, &|bytes| {
                let passed = passed.fetch_add(bytes, Ordering::Relaxed) + bytes;
                if passed > limit && !Path::new(&died).exists() {
                    std::fs::write(&died, "").unwrap();
                    let own = rustix::process::getpid();
                    let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
                }
            });
        });
    }
    unreachable!("a listener never ends")
}

fn pass(mut from: TcpStream, mut to: TcpStream, passed: &dyn Fn(u64)) {
    let mut buffer = [0; 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
        passed(count as u64);
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

pub(crate) fn a_way_to_a_database_that_dies_is_opened_again(cluster: &Cluster) {
    let mut owner = cluster.database("forwarded", Layout::May);
    fill(&mut owner, Layout::May, &["snappy", "player"]);
    let port = cluster.port;
    let forward = command(&format!("127.0.0.1:{port}"), "died", 3_000);
    let password = "store_password = { environment = \"STORE_PASSWORD\" }";
    let project = Project::of(&format!(
        "store = \"postgres://replay@127.0.0.1:{{port}}/forwarded\"\n{password}\nstore_connect = {forward}"
    ));
    let died = project.folder.path().join("died");
    let snappy = format!("snappy/{SNAPPY}");
    for words in [
        &["roots", "--counts"][..],
        &[
            "capture",
            "player/3283",
            "--unredacted",
            "--history",
            "--dry-run",
        ],
    ] {
        let (code, broken, err) = project.run(words);
        assert_eq!(code, Some(0), "{words:?}: {broken}{err}");
        assert!(died.exists(), "{words:?}: the forward was not killed");
        // The way that does not break again gives the same.
        let (code, whole, err) = project.run(words);
        assert_eq!(code, Some(0), "{words:?}: {whole}{err}");
        let lines = |out: &str| {
            let lines = out.lines().filter(|line| !line.contains("captured_at:"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(&broken), lines(&whole));
        std::fs::remove_file(&died).unwrap();
    }
    // One that ends at once is reported with its last words.
    let project = Project::of(&format!(
        "store = \"postgres://replay@127.0.0.1:{{port}}/forwarded\"\n{password}\nretries = 0\n\
         store_connect = [\"sh\", \"-c\", \"echo no such cluster >&2; exit 7\", \"{{port}}\"]"
    ));
    let (code, _, err) = project.run(&["capture", &snappy, "--unredacted"]);
    assert_eq!(code, Some(1));
    assert!(
        err.starts_with("error: source `production`, event store: the way in ended: `sh -c")
            && err.ends_with("no such cluster\n"),
        "{err}"
    );
}
