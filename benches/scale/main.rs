//! `cargo bench --bench scale`: longer histories, many cases, and a process for each case.
//!
//! A measurement, not a test: the figures depend on the machine and its load. `-- --quick` takes fewer rounds and fewer
//! cases. See `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

#[path = "../whole_path/corpus.rs"]
mod corpus;
#[path = "../whole_path/machine.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod machine;
#[path = "../peak.rs"]
mod peak;

use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use angzarr_replay::internal::harness::{discover, run_bare};
use angzarr_replay::internal::project::{Config, Project};
use corpus::{app, benches};
use libtest_mimic::{Arguments, Trial};
use machine::{median, per_second};
use peak::watched;

/// Variables that make this program another one.
const AS_HARNESS: &str = "REPLAY_BENCHMARK_AS_HARNESS";
const AS_EMPTY_TRIAL: &str = "REPLAY_BENCHMARK_AS_EMPTY_TRIAL";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if std::env::var_os(AS_HARNESS).is_some() {
        return app().harness();
    }
    if std::env::var_os(AS_EMPTY_TRIAL).is_some() {
        let trial = Trial::test("empty", || Ok(()));
        return libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code();
    }
    let arguments: Vec<String> = std::env::args().collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let rate = arguments.iter().skip_while(|it| *it != "--rate").nth(1);
    let measured = match rate {
        Some(events) => cases_per_second(events),
        None => run(is_quick),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lengths of histories in events, and how many cases of each are replayed.
const LENGTHS: [(u32, usize); 3] = [(corpus::EVENTS, 1_000), (1_000, 100), (10_000, 10)];
const ROUNDS: usize = 9;

/// Only the cases per second of one length on two threads, for the comparison with peers.
fn cases_per_second(events: &str) -> Outcome<()> {
    let events: u32 = events.parse()?;
    let of_length = LENGTHS.iter().find(|(length, _)| *length == events);
    let (_, cases) = *of_length.ok_or("it is not one of the lengths")?;
    let [_, two] = lengths(events, cases, ROUNDS)?;
    println!("{:.1}", per_second(cases, two));
    Ok(())
}

fn run(is_quick: bool) -> Outcome<()> {
    println!("{}\n", machine::description());
    let rounds = if is_quick { 3 } else { ROUNDS };
    println!(
        "{:<34}{:>8}{:>12}{:>12}{:>12}{:>10}",
        "in process", "cases", "1 thread", "2 threads", "cases/s", "1 to 2"
    );
    for (events, cases) in LENGTHS {
        let [one, two] = lengths(events, cases, rounds)?;
        println!(
            "{:<34}{cases:>8}{:>12}{:>12}{:>12.0}{:>10.2}",
            format!("{events} events"),
            millis(one),
            millis(two),
            per_second(cases, two),
            one.as_secs_f64() / two.as_secs_f64(),
        );
    }
    processes(if is_quick { 50 } else { 200 }, rounds)?;
    many(if is_quick { 10_000 } else { 100_000 })
}

/// The configuration of the benchmarks, with a folder of fixtures.
fn project(fixtures: &Path) -> Outcome<Arc<Project>> {
    let project = Project::with_config(app(), Config::load(&benches(), [])?);
    Ok(Arc::new(project.with_fixtures(fixtures)))
}

/// How long cases of one length take, on one thread and on two.
fn lengths(events: u32, cases: usize, rounds: usize) -> Outcome<[Duration; 2]> {
    let folder = tempfile::tempdir()?;
    let project = project(folder.path())?;
    corpus::save(&project, cases, events)?;
    let entries = discover(&project)?;
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (threads, times) in (1..).zip(&mut times) {
            let start = Instant::now();
            let run = run_bare(&project, &entries, threads);
            let took = start.elapsed();
            if run.closed != cases {
                return Err(format!("not all cases passed: {run:?}").into());
            }
            // The first round warms up.
            if round > 0 {
                times.push(took);
            }
        }
    }
    Ok(times.map(median))
}

/// A process for each case, as nextest starts them, beside processes that run an empty trial.
fn processes(cases: usize, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let project = project(folder.path())?;
    corpus::save(&project, cases, corpus::EVENTS)?;
    let names: Vec<String> = discover(&project)?
        .iter()
        .map(|entry| entry.name.to_string())
        .collect();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let [empty, cases] = &mut times;
        let start = Instant::now();
        for _ in &names {
            ended_well(this_program(AS_EMPTY_TRIAL)?.args(["--exact", "empty"]))?;
        }
        empty.push(start.elapsed());
        let start = Instant::now();
        for name in &names {
            ended_well(harness(folder.path())?.args(["--exact", name]))?;
        }
        cases.push(start.elapsed());
    }
    let [empty, cases_took] = times.map(median);
    let each = |time: Duration| millis(time / u32::try_from(cases).unwrap_or(u32::MAX));
    println!("\n{:<34}{:>12}", "a process for each case", "each");
    println!("{:<34}{:>12}", "floor: an empty trial", each(empty));
    println!(
        "{:<34}{:>12}{:>10.2} of the floor",
        "a case of 20 events",
        each(cases_took),
        cases_took.as_secs_f64() / empty.as_secs_f64()
    );
    Ok(())
}

/// The whole test binary on very many cases, once.
fn many(cases: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let project = project(folder.path())?;
    corpus::save(&project, cases, corpus::EVENTS)?;
    println!(
        "\n{:<34}{:>12}{:>12}{:>14}",
        "the whole test binary", "cases", "s", "peak MiB"
    );
    // What is measured does not compete with writing the cases to the disk.
    ended_well(&mut Command::new("sync"))?;
    for share in [cases / 100, cases / 10, cases] {
        let mut command = harness(folder.path())?;
        if share < cases {
            command.args(["--shard", &format!("1/{}", cases / share)]);
        }
        let (took, peak) = watched(&mut command)?;
        println!(
            "{:<34}{share:>12}{:>12.2}{:>14}",
            "20 events, in process",
            took.as_secs_f64(),
            peak / 1024
        );
    }
    Ok(())
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn this_program(variable: &str) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(benches()).env(variable, "");
    command.stdout(Stdio::null());
    Ok(command)
}

/// The test binary, on a folder.
fn harness(fixtures: &Path) -> Outcome<Command> {
    let mut command = this_program(AS_HARNESS)?;
    command.env("ANGZARR_REPLAY__FIXTURES", fixtures);
    Ok(command)
}

fn ended_well(command: &mut Command) -> Outcome<()> {
    let status = command.status()?;
    if !status.success() {
        return Err(format!("the process ended with {status}").into());
    }
    Ok(())
}
