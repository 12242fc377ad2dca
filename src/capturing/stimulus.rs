//! Which command the case is of.

use std::path::Path;

use super::Stop;
use super::given::{Given, Proof};
use super::request::{CaptureRequest, FailureOrigin, NumberedFile, PersistedClaim};
use crate::capture::{
    Aside, FailingCommand, Fetched, Logged, Selected, StoredCount, UpTo, parse_draft, select_noted,
    select_ticket,
};
use crate::model::{AnsweredBy, Cover, Payload, Redactions, ReportedFailure, counted};
use crate::project::{OpenSource, Project, TicketLog};
use crate::terminal::words;
use crate::ticket::Ticket;
use crate::wire::Dialect;
use crate::{files, plain};

/// The command, or what a log tells of the failure without it, and where it came from in words.
pub(super) struct Found {
    pub(super) failing: Option<FailingCommand>,
    pub(super) noted: Option<ReportedFailure>,
    pub(super) origin: String,
    /// Lines of the file that it was looked for in that are passed over, with the reason.
    pub(super) unusable: Vec<String>,
}

impl Found {
    fn none(origin: String) -> Self {
        Self {
            failing: None,
            noted: None,
            origin,
            unusable: Vec::new(),
        }
    }

    fn of(failing: FailingCommand, origin: String) -> Self {
        Self {
            failing: Some(failing),
            noted: None,
            origin,
            unusable: Vec::new(),
        }
    }
}

pub(super) fn find(
    project: &Project,
    request: &CaptureRequest,
    source: &OpenSource,
    cover: &Cover,
    fetched: &Fetched,
    dialect: Dialect,
    given: Option<&Given>,
) -> Result<Found, Stop> {
    let by = request.answered_by;
    let of_given = |given: &Given| Found {
        unusable: given.unusable.clone(),
        ..of_given(given)
    };
    let mut found = match (&request.failure, given) {
        (FailureOrigin::Written { file, .. }, _) => {
            written(project, request, file, cover, fetched, dialect, given)?
        }
        (FailureOrigin::Nothing, _) => Found::none("left out, as asked".into()),
        (_, Some(given)) => of_given(given),
        (FailureOrigin::Ticket(asked), None) => ticket_asked_for(asked, cover, by)?,
        (_, None) => of_source(source, cover, by),
    };
    if let Some(failing) = &mut found.failing {
        failing.answered_by = failing.answered_by.or(by);
    }
    if let (Some(asked), Some(failing)) = (request.persisted, found.failing.as_mut()) {
        if let Some(failure) = &failing.failure {
            return Err(Stop::Usage(format!(
                "--persisted is for a command that production accepted; this one it answered with {}",
                failure.code
            )));
        }
        failing.accepted = match asked {
            PersistedClaim::Count(count) => Some(StoredCount::Given(count)),
            PersistedClaim::Unknown => None,
        };
    }
    Ok(found)
}

/// A command that somebody wrote down. A log may say how production answered it; where it has its place in the
/// history, production accepted it.
fn written(
    project: &Project,
    request: &CaptureRequest,
    file: &Path,
    cover: &Cover,
    fetched: &Fetched,
    dialect: Dialect,
    given: Option<&Given>,
) -> Result<Found, Stop> {
    let (text, name) = read_command(file)?;
    let mut draft = parse_draft(&text, &name)?;
    draft.sequence = draft.sequence.or_else(|| given.and_then(Given::sequence));
    let prefix = fetched
        .history
        .pages()
        .iter()
        .rev()
        .find_map(|page| page.body.event());
    let prefix = prefix.map_or_else(|| default_prefix(dialect), prefix_of);
    let book = draft.into_book(
        &name,
        project.registry_for(dialect.name())?,
        cover,
        fetched.history.next_sequence(),
        &prefix,
    )?;
    let has_place = request.up_to != UpTo::Head;
    let failing = FailingCommand {
        command: book,
        failure: given.and_then(|given| given.logged.failure()),
        answered_by: request.answered_by,
        accepted: (given.is_none() && has_place).then_some(StoredCount::AsPagesTell),
        head: None,
        dialect: None,
        redacted: Redactions::default(),
    };
    let origin = match given {
        None => format!("from {name}"),
        Some(given) => format!("from {name}, its failure {}", given.origin),
    };
    Ok(Found::of(failing, origin))
}

