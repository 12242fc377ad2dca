//! The failure that a log names, which says which aggregate is captured too.

use std::path::Path;

use super::Stop;
use super::request::{CaptureRequest, FailureLog, NumberedFile};
use super::stimulus::{no_ticket_at, read_tickets_at};
use crate::capture::{Aside, LOOKED_FOR, Logged, RootPart, RootSpec, newest_of_times};
use crate::model::{Domain, Edition, counted};
use crate::project::{FailureEntry, Failures, TicketLog};
use crate::terminal::words;

/// A failure that was found before anything was asked of the source.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) logged: Logged,
    /// Where it came from, in words.
    pub(super) origin: String,
    /// Lines beside it that are passed over, with the reason.
    pub(super) unusable: Vec<String>,
}

impl Given {
    pub(super) fn of_entry(entry: &FailureEntry) -> Self {
        Self {
            logged: entry.logged.clone(),
            origin: format!("from {}:{}", entry.file, entry.line),
            unusable: Vec::new(),
        }
    }

    /// The aggregate that it names.
    pub(super) fn spec(&self) -> RootSpec {
        RootSpec {
            domain: self.logged.domain().cloned(),
            root: RootPart::Full(self.logged.root()),
        }
    }

    /// Sequence that the command was sent for, where it is known.
    pub(super) fn sequence(&self) -> Option<u32> {
        match &self.logged {
            Logged::Failure(failure) => failure.noted.sequence,
            Logged::Ticket(ticket) => ticket.command.expected_sequence(),
        }
    }
}

/// The newest failure of a log.
pub(super) fn from_log(request: &CaptureRequest, log: &FailureLog) -> Result<Given, Stop> {
    let (failures, name) = read(&log.file)?;
    Wanted::of(request).newest(&failures, &name)
}

/// The failure of a ticket without a root beside it: the ticket says which aggregate it is.
pub(super) fn from_ticket(
    request: &CaptureRequest,
    asked: &NumberedFile<usize>,
) -> Result<Given, Stop> {
    let log = match asked.number {
        Some(_) => TicketLog::read(&asked.file)?,
        None => read_tickets_at(&asked.file)?,
    };
    let Some(line) = asked.number else {
        let mut failures = Failures::default();
        failures.add(&log);
        return Wanted::of(request).newest(&failures, &asked.to_string());
    };
    let entry = log.entries().find(|entry| entry.line == line);
    let entry = entry.ok_or_else(|| no_ticket_at(&log, line, asked))?;
    if !Wanted::of(request).fits(&entry.logged) {
        return Err(Stop::Failed(format!(
            "{asked}: the ticket is of another domain or edition than was asked for"
        )));
    }
    Ok(Given::of_entry(&entry))
}

/// Reads a log; `-` is standard input.
pub(crate) fn read(file: &Path) -> Result<(Failures, String), Stop> {
    let mut failures = Failures::default();
    if file == Path::new("-") {
        let name = "standard input";
        failures
            .read(std::io::stdin().lock(), name)
            .map_err(|error| Stop::Failed(format!("cannot read {name}: {}", words(&error))))?;
        return Ok((failures, name.into()));
    }
    failures.read_file(file)?;
    Ok((failures, file.display().to_string()))
}

/// Says that a log has nothing of use, and what was looked for.
pub(crate) fn demand_some(failures: &Failures, name: &str) -> Result<(), Stop> {
    if !failures.entries.is_empty() {
        return Ok(());
    }
    let unusable = match failures.unusable.as_slice() {
        [] => String::new(),
        [first, more @ ..] => format!(
            "\nnot usable: {first}{}",
            if more.is_empty() {
                String::new()
            } else {
                format!(" (and {} more)", more.len())
            }
        ),
    };
    Err(Stop::Failed(format!(
        "{name}: no failure in {} lines; looked for {LOOKED_FOR}{unusable}",
        failures.lines
    )))
}

/// The newest of some failures, and whether their times prove it.
fn newest_of<'a>(entries: &[&'a FailureEntry]) -> Option<(&'a FailureEntry, bool)> {
    let times: Vec<_> = entries
        .iter()
        .map(|entry| (entry.logged.time(), entry.local))
        .collect();
    let (at, is_proven) = newest_of_times(&times)?;
    Some((*entries.get(at)?, is_proven))
}

/// What says that a failure is the newest of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Their times.
    Times,
    /// The times of those that have one.
    SomeTimes,
    /// Only its place in the log.
    Place,
}

impl Proof {
    /// What the instants of one failure and of the others prove; none where there are no others.
    pub(super) fn of(has_time: bool, others: impl ExactSizeIterator<Item = bool>) -> Option<Self> {
        let count = others.len();
        let timed = others.filter(|has_time| *has_time).count();
        (count > 0).then_some(match has_time {
            true if timed == count => Self::Times,
            true => Self::SomeTimes,
            false => Self::Place,
        })
    }

