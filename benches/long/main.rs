//! `cargo bench --bench long`: capture and replay of long histories, beside a client that fetches the same events and throws
//! them away.
//!
//! A measurement, not a test: the figures depend on the machine and its load. `-- --quick` leaves out the longest one. See
//! `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

mod counted;
#[path = "../whole_path/machine.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod machine;
#[path = "../peak.rs"]
mod peak;

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use angzarr_replay::internal::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions};
use angzarr_replay::internal::model::{Body, Cover, Domain, Page, Payload, Root, Timestamp};
use angzarr_replay::internal::wire::messages as pb;
use angzarr_replay::internal::wire::{Dialect, encode_page};
use counted::CountedWay;
use peak::watched;
use poker::messages::{Currency, FundsDeposited, PlayerRegistered};
use prost::Message as _;

/// Variable that makes this program the tool.
const AS_TOOL: &str = "REPLAY_BENCHMARK_AS_TOOL";

/// Events of a window, as in a capture.
const WINDOW: u32 = 2_048;

const ROOT: Root = Root::new([7; 16]);
const COMMAND: &str = "command.yaml";
const FIXTURE: &str = "fixtures/player/long.yaml";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if std::env::var_os(AS_TOOL).is_some() {
        return poker::app().cli();
    }
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let lengths: &[u32] = if is_quick {
        &[1_000, 100_000]
    } else {
        &[1_000, 10_000, 100_000, 1_000_000]
    };
    match run(lengths) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(lengths: &[u32]) -> Outcome<()> {
    println!("{}\n", machine::description());
    println!(
        "capture from a coordinator, and replay, each the best of 3; the coordinator runs in the measuring process\n\
         twice: bytes that one more capture receives beyond those of the floor"
    );
    println!(
        "{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "events",
        "MB",
        "floor s",
        "capture s",
        "of floor",
        "peak MiB",
        "twice %",
        "replay s",
        "peak MiB"
    );
    lengths.iter().try_for_each(|events| measure(*events))
}

fn measure(events: u32) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let pages = pages(events);
    let bytes: usize = pages.iter().map(|page| encode_page(page).len()).sum();
    let store = Store::open(&folder.path().join("store.db"))?;
    let clock = Arc::new(|| time(0));
    let coordinator =
        LocalCoordinator::new(Stores::Shared(Arc::new(store)), Dialect::ANGZARR, clock);
    let book = SeedBook {
        cover: Cover::main(Domain::new("player")?, ROOT),
        pages,
        snapshot: None,
    };
    coordinator.seed(&[book], time(0))?;
    let server = coordinator.start(TcpListener::bind("127.0.0.1:0")?)?;
    configure(folder.path(), server.address())?;

    let floor = best(|| Ok((fetch(server.address(), events)?, 0)))?.0;
    let (capture, capture_peak) = best(|| capture(folder.path()))?;
    let once = CountedWay::to(server.address())?;
    fetch(once.address, events)?;
    let way = CountedWay::to(server.address())?;
    configure(folder.path(), way.address)?;
    self::capture(folder.path())?;
    let twice = (way.received() as f64 / once.received() as f64 - 1.0).max(0.0);
    let (replay, replay_peak) = best(|| watched(&mut tool(folder.path(), &["replay", FIXTURE])?))?;
    println!(
        "{events:>10}{:>10.1}{:>10.2}{:>10.2}{:>10.2}{:>10}{:>10.1}{:>10.2}{:>10}",
        bytes as f64 / 1e6,
        floor.as_secs_f64(),
        capture.as_secs_f64(),
        floor.as_secs_f64() / capture.as_secs_f64(),
        capture_peak / 1024,
        100.0 * twice,
        replay.as_secs_f64(),
        replay_peak / 1024,
    );
    Ok(())
}

/// Captures the history, as if it had not been captured before.
fn capture(project: &Path) -> Outcome<(Duration, u64)> {
    let _ = std::fs::remove_dir_all(project.join("fixtures"));
    let root = ROOT.to_string();
    let mut command = tool(project, &["capture", &root, "--command", COMMAND])?;
    watched(command.args(["--unredacted", "--accept", "--name", "player/long"]))
}

/// The fastest of three runs.
fn best(mut run: impl FnMut() -> Outcome<(Duration, u64)>) -> Outcome<(Duration, u64)> {
    let runs: Vec<_> = (0..3).map(|_| run()).collect::<Outcome<_>>()?;
    runs.into_iter().min().ok_or_else(|| "no run".into())
}

/// Fetches all events in windows, and throws them away.
fn fetch(address: SocketAddr, events: u32) -> Outcome<Duration> {
    let connection = Connection::new(&address.to_string(), ConnectionOptions::default())?;
    let path = Dialect::ANGZARR.path("EventQueryService", "GetEventBook");
    let start = Instant::now();
    for lower in (0..events).step_by(WINDOW as usize) {
        let query = pb::Query {
            cover: Some(pb::Cover {
                domain: "player".to_owned(),
                root: Some(pb::Uuid {
                    value: ROOT.as_bytes().to_vec().into(),
                }),
                ..pb::Cover::default()
            }),
            selection: Some(pb::query::Selection::Range(pb::SequenceRange {
                lower,
                upper: Some(lower + WINDOW - 1),
            })),
        };
        std::hint::black_box(connection.call(&path, query.encode_to_vec().into())?);
    }
    Ok(start.elapsed())
}

/// This program as the tool, in a project.
fn tool(project: &Path, arguments: &[&str]) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(project).env(AS_TOOL, "");
    command.args(arguments).stdout(Stdio::null());
    Ok(command)
}

fn configure(project: &Path, address: SocketAddr) -> std::io::Result<()> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let toml = format!(
        "descriptors = [{:?}]\nsource = \"production\"\n[sources.production]\naddresses = {{ player = \"{address}\" }}\n",
        protos.display().to_string()
    );
    std::fs::write(project.join("replay.toml"), toml)?;
    let command = "type: examples.WithdrawFunds\npayload: {amount: {amount: 75}}\n";
    std::fs::write(project.join(COMMAND), command)
}

/// A registration, and deposits.
fn pages(events: u32) -> Vec<Page> {
    let page = |sequence| {
        let payload = if sequence == 0 {
            payload(&PlayerRegistered {
                display_name: "Alice".to_owned(),
                email: "alice@example.com".to_owned(),
                player_type: 1,
                ..PlayerRegistered::default()
            })
        } else {
            let amount = i64::from(sequence % 500) + 1;
            payload(&FundsDeposited {
                amount: Some(chips(amount)),
                new_balance: Some(chips(250 * i64::from(sequence) + amount)),
                ..FundsDeposited::default()
            })
        };
        Page {
            sequence,
            created_at: Some(time(sequence)),
            body: Body::Event(payload),
            provisional: false,
            cascade_id: None,
            original: None,
        }
    };
    (0..events).map(page).collect()
}

fn time(second: u32) -> Timestamp {
    Timestamp {
        seconds: 1_795_392_090 + i64::from(second),
        nanos: 0,
    }
}

fn chips(amount: i64) -> Currency {
    Currency {
        amount,
        currency_code: "CHIPS".to_owned(),
    }
}

fn payload<M: prost::Message + prost::Name>(message: &M) -> Payload {
    Payload::new(&M::full_name(), message.encode_to_vec())
}