fn of_given(given: &Given) -> Found {
    match &given.logged {
        Logged::Ticket(ticket) => Found::of(ticket.into(), given.origin.clone()),
        Logged::Failure(failure) => {
            let failing = failure.command.as_ref().map(FailingCommand::from);
            Found {
                origin: match failing {
                    Some(_) => given.origin.clone(),
                    None => not_logged(&given.origin),
                },
                failing,
                noted: Some(failure.noted.clone()),
                unusable: Vec::new(),
            }
        }
    }
}

fn not_logged(origin: &str) -> String {
    format!("not known, the failure is {origin} (--command brings the command)")
}

/// The newest failure that the source's logs have of the aggregate.
fn of_source(source: &OpenSource, cover: &Cover, by: AnsweredBy) -> Found {
    let selected = select_ticket(&source.tickets, cover, by);
    let without_command = || source.failures.without_command();
    let noted = select_noted(
        without_command().map(|(_, failure)| failure),
        cover,
        selected.as_ref().map(|selected| selected.ticket),
        by,
    );
    if let Some(noted) = noted {
        let failure = noted.failure;
        let place = without_command().find(|(_, other)| std::ptr::eq(*other, failure));
        let place = place.map_or_else(String::new, |(entry, _)| {
            format!("from {}:{}", entry.file, entry.line)
        });
        let times = noted.others.iter().map(|other| other.noted.time.is_some());
        let proof = Proof::of(failure.noted.time.is_some(), times);
        let among = proof.map_or_else(String::new, |proof| {
            let count = noted.others.len() + 1;
            format!(", {}", proof.among(count, " of this aggregate"))
        });
        return Found {
            failing: None,
            noted: Some(failure.noted.clone()),
            origin: not_logged(&format!("{place}{among}")),
            unusable: Vec::new(),
        };
    }
    match selected {
        Some(selected) => Found::of(selected.ticket.into(), among_others(&selected)),
        None => Found::none(nothing_usable(source, cover)),
    }
}

/// Why the source's logs have no failure of the aggregate.
fn nothing_usable(source: &OpenSource, cover: &Cover) -> String {
    let known = source.tickets.len();
    let own = |ticket: &&Ticket| ticket.command.cover.is_same_stream(cover);
    let own: Vec<&Ticket> = source.tickets.iter().filter(own).collect();
    let accepted = own.iter().filter(|ticket| ticket.is_accepted()).count();
    match (own.len() - accepted, accepted) {
        (0, 0) if known == 0 => {
            "none: the source has no failure log, or an empty one (`tickets` in replay.toml, or --ticket)".to_owned()
        }
        (0, 0) => format!("of {} none is of this aggregate", counted(known, "failure")),
        (0, accepted) => format!(
            "{accepted} accepted left aside (--ticket FILE:LINE takes one), no failure of this aggregate among {known} \
             tickets"
        ),
        _ => format!(
            "{}, of {} no other is of this aggregate",
            left_aside(&own),
            counted(known, "failure")
        ),
    }
}

/// How many failures are passed over, and how each kind of them is taken all the same.
fn left_aside(own: &[&Ticket]) -> String {
    let count = |aside: Aside| {
        let is_so = |ticket: &&&Ticket| Aside::of_ticket(ticket) == Some(aside);
        own.iter().filter(is_so).count()
    };
    let stale = match count(Aside::Stale) {
        0 => None,
        stale => Some(format!("{stale} stale left aside (--ticket takes one)")),
    };
    let unreachable = match count(Aside::Transport) {
        0 => None,
        count => Some(format!(
            "{count} of the transport left aside (--answered-by logic takes one that the logic gave)"
        )),
    };
    let kinds: Vec<String> = stale.into_iter().chain(unreachable).collect();
    kinds.join(", ")
}

