//! `cargo bench --bench recorder`: how much longer a call takes through the recorder than directly, in the same run.
//!
//! A measurement, not a test: the figures depend on the machine and its load. See `benches/README.md`.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "figures for people"
)]

#[path = "../whole_path/floor.rs"]
mod floor;
#[path = "../whole_path/machine.rs"]
#[allow(dead_code, reason = "the other benchmark uses the rest")]
mod machine;
mod server;

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::payload::Registry;
use angzarr_replay::internal::project::system_clock;
use angzarr_replay::internal::record::{
    Filter, KeepRules, Recorder, RecorderSettings, RecordingFile, Redact, Ring, redacted,
};
use angzarr_replay::internal::redact::{Action, Key, Policy, RedactionRule, Redactor};
use angzarr_replay::internal::wire::{Dialect, call_descriptors};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use machine::median;
use server::Poker;

const CALLS: usize = 2_000;
const ROUNDS: usize = 15;
/// Recorded calls to the player's logic: one that it accepts, and one that it rejects.
const ACCEPTED: u64 = 108;
const REJECTED: u64 = 109;

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
        let request = request(call)?;
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
    Ok(())
}

/// Two rules, one of which matches a field in every call.
fn redaction() -> Result<Redact, Box<dyn Error>> {
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let registry = Registry::from_paths(&[protos])?;
    let registry = registry.filled_from(&call_descriptors(Dialect::ANGZARR))?;
    let policy = Policy {
        rules: vec![
            RedactionRule::new("examples.*", "email", Action::Pseudonym)?,
            RedactionRule::new("examples.Currency", "amount", Action::Pseudonym)?,
        ],
        key: Some(Key::new("a key that only this benchmark has")?),
        debug_redact: None,
        roots: false,
        is_strict: true,
    };
    let redactor = Redactor::new(registry, policy)?;
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
        waiting: 1_024,
        waiting_bytes: 64 * 1024 * 1024,
        status_limit: angzarr_replay::internal::wire::STATUS_LIMIT,
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
