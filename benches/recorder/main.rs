//! `cargo bench --bench recorder`: how much longer a call takes through the recorder than directly, in the same run.
//!
//! A measurement, not a test: the figures depend on the machine and its load. See `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

mod calls;
#[path = "../whole_path/floor.rs"]
mod floor;
#[path = "../whole_path/machine.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod machine;
#[path = "../peak.rs"]
#[allow(dead_code, reason = "other benchmarks watch a process")]
mod peak;
mod proxies;
mod server;
mod steady;
mod threads;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::project::system_clock;
use angzarr_replay::internal::record::{
    Filter, KeepRules, Recorder, RecorderSettings, RecordingFile, Redact, Ring, redacted,
};
use bytes::Bytes;
use calls::{ACCEPTED, REJECTED};
use machine::median;
use server::Poker;

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 5;
/// The steady rate at which nothing should be lost, in calls per second, and for how long it is sent.
const STEADY: u32 = 5_000;
const SECONDS: u32 = 20;
const QUICK_SECONDS: u32 = 4;
/// The recorder's threads.
const PROXY: &str = "recorder-proxy";
const WRITER: &str = "recorder-writer";

/// A way to the logic.
struct Way {
    name: &'static str,
    address: String,
    /// The thread that passes its calls on.
    thread: &'static str,
}

/// What one round of calls took.
#[derive(Clone, Copy)]
struct Round {
    time: Duration,
    /// Processor time of the thread that passes the calls on.
    passing: Duration,
    /// Processor time of the thread that writes them, until it has caught up.
    writing: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, seconds) = if is_quick {
        (QUICK_ROUNDS, QUICK_SECONDS)
    } else {
        (ROUNDS, SECONDS)
    };
    let folder = tempfile::tempdir()?;
    let logic = Poker::start()?;
    let open = |name, redact| start(logic.address(), &folder.path().join(name), redact);
    let plain = open("plain.jsonl", None)?;
    let redacting = open("redacted.jsonl", Some(redaction()?))?;
    let way = |name, address, thread| Way {
        name,
        address,
        thread,
    };
    let copying = proxies::copying(logic.address()).map_err(|error| error.to_string())?;
    let hyper = proxies::hyper(logic.address()).map_err(|error| error.to_string())?;
    let ways = [
        way("direct", logic.address().to_owned(), ""),
        way(
            "floor: a proxy that copies bytes",
            copying.to_string(),
            "copying-proxy",
        ),
        way("floor: a proxy of hyper", hyper.to_string(), "hyper-proxy"),
        way("recorded", plain.address().to_string(), PROXY),
        way(
            "recorded and redacted",
            redacting.address().to_string(),
            PROXY,
        ),
    ];
    println!("{}", machine::description());
    for (name, call) in [("accepted", ACCEPTED), ("rejected", REJECTED)] {
        let request = calls::message(call, "request")?;
        println!(
            "\n{CALLS} {name} calls of {} bytes, one connection, medians of {rounds} interleaved rounds",
            request.len()
        );
        println!(
            "{:<33} {:>13} {:>10} {:>25} {:>14}",
            "", "µs per call", "of direct", "CPU µs of the proxy", "of the writer"
        );
        let requests = Arc::new(vec![request; CALLS]);
        for at_once in [1, 32] {
            compare(&ways, &requests, at_once, rounds);
        }
    }
    println!("\nrecorded              {:?}", plain.end()?);
    println!("recorded and redacted {:?}", redacting.end()?);
    steadily(open("steady.jsonl", Some(redaction()?))?, seconds)
}

/// Sends the calls every way, in turn.
fn compare(ways: &[Way], requests: &Arc<Vec<Bytes>>, at_once: usize, rounds: usize) {
    let mut taken = vec![Vec::new(); ways.len()];
    for round in 0..=rounds {
        for (way, taken) in ways.iter().zip(&mut taken) {
            let measured = one_round(way, requests, at_once);
            // The first round warms up.
            if round > 0 {
                taken.push(measured);
            }
        }
    }
    println!("{at_once} at once");
    let of = |rounds: &[Round], part: fn(&Round) -> Duration| {
        median(rounds.iter().map(part).collect()).as_secs_f64() * 1e6 / CALLS as f64
    };
    let direct = of(&taken[0], |round| round.time);
    for (way, rounds) in ways.iter().zip(&taken) {
        let time = of(rounds, |round| round.time);
        println!(
            "  {:<31} {time:>12.1} {:>9.2}x {:>24.1} {:>14.1}",
            way.name,
            time / direct,
            of(rounds, |round| round.passing),
            of(rounds, |round| round.writing)
        );
    }
}

fn one_round(way: &Way, requests: &Arc<Vec<Bytes>>, at_once: usize) -> Round {
    let passed = threads::processor_time(way.thread);
    let written = threads::processor_time(WRITER);
    let time = floor::send_all(&way.address, requests, 1, at_once);
    // The next round must not pay for what this one left to do.
    threads::wait_until_idle(WRITER);
    Round {
        time,
        passing: threads::processor_time(way.thread).saturating_sub(passed),
        writing: threads::processor_time(WRITER).saturating_sub(written),
    }
}

/// How many calls are lost at a steady rate, with redaction.
fn steadily(recorder: Recorder, seconds: u32) -> Result<(), Box<dyn Error>> {
    let request = calls::message(ACCEPTED, "request")?;
    let address = recorder.address().to_string();
    let took = steady::send(&address, &request, STEADY, seconds)?;
    threads::wait_until_idle(WRITER);
    let writing = threads::processor_time(WRITER);
    let counts = recorder.end()?;
    println!(
        "\n{STEADY} calls per second for {seconds} s, recorded and redacted: {} passed on in {:.1} s, {} lost; the writer's \
         processor time {:.1} s; peak memory of this process {} MiB",
        counts.passed,
        took.as_secs_f64(),
        counts.lost,
        writing.as_secs_f64(),
        peak::peak_of(std::process::id()).unwrap_or_default() / 1024
    );
    Ok(())
}

fn redaction() -> Result<Redact, Box<dyn Error>> {
    let redactor = calls::redactor()?;
    Ok(Box::new(move |note| {
        let (note, _) = redacted(&note, &redactor).map_err(|error| error.to_string())?;
        Ok(note)
    }))
}

fn start(upstream: &str, file: &Path, redact: Option<Redact>) -> Result<Recorder, Box<dyn Error>> {
    let ring = Ring {
        count: 1_000,
        age: Duration::from_secs(24 * 60 * 60),
    };
    let settings = RecorderSettings {
        writes_within: std::time::Duration::from_secs(60),
        upstream: upstream.to_owned(),
        dialect: None,
        keep: KeepRules {
            filter: Filter::default(),
            ring,
        },
        stores: vec![Box::new(RecordingFile::open(file, ring)?)],
        tickets: None,
        redact,
        waiting: 16_384,
        waiting_bytes: 64 * 1024 * 1024,
        status_limit: angzarr_replay::internal::wire::STATUS_LIMIT,
        clock: system_clock(),
    };
    Ok(Recorder::start(
        TcpListener::bind("127.0.0.1:0")?,
        settings,
    )?)
}