fn among_others(selected: &Selected<'_>) -> String {
    let times = selected.others.iter().map(|ticket| ticket.time.is_some());
    let newest = match Proof::of(selected.ticket.time.is_some(), times) {
        None => "the only failure of this aggregate in the log".to_owned(),
        Some(proof) => {
            let count = selected.others.len() + 1;
            proof.among(count, " failures of this aggregate in the log")
        }
    };
    let aside: Vec<String> = [
        (selected.stale, "stale"),
        (selected.unreachable, "of the transport"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    match aside.as_slice() {
        [] => newest,
        aside => format!("{newest} ({} left aside)", aside.join(", ")),
    }
}

/// The tickets of a file, of which there has to be one.
pub(super) fn read_tickets_at(file: &Path) -> Result<TicketLog, Stop> {
    let log = TicketLog::read(file)?;
    if !log.tickets.is_empty() {
        return Ok(log);
    }
    let unusable = log.unusable();
    let unusable: Vec<String> = unusable
        .iter()
        .map(|line| format!("\nnot usable: {line}"))
        .collect();
    Err(Stop::Failed(format!(
        "{}: there is no failure ticket in it{}",
        file.display(),
        unusable.concat()
    )))
}

/// Says why a line has no ticket.
pub(super) fn no_ticket_at(log: &TicketLog, line: usize, asked: &NumberedFile<usize>) -> Stop {
    Stop::Failed(match log.refusal(line) {
        Some(reason) => format!("{asked}: {reason}"),
        None => format!("{asked}: there is no ticket on that line"),
    })
}

fn ticket_asked_for(
    asked: &NumberedFile<usize>,
    cover: &Cover,
    by: AnsweredBy,
) -> Result<Found, Stop> {
    let (file, line) = (&asked.file, asked.number);
    let log = match (TicketLog::read(file)?, line) {
        (log, Some(line)) if log.refusal(line).is_some() => log,
        (_, _) => read_tickets_at(file)?,
    };
    let Some(line) = line else {
        let mut found = newest_of(file, &log.tickets, cover, by)?;
        found.unusable = log.unusable();
        return Ok(found);
    };
    let found = log.tickets.iter().find(|(number, _)| *number == line);
    let (_, ticket) = found.ok_or_else(|| no_ticket_at(&log, line, asked))?;
    if !ticket.command.cover.is_same_stream(cover) {
        let of = &ticket.command.cover;
        return Err(Stop::Failed(format!(
            "{asked}: the ticket is of {}, not of {}",
            named(of),
            named(cover)
        )));
    }
    Ok(Found::of(ticket.into(), format!("from {asked}")))
}

/// The newest ticket of the aggregate in a file.
fn newest_of(
    file: &Path,
    tickets: &[(usize, Ticket)],
    cover: &Cover,
    by: AnsweredBy,
) -> Result<Found, Stop> {
    let file = file.display();
    let all: Vec<Ticket> = tickets.iter().map(|(_, ticket)| ticket.clone()).collect();
    if let Some(selected) = select_ticket(&all, cover, by) {
        return Ok(Found::of(selected.ticket.into(), format!("from {file}")));
    }
    let left = tickets
        .iter()
        .find(|(_, ticket)| ticket.command.cover.is_same_stream(cover));
    Err(Stop::Failed(match left {
        Some((line, ticket)) if ticket.is_accepted() => format!(
            "{file}: there is no failure of {}, only commands that were accepted; name one if that is the point: \
             --ticket {file}:{line}",
            named(cover)
        ),
        Some((line, _)) => format!(
            "{file}: the tickets of {} are all of a stale sequence, which says nothing about the logic; name one if \
             that is the point: --ticket {file}:{line}",
            named(cover)
        ),
        None => format!(
            "{file}: none of its {} tickets is of {}",
            tickets.len(),
            named(cover)
        ),
    }))
}

fn named(cover: &Cover) -> String {
    format!(
        "{}/{}, edition {}",
        cover.domain,
        cover.root,
        cover.edition.label()
    )
}

fn read_command(file: &Path) -> Result<(String, String), Stop> {
    if file == Path::new("-") {
        let read = plain::read_to_string(Path::new("/dev/stdin"), files::WRITTEN);
        let text = read.map_err(|error| {
            Stop::Failed(format!("cannot read standard input: {}", words(&error)))
        })?;
        return Ok((text, "standard input".into()));
    }
    let name = file.display().to_string();
    let text = plain::read_to_string(file, files::WRITTEN)
        .map_err(|error| Stop::Failed(format!("cannot read {name}: {}", words(&error))))?;
    Ok((text, name))
}

fn prefix_of(payload: &Payload) -> String {
    payload.type_url[..payload.type_url.len() - payload.type_name().len()].to_owned()
}

/// What the dialect's client libraries put before a type name.
fn default_prefix(dialect: Dialect) -> String {
    if dialect == Dialect::IO_ANGZARR_V1 {
        "/".into()
    } else {
        "type.googleapis.com/".into()
    }
}
