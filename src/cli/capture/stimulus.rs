//! Which command the case is of.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::CaptureArguments;
use crate::capture::ticket::Ticket;
use crate::capture::{FailingCommand, Fetched, parse_draft, select_ticket};
use crate::cli::{Stop, words};
use crate::model::{Cover, Payload};
use crate::project::{OpenSource, Project, read_tickets};
use crate::wire::Dialect;

/// The command, and where it came from in words.
pub(super) struct Found {
    pub(super) failing: Option<FailingCommand>,
    pub(super) origin: String,
}

pub(super) fn find(
    project: &Project,
    arguments: &CaptureArguments,
    source: &OpenSource,
    cover: &Cover,
    fetched: &Fetched,
    dialect: Dialect,
) -> Result<Found, Stop> {
    if let Some(file) = &arguments.command {
        let (text, name) = read_command(file)?;
        let draft = parse_draft(&text, &name)?;
        let prefix = fetched
            .history
            .pages()
            .iter()
            .rev()
            .find_map(|page| page.body.event());
        let prefix = prefix.map_or_else(|| default_prefix(dialect), prefix_of);
        let book = draft.into_book(
            &name,
            project.registry()?,
            cover,
            fetched.history.next_sequence(),
            &prefix,
        )?;
        let failing = FailingCommand {
            command: book,
            failure: None,
            head: None,
            dialect: None,
        };
        return Ok(Found {
            failing: Some(failing),
            origin: format!("from {name}"),
        });
    }
    if arguments.history {
        return Ok(Found {
            failing: None,
            origin: "left out, as asked".into(),
        });
    }
    if let Some(asked) = &arguments.ticket {
        return ticket_asked_for(asked, cover);
    }
    let Some(selected) = select_ticket(&source.tickets, cover) else {
        let known = source.tickets.len();
        let stale = source
            .tickets
            .iter()
            .filter(|ticket| ticket.command.cover.is_same_stream(cover));
        return Ok(Found {
            failing: None,
            origin: match stale.count() {
                0 if known == 0 => {
                    "none: the source has no failure log, or an empty one (`tickets` in replay.toml, or --ticket)"
                        .to_owned()
                }
                0 => format!("none among {known} failures is of this aggregate"),
                stale => format!(
                    "{stale} stale left aside (--ticket takes one), no other among {known} failures is of this \
                     aggregate"
                ),
            },
        });
    };
    let newest = match selected.others.len() {
        0 => "the only failure of this aggregate in the log".to_owned(),
        others => format!(
            "the newest of {} failures of this aggregate in the log",
            others + 1
        ),
    };
    let aside: Vec<String> = [
        (selected.stale, "stale"),
        (selected.unreachable, "of the transport"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let others = match aside.as_slice() {
        [] => newest,
        aside => format!("{newest} ({} left aside)", aside.join(", ")),
    };
    Ok(Found {
        failing: Some(failing(selected.ticket)),
        origin: others,
    })
}

fn failing(ticket: &Ticket) -> FailingCommand {
    FailingCommand {
        command: ticket.command.clone(),
        failure: Some(ticket.failure.clone()),
        head: ticket.head,
        dialect: Some(ticket.dialect),
    }
}

fn ticket_asked_for(asked: &str, cover: &Cover) -> Result<Found, Stop> {
    let (file, line) = match asked.rsplit_once(':') {
        Some((file, line)) if !Path::new(asked).exists() => match line.parse::<usize>() {
            Ok(line) => (file, Some(line)),
            Err(_) => (asked, None),
        },
        _ => (asked, None),
    };
    let tickets = read_tickets(&[PathBuf::from(file)])?;
    let Some(line) = line else {
        return newest_of(file, &tickets, cover);
    };
    let found = tickets.into_iter().find(|(number, _)| *number == line);
    let (_, ticket) =
        found.ok_or_else(|| Stop::Failed(format!("{asked}: there is no ticket on that line")))?;
    if !ticket.command.cover.is_same_stream(cover) {
        let of = &ticket.command.cover;
        return Err(Stop::Failed(format!(
            "{asked}: the ticket is of {}, not of {}",
            named(of),
            named(cover)
        )));
    }
    Ok(Found {
        failing: Some(failing(&ticket)),
        origin: format!("from {asked}"),
    })
}

/// The newest ticket of the aggregate in a file.
fn newest_of(file: &str, tickets: &[(usize, Ticket)], cover: &Cover) -> Result<Found, Stop> {
    let all: Vec<Ticket> = tickets.iter().map(|(_, ticket)| ticket.clone()).collect();
    if let Some(selected) = select_ticket(&all, cover) {
        return Ok(Found {
            failing: Some(failing(selected.ticket)),
            origin: format!("from {file}"),
        });
    }
    let stale = tickets
        .iter()
        .find(|(_, ticket)| ticket.command.cover.is_same_stream(cover));
    Err(Stop::Failed(match stale {
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
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| {
            Stop::Failed(format!("cannot read standard input: {}", words(&error)))
        })?;
        return Ok((text, "standard input".into()));
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
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
