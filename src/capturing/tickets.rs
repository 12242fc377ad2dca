//! Files of failure tickets that the request names.

use std::path::Path;

use super::OperationError;
use super::named_failure::NamedFailure;
use super::request::NumberedFile;
use crate::capture::{Logged, select_ticket};
use crate::model::{AnsweredBy, Cover};
use crate::project::TicketLog;
use crate::ticket::Ticket;

/// Finds the ticket of a line, otherwise the newest of the aggregate in the file.
pub(super) fn find(
    asked: &NumberedFile<usize>,
    cover: &Cover,
    by: AnsweredBy,
) -> Result<NamedFailure, OperationError> {
    let (file, line) = (&asked.file, asked.number);
    let log = match (TicketLog::read(file)?, line) {
        (log, Some(line)) if log.refusal(line).is_some() => log,
        (_, _) => read(file)?,
    };
    let Some(line) = line else {
        let mut found = newest_in(file, &log.tickets, cover, by)?;
        found.unusable = log.unusable();
        return Ok(found);
    };
    let found = log.tickets.iter().find(|(number, _)| *number == line);
    let (_, ticket) = found.ok_or_else(|| missing_at(&log, line, asked))?;
    if !ticket.command.cover.is_same_stream(cover) {
        let of = &ticket.command.cover;
        return Err(OperationError::Failed(format!(
            "{asked}: the ticket is of {}, not of {}",
            in_words(of),
            in_words(cover)
        )));
    }
    Ok(of_ticket(ticket, format!("from {asked}")))
}

/// Reads the tickets of a file, which must hold at least one.
pub(super) fn read(file: &Path) -> Result<TicketLog, OperationError> {
    let log = TicketLog::read(file)?;
    if !log.tickets.is_empty() {
        return Ok(log);
    }
    let unusable = log.unusable();
    let unusable: Vec<String> = unusable
        .iter()
        .map(|line| format!("\nnot usable: {line}"))
        .collect();
    Err(OperationError::Failed(format!(
        "{}: there is no failure ticket in it{}",
        file.display(),
        unusable.concat()
    )))
}

/// Why a line has no ticket.
pub(super) fn missing_at(
    log: &TicketLog,
    line: usize,
    asked: &NumberedFile<usize>,
) -> OperationError {
    OperationError::Failed(match log.refusal(line) {
        Some(reason) => format!("{asked}: {reason}"),
        None => format!("{asked}: there is no ticket on that line"),
    })
}

/// The newest ticket of the aggregate in a file.
fn newest_in(
    file: &Path,
    tickets: &[(usize, Ticket)],
    cover: &Cover,
    by: AnsweredBy,
) -> Result<NamedFailure, OperationError> {
    let file = file.display();
    let all: Vec<Ticket> = tickets.iter().map(|(_, ticket)| ticket.clone()).collect();
    if let Some(selected) = select_ticket(&all, cover, by) {
        return Ok(of_ticket(selected.ticket, format!("from {file}")));
    }
    let left = tickets
        .iter()
        .find(|(_, ticket)| ticket.command.cover.is_same_stream(cover));
    Err(OperationError::Failed(match left {
        Some((line, ticket)) if ticket.is_accepted() => format!(
            "{file}: there is no failure of {}, only commands that were accepted; name one if that is the point: \
             --ticket {file}:{line}",
            in_words(cover)
        ),
        Some((line, _)) => format!(
            "{file}: the tickets of {} are all of a stale sequence, which says nothing about the logic; name one if \
             that is the point: --ticket {file}:{line}",
            in_words(cover)
        ),
        None => format!(
            "{file}: none of its {} tickets is of {}",
            tickets.len(),
            in_words(cover)
        ),
    }))
}

fn in_words(cover: &Cover) -> String {
    format!(
        "{}/{}, edition {}",
        cover.domain,
        cover.root,
        cover.edition.label()
    )
}

fn of_ticket(ticket: &Ticket, origin: String) -> NamedFailure {
    NamedFailure {
        logged: Logged::Ticket(ticket.clone()),
        origin,
        unusable: Vec::new(),
    }
}
