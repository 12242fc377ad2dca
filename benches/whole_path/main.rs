//! `cargo bench`: measures the whole path of passing closed cases, and a floor in the same run.
//!
//! A measurement, not a test: the figures depend on the machine and its load. Read the ratios.
//! `cargo bench -- --quick` takes fewer rounds. See `benches/README.md`.

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

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use angzarr_replay::internal::grpc::serve_logic;
use angzarr_replay::internal::harness::run_bare;
use angzarr_replay::internal::model::{ComponentKind, Domain};
use angzarr_replay::internal::project::{Config, LogicConfig, Project, SelectedLogic};
use angzarr_replay::internal::wire::Dialect;
use bytes::Bytes;
use corpus::{app, benches};
use machine::{median, per_second, processor_time};
use poker::Player;
use processes::{harness, is_harness};
use server::Poker;
use stages::Cases;

const CASES: usize = 1_000;
const THREADS: usize = 2;
/// Number of threads that the harness uses on two cores if the logic is in another process.
const WAITING_THREADS: usize = 16 * THREADS;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if is_harness() {
        return app().harness();
    }
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    match run(if is_quick { 3 } else { 12 }) {
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

fn run(rounds: usize) -> Outcome<()> {
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

    let process = Poker::start()?;
    let loopback = serve_logic(
        TcpListener::bind("127.0.0.1:0")?,
        Dialect::ANGZARR,
        Arc::new(Player::default()),
    )?;
    let loopback_address = loopback.address().to_string();
    let subjects = [
        Subject::floor(
            "floor: bare client, one call at a time",
            process.address(),
            &requests,
            1,
        ),
        Subject::floor(
            "floor: bare client, 32 calls at once",
            process.address(),
            &requests,
            32,
        ),
        Subject::trials(
            "trials over gRPC to a process, 2 threads",
            project(&fixtures, Some(process.address()))?,
            &cases,
            THREADS,
        ),
        Subject::trials(
            "trials over gRPC to a process, 32 threads",
            project(&fixtures, Some(process.address()))?,
            &cases,
            WAITING_THREADS,
        ),
        Subject::trials(
            "trials over gRPC, same process, 32 threads",
            project(&fixtures, Some(&loopback_address))?,
            &cases,
            WAITING_THREADS,
        ),
        Subject::trials(
            "trials in process, 2 threads",
            Arc::clone(&in_process),
            &cases,
            THREADS,
        ),
        Subject::whole_process(
            "whole test binary, gRPC to a process",
            &fixtures,
            Some(process.address()),
        ),
        Subject::whole_process("whole test binary, in process", &fixtures, None),
    ];
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); subjects.len()];
    let mut processor = vec![Some(Duration::ZERO); subjects.len()];
    let mut passes = Vec::new();
    for round in 0..=rounds {
        for (at, subject) in subjects.iter().enumerate() {
            let before = processor_time(process.id());
            let took = (subject.run)()?;
            // The first round warms up.
            if round > 0 {
                times[at].push(took);
                let used = processor_time(process.id()).zip(before);
                processor[at] = processor[at]
                    .zip(used)
                    .map(|(sum, (now, then))| sum + now.saturating_sub(then));
            }
        }
        if round > 0 {
            passes.push(cases.pass(&in_process, process.address(), &requests)?);
        }
    }
    let medians: Vec<Duration> = times.into_iter().map(median).collect();
    let rounds_run = u32::try_from(rounds)?;
    let processor: Vec<_> = processor
        .iter()
        .map(|sum| sum.map(|sum| sum / rounds_run))
        .collect();
    print_subjects(&subjects, &medians, &processor);
    print_stages(&passes);
    listing(&fixtures, rounds)
}

/// A way to process all cases, which is measured.
struct Subject<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> Outcome<Duration> + 'a>,
}

impl<'a> Subject<'a> {
    fn floor(
        name: &'static str,
        address: &'a str,
        requests: &'a Arc<Vec<Bytes>>,
        at_once: usize,
    ) -> Self {
        let run = move || Ok(floor::send_all(address, requests, THREADS, at_once));
        Self {
            name,
            run: Box::new(run),
        }
    }

    fn trials(name: &'static str, project: Arc<Project>, cases: &'a Cases, threads: usize) -> Self {
        let run = move || {
            let start = Instant::now();
            let run = run_bare(&project, cases.entries(), threads);
            let took = start.elapsed();
            if run.closed != CASES {
                return Err(format!("not all cases passed: {run:?}").into());
            }
            Ok(took)
        };
        Self {
            name,
            run: Box::new(run),
        }
    }

    fn whole_process(name: &'static str, fixtures: &'a Path, player: Option<&'a str>) -> Self {
        let run = move || harness(fixtures, player, false);
        Self {
            name,
            run: Box::new(run),
        }
    }
}

fn print_subjects(subjects: &[Subject<'_>], medians: &[Duration], processor: &[Option<Duration>]) {
    let best = usize::from(medians[1] < medians[0]);
    let floor = medians[best];
    println!(
        "{:<48}{:>8}{:>10}{:>10}{:>16}{:>10}",
        "", "ms", "cases/s", "of floor", "CPU µs/case", "of floor"
    );
    for ((subject, time), used) in subjects.iter().zip(medians).zip(processor) {
        let used = used.unwrap_or_default().as_secs_f64();
        println!(
            "{:<48}{:>8.1}{:>10.0}{:>10.2}{:>16.0}{:>10.2}",
            subject.name,
            time.as_secs_f64() * 1e3,
            per_second(CASES, *time),
            floor.as_secs_f64() / time.as_secs_f64(),
            used * 1e6 / CASES as f64,
            processor[best].unwrap_or_default().as_secs_f64() / used,
        );
    }
    println!();
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
