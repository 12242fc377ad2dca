//! Logic that misbehaves, each in its own way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use angzarr_replay::internal::grpc::{Methods, Server, serve_logic};
use angzarr_replay::internal::model::{
    CommandBook, EmittedBook, EventBook, Failure, Logic, Page, Payload, Reply, Snapshot,
};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use bytes::Bytes;
use poker::Player;

pub(crate) fn run(mode: &str, argument: Option<&str>) -> ExitCode {
    match mode {
        "exits" => {
            println!("loading the rules");
            eprintln!("error: no rules");
            return ExitCode::from(3);
        }
        "exits-silently" => return ExitCode::from(3),
        "hangs" => {
            println!("thinking");
            sleep();
        }
        "listens-only" => {
            let _listener = listener();
            sleep();
        }
        "hangs-up" => answer_all(b""),
        "says-hello" => answer_all(b"220 mail.example.com ready\r\n"),
        "speaks-http" => answer_all(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        "ignores-sigterm" => {
            let _ignored = signal_hook::flag::register(
                signal_hook::consts::SIGTERM,
                Arc::new(std::sync::atomic::AtomicBool::new(false)),
            );
            serve(Player::default());
        }
        "serves" => {
            println!("serving");
            serve(Player::default());
        }
        "accepts" => serve(Accepting),
        "serves-at-second-try" => {
            let tried = argument.unwrap();
            if std::fs::read(tried).is_err() {
                record(tried, "tried");
                eprintln!("error: Address already in use (os error 98)");
                return ExitCode::FAILURE;
            }
            serve(Player::default());
        }
        "never-gets-its-port" => {
            record(argument.unwrap(), "tried");
            eprintln!("listen EADDRINUSE");
            return ExitCode::FAILURE;
        }
        "dies" => {
            if let Some(starts) = argument {
                record(starts, "started");
            }
            serve(Dying);
        }
        "dies-at" => serve(DyingAt(argument.unwrap().to_owned())),
        "answers-out-of-order" => serve(OutOfOrder(AtomicBool::new(false))),
        "stalls" => serve(Stalling(argument.unwrap().to_owned())),
        "answers-garbage" => {
            let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Garbage), None);
            server.unwrap().wait();
        }
        "babbles" => {
            babble();
            serve(Player::default());
        }
        "starts-others" => {
            start_others(argument.unwrap());
            serve(Player::default());
        }
        "starts-another-group" => {
            use std::os::unix::process::CommandExt;
            let other = Command::new("sleep").arg("60").process_group(0).spawn();
            record(argument.unwrap(), &other.unwrap().id().to_string());
            serve(Player::default());
        }
        "starts-others-and-exits" => {
            start_others(argument.unwrap());
            return ExitCode::from(4);
        }
        "starts-others-and-hangs" => {
            start_others(argument.unwrap());
            sleep();
        }
        "counts" => {
            let tally = argument.unwrap().to_owned();
            record(&tally, &format!("started {}", std::process::id()));
            eprintln!("a print in the handler's file");
            serve(Counting(tally));
        }
        other => panic!("no mode {other}"),
    }
    ExitCode::SUCCESS
}

fn listener() -> TcpListener {
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    TcpListener::bind(("127.0.0.1", port)).unwrap()
}

fn serve(logic: impl Logic + 'static) {
    serve_logic(listener(), Dialect::ANGZARR, Arc::new(logic))
        .unwrap()
        .wait();
}

/// Longer than any test takes, and not for ever where all else fails.
fn sleep() {
    std::thread::sleep(Duration::from_secs(60));
}

fn answer_all(words: &[u8]) {
    for connection in listener().incoming() {
        let mut connection = connection.unwrap();
        let _ = connection.write_all(words);
        if !words.is_empty() {
            let _ = connection.read(&mut [0; 100]);
        }
    }
}

/// Three megabytes in lines, three without an end, and then the last words.
fn babble() {
    let mut out = std::io::stdout().lock();
    for number in 0..30_000 {
        writeln!(out, "{number:099}").unwrap();
    }
    for _ in 0..30 {
        out.write_all(&vec![b'x'; 100_000]).unwrap();
    }
    writeln!(out, "\nlast words").unwrap();
}

/// A child that starts a child, both deaf to a hint.
fn start_others(pids: &str) {
    let script =
        format!("trap '' TERM; echo $$ >> {pids}; (echo $$ >> {pids}; sleep 60) & sleep 60");
    let mut child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    while std::fs::read_to_string(pids).unwrap_or_default().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(child.try_wait().unwrap().is_none());
}

fn record(file: &str, line: &str) {
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .unwrap();
    writeln!(file, "{line}").unwrap();
}

/// Accepts every command, and nothing happens.
struct Accepting;

impl Logic for Accepting {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Result<Reply, Failure> {
        Ok(Reply::Events(EmittedBook::of_events([])))
    }
}

struct Dying;

impl Logic for Dying {
    fn handle(&self, _: &EventBook, command: &CommandBook) -> Result<Reply, Failure> {
        eprintln!("handling for {}", command.cover.domain);
        eprintln!("out of luck");
        std::process::exit(7);
    }
}

/// The demo's player, which dies when it is asked about an aggregate whose root begins with these digits, and does not answer
/// where it begins with those after a comma.
struct DyingAt(String);

impl Logic for DyingAt {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Result<Reply, Failure> {
        let root = command.cover.root.hex();
        let (dies, stalls) = match self.0.split_once(',') {
            Some((dies, stalls)) => (dies, Some(stalls)),
            None => (self.0.as_str(), None),
        };
        if root.starts_with(dies) {
            eprintln!("out of luck at {root}");
            std::process::exit(7);
        }
        if stalls.is_some_and(|digits| root.starts_with(digits)) {
            sleep();
        }
        // Others are in flight when it dies.
        std::thread::sleep(Duration::from_millis(20));
        Player::default().handle(prior, command)
    }
}

/// The demo's player, which answers every second call late.
struct OutOfOrder(AtomicBool);

impl Logic for OutOfOrder {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Result<Reply, Failure> {
        if self.0.fetch_xor(true, Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(40));
        }
        Player::default().handle(prior, command)
    }
}

/// Starts others when it is asked, and never answers.
struct Stalling(String);

impl Logic for Stalling {
    fn handle(&self, _: &EventBook, _: &CommandBook) -> Result<Reply, Failure> {
        start_others(&self.0);
        sleep();
        Err(Failure::crashed("nobody waited".to_owned()))
    }
}

struct Garbage;

impl Methods for Garbage {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        Some(Ok(vec![Bytes::from_static(&[0x0a, 0x7f, 1, 2, 3])]))
    }
}

/// The demo's player, with a tally of what it was asked.
struct Counting(String);

impl Logic for Counting {
    fn handle(&self, prior: &EventBook, command: &CommandBook) -> Result<Reply, Failure> {
        record(&self.0, "Handle");
        Player::default().handle(prior, command)
    }

    fn fold(&self, snapshot: Option<&Snapshot>, pages: &[Page]) -> Result<Payload, Failure> {
        record(&self.0, "Replay");
        Player::default().fold(snapshot, pages)
    }
}
