//! A failure log: a file with a ticket on each line.
//!
//! A line that is not a ticket does not hide the others: it is skipped and reported with its number.

use std::path::Path;

use super::{FailureEntry, Project, SourceError};
use crate::capture::{LogReading, Logged};
use crate::model::counted;
use crate::plain;
use crate::ticket::{Ticket, TicketError, TicketErrorKind};

/// Number of skipped lines that are reported individually, which is enough to see what is wrong.
const SHOWN: usize = 20;

/// The contents of a failure log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketLog {
    /// The file, as it is shown.
    pub file: String,
    /// Its tickets, each with its line from 1.
    pub tickets: Vec<(usize, Ticket)>,
    /// The lines that are not tickets, with the reason.
    pub refused: Vec<TicketError>,
    /// Whether it is a program's log rather than a file of tickets.
    pub is_program_log: bool,
}

impl TicketLog {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let file = Project::shown(path);
        let bytes = plain::read(path).map_err(|reason| SourceError::Unreadable {
            file: file.clone(),
            reason,
        })?;
        Ok(Self::of(&String::from_utf8_lossy(&bytes), file))
    }

    fn of(text: &str, file: String) -> Self {
        let (tickets, refused) = Ticket::read_lines(text);
        // A damaged ticket does not make a file a program's log. In a program's log, most lines are not JSON or
        // describe other things.
        let others = refused.iter().filter(|error| is_of_something_else(error));
        let is_program_log = match others.count() {
            0 => false,
            others => {
                others > tickets.len() && (others > 2 || !LogReading::of(text).found.is_empty())
            }
        };
        Self {
            file,
            tickets,
            refused,
            is_program_log,
        }
    }

    /// The unusable lines, as `FILE:LINE: REASON`.
    #[must_use]
    pub fn unusable(&self) -> Vec<String> {
        let file = &self.file;
        if self.is_program_log {
            let found = match self.tickets.len() {
                0 => "none of its lines is a ticket".to_owned(),
                tickets => format!(
                    "{} beside {}",
                    counted(tickets, "ticket"),
                    counted(self.refused.len(), "other line")
                ),
            };
            return vec![format!(
                "{file}: {found}: it looks like the log of a program, which replay.toml names under `logs` instead of \
                 `tickets`, and `capture` reads with --from-log"
            )];
        }
        let mut unusable: Vec<String> = self
            .refused
            .iter()
            .take(SHOWN)
            .map(|error| format!("{file}:{}: {}", error.line(), error.kind()))
            .collect();
        if let Some(more) = self.refused.get(SHOWN..).filter(|more| !more.is_empty()) {
            unusable.push(format!("{file}: and {}", counted(more.len(), "more line")));
        }
        unusable
    }

    /// Why a line is not a ticket; `None` if it is one or there is no such line.
    #[must_use]
    pub fn refusal(&self, line: usize) -> Option<&TicketErrorKind> {
        let refused = self.refused.iter().find(|error| error.line() == line);
        refused.map(TicketError::kind)
    }

    /// Its tickets as failure entries.
    pub fn entries(&self) -> impl Iterator<Item = FailureEntry> + '_ {
        self.tickets.iter().map(|(line, ticket)| FailureEntry {
            file: self.file.clone(),
            line: *line,
            logged: Logged::Ticket(ticket.clone()),
            local: None,
            trace_id: ticket.trace_id.clone(),
        })
    }
}

/// Whether a line describes something else, as opposed to being a damaged ticket.
fn is_of_something_else(error: &TicketError) -> bool {
    matches!(
        error.kind(),
        TicketErrorKind::Json(_) | TicketErrorKind::Missing("ticket")
    )
}
