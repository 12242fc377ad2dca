//! `cargo bench`: measures the whole path of passing closed cases, and a floor in the same run.
//!
//! A measurement, not a test: the figures depend on the machine and its load. Read the ratios.
//! `cargo bench -- --quick` takes fewer rounds, and `--python INTERPRETER` measures logic in Python too. See `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

mod corpus;
mod floor;
mod machine;
mod processes;
#[path = "../recorder/server.rs"]
mod server;
mod stages;
mod subjects;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::internal::grpc::{Server, serve_logic};
use angzarr_replay::internal::model::{ComponentKind, Domain};
use angzarr_replay::internal::project::{Config, LogicConfig, Project, SelectedLogic};
use angzarr_replay::internal::wire::Dialect;
use bytes::Bytes;
use corpus::{app, benches};
use machine::median;
use poker::Player;
use processes::{harness, is_harness};
use server::Poker;
use stages::Cases;
use subjects::{Corpus, Group, Subject};

const CASES: usize = 1_000;
const THREADS: usize = 2;
/// Number of threads that the harness uses on two cores if the logic is in another process.
const WAITING_THREADS: usize = 16 * THREADS;

const RUST: Group = Group("Rust logic over TCP");
const UNIX: Group = Group("Rust logic on a Unix socket");
const PYTHON: Group = Group("Python logic over TCP");

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if is_harness() {
        return app().harness();
    }
    if let Some(socket) = processes::socket_to_serve_on() {
        return processes::serve(&socket);
    }
    let arguments: Vec<_> = std::env::args().collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let after_python = arguments.iter().skip_while(|it| *it != "--python");
    let python = after_python.map(String::as_str).nth(1);
    match run(if is_quick { 3 } else { 12 }, python) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn project(fixtures: &Path, player: Option<&str>) -> Outcome<Arc<Project>> {
    let mut config = Config::load(&benches(), [])?;
    if let Some(address) = player {
        let name = "player".to_owned();
        let domain = Domain::new("player")?;
        let logic = SelectedLogic::at_address(address, ComponentKind::Aggregate, &domain).config;
        let logic = LogicConfig {
            name: name.clone(),
            answers: name.clone(),
            ..logic
        };
        config.logic.insert(name, logic);
    }
    Ok(Arc::new(
        Project::with_config(app(), config).with_fixtures(fixtures),
    ))
}

fn run(rounds: usize, python: Option<&str>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let fixtures = folder.path().join("fixtures");
    let in_process = project(&fixtures, None)?;
    corpus::save(&in_process, CASES, corpus::EVENTS)?;
    let cases = Cases::read(&in_process)?;
    let requests = Arc::new(cases.requests()?);
    println!("{}", machine::description());
    println!(
        "{CASES} closed cases of {} events: a fixture is {} bytes with {} bytes of payload, a request {} bytes",
        corpus::EVENTS,
        cases.text_bytes(),
        cases.payload_bytes(),
        requests.iter().map(Bytes::len).sum::<usize>() / requests.len(),
    );
    println!("{THREADS} threads unless stated otherwise; medians of {rounds} interleaved rounds\n");

    let servers = Servers::start(&folder.path().join("player.sock"), python)?;
    let corpus = Corpus {
        fixtures: &fixtures,
        cases: &cases,
        requests: &requests,
    };
    let mut subjects = over_tcp(corpus, &servers, &in_process)?;
    let on_socket = [
        "floor on a Unix socket, 32 calls at once",
        "trials over a Unix socket, 32 threads",
        "whole test binary, Unix socket",
    ];
    let socket = servers.on_socket.address();
    subjects.extend(at_address(corpus, UNIX, socket, on_socket)?);
    if let Some(python) = &servers.python {
        let to_python = [
            "floor to Python logic, 32 calls at once",
            "trials over gRPC to Python logic, 32 threads",
            "whole test binary, Python logic",
        ];
        subjects.extend(at_address(corpus, PYTHON, python.address(), to_python)?);
    }
    let mut passes = Vec::new();
    subjects::measure(&subjects, rounds, &servers.ids(), || {
        passes.push(cases.pass(&in_process, servers.rust.address(), &requests)?);
        Ok(())
    })?;
    print_stages(&passes);
    listing(&fixtures, rounds)
}

