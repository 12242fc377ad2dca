//! A failure ticket redacted.

use super::before::Before;
use super::redactor::{Reason, RedactError, Redactor};
use crate::ticket::Ticket;
use crate::wire;

impl Redactor {
    /// A ticket with its command and its failure redacted. The roots of aggregates stay: without them no history
    /// is found. Capture gives them their stand-ins.
    pub fn ticket(&self, ticket: &Ticket) -> Result<Ticket, RedactError> {
        let redactor = self.without(Reason::Roots);
        let before = Before::of_command(&ticket.command, &ticket.redacted);
        let mut session = redactor.session().where_done(&before);
        // What is written anew has the numbers that were sent, also where the dialect was assumed in error.
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
