//! `record`: parses the arguments and prints the progress of a recording.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Done, complain, say};
use crate::model::{Domain, Root};
use crate::processes::Interrupts;
use crate::project::Project;
use crate::record::{Counts, Filter, KeepLimits, Ring};
use crate::recording::{RecordLosses, RecordProgress, RecordRequest, RunningRecording, StopHandle};
use crate::wire::Dialect;

/// Pass calls on to a server, and record commands, requests to logic, and the answers.
///
/// Runs between a client and a coordinator, or between a coordinator and its logic; the calls show which. Every call is
/// passed on unchanged. Failed calls are always kept, accepted calls only up to a limit. Ends with Ctrl-C.
#[derive(Debug, Args)]
pub(super) struct RecordArguments {
    /// Address to listen on.
    #[arg(long, value_name = "HOST:PORT")]
    listen: String,
    /// Address of the server.
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,
    /// The recording; an existing one is continued. `-` is standard output.
    #[arg(long, value_name = "FILE", default_value = "recording.jsonl")]
    to: PathBuf,
    /// A failure log that receives a ticket for each command that a coordinator rejects.
    #[arg(long, value_name = "FILE")]
    tickets: Option<PathBuf>,
    /// Address that shows counters (`/metrics`) and health (`/healthz`).
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<String>,
    /// Largest recording, and largest failure log, in MiB. The oldest calls are removed, failures last.
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..1 << 30))]
    max_mebibytes: u64,
    /// How long to keep anything, failures too, as in 12h or 30d; without it there is no limit.
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
    max_age: Option<Duration>,
    /// How many accepted calls to keep; 0 for none.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    ring: usize,
    /// How long to keep accepted calls, as in 90s, 15m, 2h or 1d.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = parse_age)]
    ring_age: Duration,
    /// Keep all accepted calls of this domain; may be repeated, and combined with the next two.
    #[arg(long, value_name = "DOMAIN")]
    keep_domain: Vec<Domain>,
    /// Keep all accepted calls of this aggregate.
    #[arg(long, value_name = "UUID")]
    keep_root: Vec<Root>,
    /// Keep all accepted calls with this command or newest event.
    #[arg(long, value_name = "TYPE")]
    keep_type: Vec<String>,
    /// The dialect of the calls, if several share the package; by default the newest.
    #[arg(long)]
    dialect: Option<Dialect>,
    /// Record without redaction: secrets and personal data reach the file.
    #[arg(long)]
    unredacted: bool,
}

fn parse_age(text: &str) -> Result<Duration, String> {
    let age: Result<jiff::SignedDuration, _> = text.parse();
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let days = days.and_then(|days: u64| days.checked_mul(24 * 60 * 60));
    days.map(Duration::from_secs)
        .or_else(|| Duration::try_from(age.ok()?).ok())
        .ok_or_else(|| "a time such as 90s, 15m, 2h or 1d is expected".into())
}

impl RecordArguments {
    fn request(&self) -> RecordRequest {
        RecordRequest {
            listen: self.listen.clone(),
            upstream: self.upstream.clone(),
            file: self.to.clone(),
            tickets: self.tickets.clone(),
            metrics: self.metrics.clone(),
            limits: KeepLimits {
                bytes: self.max_mebibytes << 20,
                age: self.max_age,
            },
            ring: Ring {
                count: self.ring,
                age: self.ring_age,
            },
            keep: Filter {
                domains: self.keep_domain.clone(),
                roots: self.keep_root.clone(),
                types: self.keep_type.clone(),
            },
            dialect: self.dialect,
            is_unredacted: self.unredacted,
        }
    }
}