    /// In words. What is not known to be the newest is not called so.
    pub(super) fn among(self, count: usize, of: &str) -> String {
        match self {
            Self::Times => format!("the newest of {count}{of}"),
            Self::SomeTimes => {
                format!("the latest time among {count}{of}, not all of which have one")
            }
            Self::Place => {
                format!("the last of {count}{of}, as they stand: their times are not known")
            }
        }
    }
}

/// Which failures of a log count.
struct Wanted {
    spec: Option<RootSpec>,
    domain: Option<Domain>,
    edition: Option<Edition>,
    correlation: Option<String>,
}

impl Wanted {
    fn of(request: &CaptureRequest) -> Self {
        let log = request.failure.log();
        Self {
            spec: request.aggregate.clone(),
            domain: request.domain.clone(),
            edition: request.edition.clone(),
            correlation: log.and_then(|log| log.correlation.clone()),
        }
    }

    /// Whether a failure is of the aggregate that was named. A log may leave the domain out.
    fn fits(&self, logged: &Logged) -> bool {
        let domain = |wanted: Option<&Domain>| match (wanted, logged.domain()) {
            (Some(wanted), Some(domain)) => wanted == domain,
            _ => true,
        };
        let edition = self.edition.as_ref();
        let correlation = self.correlation.as_deref();
        domain(self.domain.as_ref())
            && correlation.is_none_or(|id| logged.correlation_id() == id)
            && edition.is_none_or(|edition| edition.label() == logged.edition().label())
            && self
                .spec
                .as_ref()
                .is_none_or(|spec| spec.fits(&logged.root()) && domain(spec.domain.as_ref()))
    }

    fn newest(&self, failures: &Failures, name: &str) -> Result<Given, Stop> {
        demand_some(failures, name)?;
        let all = failures.entries.iter();
        let fitting: Vec<&FailureEntry> = all.filter(|entry| self.fits(&entry.logged)).collect();
        let usable: Vec<&FailureEntry> = fitting
            .iter()
            .copied()
            .filter(|entry| entry.logged.aside().is_none())
            .collect();
        let Some((newest, _)) = newest_of(&usable) else {
            return Err(self.nothing(&fitting, failures, name));
        };
        // What was logged without its command may stand there as a ticket too.
        let is_same = |entry: &&FailureEntry| {
            let (one, other) = (&entry.logged, &newest.logged);
            matches!(one, Logged::Ticket(_))
                && one.root() == other.root()
                && one.failure() == other.failure()
        };
        let chosen = match &newest.logged {
            Logged::Failure(_) => usable.iter().copied().rfind(is_same).unwrap_or(newest),
            Logged::Ticket(_) => newest,
        };
        let mut given = Given {
            unusable: failures.unusable.clone(),
            ..Given::of_entry(chosen)
        };
        let of_stream = |entry: &&&FailureEntry| {
            entry.logged.root() == chosen.logged.root()
                && entry.logged.edition().label() == chosen.logged.edition().label()
        };
        let own: Vec<&FailureEntry> = usable.iter().filter(of_stream).copied().collect();
        if own.len() > 1 {
            let proof = match newest_of(&own) {
                Some((newest, true)) if std::ptr::eq(newest, chosen) => Proof::Times,
                _ if own.iter().all(|entry| entry.logged.time().is_none()) => Proof::Place,
                _ => Proof::SomeTimes,
            };
            let origin = given.origin;
            given.origin = format!("{origin}, {}", proof.among(own.len(), " of this aggregate"));
        }
        Ok(given)
    }

    fn nothing(&self, fitting: &[&FailureEntry], failures: &Failures, name: &str) -> Stop {
        let mut of = match &self.spec {
            Some(spec) => format!(" of {spec}"),
            None => String::new(),
        };
        if let Some(id) = &self.correlation {
            of = format!("{of} of the workflow {id}");
        }
        if fitting.is_empty() {
            return Stop::Failed(format!(
                "{name}: {}, none of which is{}",
                counted(failures.entries.len(), "failure"),
                if of.is_empty() {
                    " what was asked for"
                } else {
                    &of
                }
            ));
        }
        let count = |aside| {
            let is_so = |entry: &&&FailureEntry| entry.logged.aside() == Some(aside);
            (fitting.iter().filter(is_so).count(), aside)
        };
        let kinds = [Aside::Stale, Aside::Transport, Aside::Accepted].map(count);
        let kinds: Vec<String> = kinds
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, aside)| format!("{count} {}", aside.word()))
            .collect();
        Stop::Failed(format!(
            "{name}: nothing{of} that says anything about the logic: {}; a ticket is taken by its line with --ticket \
             FILE:LINE",
            kinds.join(", ")
        ))
    }
}
