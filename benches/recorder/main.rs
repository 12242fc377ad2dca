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
mod server;
mod steady;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::project::system_clock;
use angzarr_replay::internal::record::{
    Filter, KeepRules, Recorder, RecorderSettings, RecordingFile, Redact, Ring, redacted,
};
use calls::{ACCEPTED, REJECTED};
use machine::median;
use server::Poker;

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;
/// The steady rate at which nothing should be lost, in calls per second, and for how long it is sent.
const STEADY: u32 = 5_000;
const SECONDS: u32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let logic = Poker::start()?;
    let open = |name, redact| start(logic.address(), &folder.path().join(name), redact);
    let plain = open("plain.jsonl", None)?;
    let redacting = open("redacted.jsonl", Some(redaction()?))?;
    let ways = [
        logic.address().to_owned(),
        plain.address().to_string(),
        redacting.address().to_string(),
    ];
    println!("{}", machine::description());
    for (name, call) in [("accepted", ACCEPTED), ("rejected", REJECTED)] {
        let request = calls::message(call, "request")?;
        println!(
            "\n{CALLS} {name} calls of {} bytes, one connection, medians of {ROUNDS} interleaved rounds",
            request.len()
        );
        let requests = Arc::new(vec![request; CALLS]);
        for at_once in [1, 32] {
            let mut times = [Vec::new(), Vec::new(), Vec::new()];
            for round in 0..=ROUNDS {
                for (address, times) in ways.iter().zip(&mut times) {
                    let time = floor::send_all(address, &requests, 1, at_once);
                    // The first round warms up.
                    if round > 0 {
                        times.push(time);
                    }
                }
            }
            let [direct, plain, redacting] = times.map(median);
            print(at_once, "recorded", direct, plain);
            print(at_once, "recorded and redacted", direct, redacting);
        }
    }
    println!("\nrecorded              {:?}", plain.end()?);
    println!("recorded and redacted {:?}", redacting.end()?);
    steadily(open("steady.jsonl", Some(redaction()?))?)
}

/// How many calls are lost at a steady rate, with redaction.
fn steadily(recorder: Recorder) -> Result<(), Box<dyn Error>> {
    let request = calls::message(ACCEPTED, "request")?;
    let address = recorder.address().to_string();
    let took = steady::send(&address, &request, STEADY, SECONDS)?;
    let counts = recorder.end()?;
    println!(
        "\n{STEADY} calls per second for {SECONDS} s, recorded and redacted: {} passed on in {:.1} s, {} lost; peak memory of \
         this process {} MiB",
        counts.passed,
        took.as_secs_f64(),
        counts.lost,
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

fn print(at_once: usize, name: &str, direct: Duration, recorded: Duration) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / CALLS as f64;
    println!(
        "{at_once:>3} at once, {name:<21}: direct {:>7.1} µs per call, through the recorder {:>7.1}, difference {:>6.1} ({:.2}x)",
        micros(direct),
        micros(recorded),
        micros(recorded) - micros(direct),
        recorded.as_secs_f64() / direct.as_secs_f64()
    );
}