pub(super) fn run(project: &Project, arguments: &RecordArguments) -> Done {
    hide_values_in_panics();
    let watch = &mut |progress| complain(in_words(progress));
    let request = arguments.request();
    // Nothing else may be between the lines of the recording.
    let print: fn(&dyn Display) = if request.is_to_output() {
        |text| complain(text)
    } else {
        |text| say(text)
    };
    let recording = RunningRecording::start(project, &request, watch)?;
    stop_on_signal(recording.stop_handle());
    print(&format_args!(
        "recording what goes from {} to {} into {}; end with Ctrl-C",
        recording.address(),
        recording.upstream(),
        recording.file()
    ));
    if let Some(address) = recording.metrics_address() {
        print(&format_args!("metrics: http://{address}/metrics"));
    }
    let result = recording.wait(watch)?;
    print(&summary(&result.counts, arguments.tickets.is_some()));
    if !result.losses.is_empty() {
        print(&losses(&result.losses));
    }
    Ok(())
}

/// Prints only the location of a panic, because its message may contain the value that was being redacted.
fn hide_values_in_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        complain(format_args!(
            "a bug of angzarr-replay, please report it: {place}; the message is not shown, because it may contain what was being redacted"
        ));
    }));
}

fn stop_on_signal(recording: StopHandle) {
    let Some(mut interrupts) = Interrupts::listen() else {
        recording.stop();
        return;
    };
    std::thread::spawn(move || {
        if interrupts.next_exit_code().is_some() {
            recording.stop();
        }
        // A second signal ends the process without waiting.
        if let Some(exit_code) = interrupts.next_exit_code() {
            std::process::exit(exit_code);
        }
    });
}

fn in_words(progress: RecordProgress) -> String {
    match progress {
        RecordProgress::UnfittingRule(rule) => rule,
        RecordProgress::UnfinishedLine { file, line } => {
            format!("{file}:{line}: an earlier recorder did not finish this line; it is cut off")
        }
        RecordProgress::UnfinishedTicket { file } => format!(
            "{file}: its last line was not finished; it is left there, and tickets go to lines of their own"
        ),
        RecordProgress::NotRedacted(unread) => format!("not redacted: {unread}: kept as it is"),
        RecordProgress::MoreNotRedacted => {
            "not redacted: there is more, which is no longer reported".to_owned()
        }
        RecordProgress::DialectAssumed(dialect) => {
            let others: Vec<&str> = dialect.of_same_package().map(|it| it.name()).collect();
            format!(
                "the dialect {dialect} is assumed, and what is recorded says so: {} have the same package; --dialect says \
                 which is spoken",
                others.join(" and ")
            )
        }
        RecordProgress::Lost(lost) => losses(&lost),
    }
}

fn summary(counts: &Counts, has_tickets: bool) -> String {
    let calls = match counts.passed {
        1 => "1 call".to_owned(),
        passed => format!("{passed} calls"),
    };
    let tickets = match (has_tickets, counts.tickets) {
        (false, _) => String::new(),
        (true, 1) => ", 1 ticket written".to_owned(),
        (true, tickets) => format!(", {tickets} tickets written"),
    };
    format!("{calls} passed on, {} kept{tickets}", counts.kept)
}

/// The losses of the recording, in words.
fn losses(losses: &RecordLosses) -> String {
    let reasons = &losses.reasons;
    let kinds = [
        (losses.lost, "lost, as writing was too slow", &None),
        (losses.unwritten, "not written", &reasons.unwritten),
        (losses.refused, "refused by redaction", &reasons.refused),
        (losses.unreadable, "not readable", &None),
        (
            losses.too_large,
            "with a status over `max_status_kibibytes`",
            &None,
        ),
        (losses.unanswered, "without an answer", &None),
    ];
    let lost: Vec<String> = kinds
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, reason)| match reason {
            Some(reason) => format!("{count} {what} ({reason})"),
            None => format!("{count} {what}"),
        })
        .collect();
    let mut lines = Vec::new();
    if !lost.is_empty() {
        lines.push(format!(
            "not in the recording: {}; the calls themselves were passed on",
            lost.join(", ")
        ));
    }
    if losses.unwritten_tickets > 0 {
        let reason = reasons.unwritten_ticket.as_deref().unwrap_or_default();
        lines.push(format!(
            "no ticket for {}: {reason}",
            match losses.unwritten_tickets {
                1 => "1 failed command".to_owned(),
                count => format!("{count} failed commands"),
            }
        ));
    }
    lines.join("\n")
}
