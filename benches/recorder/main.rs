//! `cargo bench --bench recorder`: what the recorder costs a call, beside a direct connection in the same run.
//!
//! Nothing here is a test: figures depend on the machine and on what else it does. See `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

#[path = "../whole_path/floor.rs"]
mod floor;
#[path = "../whole_path/machine.rs"]
#[allow(dead_code, reason = "the other benchmark needs more of it")]
mod machine;
mod server;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::project::system_clock;
use angzarr_replay::record::{Filter, Keep, Recorder, RecordingFile, Ring, Settings};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use machine::median;
use server::Poker;

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;
/// Recorded calls to the player's logic: one that it accepts, one that it rejects.
const ACCEPTED: u64 = 108;
const REJECTED: u64 = 109;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let logic = Poker::start()?;
    let recorder = start(logic.address(), &folder.path().join("recording.jsonl"))?;
    let through = recorder.address().to_string();
    println!("{}", machine::description());
    for (name, call) in [("accepted", ACCEPTED), ("rejected", REJECTED)] {
        let request = request(call)?;
        println!(
            "\n{CALLS} {name} calls of {} bytes, one connection, medians of {ROUNDS} interleaved rounds",
            request.len()
        );
        let requests = Arc::new(vec![request; CALLS]);
        for at_once in [1, 32] {
            let (mut direct, mut proxied) = (Vec::new(), Vec::new());
            for round in 0..=ROUNDS {
                let pair = [logic.address(), &through]
                    .map(|address| floor::send_all(address, &requests, 1, at_once));
                // The first round warms up.
                if round > 0 {
                    direct.push(pair[0]);
                    proxied.push(pair[1]);
                }
            }
            print(at_once, median(direct), median(proxied));
        }
    }
    let counts = recorder.end()?;
    println!("\n{counts:?}");
    Ok(())
}

fn start(upstream: &str, file: &Path) -> Result<Recorder, Box<dyn Error>> {
    let ring = Ring {
        count: 1_000,
        age: Duration::from_secs(24 * 60 * 60),
    };
    let settings = Settings {
        upstream: upstream.to_owned(),
        dialect: None,
        keep: Keep {
            filter: Filter::default(),
            ring,
        },
        stores: vec![Box::new(RecordingFile::open(file, ring)?)],
        redact: None,
        waiting: 1_024,
        waiting_bytes: 64 * 1024 * 1024,
        clock: system_clock(),
    };
    Ok(Recorder::start(
        TcpListener::bind("127.0.0.1:0")?,
        settings,
    )?)
}

fn request(number: u64) -> Result<Bytes, Box<dyn Error>> {
    let calls = include_str!("../../examples/poker/recorded/calls.jsonl");
    for line in calls.lines() {
        let call: serde_json::Value = serde_json::from_str(line)?;
        if call["n"] == number {
            let request = call["request"].as_str().unwrap_or_default();
            return Ok(STANDARD.decode(request)?.into());
        }
    }
    Err("the recording has no such call".into())
}

fn print(at_once: usize, direct: Duration, recorded: Duration) {
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / CALLS as f64;
    println!(
        "{at_once:>3} at once: direct {:>7.1} µs a call, through the recorder {:>7.1}, more by {:>6.1} ({:.2}x)",
        micros(direct),
        micros(recorded),
        micros(recorded) - micros(direct),
        recorded.as_secs_f64() / direct.as_secs_f64()
    );
}