/// Who serves the demo's logic.
struct Servers {
    rust: Poker,
    on_socket: Poker,
    python: Option<Poker>,
    same_process: Server,
}

impl Servers {
    fn start(socket: &Path, python: Option<&str>) -> Outcome<Self> {
        Ok(Self {
            rust: Poker::start()?,
            on_socket: processes::serving_on_socket(socket)?,
            python: python.map(processes::python_logic).transpose()?,
            same_process: serve_logic(
                TcpListener::bind("127.0.0.1:0")?,
                Dialect::ANGZARR,
                Arc::new(Player::default()),
            )?,
        })
    }

    /// Of the processes other than this one.
    fn ids(&self) -> Vec<u32> {
        let others = [&self.rust, &self.on_socket].into_iter();
        others.chain(&self.python).map(Poker::id).collect()
    }
}

fn over_tcp<'a>(
    corpus: Corpus<'a>,
    servers: &'a Servers,
    in_process: &Arc<Project>,
) -> Outcome<Vec<Subject<'a>>> {
    let rust = servers.rust.address();
    let over_grpc = project(corpus.fixtures, Some(rust))?;
    let same_process = servers.same_process.address().to_string();
    let same_process = project(corpus.fixtures, Some(&same_process))?;
    Ok(vec![
        corpus.floor("floor: bare client, one call at a time", RUST, rust, 1),
        corpus.floor("floor: bare client, 32 calls at once", RUST, rust, 32),
        corpus.trials(
            "trials over gRPC to a process, 2 threads",
            RUST,
            Arc::clone(&over_grpc),
            THREADS,
        ),
        corpus.trials(
            "trials over gRPC to a process, 32 threads",
            RUST,
            over_grpc,
            WAITING_THREADS,
        ),
        corpus.trials(
            "trials over gRPC, same process, 32 threads",
            RUST,
            same_process,
            WAITING_THREADS,
        ),
        corpus.trials(
            "trials in process, 2 threads",
            RUST,
            Arc::clone(in_process),
            THREADS,
        ),
        corpus.whole_process("whole test binary, gRPC to a process", RUST, Some(rust)),
        corpus.whole_process("whole test binary, in process", RUST, None),
    ])
}

/// The floor, trials and the whole test binary on the logic at an address, under these names.
fn at_address<'a>(
    corpus: Corpus<'a>,
    group: Group,
    address: &'a str,
    [floor, trials, whole_binary]: [&'static str; 3],
) -> Outcome<[Subject<'a>; 3]> {
    let over_grpc = project(corpus.fixtures, Some(address))?;
    Ok([
        corpus.floor(floor, group, address, 32),
        corpus.trials(trials, group, over_grpc, WAITING_THREADS),
        corpus.whole_process(whole_binary, group, Some(address)),
    ])
}

fn print_stages(passes: &[stages::Stages]) {
    println!("{:<52}{:>14}", "stage, on one thread", "µs/case");
    for (at, (name, _)) in passes[0].0.iter().enumerate() {
        let time = median(passes.iter().map(|pass| pass.0[at].1).collect());
        println!(
            "{name:<52}{:>14.1}",
            time.as_secs_f64() * 1e6 / CASES as f64
        );
    }
    println!();
}

fn listing(fixtures: &Path, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    save_names(folder.path(), 10 * CASES)?;
    println!("{:<52}{:>14}", "--list, the whole process", "ms");
    for (count, fixtures) in [(CASES, fixtures), (10 * CASES, folder.path())] {
        let times: Outcome<Vec<_>> = (0..rounds).map(|_| harness(fixtures, None, true)).collect();
        println!("{count:<52}{:>14.1}", median(times?).as_secs_f64() * 1e3);
    }
    Ok(())
}

/// Fills a folder with files that only have the names of fixtures.
fn save_names(folder: &Path, count: usize) -> std::io::Result<()> {
    for number in 0..count {
        let folder = folder.join(format!("player/{:03}", number / corpus::FOLDER));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(
            folder.join(format!("case-{number:05}.yaml")),
            "{ no fixture",
        )?;
    }
    Ok(())
}
