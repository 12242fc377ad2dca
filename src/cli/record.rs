//! `record`: a proxy that notes what goes by.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use clap::Args;

use super::{Done, Stop, complain, say, words};
use crate::model::{Domain, Root};
use crate::processes::Interrupts;
use crate::project::{Project, system_clock};
use crate::record::{
    Counts, FailureLogWriter, Filter, KeepRules, LastErrors, Recorder, RecorderSettings,
    RecorderWatch, RecordingFile, Redact, Ring, redacted,
};
use crate::wire::Dialect;

/// How many notes may wait for the disk, and how large they may be together.
const WAITING: usize = 1_024;
const WAITING_BYTES: usize = 64 * 1024 * 1024;
/// How many things that stay unredacted are told of.
const MOST_TOLD: usize = 100;
/// How often losses are looked for, to be said.
const LOOK: Duration = Duration::from_secs(2);

/// Pass calls on to a server, and note commands, what logic was asked, and the answers.
///
/// Stands between a client and a coordinator, or between a coordinator and its logic, and tells by the calls which.
/// Every call is passed on unchanged. Failures are kept always, accepted calls in a ring. Ends with Ctrl-C.
#[derive(Debug, Args)]
pub(super) struct RecordArguments {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT")]
    listen: String,
    /// The server behind.
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,
    /// The recording; one that is there is continued.
    #[arg(long, value_name = "FILE", default_value = "recording.jsonl")]
    to: PathBuf,
    /// A failure log to add a ticket to for each command that a coordinator does not accept.
    #[arg(long, value_name = "FILE")]
    tickets: Option<PathBuf>,
    /// How many accepted calls are kept; 0 for none.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    ring: usize,
    /// How long accepted calls are kept, as in 90s, 15m, 2h or 1d.
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = parse_age)]
    ring_age: Duration,
    /// Keep accepted calls of this domain for good; may be repeated, and joined with the two below.
    #[arg(long, value_name = "DOMAIN")]
    keep_domain: Vec<Domain>,
    /// Keep accepted calls of this aggregate for good.
    #[arg(long, value_name = "UUID")]
    keep_root: Vec<Root>,
    /// Keep accepted calls with this command or newest event for good.
    #[arg(long, value_name = "TYPE")]
    keep_type: Vec<String>,
    /// Which of the dialects is spoken, where several share a package; without it the newest is assumed.
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

pub(super) fn run(project: &Project, arguments: &RecordArguments) -> Done {
    // What a panic says may repeat what was being redacted.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        complain(format_args!(
            "a bug of angzarr-replay, please report it: {place}; what it met is not noted"
        ));
    }));
    let redact = redaction(project, arguments)?;
    let upstream = upstream(&arguments.upstream)?;
    let listener = TcpListener::bind(&arguments.listen).map_err(|error| {
        Stop::Failed(format!(
            "cannot listen on {}: {}",
            arguments.listen,
            words(&error)
        ))
    })?;
    let recorder = Recorder::start(
        listener,
        RecorderSettings {
            upstream: upstream.clone(),
            dialect: arguments.dialect,
            keep: KeepRules {
                filter: Filter {
                    domains: arguments.keep_domain.clone(),
                    roots: arguments.keep_root.clone(),
                    types: arguments.keep_type.clone(),
                },
                ring: ring(arguments),
            },
            stores: vec![Box::new(recording(arguments)?)],
            tickets: tickets(arguments)?,
            redact,
            status_limit: project.config().status_limit,
            waiting: WAITING,
            waiting_bytes: WAITING_BYTES,
            clock: system_clock(),
        },
    );
    let recorder = recorder.map_err(|error| Stop::Failed(words(&error)))?;
    say(format_args!(
        "recording what goes from {} to {} into {}; end with Ctrl-C",
        recorder.address(),
        upstream,
        Project::shown(&arguments.to)
    ));
    let watch = recorder.watch();
    let mut told = Assumptions::default();
    until_interrupted(&watch, &mut told);
    let counts = recorder.end().map_err(|error| {
        Stop::Failed(format!(
            "{}: the end of the recording could not be written: {}",
            Project::shown(&arguments.to),
            words(&error)
        ))
    })?;
    told.tell(&watch);
    say(summary(&counts, arguments.tickets.is_some()));
    if let Some(losses) = losses(&counts, &watch.last_errors()) {
        say(losses);
    }
    Ok(())
}

