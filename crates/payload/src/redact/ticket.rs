//! Redaction of failure tickets.

use super::prior::PriorRedaction;
use super::redactor::{Reason, RedactError, Redactor};
use crate::ticket::Ticket;
use crate::wire;

impl Redactor {
    /// Redacts the command and the failure of a ticket. Roots stay, because capture needs them to find the history;
    /// capture pseudonymises them.
    pub fn ticket(&self, ticket: &Ticket) -> Result<Ticket, RedactError> {
        let redactor = self.without(Reason::Roots);
        let prior = PriorRedaction::of_command(&ticket.command, &ticket.redacted);
        let mut session = redactor.session().with_prior(&prior);
        // Enum numbers are written as they were sent, even if the dialect was detected incorrectly.
        let plain = ticket.dialect.with_plain_enums();
        let command = match wire::command_book_in(&ticket.command, ticket.dialect, plain) {
            Ok(command) => {
                let redacted = session.book(&command)?;
                wire::command_book_in(&redacted, plain, ticket.dialect).unwrap_or(redacted)
            }
            Err(_) => session.book(&ticket.command)?,
        };
        let failure = session.failure(&ticket.failure);
        Ok(Ticket {
            command,
            failure,
            redacted: redactor.redactions(&session.finish(), &ticket.redacted.fields),
            ..ticket.clone()
        })
    }
}
