//! Any bytes as a log file: no panic; compressed or in another encoding it means the same; and a ticket in it is found in every
//! format of a container runtime.
//!
//! `cargo +nightly fuzz run log_file fuzz/corpus/log_file examples/poker/recorded -- -timeout=5`; the first byte says where
//! lines are split.
#![no_main]

use std::io::Write;

use angzarr_replay::internal::capture::Logged;
use angzarr_replay::internal::project::Failures;
use angzarr_replay::internal::ticket::Ticket;
use libfuzzer_sys::fuzz_target;

const TIME: &str = "2026-11-23T00:01:01Z";

fuzz_target!(|data: &[u8]| {
    let Some((cut, log)) = data.split_first() else {
        return;
    };
    let Ok(found) = read(log) else {
        return;
    };
    let _ = read(&gzip(log));
    if let Ok(text) = std::str::from_utf8(log) {
        encoded(text);
    }
    for entry in found.entries {
        if let Logged::Ticket(ticket) = entry.logged {
            wrapped(&ticket, usize::from(*cut) + 1);
        }
    }
});

fn read(log: &[u8]) -> std::io::Result<Failures> {
    let mut failures = Failures::default();
    failures.read(log, "log").map(|()| failures)
}

/// Compares the failures in a text with those in other encodings of it.
fn encoded(text: &str) {
    // Zeros may look like UTF-16, and a mark like an encoding.
    if text.contains(['\0', '\u{feff}']) {
        return;
    }
    let marked = format!("\u{feff}{text}");
    let units = || marked.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    let plain = read(marked.as_bytes()).expect("a text with a mark is read");
    for other in [gzip(marked.as_bytes()), gzip(&little), little, big] {
        // A text may begin like an archive.
        if let Ok(other) = read(&other) {
            assert_eq!(other, plain);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed
        .write_all(bytes)
        .expect("writing to memory cannot fail");
    packed.finish().expect("writing to memory cannot fail")
}

/// Looks for a ticket in the formats of container runtimes and loggers.
fn wrapped(ticket: &Ticket, cut: usize) {
    let line = ticket.to_line();
    let line = line.trim_end();
    let parts = parts(line, cut);
    let last = parts.len() - 1;
    let each = |format: fn(&str, bool) -> String| -> String {
        let lines = parts.iter().enumerate();
        lines.map(|(at, part)| format(part, at == last)).collect()
    };
    let cri = each(|part, is_last| {
        let tag = if is_last { "F" } else { "P" };
        format!("{TIME} stdout {tag} {part}\n")
    });
    let docker = each(|part, is_last| {
        let end = if is_last { "\\n" } else { "" };
        let text = part.replace('\\', "\\\\").replace('"', "\\\"");
        format!("{{\"log\":\"{text}{end}\",\"stream\":\"stdout\",\"time\":\"{TIME}\"}}\n")
    });
    let bytes: Vec<String> = line.bytes().map(|byte| byte.to_string()).collect();
    let journal = format!("{{\"MESSAGE\":[{}]}}", bytes.join(","));
    for log in [
        format!("{line}\r\n"),
        format!("player-1  | {line}"),
        format!("[pod/player-0/player] {line}"),
        format!("{TIME} INFO failed {line}"),
        cri,
        docker,
        journal,
    ] {
        let found = read(log.as_bytes()).expect("it is a text");
        let [entry] = found.entries.as_slice() else {
            panic!("{log}: {found:?}");
        };
        let Logged::Ticket(mut again) = entry.logged.clone() else {
            panic!("{log}: {found:?}");
        };
        // A ticket without a time gets the time of its line.
        again.time = ticket.time.and(again.time);
        assert_eq!(again, *ticket, "{log}");
    }
}

/// Splits a text into pieces of about the given length.
fn parts(text: &str, length: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > length {
        let at = (length..=rest.len()).find(|at| rest.is_char_boundary(*at));
        let (part, following) = rest.split_at(at.unwrap_or(rest.len()));
        parts.push(part);
        rest = following;
    }
    parts.push(rest);
    parts
}