/// The address of the server behind, which is spoken to in the clear.
fn upstream(text: &str) -> Result<String, Stop> {
    let plain = text.strip_prefix("http://").unwrap_or(text);
    let plain = plain.trim_end_matches('/');
    let is_address = plain
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_address && !plain.contains(['/', '@', ' ', '?']) {
        return Ok(plain.to_owned());
    }
    Err(Stop::Usage(format!(
        "--upstream {text}: HOST:PORT is expected; the recorder speaks neither TLS nor over Unix sockets"
    )))
}

/// What is done to a note before it is written.
fn redaction(project: &Project, arguments: &RecordArguments) -> Result<Option<Redact>, Stop> {
    if arguments.unredacted {
        return Ok(None);
    }
    let redactor = project.redactor_of_recordings()?;
    for rule in redactor.unfitting() {
        complain(&rule);
    }
    let mut told = BTreeSet::new();
    Ok(Some(Box::new(move |note| {
        let (note, report) = redacted(&note, &redactor).map_err(|error| error.to_string())?;
        // Said at once: who sees it may want to end the recording.
        for unread in report.unread {
            if told.len() < MOST_TOLD && !told.contains(&unread) {
                complain(format_args!("not redacted: {unread}: kept as it is"));
                told.insert(unread);
                if told.len() == MOST_TOLD {
                    complain(format_args!(
                        "not redacted: there is more, of which nothing is said any more"
                    ));
                }
            }
        }
        Ok(note)
    })))
}

fn ring(arguments: &RecordArguments) -> Ring {
    Ring {
        count: arguments.ring,
        age: arguments.ring_age,
    }
}

fn recording(arguments: &RecordArguments) -> Result<RecordingFile, Stop> {
    let file = RecordingFile::open(&arguments.to, ring(arguments))
        .map_err(|error| Stop::Failed(error.to_string()))?;
    if let Some(line) = file.cut_off() {
        complain(format_args!(
            "{}:{line}: an earlier recorder did not finish this line; it is cut off",
            Project::shown(&arguments.to)
        ));
    }
    Ok(file)
}

fn tickets(arguments: &RecordArguments) -> Result<Option<FailureLogWriter>, Stop> {
    let Some(path) = &arguments.tickets else {
        return Ok(None);
    };
    let log = FailureLogWriter::open(path).map_err(|error| Stop::Failed(error.to_string()))?;
    if log.is_torn() {
        complain(format_args!(
            "{}: its last line was not finished; it is left there, and tickets go to lines of their own",
            Project::shown(path)
        ));
    }
    Ok(Some(log))
}

/// Waits for the end, and says in between what was lost.
fn until_interrupted(watch: &RecorderWatch, told: &mut Assumptions) {
    let (ended, end) = channel();
    let Some(mut interrupts) = Interrupts::listen() else {
        return;
    };
    std::thread::spawn(move || {
        if interrupts.next_exit_code().is_some() {
            let _ = ended.send(());
        }
        // Who asks a second time does not want to wait.
        if let Some(exit_code) = interrupts.next_exit_code() {
            std::process::exit(exit_code);
        }
    });
    let mut said = None;
    while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        told.tell(watch);
        let losses = losses(&watch.counts(), &watch.last_errors());
        if losses != said {
            if let Some(losses) = &losses {
                complain(format_args!("{losses}"));
            }
            said = losses;
        }
    }
}

/// Dialects that had to be assumed, each said once.
#[derive(Default)]
struct Assumptions {
    told: usize,
}

impl Assumptions {
    fn tell(&mut self, watch: &RecorderWatch) {
        let assumed = watch.assumed_dialects();
        for dialect in &assumed[self.told..] {
            let others: Vec<&str> = dialect.of_same_package().map(|it| it.name()).collect();
            eprintln!(
                "the dialect {dialect} is assumed, and what is recorded says so: {} have the same package; --dialect says \
                 which is spoken",
                others.join(" and ")
            );
        }
        self.told = assumed.len();
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

/// What is not in the recording though it could have been.
fn losses(counts: &Counts, last_errors: &LastErrors) -> Option<String> {
    let LastErrors {
        refused,
        unwritten,
        unwritten_ticket,
    } = last_errors;
    let kinds = [
        (counts.lost, "lost, as writing was too slow", &None),
        (counts.unwritten, "not written", unwritten),
        (counts.refused, "refused by redaction", refused),
        (counts.unreadable, "not readable", &None),
        (
            counts.too_large,
            "with a status over `max_status_kibibytes`",
            &None,
        ),
        (counts.unanswered, "without an answer", &None),
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
    if counts.unwritten_tickets > 0 {
        let reason = unwritten_ticket.as_deref().unwrap_or_default();
        lines.push(format!(
            "no ticket for {}: {reason}",
            match counts.unwritten_tickets {
                1 => "1 failed command".to_owned(),
                count => format!("{count} failed commands"),
            }
        ));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
